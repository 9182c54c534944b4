"""The real event log of 2026-01-08: the values that are known of it."""
from harness import SAMPLE_LOG, export, run

KEY = "cloudspe|stream-o5s73x-mk5zc8fy|db936fab"
PAYEE = "0xd00354656922168815fcd1e51cbddb9e359e3c7f"


def imported():
    run("import", SAMPLE_LOG)


def only(rows):
    assert len(rows) == 1, rows
    return rows[0]


def expect(row, **values):
    wrong = {name: row.get(name) for name, value in values.items()
             if row.get(name) != value}
    assert not wrong, wrong


def test_the_session_and_its_latencies():
    imported()
    expect(only(export("sessions")), session_key=KEY, org="cloudspe",
           startup_latency_ms=2655, e2e_latency_ms=106, ptff_ms=6435,
           started_at="2026-01-08T21:49:05.298Z",
           last_seen="2026-01-08T21:51:55.610Z",
           few_processed_at="2026-01-08T21:49:12.042Z",
           status_samples=17, online_samples=16, running_samples=17,
           degraded_inference_samples=1, started_count=1, playable_count=1,
           swap_count=0, completed=0, requested_seen=1,
           startup_outcome="success", startup_label="success",
           excusal_reason="none", health_signal_count=3,
           health_expected_signal_count=3, selection_outcome="selected",
           pipeline_id="live-video-to-video",
           model_id="streamdiffusion-sdxl-faceid")


def test_the_settled_pass_leaves_the_orchestrator_blank():
    """The snapshot comes 74 s after the selection; 30 s are allowed."""
    imported()
    expect(only(export("selections")), session_key=KEY,
           selection_ts="2026-01-08T21:49:07.583Z",
           selection_trigger="initial", attribution_status="unresolved",
           attribution_reason="missing_candidate",
           attribution_method="missing", attribution_confidence="low",
           attribution_snapshot_ts=None, orchestrator_address="",
           gpu_id=None)
    expect(only(export("sessions")), attribution_status="unresolved",
           attribution_reason="missing_candidate", orchestrator_address="")


def test_the_sla_row_and_its_components():
    imported()
    expect(only(export("sla")), window_start="2026-01-08T21:00:00Z",
           org="cloudspe", orchestrator_address="",
           pipeline_id="live-video-to-video",
           model_id="streamdiffusion-sdxl-faceid", gpu_id=None,
           requested_sessions=1, startup_success_sessions=1,
           total_swapped_sessions=0, health_signal_count=3,
           health_expected_signal_count=3, status_samples=17,
           output_fps_sum=271.9991760846937,
           avg_output_fps=15.999951534393748,
           prompt_to_first_frame_sum_ms=6435,
           prompt_to_first_frame_sample_count=1, e2e_latency_sum_ms=106,
           e2e_latency_sample_count=1, health_signal_coverage_ratio=1,
           startup_success_rate=1, effective_success_rate=1,
           no_swap_rate=1, output_viability_rate=1, ptff_p50=None,
           ptff_benchmark_row_count=0, ptff_score_raw=0.5,
           reliability_score=1, quality_score=0.5,
           sla_semantics_version="quality-benchmark-v1", sla_score=85.0)


def test_both_passes_agree_on_a_single_day():
    imported()
    for what in ("sla", "sessions", "selections"):
        assert (export(what, "--pass", "settled")
                == export(what, "--pass", "whole"))


def test_all_65_records_are_accepted_once():
    imported()
    imported()
    row = only(export("counts"))
    expect(row, **{"class": "accepted", "reason": "", "org": "cloudspe",
                   "unique": 65})


def test_a_snapshot_in_time_would_have_resolved_it():
    """The same log, its snapshot moved to 10 s before the selection."""
    import json
    records = json.loads(SAMPLE_LOG.read_text())
    for record in records:
        if record["value"]["type"] == "network_capabilities":
            record["value"]["timestamp"] = "1767908937583"
    with open("moved.json", "w", encoding="utf-8") as out:
        json.dump(records, out)
    run("import", "moved.json")
    row = only(export("sla"))
    expect(row, orchestrator_address=PAYEE, sla_score=85.0,
           gpu_id=only(export("selections"))["gpu_id"])
    assert row["gpu_id"].startswith("GPU-a8d13655-"), row

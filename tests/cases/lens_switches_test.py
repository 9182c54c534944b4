"""Each switch of a lens on a hand-made case: it alone changes exactly these
cells of `export sla`, and none where its case is not given.

A case lists events, and what the switch makes of the published rows: for each
row the cells that differ, as (published, switched). A row that one side does
not have stands as NO_ROW there, with the cells that matter.
"""
import json

from harness import run

DAY = 1767830400000  # 2026-01-08
MINUTE, HOUR_MS, DAY_MS = 60000, 3600000, 86400000

SWITCHES = """dedup_first late_snapshot multi_gpu loading_only_documented
health_first_processed ptff_from_request e2e_documented tail_artefact_kept
session_counted_once inferred_swaps swap_charged_to_left fps_without_zeros
excused_not_counted merged_benchmark nan_day_neutral no_row_gate""".split()


def address(name):
    return "0x" + name.lower() * 40


class Events:
    """Lines of telemetry; each adding method returns self."""

    def __init__(self):
        self.lines = []
        self.has_clean = False

    def add(self, family, at, data, event_id=None):
        self.lines.append(json.dumps({
            "id": event_id or f"e{len(self.lines):05}", "type": family,
            "timestamp": str(at), "gateway": "0xgate", "data": data}))
        return self

    def offers(self, name, at, gpus=("GPU-1",)):
        """A snapshot: orchestrator NAME offers comfyui on these cards."""
        cards = [{"id": gpu, "name": "RTX", "memory_total": 24}
                 for gpu in gpus]
        return self.add("network_capabilities", at, [{
            "address": address(name), "orch_uri": f"https://{name}",
            "hardware": [{"pipeline": "live-video-to-video",
                          "model_id": "comfyui", "gpu_info": cards}]}])

    def trace(self, session, kind, at, on=None):
        return self.add("stream_trace", at, self.who(
            {"type": kind, "stream_id": session, "request_id": "r"}, on))

    def status(self, session, at, fps=20, state="ONLINE", on=None,
               event_id=None, **more):
        data = {"stream_id": session, "request_id": "r", "state": state,
                "inference_status": {"fps": fps}, **more}
        return self.add("ai_stream_status", at, self.who(data, on), event_id)

    def error(self, session, at, message):
        return self.add("ai_stream_events", at, {
            "stream_id": session, "request_id": "r", "type": "error",
            "message": message})

    def packets(self, session, at, **jitters):
        """What the gateway reports on the packets of SESSION."""
        return self.add("stream_ingest_metrics", at, {
            "stream_id": session, "request_id": "r", "stats": {
                "track_stats": [{"type": kind, "jitter": jitter}
                                for kind, jitter in jitters.items()]}})

    @staticmethod
    def who(data, on):
        if on:
            data["orchestrator_info"] = {"url": f"https://{on}"}
        return data

    def request(self, session, at, on):
        return self.trace(session, "gateway_receive_stream_request", at, on)

    def clean(self, session, at, on, fps=20):
        """PTFF 3000 and E2E 500 as published, playable after 6000 ms."""
        self.has_clean = True
        self.request(session, at, on)
        for kind, after in (
                ("gateway_send_first_ingest_segment", 1000),
                ("runner_send_first_processed_segment", 1500),
                ("gateway_receive_first_processed_segment", 2000),
                ("gateway_receive_few_processed_segments", 6000)):
            self.trace(session, kind, at + after)
        return self.status(session, at + 7000, fps, start_time=at + 3000)


def base():
    """Orchestrators a and b are known well before."""
    return Events().offers("a", DAY - MINUTE).offers("b", DAY - MINUTE,
                                                     ("GPU-2",))


def table(*arguments):
    """Rows by (window, orchestrator, gpu)."""
    out = run("export", "sla", *arguments).out
    rows = [json.loads(line) for line in out.split("\n")[:-1]]
    return {(row["window_start"][5:13], row["orchestrator_address"][2:3],
             row["gpu_id"]): row for row in rows}


def test_lens_assay_fills_what_the_publisher_leaves_empty():
    """And no single switch does, nor all but one."""
    capability = {"capabilities": {"constraints": {"PerCapability": {"35": {
        "models": {"comfyui": {"warm": True, "runnerVersion": "1.2.3"}}}}}}}
    events = Events()
    for name, cards in (
            ("a", [{"id": "GPU-1", "name": "RTX", "memory_total": 24}]),
            ("b", [{"id": "GPU-3", "name": "L40", "memory_total": 48},
                   {"id": "GPU-2", "name": "A40", "memory_total": 40}])):
        events.add("network_capabilities", DAY - MINUTE, [{
            "address": address(name), "orch_uri": f"https://{name}",
            "hardware": [{"pipeline": "live-video-to-video",
                          "model_id": "comfyui", "gpu_info": cards}],
            **capability}])
    # Warm on a: 10 and 30 fps in one hour, steady in the next.
    events.clean("warm", DAY, "a", fps=10)
    events.status("warm", DAY + 2 * MINUTE, 30)
    for i in range(3):
        events.status("warm", DAY + HOUR_MS + i * MINUTE, 20 / 3)
    # Cold on b: it loads before it runs, and reloads later on a.
    events.request("cold", DAY, "b").status(
        "cold", DAY + 3000, 0, "LOADING", "b")
    events.trace("cold", "gateway_receive_first_processed_segment",
                 DAY + 9000).status("cold", DAY + 12000, 20)
    events.clean("later", DAY, "a", fps=10)
    events.status("later", DAY + MINUTE, 0, "LOADING")
    # Packets: three of video on a in its first hour, one of them another
    # session's; an hour in which no session is heard of counts nowhere.
    events.packets("warm", DAY + 8000, video=4, audio=20.5)
    events.packets("warm", DAY + 13000, video=1).packets("later", DAY, video=7)
    events.packets("warm", DAY + 2 * HOUR_MS, video=900)
    events.packets("cold", DAY + 1, video="n/a").packets("cold", DAY + 2,
                                                         audio=0)
    run("import", "--org", "acme", "-", input="\n".join(events.lines))

    def gpus(*options):
        out = run("export", "gpu", *options).out
        return [json.loads(line) for line in out.split("\n")[:-1]]
    extras = ("gpu_id", "gpu_model_name", "gpu_memory_bytes_total",
              "runner_version", "fps_jitter_coefficient", "fps_jitter_sum",
              "fps_jitter_hour_count", "cold_sessions",
              "avg_cold_startup_latency_ms", "avg_warm_startup_latency_ms",
              "warm_startup_latency_sample_count",
              "ingest_video_packet_jitter_sample_count",
              "avg_ingest_video_packet_jitter_ms",
              "ingest_audio_packet_jitter_sample_count",
              "avg_ingest_audio_packet_jitter_ms")
    for rows in (gpus("--lens", "assay"),
                 gpus("--lens", "assay", "--pass", "whole")):
        assert [tuple(row[name] for name in extras) for row in rows] == [
            ("GPU-1", "RTX", 24, "1.2.3", 0.5, 0.5, 1, 0, None, 2000, 2, 3, 4,
             1, 20.5),
            ("GPU-2+GPU-3", "A40+L40", 88, "1.2.3", None, 0, 0, 1, 9000,
             None, 0, 0, None, 1, 0),
            ("GPU-1", "RTX", 24, "1.2.3", 0, 0, 1, 0, None, None, 0, 0, None,
             0, None)], rows
    for options in ([], ["--switch", "multi_gpu"],
                    ["--lens", "assay", "--without", "no_row_gate"]):
        for row in gpus(*options):
            assert (row["gpu_model_name"], row["gpu_memory_bytes_total"],
                    row["runner_version"], row["fps_jitter_coefficient"]) == (
                None, None, None, None), (options, row)
            assert "cold_sessions" not in row
            assert "avg_ingest_video_packet_jitter_ms" not in row


NO_ROW = None


def difference(before, after):
    out = {}
    for key in before.keys() | after.keys():
        a, b = before.get(key), after.get(key)
        if a is None or b is None:
            out[key] = (a, b)
        elif a != b:
            out[key] = {c: (a[c], b[c]) for c in a if a[c] != b[c]}
    return out


def near(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return (a is None) == (b is None) and (a is None
                                               or abs(a - b) < 1e-9)
    return a == b


def check_row(key, expected, got):
    if isinstance(expected, tuple):
        assert isinstance(got, tuple), (key, got)
        for cells, row in zip(expected, got):
            assert (cells is NO_ROW) == (row is None), (key, got)
            for column, value in (cells or {}).items():
                assert near(row[column], value), (key, column, row[column])
        return
    assert isinstance(got, dict), (key, got)
    assert got.keys() == expected.keys(), (key, got)
    for column, pair in expected.items():
        for wanted, value in zip(pair, got[column]):
            assert near(wanted, value), (key, column, got[column])


def check(switch, events, expected, also=()):
    """SWITCH changes the rows of EVENTS as EXPECTED. No other does, but those
    that ALSO act on them, and where a clean session is among them those of its
    latencies."""
    with open("events.ndjson", "w") as out:
        out.write("\n".join(events.lines) + "\n")
    run("import", "--org", "o", "events.ndjson")
    published = table("--pass", "whole")
    got = difference(published, table("--switch", switch))
    assert got.keys() == expected.keys(), (switch, got)
    for key in expected:
        check_row(key, expected[key], got[key])
    acting = {name for name in SWITCHES
              if difference(published, table("--switch", name))}
    wanted = set(also) | ({switch} if expected else set())
    if events.has_clean:
        wanted |= {"ptff_from_request", "e2e_documented"}
    assert acting == wanted, (switch, acting)


A, B = ("01-08T00", "a", "GPU-1"), ("01-08T00", "b", "GPU-2")


def test_dedup_first():
    """One event under two times."""
    events = base().clean("s", DAY, "a").status("s", DAY + 9000, event_id="x")
    events.status("s", DAY + 10000, 50, event_id="x")
    check("dedup_first", events, {A: {
        "status_samples": (3, 2), "output_fps_sum": (90.0, 40.0),
        "avg_output_fps": (30.0, 20.0)}})


def test_late_snapshot():
    """The first list that names the orchestrator comes 74 s too late."""
    events = Events().clean("s", DAY, "a").offers("a", DAY + 74000)
    moved = {"requested_sessions": 1, "status_samples": 1, "sla_score": 85.0}
    check("late_snapshot", events, {
        ("01-08T00", "", None): ({**moved, "model_id": None}, NO_ROW),
        A: (NO_ROW, {**moved, "model_id": "comfyui"})})


def test_late_snapshot_has_a_limit():
    events = Events().clean("s", DAY, "a")
    check("late_snapshot", events.offers("a", DAY + HOUR_MS + 1), {})


def test_multi_gpu():
    events = Events().offers("a", DAY - MINUTE, ("GPU-2", "GPU-1", "GPU-2"))
    row = {"requested_sessions": 1, "sla_score": 85.0}
    check("multi_gpu", events.clean("s", DAY, "a"), {
        ("01-08T00", "a", None): (row, NO_ROW),
        ("01-08T00", "a", "GPU-1+GPU-2"): (NO_ROW, row)})


def test_loading_only_documented():
    """It never loaded: it was offline."""
    events = base().request("s", DAY, "a")
    events.status("s", DAY + 5000, 0, "OFFLINE")
    check("loading_only_documented", events, {A: {
        "loading_only_sessions": (1, 0), "health_signal_count": (1, 2),
        "health_signal_coverage_ratio": (1 / 3, 2 / 3),
        # startup 0, viability 0, no swap 0.2
        "sla_score": (100 / 3 * (0.7 * 0.2 + 0.15),
                      200 / 3 * (0.7 * 0.2 + 0.15))}}, ["fps_without_zeros"])


def test_health_first_processed():
    """No first segment was seen; and a stranger's signals fill nothing."""
    events = base().request("s", DAY, "a").status("s", DAY + 7000)
    events.trace("s", "gateway_receive_few_processed_segments", DAY + 6000)
    events.status("t", DAY + 8000, on="a")
    check("health_first_processed", events, {A: {
        "health_signal_count": (5, 2),
        "health_signal_coverage_ratio": (1.0, 2 / 3),
        "sla_score": (85.0, 85.0 * 2 / 3)}},
        ["ptff_from_request", "e2e_documented"])


def test_ptff_from_request():
    check("ptff_from_request", base().clean("s", DAY, "a"), {A: {
        "prompt_to_first_frame_sum_ms": (3000.0, 6000.0),
        "avg_prompt_to_first_frame_ms": (3000.0, 6000.0)}})


def test_e2e_documented():
    check("e2e_documented", base().clean("s", DAY, "a"), {A: {
        "e2e_latency_sum_ms": (500.0, 6000.0),
        "avg_e2e_latency_ms": (500.0, 6000.0)}})


def test_tail_artefact_kept():
    """Asked for before the hour, it only ended in it."""
    events = base().request("s", DAY + 59 * MINUTE, "a")
    events.status("s", DAY + 61 * MINUTE, 0, "OFFLINE")
    check("tail_artefact_kept", events, {("01-08T01", "a", "GPU-1"): (
        NO_ROW, {"requested_sessions": 1, "status_samples": 1,
                 "output_viability_rate": 0.0})})


def test_session_counted_once():
    """A session over two hours is one session, in its first hour."""
    events = base().clean("s", DAY + 59 * MINUTE, "a")
    events.status("s", DAY + 61 * MINUTE)
    check("session_counted_once", events, {("01-08T01", "a", "GPU-1"): {
        "known_sessions_count": (1, 0), "requested_sessions": (1, 0),
        "startup_success_sessions": (1, 0), "health_signal_count": (3, 0),
        "health_expected_signal_count": (3, 0),
        "prompt_to_first_frame_sum_ms": (3000.0, 0.0),
        "prompt_to_first_frame_sample_count": (1, 0),
        "avg_prompt_to_first_frame_ms": (3000.0, None),
        "e2e_latency_sum_ms": (500.0, 0.0),
        "e2e_latency_sample_count": (1, 0),
        "avg_e2e_latency_ms": (500.0, None),
        "startup_success_rate": (1.0, None),
        "excused_failure_rate": (0.0, None),
        "effective_success_rate": (1.0, None), "no_swap_rate": (1.0, None),
        "output_viability_rate": (1.0, None),
        "reliability_score": (1.0, None), "sla_score": (85.0, None)}})


def test_inferred_swaps():
    """From a to b without a trace that says so."""
    events = base().clean("s", DAY, "a").status("s", DAY + 9000, on="b")
    check("inferred_swaps", events, {B: {
        "inferred_swap_sessions": (0, 1), "total_swapped_sessions": (0, 1),
        "no_swap_rate": (1.0, 0.0), "reliability_score": (1.0, 0.8),
        "sla_score": (85.0, 71.0)}})


def swapped():
    """From a to b, with the trace."""
    events = base().clean("s", DAY, "a")
    events.trace("s", "orchestrator_swap", DAY + 8000, "a")
    return events.status("s", DAY + 9000, on="b")


def test_inferred_swaps_names_the_confirmed():
    check("inferred_swaps", swapped(), {B: {
        "confirmed_swapped_sessions": (0, 1)}}, ["swap_charged_to_left"])


def test_swap_charged_to_left():
    check("swap_charged_to_left", swapped(), {
        A: (NO_ROW, {
            "requested_sessions": 1, "startup_success_sessions": 1,
            "total_swapped_sessions": 1, "no_swap_rate": 0.0,
            "status_samples": 0, "health_signal_count": 0,
            "health_signal_coverage_ratio": 1.0, "avg_output_fps": None,
            "prompt_to_first_frame_sample_count": 0, "sla_score": 71.0}),
        B: {"total_swapped_sessions": (1, 0), "no_swap_rate": (0.0, 1.0),
            "reliability_score": (0.8, 1.0), "sla_score": (71.0, 85.0)}},
          ["inferred_swaps"])


def test_swap_charged_to_left_of_its_own():
    """Given up and taken again: its own row is charged, as published."""
    check("swap_charged_to_left",
          swapped().status("s", DAY + 12000, on="a"), {}, ["inferred_swaps"])


def test_fps_without_zeros():
    events = base().clean("s", DAY, "a")
    events.status("s", DAY + 6500, 0, "LOADING").status("s", DAY + 6600, 0)
    check("fps_without_zeros", events, {A: {
        "avg_output_fps": (20 / 3, 20.0)}})


def test_excused_not_counted():
    events = base().clean("s", DAY, "a").request("t", DAY, "a")
    events.status("t", DAY + 1000, 0, "LOADING")
    events.error("t", DAY + 2000, "User disconnected early")
    check("excused_not_counted", events, {A: {
        "loading_only_sessions": (1, 0), "zero_output_fps_sessions": (1, 0),
        "output_failed_sessions": (1, 0), "effective_failed_sessions": (1, 0),
        "health_signal_count": (4, 3), "health_expected_signal_count": (6, 3),
        "health_signal_coverage_ratio": (4 / 6, 1.0),
        "startup_success_rate": (0.5, 1.0),
        "effective_success_rate": (0.5, 1.0),
        "output_viability_rate": (0.5, 1.0),
        "reliability_score": (0.6, 1.0),
        "sla_score": (100 * 4 / 6 * (0.42 + 0.15), 85.0)}},
        ["fps_without_zeros"])


def test_excused_not_counted_alone():
    """Where all are excused there is nothing to score."""
    events = base().request("t", DAY, "a").status("t", DAY + 1, 0, "LOADING")
    events.error("t", DAY + 2000, "missing video")
    check("excused_not_counted", events, {A: {
        "loading_only_sessions": (1, 0), "zero_output_fps_sessions": (1, 0),
        "output_failed_sessions": (1, 0), "effective_failed_sessions": (1, 0),
        "health_signal_count": (1, 0), "health_expected_signal_count": (3, 0),
        "health_signal_coverage_ratio": (1 / 3, 1.0),
        "startup_success_rate": (0.0, None),
        "effective_success_rate": (0.0, None), "no_swap_rate": (1.0, None),
        "output_viability_rate": (0.0, None),
        "reliability_score": (0.2, None),
        "sla_score": (100 / 3 * (0.14 + 0.15), None)}}, ["fps_without_zeros"])


def days_of(*rows):
    """Events of clean sessions, one per (days before, hour, on, fps)."""
    events = Events()
    for name in "abc":
        events.offers(name, DAY - 8 * DAY_MS, (f"GPU-{name}",))
    for i, (back, hour, on, fps) in enumerate(rows):
        events.clean(f"s{i}", DAY - back * DAY_MS + hour * HOUR_MS, on, fps)
    return events


def test_merged_benchmark():
    """10, 20, 30 on one day and 40 on the next: the means of the days'
    percentiles are (10*3 + 40)/4 and (20*3 + 40)/4, those of all four values
    the first and the second of them. No gate yet: no score changes."""
    events = days_of((2, 0, "a", 10), (2, 0, "b", 20), (2, 0, "c", 30),
                     (1, 0, "a", 40), (0, 0, "a", 25))
    got = {("01-08T00", "a", "GPU-a"): {
        "fps_p10": (17.5, 10.0), "fps_p50": (25.0, 20.0)}}
    # The day with 40 itself looks back on one day only: nothing to merge.
    check("merged_benchmark", events, got, ["no_row_gate"])


def test_no_row_gate():
    """One row is enough to be compared with: equal to it is as good."""
    events = days_of((1, 0, "a", 20), (0, 0, "a", 20))
    up = (0.5, 1.0)
    # 1 of 10 latencies and 1 of 30 samples: 0.55, 0.55, 0.51667
    quality = 0.6 * 0.55 + 0.4 * (0.5 + 0.5 / 30)
    check("no_row_gate", events, {("01-08T00", "a", "GPU-a"): {
        "ptff_score_raw": up, "e2e_score_raw": up, "fps_score_raw": up,
        "ptff_score": (0.5, 0.55), "e2e_score": (0.5, 0.55),
        "latency_score": (0.5, 0.55), "fps_score": (0.5, 0.5 + 0.5 / 30),
        "quality_score": (0.5, quality),
        "sla_score": (85.0, 70 + 30 * quality)}})


def test_nan_day_neutral():
    """48 rows on one day, and on the next one that was never playable."""
    events = days_of(*[(2, hour, on, 20) for hour in range(24)
                       for on in "ab"], (0, 0, "a", 20))
    at = DAY - DAY_MS
    events.request("n", at, "a")
    events.trace("n", "gateway_send_first_ingest_segment", at + 1000)
    events.trace("n", "runner_send_first_processed_segment", at + 1500)
    events.status("n", at + 7000, 20)
    published = 0.6 * (0.6 * 0 + 0.4 * 0.55) + 0.4 * (0.5 + 0.5 / 30)
    neutral = 0.6 * 0.55 + 0.4 * (0.5 + 0.5 / 30)
    row = {
        "ptff_p50": (None, 3000.0), "ptff_p90": (None, 3000.0),
        "ptff_score_raw": (None, 1.0), "ptff_score": (0.0, 0.55),
        "latency_score": (0.4 * 0.55, 0.55),
        "quality_score": (published, neutral),
        "sla_score": (70 + 30 * published, 70 + 30 * neutral)}
    check("nan_day_neutral", events, {("01-08T00", "a", "GPU-a"): row},
          ["merged_benchmark", "health_first_processed"])


def test_all_of_them_and_none():
    """`assay` is all switches; all of them off is `published`, byte for
    byte."""
    with open("events.ndjson", "w") as out:
        out.write("\n".join(swapped().lines) + "\n")
    run("import", "--org", "o", "events.ndjson")
    listed = run("metrics", "switches", "--json").out.split("\n")[:-1]
    assert sorted(json.loads(row)["name"] for row in listed) == sorted(
        SWITCHES)
    for row in map(json.loads, listed):
        assert all(row[part] for part in ("source", "published", "formula",
                                          "effect")), row
    for what in ("sla", "sessions", "selections", "demand", "gpu",
                 "percentiles", "requests", "batch-jobs", "byoc-jobs"):
        published = run("export", what, "--pass", "whole").out
        off = run("export", what, "--lens", "assay", "--without",
                  ",".join(SWITCHES)).out
        assert off == published, what
        assert (run("export", what, "--lens", "assay").out ==
                run("export", what, "--switch", ", ".join(SWITCHES)).out)

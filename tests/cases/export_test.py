"""`assay export`: columns, order, formats, borders in time, failures."""
import csv
import io
import json
import os
import re
import subprocess
import sys

from harness import (ROOT, SAMPLE_LOG, binary, environment, folder,
                     refuse_findings, run, sanitised)

sys.path.insert(0, str(ROOT / "tests" / "reference"))

import generate                   # noqa: E402
import lens                       # noqa: E402

COLUMNS = {
    "sla": """
        window_start org orchestrator_address pipeline_id model_id gpu_id
        gpu_model_name region known_sessions_count requested_sessions
        startup_success_sessions no_orch_sessions startup_excused_sessions
        startup_failed_sessions loading_only_sessions zero_output_fps_sessions
        output_failed_sessions effective_failed_sessions
        confirmed_swapped_sessions inferred_swap_sessions
        total_swapped_sessions sessions_ending_in_error error_status_samples
        health_signal_count health_expected_signal_count output_fps_sum
        status_samples prompt_to_first_frame_sum_ms
        prompt_to_first_frame_sample_count e2e_latency_sum_ms
        e2e_latency_sample_count health_signal_coverage_ratio
        startup_success_rate excused_failure_rate effective_success_rate
        no_swap_rate output_viability_rate avg_output_fps
        avg_prompt_to_first_frame_ms avg_e2e_latency_ms ptff_p50 ptff_p90
        ptff_benchmark_row_count e2e_p50 e2e_p90 e2e_benchmark_row_count
        fps_p10 fps_p50 fps_benchmark_row_count ptff_score_raw e2e_score_raw
        fps_score_raw reliability_score ptff_score e2e_score latency_score
        fps_score quality_score sla_semantics_version sla_score""".split(),
    "sessions": """
        session_key org stream_id request_id gateway started_at
        first_processed_at few_processed_at first_ingest_at
        runner_first_processed_at status_start_time last_seen started_count
        playable_count no_orch_count completed_count swap_count status_samples
        online_samples running_samples fps_positive_samples
        degraded_input_samples degraded_inference_samples error_samples
        error_seen startup_error_count excusable_error_count status_hint
        trace_hint event_hint requested_seen playable_seen completed
        selection_event_id selection_ts selection_trigger selection_outcome
        attribution_status attribution_reason attribution_method
        attribution_confidence attribution_snapshot_ts orchestrator_address
        orchestrator_uri pipeline_id model_id gpu_id startup_outcome
        startup_label excusal_reason loading_only_session
        zero_output_fps_session health_signal_count
        health_expected_signal_count startup_latency_ms e2e_latency_ms
        ptff_ms""".split(),
    "selections": """
        selection_event_id org session_key selection_ts selection_trigger
        event_id orchestrator_identity observed_address observed_url
        pipeline_hint model_hint attribution_status attribution_reason
        attribution_method attribution_confidence attribution_snapshot_ts
        orchestrator_address orchestrator_uri pipeline_id model_id
        gpu_id""".split(),
    "counts": "class reason org received unique".split()}
TIMES = {"started_at", "first_processed_at", "few_processed_at",
         "first_ingest_at", "runner_first_processed_at", "status_start_time",
         "last_seen", "selection_ts", "attribution_snapshot_ts"}
FLAGS = {"error_seen", "requested_seen", "playable_seen", "completed",
         "loading_only_session", "zero_output_fps_session"}
NEVER_NULL = {"gateway", "orchestrator_address", "orchestrator_uri",
              "pipeline_id", "status_hint", "trace_hint", "event_hint",
              "selection_outcome", "org", "session_key"}
PASSES = ("settled", "whole")


def fill(*seeds):
    """A store of generated days; odd seeds with benchmarks."""
    for seed in seeds:
        records = generate.generate(seed, benchmark=seed % 2 == 1)
        run("import", "-", input=b"".join(
            record + b"\n" for record in records))


def text(what, *arguments):
    return run("export", what, *arguments).out


def json_lines(lines):
    """Texts may hold what str.splitlines takes for an end of line."""
    return [json.loads(line) for line in lines.split("\n") if line]


def export(what, *arguments):
    return json_lines(text(what, *arguments))


# ---- columns and values ------------------------------------------------------


def test_the_columns_are_these_in_this_order():
    fill(2)
    for what, columns in COLUMNS.items():
        for which in PASSES:
            arguments = (what, "--pass", which)
            assert text(*arguments, "--format", "csv").splitlines()[0] == (
                ",".join(columns))
            first = text(*arguments, "--format", "table").splitlines()[0]
            assert first.split() == columns
            rows = export(what, "--pass", which)
            assert rows and all(list(row) == columns for row in rows), what


def test_values_have_the_form_that_their_column_has():
    fill(4, 6)
    moment = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
    window = re.compile(r"\d{4}-\d\d-\d\dT\d\d:00:00Z\Z")
    for what in ("sla", "sessions", "selections"):
        for row in export(what):
            for name, value in row.items():
                place = (what, name, value)
                assert value is not None or name not in NEVER_NULL, place
                if name in TIMES:
                    assert value is None or moment.match(value), place
                elif name == "window_start":
                    assert window.match(value), place
                elif name in FLAGS:
                    assert value in (0, 1) and value is not True, place
                elif name in ("gpu_id", "model_id"):
                    assert value != "", place
                elif name.endswith(("_count", "_sessions", "_samples")):
                    assert type(value) is int and value >= 0, place


def csv_rows(content):
    return list(csv.DictReader(io.StringIO(content, newline="")))


def plain(value):
    """A JSON value as CSV has it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def same_number(a, b):
    try:
        return float(a) == float(b)
    except ValueError:
        return False


def test_the_three_formats_agree():
    fill(3)
    for what in COLUMNS:
        rows = export(what)
        assert rows, what
        assert text(what) == text(what, "--format", "ndjson"), "the default"
        by_comma = csv_rows(text(what, "--format", "csv"))
        assert len(by_comma) == len(rows)
        table = text(what, "--format", "table").split("\n")[:-1]
        assert len(table) == len(rows) + 1, what
        for row, cells, line in zip(rows, by_comma, table[1:]):
            for name, value in row.items():
                cell = cells[name]
                assert cell == plain(value) or (
                    isinstance(value, float) and same_number(cell, value)), (
                        what, name, value, cell)
                if isinstance(value, str) and value.isprintable():
                    assert value.rstrip() in line, (what, name, value, line)


def test_texts_that_csv_and_tables_must_quote():
    event = {"id": "e", "type": "stream_trace", "org": 'a"b,c\nd\r;\te\x1b[1m',
             "timestamp": "1767908945298", "gateway": "=1+1",
             "data": {"type": "orchestrator_swap", "stream_id": " s ",
                      "request_id": "\u00e4\U0001f600"}}
    run("import", "-", input=json.dumps(event))
    row, = csv_rows(text("sessions", "--format", "csv"))
    assert row["org"] == event["org"] and row["stream_id"] == " s "
    assert row["request_id"] == "\u00e4\U0001f600"
    table = text("sessions", "--format", "table")
    assert len(table.split("\n")) == 3 and "\x1b" not in table
    assert export("sessions")[0]["org"] == event["org"]


def test_nulls_are_nulls():
    run("import", SAMPLE_LOG)
    row, = export("sla")
    assert row["gpu_id"] is None and row["orchestrator_address"] == ""
    cells, = csv_rows(text("sla", "--format", "csv"))
    assert cells["gpu_id"] == "" and cells["ptff_p50"] == ""


# ---- order -------------------------------------------------------------------


def key_of(what, row):
    if what == "sla":
        names = ("window_start", "org", "orchestrator_address", "pipeline_id",
                 "model_id", "gpu_id")
        return [(row[name] or "").encode() for name in names]
    if what == "counts":
        return [row[name].encode() for name in ("class", "reason", "org")]
    if what == "sessions":
        return [row["session_key"].encode()]
    return [row["session_key"].encode(), row["selection_ts"],
            row["selection_event_id"]]


def test_rows_are_ordered():
    fill(2, 4, 3)
    for what in COLUMNS:
        for which in PASSES:
            keys = [key_of(what, row) for row in export(what, "--pass", which)]
            assert len(keys) > 1 and keys == sorted(keys), (what, which)


# ---- borders in time ---------------------------------------------------------


def time_of(what, row):
    if what == "sla":
        return row["window_start"].replace("Z", ".000Z")
    if what == "sessions":
        return row["started_at"] or row["last_seen"]
    return row["selection_ts"]


def test_from_is_included_and_to_is_not():
    fill(2, 4)
    for what in ("sla", "sessions", "selections"):
        for which in PASSES:
            rows = export(what, "--pass", which)
            times = sorted({time_of(what, row) for row in rows})
            middle = times[len(times) // 2]
            picks = [([], None, None), (["--from", middle], middle, None),
                     (["--to", middle], None, middle),
                     (["--from", times[0], "--to", middle], times[0], middle),
                     (["--from", middle, "--to", middle], middle, middle),
                     (["--from", times[-1]], times[-1], None),
                     (["--to", times[0]], None, times[0]),
                     (["--from", middle, "--to", times[0]], middle, times[0])]
            for arguments, first, last in picks:
                wanted = [row for row in rows
                          if (first is None or time_of(what, row) >= first)
                          and (last is None or time_of(what, row) < last)]
                got = export(what, "--pass", which, *arguments)
                assert got == wanted, (what, which, arguments)


def test_times_of_many_spellings():
    run("import", SAMPLE_LOG)
    for spelling in ("2026-01-08", "2026-01-08T21:00:00Z",
                     "2026-01-08T21:00:00.000Z", "2026-01-08 21:00",
                     "2026-01-08T22:00:00+01:00"):
        assert len(export("sla", "--from", spelling)) == 1, spelling
        assert len(export("sla", "--to", spelling)) == 0, spelling
    assert len(export("sla", "--from", "2026-01-08T21:00:00.001Z")) == 0
    assert len(export("sla", "--to", "2026-01-08T21:00:00.001Z")) == 1


# ---- passes ------------------------------------------------------------------


def test_passes_differ_only_where_days_matter():
    """One day is one pass; two days with a session across are not."""
    run("import", SAMPLE_LOG)
    for what in ("sessions", "counts"):
        assert text(what, "--pass", "settled") == text(what)
    fill(6)  # has sessions across midnight
    for what in ("sla", "sessions", "selections"):
        assert text(what, "--pass", "settled") == text(what)
        assert text(what, "--pass", "whole") != text(what), what


def test_the_whole_pass_is_what_the_second_implementation_has():
    records = generate.generate(8)
    reference = lens.Lens()
    for record in records:
        reference.add(record, "")
    reference.run("whole")
    run("import", "-", input=b"".join(record + b"\n" for record in records))
    assert export("sla", "--pass", "whole") == reference.export_sla()
    assert export("sessions", "--pass", "whole") == (
        reference.export_sessions())
    assert export("selections", "--pass", "whole") == (
        reference.export_selections())


def test_counts_are_of_deliveries_and_of_keys():
    run("import", SAMPLE_LOG)
    run("import", SAMPLE_LOG)
    run("import", "--org", "z", "-", input="nonsense\nnonsense\n{}\n")
    expected = [["accepted", "", "cloudspe", 130, 65],
                ["rejected", "blank_id", "z", 1, 1],
                ["rejected", "invalid_json", "z", 2, 1]]
    assert [list(row.values()) for row in export("counts")] == expected


# ---- nothing there -----------------------------------------------------------


def test_an_empty_store():
    run("import", "-", input="")
    for what, columns in COLUMNS.items():
        for which in PASSES:
            arguments = (what, "--pass", which)
            assert text(*arguments) == ""
            assert text(*arguments, "--format", "csv").strip() == (
                ",".join(columns))
            table = text(*arguments, "--format", "table").split()
            assert table in ([], columns), what


def test_no_store():
    for what in COLUMNS:
        for output in ("ndjson", "csv", "table"):
            done = run("export", what, "--data", "nowhere", "--format",
                       output, code=None)
            assert done.code == 3, done
            assert "there is no store in nowhere" in done.err, done
            assert "assay import" in done.err
    assert not (folder() / "nowhere").exists(), "reading made a store"


def test_what_is_no_store():
    os.mkdir("empty")
    with open("file", "w", encoding="ascii") as out:
        out.write("x")
    os.mkdir("text")
    with open("text/assay.db", "w", encoding="ascii") as out:
        out.write("this is no database\n" * 300)
    for name in ("empty", "file", "text"):
        done = run("export", "sla", "--data", name, code=None)
        assert done.code in (1, 3) and name in done.err, done
    assert os.listdir("empty") == []


# ---- output that fails -------------------------------------------------------


def run_into(output, *arguments):
    done = subprocess.run([binary(), "export", *arguments], stdout=output,
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          env=environment(), check=False, timeout=60)
    error = done.stderr.decode()
    refuse_findings(error)
    return done.returncode, error


def test_a_full_disk():
    fill(2)
    for what in COLUMNS:
        for output in ("ndjson", "csv", "table"):
            with open("/dev/full", "wb") as full:
                code, error = run_into(full, what, "--format", output)
            assert code == 3 and "no space left" in error, (what, error)


def test_a_closed_pipe():
    fill(2)
    for what in COLUMNS:
        for output in ("ndjson", "csv", "table"):
            reader, writer = os.pipe()
            os.close(reader)
            code, error = run_into(writer, what, "--format", output)
            os.close(writer)
            assert code == 1 and "closed" in error, (what, code, error)
    assert run_into(subprocess.DEVNULL, "sla") == (0, "")


def test_a_closed_standard_output():
    fill(2)
    done = subprocess.run(["/bin/sh", "-c", '"$0" export sla >&-', binary()],
                          capture_output=True, env=environment(), check=False)
    assert done.returncode == 3 and b"standard output" in done.stderr, done


# ---- usage -------------------------------------------------------------------


def test_wrong_options():
    run("import", SAMPLE_LOG)
    for arguments in (
            [], ["banana"], ["sla", "extra"], ["sla", "--lens", "ours"],
            ["sla", "--lens", ""], ["sla", "--switch", "banana"],
            ["sla", "--without", "banana"],
            ["sla", "--lens", "assay", "--pass", "settled"],
            ["sla", "--switch", "multi_gpu", "--pass", "settled"], ["sla", "--pass", "half"],
            ["sla", "--format", "xml"], ["sla", "--format"],
            ["sla", "--from", "yesterday"], ["sla", "--from", ""],
            ["sla", "--to", "2026-02-30"], ["sla", "--from", "2026-01"],
            ["sla", "--banana"], ["--from", "2026-01-08"],
            ["sla", "--data"]):
        done = run("export", *arguments, code=2)
        assert done.out == "" and done.err.startswith("assay"), done
    for arguments in (["--lens", "published"], ["--pass=settled"]):
        assert run("export", "sla", *arguments).out == text("sla")


def test_export_changes_nothing_and_needs_no_right_to_write():
    run("import", SAMPLE_LOG)
    before = text("sla")
    os.chmod("assay-data", 0o555)
    for name in os.listdir("assay-data"):
        os.chmod(f"assay-data/{name}", 0o444)
    with open("assay-data/assay.db", "rb") as file:
        content = file.read()
    assert text("sla") == before
    assert json_lines(text("counts"))[0]["received"] == 65
    with open("assay-data/assay.db", "rb") as file:
        assert file.read() == content
    os.chmod("assay-data", 0o755)


def test_a_reader_sees_one_state_beside_a_writer():
    """Rows and counts of a commit come together."""
    process = subprocess.Popen(
        [binary(), "import", "-"], stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env=environment({"ASSAY_IMPORT_COMMIT_LINES": "10"}))
    records = b"".join(record + b"\n" for record in generate.generate(2))
    part = len(records) // 20
    for i in range(5 if sanitised() else 20):
        process.stdin.write(records[i * part:(i + 1) * part])
        process.stdin.flush()
        done = run("export", "counts", code=None)
        assert done.code == 0 or "no store" in done.err, done
        for row in json_lines(done.out):
            assert row["received"] >= row["unique"] > 0, row
    process.stdin.close()
    assert process.wait(30) == 0, process.stderr.read()
    process.stderr.close()


def test_runs_have_their_columns_before_there_are_any():
    run("import", SAMPLE_LOG)
    assert run("export", "runs").out == ""
    heading = run("export", "runs", "--format", "csv").out.strip().split(",")
    assert heading[:3] == ["run_id", "kind", "workflow"], heading
    for name in ("outcome", "reason", "ptff_ms", "jitter_fps", "cost_wei",
                 "samples_sha256"):
        assert name in heading, heading
    assert "line" not in heading and len(set(heading)) == len(heading)


def test_runs_of_others_never_become_ours():
    lines = [{"id": "r-1", "type": kind, "timestamp": "1767908945298",
              "gateway": "g", "org": "acme",
              "data": {"seq": 1, "previous": "0" * 64, "run_id": "r-1",
                       "started_at_ms": 1767908945298, "outcome": "ok"}}
             for kind in ("assay_run", "assay_run_samples", "assay_plan")]
    with open("runs.ndjson", "w", encoding="utf-8") as out:
        out.writelines(json.dumps(line) + "\n" for line in lines)
    run("import", "runs.ndjson")
    assert run("export", "runs").out == ""
    reasons = {row["reason"]: row["received"]
               for row in json_lines(run("export", "counts").out)}
    assert reasons == {"run_from_outside": 2, "journal_from_outside": 1}, reasons
    run("rebuild")
    assert run("export", "runs").out == ""
    journal = json.loads(run("evidence", "verify", "--json").out)["journal"]
    assert journal["entries"] == 0, journal

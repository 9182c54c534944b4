"""assay metrics, and the same over HTTP: the registry of definitions."""
import hashlib
import json

from harness import SAMPLE_LOG, export, json_lines, json_of, run, serving

# Columns that say what a row is about.
KEYS = {"window_start", "org", "orchestrator_address", "pipeline_id",
        "model_id", "gpu_id", "gpu_model_name", "region",
        "sla_semantics_version"}


def registry():
    return json_of(run("metrics", "--json").out)


def test_every_exported_column_is_a_key_or_has_a_definition():
    run("import", str(SAMPLE_LOG))
    row = export("sla")[0]
    defined = {one["name"] for one in registry()["metrics"]
               if "sla" in one["sets"]}
    assert set(row) == defined | KEYS, set(row) ^ (defined | KEYS)


def test_the_hash_is_over_the_compact_json_of_the_metrics():
    all_of_it = registry()
    compact = json.dumps(all_of_it["metrics"], ensure_ascii=False,
                         separators=(",", ":")).encode()
    assert hashlib.sha256(compact).hexdigest() == all_of_it["sha256"]


def test_the_document_holds_what_the_json_holds():
    text = run("metrics", "--markdown").out
    all_of_it = registry()
    for one in all_of_it["metrics"]:
        for member in ("definition", "formula", "null_when", "source"):
            assert not one[member] or one[member] in text, one
    for one in all_of_it["reasons"]:
        assert f"| {one['reason']} | {one['outcome']} |" in text, one
    for one in all_of_it["switches"]:
        assert f"### `{one['name']}`" in text and one["effect"] in text, one
    assert all_of_it["sha256"] in text
    assert "\n\n\n" not in text


def test_one_metric_is_shown_in_full_and_in_80_columns():
    done = run("metrics", "jitter_fps")
    assert "sigma(r) / mu(r)" in done.out, done.out
    assert max(map(len, done.out.splitlines())) <= 80
    row, = json_lines(run("metrics", "jitter_fps", "--json").out)
    assert row["unit"] == "ratio" and row["better"] == "lower", row
    # A name that stands in two chapters is shown twice.
    rows = json_lines(run("metrics", "sla_score", "--json").out)
    assert [one["sets"] for one in rows] == [["compared"], ["sla"]], rows


def test_wrong_wishes_are_said():
    assert "jitter_fps" in run("metrics", "jiter_fps", code=2).err
    assert "switches" in run("metrics", "--format", "csv", code=2).err
    run("metrics", "a", "b", code=2)


def test_the_list_names_all():
    text = run("metrics").out
    for one in registry()["metrics"]:
        assert f"\n  {one['name']} " in text, one


def test_the_api_serves_the_same():
    with serving() as server:
        assert server.json("/v1/metrics") == registry()
        status, headers, _ = server.get("/v1/metrics")
        again = server.get("/v1/metrics",
                           headers={"If-None-Match": headers["ETag"]})
        assert status == 200 and again[0] == 304, again

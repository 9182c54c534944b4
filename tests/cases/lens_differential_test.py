"""The lenses against a second implementation of their specification.

tests/reference holds a slow and simple one, and a generator of telemetry that
is dense in edge cases. Here hundreds of generated sets go through both; every
cell of every exported row must be the same. The worked examples of the
specification test the second implementation itself.

ASSAY_SOAK=1 takes thousands of sets.
"""
import json
import math
import random
import sys

from harness import ROOT, SAMPLE_LOG, run, sanitised, serving, soaking

sys.path.insert(0, str(ROOT / "tests" / "reference"))

import compare                    # noqa: E402
import dashboard                  # noqa: E402
import generate                   # noqa: E402
import score                      # noqa: E402
from switches import SWITCHES     # noqa: E402


def sets():
    """(how many small sets, how many with benchmark days)."""
    if soaking():
        return (300, 20) if sanitised() else (4000, 250)
    return (25, 1) if sanitised() else (180, 6)


def assert_none(label, found, lens):
    if found:
        name, key, _ = found[0]
        sentences = "\n".join(sentence for _, _, sentence in found[:5])
        raise AssertionError(
            f"{label}: {len(found)} cells differ\n{sentences}\n"
            f"{compare.context(lens, name, key)[:6000]}\n"
            "see tests/reference/compare.py --help")


def assert_equal(label, *delivery):
    assert_none(label, *compare.differences(*delivery))


def test_small_sets_are_equal_cell_by_cell():
    for seed in range(1, sets()[0] + 1):
        records = generate.generate(seed)
        assert_equal(f"seed {seed}", *compare.grouping(seed, records))


def test_sets_with_benchmark_days_are_equal_cell_by_cell():
    for seed in range(10001, 10001 + sets()[1]):
        records = generate.generate(seed, benchmark=True)
        assert_equal(f"benchmark seed {seed}",
                     *compare.grouping(seed, records))


def test_every_import_on_the_way_leaves_equal_cells():
    """What an import touches is brought up to date by that import."""
    for seed in range(20001, 20001 + max(sets()[0] // 20, 2)):
        groups = compare.in_steps(seed, generate.generate(seed), 8)
        assert_none(f"on the way, seed {seed}",
                    *compare.differences_on_the_way(
                        groups, (*compare.PUBLISHED, compare.ASSAY)))


def test_other_lenses_are_equal_cell_by_cell():
    """All switches, none, each alone by turns, and a few at random."""
    for seed in range(30001, 30001 + max(sets()[0] // 5, len(SWITCHES))):
        records = generate.generate(seed)
        assert_equal(f"switches, seed {seed}",
                     *compare.grouping(seed, records),
                     compare.other_lenses(seed))
    for seed in range(40001, 40001 + max(sets()[1] // 3, 1)):
        records = generate.generate(seed, benchmark=True)
        assert_equal(f"switches and benchmarks, seed {seed}",
                     *compare.grouping(seed, records),
                     compare.other_lenses(seed))


def test_percentiles_of_any_range_are_those_of_its_samples():
    """Ranges that begin and end within days, and every way of merging."""
    lens = compare.published.Lens()
    records = generate.generate(50001, benchmark=True)
    run("import", "-", input=b"".join(r + b"\n" for r in records))
    for record in records:
        lens.add(record)
    r = random.Random(1)
    for view in (*compare.PUBLISHED, compare.ASSAY):
        lens.run(view.mode, view.switches)
        windows = [row["window_start_ms"] for row in lens.rows]
        first, last = min(windows), max(windows)
        days = set()
        for by in ("model", "orchestrator", "gpu") * 4:
            start, end = sorted(r.randint(first - 9, last + 9)
                                for _ in range(2))
            days.add((end - start) // generate.DAY)
            out = run("export", "percentiles", "--by", by, *view.options,
                      "--from", compare.published.instant(start),
                      "--to", compare.published.instant(end)).out
            got = [json.loads(line) for line in out.split("\n")[:-1]]
            assert got == lens.export_percentiles(by, start, end), (
                view.label, by, start, end)
        assert len(days) > 3, days


def test_every_switch_acts_in_the_generated_sets():
    """Else comparing it would show nothing."""
    idle = set(SWITCHES)
    for seed in range(1, 20):
        reference = compare.published.Lens()
        for record in generate.generate(seed, benchmark=seed == 1):
            reference.add(record)

        def rows(*switches):
            reference.run("whole", switches)
            return reference.export_sla(), reference.export_selections()
        before = rows()
        idle = {name for name in idle if rows(name) == before}
    assert not idle, idle


PAYEE, SIGNER = "0x" + "a" * 40, "0x" + "b" * 40
DAY = generate.BASE


def event(name, family, at_ms, data):
    return json.dumps({"id": name, "type": family, "timestamp": str(at_ms),
                       "org": "cloudspe", "data": data}).encode()


def status(name, at_ms, fps, **info):
    return event(name, "ai_stream_status", at_ms, {
        "stream_id": "s", "request_id": "r", "state": "ONLINE",
        "inference_status": {"fps": fps}, "orchestrator_info": info,
        "pipeline": "comfyui"})


def test_a_snapshot_reaches_a_day_to_the_millisecond():
    """Also one that arrives after the day's sessions; however it matches."""
    end = DAY + generate.DAY
    for info in ({"address": SIGNER, "url": "https://else"},
                 {"address": PAYEE, "url": "https://else"},
                 {"url": "https://o"}, {"address": SIGNER}):
        sessions = [status("a", DAY, 5, **info),
                    status("b", end - 1, 5, **info)]
        for at in (DAY - 600001, DAY - 600000, end + 29998, end + 29999,
                   end + 30000):
            snapshot = event("c", "network_capabilities", at, [
                {"address": PAYEE, "local_address": SIGNER,
                 "orch_uri": "https://o"}])
            assert_none(f"snapshot at {at} for {info}",
                        *compare.differences_on_the_way(
                            [sessions, [snapshot]],
                            (*compare.PUBLISHED, compare.ASSAY)))


def test_sums_are_exact_where_parts_overflow():
    values = [1.7e308, 3e307, -1.7e308, 1.7e308, 5, -1.7e308]
    for order in (values, values[::-1], sorted(values)):
        assert_equal(f"sum of {order}", [[
            status(f"x{i}", DAY + i, fps) for i, fps in enumerate(order)]])
    opposite = [status("x", DAY, 1.7e308),
                status("y", DAY + generate.DAY, -1.7e308),
                status("z", DAY + 2 * generate.DAY, 1)]
    assert_equal("benchmarks of opposite infinities", [opposite])


# ---- dashboards ----------------------------------------------------------------


MINUTE, DAY_MS = generate.MINUTE, generate.DAY


def leaves(value, path=""):
    """(path, value) of everything in a body, numbers as numbers."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, f"{path}.{name}")
    elif isinstance(value, list):
        yield path + ".length", len(value)
        for number, member in enumerate(value):
            yield from leaves(member, f"{path}[{number}]")
    else:
        yield path, value


def assert_dashboards(server, records, now, view, label):
    """All bodies as of NOW, of every width of window."""
    lens = compare.published.Lens()
    for record in records:
        lens.add(record)
    lens.intake.events = {key: e for key, e in lens.intake.events.items()
                          if e.ts <= now}
    lens.run(view.mode, view.switches)
    option, value = view.options
    for hours in (1, 24, 168):
        wanted = dashboard.Dashboard(lens, now, hours).bodies()
        for name, body in wanted.items():
            query = (f"as_of={compare.published.instant(now)}"
                     f"&{option[2:]}={value}")
            if name in ("kpi", "pipelines", "orchestrators"):
                query += f"&window={hours}h"
            if name not in ("kpi", "gpu-capacity"):
                query += "&limit=1000"
            got = server.json(f"/v1/dashboard/{name}?{query}")
            got = got["data"] if isinstance(body, list) else got
            wanted_leaves, got_leaves = dict(leaves(body)), dict(leaves(got))
            found = [(path, wanted_leaves.get(path), got_leaves.get(path))
                     for path in wanted_leaves.keys() | got_leaves.keys()
                     if wanted_leaves.get(path) != got_leaves.get(path)
                     or path not in got_leaves]
            assert not found, (label, name, hours, sorted(found)[:5])


def test_dashboards_are_equal_cell_by_cell():
    """Of the sample log and of generated sets, just after the last event and
    later on."""
    sets = {"sample log": compare.read_records(str(SAMPLE_LOG))}
    for seed in (60002, 60006, 60005) if not sanitised() else (60006,):
        sets[str(seed)] = generate.generate(seed, benchmark=seed == 60005)
    for name, records in sets.items():
        run("import", "--data", name, "-",
            input=b"".join(r + b"\n" for r in records))
        lens = compare.published.Lens()
        for record in records:
            lens.add(record)
        # Some sets have events of the next century, too.
        last = max(e.ts for e in lens.intake.events.values()
                   if e.ts < DAY + 30 * DAY_MS)
        with serving("--data", name) as server:
            for view in (compare.PUBLISHED[0], compare.ASSAY):
                for now in (last + 1, last + 20 * MINUTE, last + DAY_MS):
                    assert_dashboards(server, records, now, view,
                                      f"{name} {view.label} at {now}")


def test_the_sample_log_is_equal_cell_by_cell():
    assert_equal("sample log", [compare.read_records(str(SAMPLE_LOG))])


# ---- the second implementation's own tests -----------------------------------


def row(r, success, swapped, output_failed, hs, he, **values):
    """A row of the worked examples."""
    out = {
        "requested_sessions": r, "startup_success_sessions": success,
        "startup_excused_sessions": 0, "effective_failed_sessions": 0,
        "total_swapped_sessions": swapped,
        "output_failed_sessions": output_failed,
        "health_signal_count": hs, "health_expected_signal_count": he,
        "output_fps_sum": 0, "status_samples": 0,
        "prompt_to_first_frame_sum_ms": 0,
        "prompt_to_first_frame_sample_count": 0,
        "e2e_latency_sum_ms": 0, "e2e_latency_sample_count": 0}
    out.update(values)
    out["fps_samples"] = out["status_samples"]
    return out


def scored(line, ptff=(None, None, 0), e2e=(None, None, 0),
           fps=(None, None, 0)):
    score.add_rates(line)
    score.add_score(line, {"ptff": ptff, "e2e": e2e, "fps": fps})
    return line


def near(value, expected):
    assert math.isclose(value, expected, rel_tol=1e-6), (value, expected)


def test_example_a_a_clean_session_without_benchmark():
    line = scored(row(1, 1, 0, 0, 3, 3))
    assert line["sla_score"] == 85.0, line


def test_example_b_two_sessions_one_dead():
    line = scored(row(2, 1, 0, 1, 5, 6))
    near(line["reliability_score"], 0.6)
    near(line["sla_score"], 47.5)


def test_example_c_shrinkage():
    line = scored(
        row(10, 10, 0, 0, 30, 30, output_fps_sum=20, status_samples=1,
            prompt_to_first_frame_sum_ms=1000,
            prompt_to_first_frame_sample_count=1,
            e2e_latency_sum_ms=10, e2e_latency_sample_count=1),
        (2000, 3000, 56), (20, 30, 56), (5, 10, 56))
    near(line["ptff_score"], 0.55)
    near(line["fps_score"], 0.516667)
    near(line["sla_score"], 86.1)


def test_example_d_the_full_case():
    line = scored(
        row(20, 18, 2, 1, 57, 60, output_fps_sum=2800, status_samples=200,
            prompt_to_first_frame_sum_ms=180000,
            prompt_to_first_frame_sample_count=20,
            e2e_latency_sum_ms=3000, e2e_latency_sample_count=20),
        (6000, 12000, 300), (100, 300, 300), (8, 16, 300))
    near(line["reliability_score"], 0.92)
    near(line["latency_score"], 0.6)
    near(line["quality_score"], 0.66)
    near(line["sla_score"], 79.99)


def test_example_e_cohort_and_gate():
    days = [{"ptff": day} for day in
            ((5000, 9000, 30), (7000, 13000, 10), (6000, 10000, 20))]
    low, high, n = score.cohort(days, "ptff")
    near(low, 5666.6667)
    near(high, 10000)
    assert n == 60
    line = row(6, 5, 1, 1, 17, 18, output_fps_sum=1080, status_samples=90,
               prompt_to_first_frame_sum_ms=28000,
               prompt_to_first_frame_sample_count=4)
    near(scored(dict(line), (low, high, n), fps=(10, 14, 60))["sla_score"],
         70.043875)
    gated = score.cohort(days[:2], "ptff")
    assert gated[2] == 40
    assert scored(dict(line), gated)["ptff_score_raw"] == 0.5


def test_edges_of_the_score():
    assert scored(row(0, 0, 0, 0, 2, 0))["sla_score"] is None
    assert scored(row(3, 3, 0, 0, 12, 9))[
        "health_signal_coverage_ratio"] == 1
    fast = row(1, 1, 0, 0, 3, 3, prompt_to_first_frame_sum_ms=10,
               prompt_to_first_frame_sample_count=1)
    assert scored(dict(fast), (20, 30, 47))["ptff_score_raw"] == 0.5
    assert scored(dict(fast), (20, 30, 48))["ptff_score_raw"] == 1
    nan = float("nan")
    line = scored(dict(fast), (nan, nan, 48))
    assert line["ptff_score"] == 0 and line["ptff_score_raw"] is None, line


def test_the_digest_equals_the_known_percentiles():
    def levels(n, *wanted):
        digest = score.Digest(list(range(1, n + 1)))
        return [digest.quantile(level) for level in wanted]
    assert levels(300, 0.5) == [150.5]
    assert levels(1000, 0.1, 0.5, 0.9) == [100.5, 500.5, 900.5]
    for n in range(4, 201):
        for level in (0.1, 0.5, 0.9):
            assert levels(n, level) == [math.ceil(level * n)], (n, level)

"""Scorecards as files: known scores, and one's own."""
import re
import sys

from harness import ROOT, SAMPLE_LOG, export, json_lines, run

sys.path.insert(0, str(ROOT / "tests" / "reference"))

import generate                   # noqa: E402

CARD = """name: mine
about: "half of what is published"
values:
  - {name: score, formula: "%s"}
"""


def scores(*arguments):
    return json_lines(run("export", "scores", *arguments).out)


def write_card(formula, name="mine.yaml"):
    with open(name, "w") as file:
        file.write(CARD % formula)
    return name


def test_the_published_scorecard_gives_the_published_score():
    run("import", SAMPLE_LOG)
    rows = export("sla")
    scored = scores("--scorecard", "published")
    assert [row["score"] for row in scored] == [r["sla_score"] for r in rows]
    assert scored[0]["scorecard"] == "published"
    assert re.fullmatch("[0-9a-f]{64}", scored[0]["scorecard_sha256"])
    assert scored[0]["window_start"] == rows[0]["window_start"]
    assert scored[0]["reliability"] == rows[0]["reliability_score"]
    whole = scores("--scorecard", "published", "--pass", "whole")
    rows = export("sla", "--pass", "whole")
    assert [row["score"] for row in whole] == [r["sla_score"] for r in rows]


def test_the_published_scorecard_agrees_on_every_row_of_many_days():
    run("import", "-", input=b"\n".join(generate.generate(21, benchmark=True)))
    rows, scored = export("sla"), scores("--scorecard", "published")
    assert len(rows) == len(scored) > 100, len(rows)
    for row, one in zip(rows, scored):
        for mine, theirs in {"score": "sla_score",
                             "coverage": "health_signal_coverage_ratio",
                             "reliability": "reliability_score",
                             "latency": "latency_score",
                             "quality": "quality_score"}.items():
            if row["sla_score"] is not None or mine == "score":
                assert one[mine] == row[theirs], (mine, row, one)
        for key in ("window_start", "org", "orchestrator_address", "gpu_id"):
            assert one[key] == row[key], (key, row, one)
    # The set has cohorts: quality is not the neutral 0.5 throughout.
    assert len({row["quality_score"] for row in rows}) > 20


def test_another_scorecard_leaves_the_rows_alone():
    run("import", SAMPLE_LOG)
    before = run("export", "sla").out
    first = scores("--scorecard", write_card("sla_score / 2"))
    second = scores("--scorecard", write_card("sla_score / 4"))
    assert first[0]["score"] == 42.5 and second[0]["score"] == 21.25
    assert first[0]["scorecard_sha256"] != second[0]["scorecard_sha256"]
    assert first[0]["score_low"] is None, first
    assert run("export", "sla").out == before
    again = scores("--scorecard", write_card("sla_score / 2"))
    assert again == first


def test_scores_of_runs_where_there_are_none():
    run("import", SAMPLE_LOG)
    assert scores() == []
    assert scores("--scorecard", "tester-live") == []


def test_mistakes_are_told_with_their_line():
    run("import", SAMPLE_LOG)
    done = run("export", "scores", "--scorecard", "nonsense", code=2)
    assert "there is no scorecard nonsense" in done.err, done
    assert "leaderboard-ai" in done.err, done
    name = write_card("sla_scor / 2")
    done = run("export", "scores", "--scorecard", name, code=2)
    assert "mine.yaml:4" in done.err and "no such name" in done.err, done


def test_as_csv():
    run("import", SAMPLE_LOG)
    done = run("export", "scores", "--scorecard", "naap-app", "--format", "csv")
    head, row = done.out.splitlines()
    assert head.startswith("window_start,org,orchestrator_address,"), head
    assert ",naap-app," in row, row

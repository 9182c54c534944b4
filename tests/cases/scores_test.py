"""Scorecards as files: known scores, and one's own."""
import json
import os
import re

from harness import SAMPLE_LOG, export, json_lines, run

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

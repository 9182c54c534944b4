"""probe: orchestrators of foreign code, one that behaves and many that do what
none should. Each comes to its outcome, within its time, and none is left with
a job that could have been stopped.
"""
import time

import harness
from harness import json_lines, run, sanitised
from sandbox import peers

# name: outcome and reason of a live run.
VERDICTS = {
    "call_refuses": ("busy", "orchestrator_capped"),
    "call_garbage": ("failed", "protocol_error"),
    "call_giant": ("failed", "answer_too_large"),
    "call_hangs": ("failed", "call_timeout"),
    "call_empty": ("failed", "no_transcoder"),
    "refuses": ("failed", "runner_start_failed"),
    "full": ("busy", "insufficient_capacity"),
    "teapot": ("failed", "unexpected_status"),
    "no_json": ("failed", "protocol_error"),
    "no_urls": ("failed", "protocol_error"),
    "a_file": ("failed", "protocol_error"),
    "inside": ("failed", "input_not_taken"),
    "redirects": ("failed", "unexpected_status"),
    "big_head": ("failed", "answer_too_large"),
    "big_body": ("failed", "answer_too_large"),
    "hangs": ("failed", "start_timeout"),
    "silent": ("failed", "no_output"),
    "complains": ("failed", "runner_error"),
    "garbage": ("failed", "output_invalid"),
    "stops": ("failed", "output_stopped"),
    "deaf": ("failed", "no_output"),
    "rude": ("failed", "input_not_taken"),
    "floods": ("failed", "limit_exceeded"),
    "drips": ("failed", "output_invalid"),
    "runs_away": ("failed", "limit_exceeded"),
    "miscounts": ("failed", "protocol_error"),
    "tiny": ("failed", "limit_exceeded"),
    "lies": ("failed", "limit_exceeded"),
    "closes": ("failed", "closed_early"),
}

# Where a job was accepted and its channels are known.
WITH_JOB = ["silent", "complains", "garbage", "stops", "floods", "drips",
            "runs_away", "miscounts"]


def probe(*arguments, code=0):
    return json_lines(run("probe", "--json", "--allow-cidr", "127.0.0.0/8",
                          *arguments, code=code).out)


def test_one_that_behaves_is_measured():
    with peers("orchestrator.py") as (urls, deleted):
        row, = probe(urls["echo"])
        assert row["outcome"] == "ok" and row["version"] == "0.9.9", row
        assert row["tls_ms"] > 0 and len(row["tls_key_sha256"]) == 64, row
        row, = probe("--kind", "live", "--seconds", 4, urls["echo"])
    assert row["outcome"] == "ok", row
    assert abs(row["output_fps"] - 24) < 2, row
    assert 90 < row["e2e_p50_ms"] < 1000, row
    assert row["segments_out"] >= 1 and row["restarts"] == 0, row
    assert sorted(deleted["echo"]) == ["cafe", "cafe-control"], deleted


def test_each_that_misbehaves_comes_to_its_outcome():
    began = time.monotonic()
    with peers("orchestrator.py") as (urls, deleted):
        rows = probe("--kind", "live", "--seconds", 3, "--patience", 6,
                     *(urls[name] for name in VERDICTS), code=1)
    assert time.monotonic() - began < (120 if sanitised() else 60)
    found = {name: (row["outcome"], row["reason"])
             for name, row in zip(VERDICTS, rows)}
    wrong = {name: (got, VERDICTS[name]) for name, got in found.items()
             if got != VERDICTS[name]}
    assert not wrong, wrong
    for name in WITH_JOB:
        assert sorted(deleted[name]) == ["cafe", "cafe-control"], (name,
                                                                   deleted)


def test_what_they_say_cannot_paint_on_a_terminal():
    with peers("orchestrator.py") as (urls, _):
        text = run("probe", "--kind", "live", "--seconds", "1", "--patience",
                   "2", "--allow-cidr", "127.0.0.0/8", urls["complains"],
                   code=1).out
    assert "out of ?[2J memory" in text and "\x1b" not in text, text
    assert harness.folder().joinpath("assay-data").exists() is False

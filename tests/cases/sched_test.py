"""Plans carried out by a real server against the sandbox network: killed
whenever, checked by the seeds that were promised, and tampered with."""
import collections
import contextlib
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import time

from harness import (binary, environment, json_lines, run, sanitised, serving,
                     skip, soaking, wait_until)
from sandbox import sandbox

LIVES = 100 if soaking() else 4 if sanitised() else 20
SERVER = ("--data", "store", "--config", "sched.yaml")

# Streams of the killed keep their places for a while: there are enough.
NETWORK = """
defaults: {slots: 200}
orchestrators: [{name: one}, {name: two}, {name: three}]
"""

WORKFLOW = """name: sandbox
pipeline: live-video-to-video
model: streamdiffusion-sdxl
targets: {success_rate: 0.0001, ptff_ms: 0.001}
metrics: [ptff_ms, freeze_ms]
report: [orchestrator_url, runs, success_rate, ptff_ms]
"""

CONFIG = """discover: {{static: "{urls}"}}
sched:
  enabled: true
  workflows: workflow.yaml
  allow_cidrs: 127.0.0.0/8
  control_targets: "{control}"
  span_hours: 1
  hour_ms: 6000
  run_ms: 2000
  run_spread_ms: 100
  idle_share_ppm: 900000
  runs_per_hour: 2
  run_ms_per_hour: 200000
  runs_at_once: 6
  fleet_window_ms: 1000
"""


@contextlib.contextmanager
def measured_network():
    with sandbox("--seed", 5, scenario=NETWORK, orchestrators=3) as network:
        urls = ",".join(line["url"] for line in network.lines
                        if line["kind"] == "orchestrator")
        with open("workflow.yaml", "w", encoding="utf-8") as out:
            out.write(WORKFLOW)
        with open("sched.yaml", "w", encoding="utf-8") as out:
            out.write(CONFIG.format(urls=urls,
                                    control=network.url_of("gateway")))
        yield network


def ledger():
    return json_lines(run("export", "ledger", "--data", "store").out)


def reveals():
    """Plans whose seed is revealed."""
    with contextlib.closing(sqlite3.connect("file:store/assay.db?mode=ro",
                                            uri=True)) as store:
        return store.execute("SELECT count(*) FROM plan_reveal").fetchone()[0]


def live_through_kills():
    chance = random.Random(11)
    for _ in range(LIVES):
        with serving(*SERVER) as server:
            time.sleep(0.5 + chance.random() * 3)
            server.stop(code=None, number=signal.SIGKILL)
    before = reveals()
    with serving(*SERVER) as server:
        wait_until(lambda: reveals() >= before + 1, 60, "a plan's end")
        held = descriptors(server)
        wait_until(lambda: reveals() >= before + 2, 60, "another plan's end")
        assert descriptors(server) <= held + 24, (held, descriptors(server))


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def check_books(truth):
    done = run("plan", "verify", "--data", "store", "--json")
    plans = json_lines(done.out)
    assert all(plan["findings"] == 0 for plan in plans), plans
    assert sum(plan["revealed"] for plan in plans) >= 2, plans
    rows = ledger()
    executed = [row for row in rows if row["state"] == "executed"]
    assert executed and not any(row["state"] == "started" for row in rows)
    check_judgements(rows, executed)
    measured = {row["run_id"]: row
                for row in json_lines(run("export", "runs", "--data", "store"
                                          ).out)}
    # What had ended when the program was told to stop waits to be judged.
    written = [row for row in rows if row["state"] in ("ended", "executed")]
    assert {row["run_id"] for row in written} == set(measured), rows
    assert len(written) == len(measured)
    # What the network saw of us is in the books, once.
    lost = [row for row in rows if row["reason"] == "interrupted"]
    seen = len(truth.runs())
    assert seen <= len(written) + len(lost), (seen, len(written), len(lost))
    # Control targets were asked, and told their time.
    offsets = [row["clock_offset_ms"] for row in executed
               if row["clock_offset_ms"] is not None]
    assert offsets and all(-2000 < offset < 2000 for offset in offsets), rows
    outcomes = collections.Counter(row["outcome"] for row in measured.values())
    assert outcomes["ok"] > 0, [row["reason"] for row in measured.values()]
    hours = json_lines(run("export", "hours", "--source", "runs", "--data",
                           "store").out)
    for outcome in ("ok", "failed", "busy", "excused", "vantage_suspect"):
        assert sum(hour[outcome] for hour in hours) == outcomes[outcome]
    shares = json_lines(run("export", "prompts", "--data", "store").out)
    assert [share["runs"] for share in shares] == [outcomes["ok"]], shares
    # Freezes are wanted and no rate: no run ends because that is known.
    assert not any(row["stopped_early"] == "tight" for row in rows), rows
    check_report(measured)


def check_report(measured):
    """What the workflow's file wants shown, held against its targets."""
    rows = json_lines(run("export", "report", "--workflow", "workflow.yaml",
                          "--data", "store").out)
    assert sum(row["runs"] for row in rows) == len(measured), rows
    for row in rows:
        assert list(row) == [
            "orchestrator_url", "runs", "success_rate", "ptff_ms",
            "success_rate_target", "success_rate_met", "ptff_ms_target",
            "ptff_ms_met"], row
        rate, ptff_ms = row["success_rate"], row["ptff_ms"]
        assert row["success_rate_met"] == (rate and rate > 0.0001), row
        assert row["ptff_ms_met"] == (None if ptff_ms is None else 0), row
    assert any(row["ptff_ms_met"] == 0 for row in rows), rows
    assert run("export", "report", "--workflow", "noop", "--data", "store"
               ).out == ""
    assert "assay plan workflow" in run("export", "report", "--data", "store",
                                        code=2).err


def check_judgements(rows, executed):
    """Every run ended before it was judged, by what had been counted then."""
    assert all(row["ended_at"] >= row["began_at"] for row in executed), rows
    assert all(row["measured"] for row in executed), rows
    judged = [row for row in executed if row["measured"] in ("ok", "failed")]
    assert judged and all(row["fleet"] >= 1 and row["controls"] >= 1
                          for row in judged if not row["set_aside"]), judged


TAMPERINGS = {
    "orchestrators failed about then":
        "UPDATE ledger SET fleet = fleet + 1 WHERE seq = ?",
    "against the plan's rule":
        "UPDATE ledger SET set_aside = 'fleet_failed' WHERE seq = ?",
    "its line says": "UPDATE ledger SET measured = 'busy' WHERE seq = ?",
    "moves the run planned for":
        "UPDATE ledger SET due_at = due_at + 1 WHERE seq = ?",
    "that was not planned":
        "UPDATE ledger SET orchestrator_url = 'https://other.example' "
        "WHERE seq = ?",
    "changes the length":
        "UPDATE ledger SET planned_ms = planned_ms + 1 WHERE seq = ?",
    "says nothing of the run": "DELETE FROM ledger WHERE seq = ?",
    "is missing": "DELETE FROM run WHERE run_id = "
                  "(SELECT run_id FROM ledger WHERE seq = ?)",
}


def check_tampering():
    for said, change in TAMPERINGS.items():
        shutil.rmtree("forged", ignore_errors=True)
        shutil.copytree("store", "forged")
        with contextlib.closing(sqlite3.connect("forged/assay.db")) as store:
            seq = store.execute(
                "SELECT max(seq) FROM ledger WHERE state = 'executed' "
                "AND measured = 'ok' AND set_aside IS NULL AND plan_hash IN (SELECT plan_hash FROM plan_reveal)"
            ).fetchone()[0]
            hash_of = store.execute("SELECT plan_hash FROM ledger "
                                    "WHERE seq = ?", (seq,)).fetchone()[0]
            if change.startswith("DELETE FROM ledger"):
                store.execute("DELETE FROM ledger WHERE run_id = (SELECT "
                              "run_id FROM ledger WHERE seq = ?)", (seq,))
            else:
                store.execute(change, (seq,))
            store.commit()
        done = run("plan", "verify", "--data", "forged", hash_of[:12], code=1)
        assert said in done.out, (said, done.out)


def test_plans_survive_kills_and_can_be_checked():
    with measured_network() as network:
        live_through_kills()
        network.stop()
        check_books(network.truth)
    audit = json.loads(run("plan", "audit", "--data", "store", "--json").out)
    assert audit["findings"] == audit["starved"] == 0, audit
    assert audit["orchestrators"] == 3, audit
    # Three are too few to tell what is the fleet's.
    assert "fleet_failed" not in audit["set_aside"], audit
    answer = json.loads(run("evidence", "verify", "--json", "--data", "store"
                            ).out)
    assert answer["defects"] == 0, answer

    # A rebuild gives the same books, and leaves the seed that is secret still.
    before = [run(*words, "--data", "store").out for words in (
        ("export", "ledger"), ("export", "runs"), ("plan", "show", "--json"))]
    run("rebuild", "--data", "store")
    assert before == [run(*words, "--data", "store").out for words in (
        ("export", "ledger"), ("export", "runs"), ("plan", "show", "--json"))]
    check_tampering()


def test_a_full_disk_in_mid_run_begins_nothing_and_loses_nothing():
    if sanitised():
        skip("the limit on file sizes would stop the sanitiser's log")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    with measured_network() as network:
        with serving(*SERVER) as server:
            wait_until(lambda: any(row["state"] == "started"
                                   for row in ledger()), 60, "a run")
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE,
                             (4096, limit[1]))
            wait_until(lambda: "no run is begun until" in server.text(), 30,
                       "a failing write")
            full = len(json_lines(run("export", "runs", "--data", "store"
                                      ).out))
            time.sleep(4)  # more than half a plan
            assert full == len(json_lines(run("export", "runs", "--data",
                                              "store").out))
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limit)
            wait_until(lambda: "can be written down again" in server.text(),
                       30, "a write")
            before = reveals()
            wait_until(lambda: reveals() >= before + 2, 60, "plans' ends")
        network.stop()
        check_books(network.truth)
    rows = ledger()
    assert any(row["reason"] == "store" for row in rows), rows
    assert not any(row["reason"] == "interrupted" for row in rows), rows
    answer = json.loads(run("evidence", "verify", "--json", "--data", "store"
                            ).out)
    assert answer["defects"] == 0, answer


def test_what_cannot_be_carried_out_is_said_before_a_store_is_made():
    for text, said in {
            "sched: {enabled: true}": "set one of discover.*",
            "discover: {static: a.example}\n"
            "sched: {enabled: true, workflows: nothing}": "nothing",
            "discover: {static: a.example}\n"
            "sched: {enabled: true, span_hours: 7}": "must divide 24",
            "discover: {static: a.example}\n"
            "sched: {enabled: true, run_ms: 1000, run_spread_ms: 1000}":
                "must be less than",
            "discover: {static: a.example}\n"
            "sched: {enabled: true, allow_cidrs: 127.0.0.0/40}":
                "sched.allow_cidrs",
            "discover: {static: a.example}\n"
            "sched: {enabled: true, control_targets: ' , '}":
                "sched.control_targets names none; leave it empty",
            "discover: {static: a.example}\n"
            "sched: {enabled: true, control_targets: 'http://a/, b.example'}":
                "sched.control_targets: b.example: "}.items():
        with open("wrong.yaml", "w", encoding="utf-8") as out:
            out.write(text + "\n")
        done = run("serve", "--data", "none", "--listen", "127.0.0.1:0",
                   "--config", "wrong.yaml", code=2)
        assert said in done.err, (text, done.err)
        assert not os.path.exists("none"), text


def test_a_plan_is_made_and_kept_for_the_server():
    sources = ("--source", "a.example,b.example:8935")
    made = json.loads(run("plan", "make", "--json", *sources).out)
    assert len(made["targets"]) == 2, made
    assert sum(target["strata"] for target in made["targets"]) > 0
    kept = json.loads(run("plan", "make", "--json", "--data", "planned",
                          *sources).out)
    shown = json.loads(run("plan", "show", "--data", "planned",
                           kept["plan_hash"]).out)
    assert shown == kept
    done = run("plan", "make", "--data", "planned", *sources, code=2)
    assert kept["plan_hash"] in done.err
    run("plan", "verify", "--data", "planned", code=5)


def fill_with_runs(runs, per_hour):
    """A store whose runs are RUNS copies of one, PER_HOUR in an hour."""
    run("plan", "make", "--data", "year", "--source", "a.example")
    row = {"run_id": "printf('%08d', n)", "line": "1", "kind": "'live'",
           "workflow": "'noop'", "orchestrator_url": "'https://a.example'",
           "model_id": "'noop'", "outcome": "'ok'", "ptff_ms": "n % 997",
           "output_fps": "20 + n % 9", "prompt_id": "'p' || n % 5",
           "started_at": f"1700000000000 + n * {3600000 // per_hour}"}
    with contextlib.closing(sqlite3.connect("year/assay.db")) as store:
        names = [column[1] for column in
                 store.execute("PRAGMA table_info(run)")]
        store.execute(
            "WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 "
            f"FROM number WHERE n + 1 < {runs}) INSERT INTO run SELECT "
            + ", ".join(row.get(name, "NULL") for name in names)
            + " FROM number")
        store.commit()


def peak_of(*words):
    """Most MB that a command held, pages of the store that it read among
    them, and what it printed."""
    with open("out", "w+b") as out:
        child = subprocess.Popen([binary(), *words], stdout=out,
                                 env=environment())
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0, (words, child.returncode)
        out.seek(0)
        return usage.ru_maxrss / 1024, out.read().decode()


def test_a_year_of_runs_takes_no_more_memory_than_an_hour():
    runs = 365 * 24 * 30 if soaking() else 80000
    fill_with_runs(runs, 30)
    hours_mb, text = peak_of("export", "hours", "--data", "year")
    hours = json_lines(text)
    starts = [hour["hour"] for hour in hours]
    assert sum(hour["runs"] for hour in hours) == runs
    assert len(hours) >= runs // 30 and starts == sorted(starts), len(hours)
    scores_mb, text = peak_of("export", "scores", "--source", "runs", "--data",
                              "year")
    scored, = json_lines(text)
    assert scored["runs"] == runs, scored
    assert scored["window_start"] == starts[0], scored
    assert starts[-1] < scored["window_end"], (scored, starts[-1])
    shares_mb, text = peak_of("export", "prompts", "--data", "year")
    assert [row["runs"] for row in json_lines(text)] == [runs]
    if not sanitised():
        # A program of this size holds the pages of its parent for a moment.
        least_mb = max(peak_of("version")[0],
                       os.path.getsize("year/assay.db") / 2 ** 20)
        peaks = least_mb, hours_mb, scores_mb, shares_mb
        assert max(hours_mb, scores_mb) < least_mb + 8, peaks
        assert shares_mb < least_mb + 8 + runs * 200 / 2 ** 20, peaks

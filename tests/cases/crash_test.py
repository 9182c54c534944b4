"""kill -9 at any instant of an import loses nothing and doubles nothing.

What was committed before the kill is what any reader sees afterwards: it must
verify and stay. After the import has been run again everything must be as if
nothing had happened, and the tables those that a rebuild makes.
"""
import collections
import json
import random
import shutil
import signal
import subprocess
import sys
import time

from harness import (ROOT, binary, environment, export, run, sanitised,
                     soaking)

sys.path.insert(0, str(ROOT / "tests" / "reference"))

import generate                   # noqa: E402

TABLES = ("sla", "sessions", "selections")
KILLS_PER_STORE = 4
# Small batches, so that there are many commits to fall between.
ENVIRONMENT = {"ASSAY_IMPORT_COMMIT_LINES": "37"}


def kills():
    return 100 if soaking() else 4 if sanitised() else 20


def make_input(path, seed):
    records = []
    for part in range(1 if sanitised() else 3):
        records += generate.generate(seed * 10 + part, sessions=150)
    with open(path, "wb") as out:
        out.write(b"".join(record + b"\n" for record in records))


def tables(store):
    return {what: run("export", what, "--data", store, "--format",
                      "ndjson").out for what in TABLES}


def counts(store):
    """The counters, without how often a line came: that may grow."""
    return [{key: value for key, value in row.items() if key != "received"}
            for row in export("counts", data=store)]


def same(got, wanted):
    """Says which tables differ, and one row in which they do."""
    for what, text in wanted.items():
        for row, other in zip(lines_of(got[what]), lines_of(text)):
            assert row == other, f"{what}:\n{row}\nis not\n{other}"
        assert got[what] == text, f"{what}: more rows or fewer"


def lines_of(table):
    return table.split("\n") if isinstance(table, str) else table


def evidence(store):
    out = run("evidence", "export", "--json", "--data", store).out_bytes
    return [json.loads(line) for line in out.split(b"\n") if line]


def contents(rows):
    """What is kept, without numbers and times: those tell imports apart."""
    return sorted({(row["class"], row["org"], row["length"], row["sha256"])
                   for row in rows if row["kind"] != "repeat"})


def check_once(rows):
    """No line is kept twice. Of an event that came with different payloads,
    the one that lost may be: it is compared with the one that won."""
    payloads = collections.defaultdict(set)
    times = collections.Counter()
    for row in rows:
        if row["kind"] != "repeat":
            key = row["class"], row["org"], identity(row)
            payloads[key].add(row["sha256"])
            times[key, row["sha256"]] += 1
    doubled = [key for (key, _), count in times.items()
               if count > 1 and len(payloads[key]) == 1]
    assert not doubled, f"kept twice: {doubled[:3]}"


def identity(row):
    """The id of an event, the hash of anything else."""
    try:
        # Of a key that stands twice the first counts, here as there.
        record = json.loads(row["text"], object_pairs_hook=lambda pairs:
                            dict(reversed(pairs)))
        return record.get("value", record)["id"]
    except (AttributeError, KeyError, TypeError, ValueError):
        return row["sha256"]


def everything(store):
    rows = evidence(store)
    check_once(rows)
    return dict(tables(store), counts=counts(store), evidence=contents(rows))


def import_whole(path, store):
    started = time.monotonic()
    run("import", "--data", store, path, env=ENVIRONMENT)
    return time.monotonic() - started


def import_killed(path, store, after_seconds):
    """True where the import was still running when it was killed."""
    process = subprocess.Popen(
        [binary(), "import", "--data", store, path],
        env=environment(ENVIRONMENT), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        process.wait(after_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    return process.wait() == -signal.SIGKILL


def check_killed(store, seen):
    """The store is whole and still has every line SEEN before; all it has."""
    run("evidence", "verify", "--data", store)
    rows = evidence(store)
    now = {row["line"]: row["sha256"] for row in rows}
    assert len(now) == len(rows)
    lost = [line for line in seen if now.get(line) != seen[line]]
    assert not lost, f"lines {lost[:5]} were visible and are gone"
    return now


def check_rebuild(store):
    """A rebuild makes the tables that are there already."""
    before = dict(tables(store), counts=counts(store))
    run("rebuild", "--data", store)
    same(dict(tables(store), counts=counts(store)), before)


def survive(path, store, chance, seconds, wanted):
    """Several kills of one store, then the end of the import."""
    seen = {}
    hits = 0
    for _ in range(KILLS_PER_STORE):
        hits += import_killed(path, store, chance.uniform(0, seconds * 1.1))
        exists = run("evidence", "verify", "--data", store, code=None)
        if "there is no store" in exists.err:
            continue
        seen = check_killed(store, seen)
    import_whole(path, store)
    check_killed(store, seen)
    same(everything(store), wanted)
    check_rebuild(store)
    shutil.rmtree(store)
    return hits


def test_kill_at_random_instants():
    seed = random.SystemRandom().randrange(10**6) if soaking() else 7
    chance = random.Random(seed)
    make_input("in.ndjson", 1)
    seconds = import_whole("in.ndjson", "whole")
    wanted = everything("whole")
    hits = 0
    for i in range(kills() // KILLS_PER_STORE):
        try:
            hits += survive("in.ndjson", f"store{i}", chance, seconds, wanted)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, store {i}: {error}") from error
    assert hits > 0, "no import was hit while it ran"


def test_kill_between_the_files_of_one_import():
    make_input("a.ndjson", 2)
    make_input("b.ndjson", 3)
    run("import", "--data", "whole", "a.ndjson", "b.ndjson", env=ENVIRONMENT)
    seconds = import_whole("a.ndjson", "store")
    import_killed("b.ndjson", "store", seconds / 2)
    run("import", "--data", "store", "a.ndjson", "b.ndjson", env=ENVIRONMENT)
    same(everything("store"), everything("whole"))

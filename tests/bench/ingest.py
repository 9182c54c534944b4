#!/usr/bin/env python3
"""ingest.py: how fast telemetry is taken, by processor time, so that a busy
machine counts little; each figure beside its goal and yardsticks of the same
run. Run by `./build.sh bench ingest`; ASSAY_BENCH_FULL=1 takes the sizes of the
goals, and some minutes.
"""
import os
import pathlib
import shutil
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import peers                      # noqa: E402
from measuring import (FULL, REPEATS, add, bench, cpu_of, spread, take,
                       write_days, yardstick)  # noqa: E402

EVENTS = 1_000_000 if FULL else 150_000
REPLAY_DAYS = 8
REPLAY_EVENTS = 5_760_000 if FULL else 160_000


def rates(events, seconds):
    return spread([events / one for one in seconds])


def import_once(path):
    seconds = take("store", path)
    shutil.rmtree("store")
    return seconds


def measure_import(events):
    """Repeats of the program and of its yardsticks take turns."""
    ours, parts = [], {"parse": [], "sha256": [], "sqlite": []}
    for _ in range(REPEATS):
        ours.append(import_once("day.ndjson"))
        for kind, seconds in parts.items():
            seconds.append(yardstick(kind, "day.ndjson")["cpu_seconds"])
    add(f"import of {events:,} events to hours and scores, both lenses, events "
        "per CPU-second", rates(events, ours), "150,000", "300,000",
        "88,000 (documented: the published schema in ClickHouse)")
    add("  parsing alone (yyjson)", rates(events, parts["parse"]))
    add("  SHA-256 alone", rates(events, parts["sha256"]))
    add("  bare insertion into SQLite, one row a line",
        rates(events, parts["sqlite"]))
    # The two lenses are folded together: there is no import of one alone.
    add("the published lens alone", "no less: both are always kept",
        "200,000", "400,000")


def measure_peers(events):
    path = pathlib.Path("day.ndjson").resolve()
    path.chmod(0o644)
    seconds = peers.postgres_cpu(
        os.getcwd(), "CREATE TABLE line (line jsonb)",
        f"COPY line FROM '{path}' CSV QUOTE e'\\x01' DELIMITER e'\\x02'")
    if seconds:
        add("  PostgreSQL, COPY of lines as jsonb", rates(events, [seconds]))
    seconds = peers.duckdb_cpu(
        "lines.duckdb", "CREATE TABLE line AS SELECT * FROM "
        f"read_ndjson('{path}', records = false)")
    if seconds:
        add("  DuckDB, JSON into a table", rates(events, [seconds]))


def measure_replay():
    events = write_days("days.ndjson", 0, REPLAY_DAYS,
                        REPLAY_EVENTS // REPLAY_DAYS)
    began = time.monotonic()
    seconds = take("store", "days.ndjson")
    wall = time.monotonic() - began
    add(f"replay of {events:,} events in {REPLAY_DAYS} days down to scores, "
        "CPU s", f"{seconds:.1f} (of {wall:.1f} s)", "45", "15",
        "5,400 (documented, 5.76 M)")
    os.remove("days.ndjson")
    again = cpu_of([os.environ["ASSAY_BIN"], "rebuild", "--data", "store"])
    add("  the same from the evidence, CPU s", f"{again:.1f}")


def main():
    with bench("ingest"):
        events = write_days("day.ndjson", 0, 1, EVENTS)
        measure_import(events)
        measure_peers(events)
        os.remove("day.ndjson")
        measure_replay()


if __name__ == "__main__":
    main()

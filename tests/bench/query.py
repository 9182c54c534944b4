#!/usr/bin/env python3
"""query.py: how long the store takes for the questions of dashboards, beside
the same rows in another database. Run by `./build.sh bench query`, a minute;
ASSAY_BENCH_FULL=1 takes thirty days of a million events, half an hour.
"""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import peers                      # noqa: E402
from measuring import (BENCH, FULL, add, bench, spread, take,
                       write_days)  # noqa: E402

DAYS = 30 if FULL else 8
PER_DAY = 1_000_000 if FULL else 400_000
ASKED = 40
WEEK = "window_start >= (SELECT max(window_start) FROM sla) - INTERVAL 7 DAY"
BUSIEST = ("orchestrator_address = (SELECT orchestrator_address FROM sla "
           "WHERE orchestrator_address <> '' GROUP BY 1 "
           "ORDER BY count(*) DESC LIMIT 1)")
DOCUMENTED = {"orchestrator": "4.1", "fleet": "6.2", "ptff": "75",
              "fps": "75"}


def ask(store):
    done = subprocess.run([BENCH / "ask", store, str(ASKED)], check=True,
                          capture_output=True, text=True)
    return {row["name"]: row for row in map(json.loads,
                                            done.stdout.splitlines())}


def duckdb_ms(store):
    """The same rows and questions in DuckDB, one thread; or None."""
    with open("sla.csv", "w", encoding="utf-8") as file:
        subprocess.run([os.environ["ASSAY_BIN"], "export", "sla", "--format",
                        "csv", "--data", store], stdout=file, check=True)
    questions = {"orchestrator": f"SELECT * FROM sla WHERE {WEEK} AND {BUSIEST}",
                 "fleet": f"SELECT * FROM sla WHERE {WEEK}"}
    times = peers.duckdb_times_ms(
        "peer.duckdb", "CREATE TABLE sla AS SELECT * REPLACE "
        "(window_start::TIMESTAMP AS window_start) FROM read_csv('sla.csv', "
        "sample_size = -1) ORDER BY orchestrator_address, window_start",
        *[text for text in questions.values() for _ in range(ASKED + 1)])
    # The first statement makes the table, the first of each question fills the
    # caches.
    return times and {
        name: times[at * (ASKED + 1) + 2:(at + 1) * (ASKED + 1) + 1]
        for at, name in enumerate(questions)}


def main():
    with bench("query, milliseconds", ASKED):
        events = 0
        for day in range(DAYS):
            events += write_days("day.ndjson", day, 1, PER_DAY)
            take("store", "day.ndjson")
        answers = ask("store")
        others = duckdb_ms("store")
        for name, what, must, goal in (
                ("orchestrator", "one orchestrator's 7 days", "0.3", "0.1"),
                ("fleet", "fleet hourly 7 days", "10", "3"),
                ("ptff", "30 days' percentiles of prompt to first frame by "
                 "orchestrator and model", "10", "2.5"),
                ("fps", "the same of frames per second", "10", "2.5")):
            beside = f"{DOCUMENTED[name]} (ClickHouse rollups)"
            if others and name in others:
                beside += f"; DuckDB {spread(others[name], 2)}"
            add(f"{what}, {answers[name]['rows']:,} rows, of {events:,} events "
                f"in {DAYS} days", spread(answers[name]["ms"], 3), must, goal,
                beside)


if __name__ == "__main__":
    main()

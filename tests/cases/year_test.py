"""A year of the network, day by day: what it takes, and how fast it answers.

Only in ./build.sh soak, which builds the generator, and of as many days as
ASSAY_YEAR_DAYS says (365). A day takes about eight seconds where two processors
are free, the next one being drawn up beside it, and fifty megabytes: less than
an hour, and 20 GB. ASSAY_YEAR_STORE names a folder for the store: what is in it
is gone on with, and stays.
"""
import json
import os
import pathlib
import shutil
import subprocess
import time

from harness import ROOT, run, skip, soaking

BENCH = ROOT / "build" / "release" / "bench"
DAYS = int(os.environ.get("ASSAY_YEAR_DAYS", "365"))
PER_DAY = 1_000_000
DISK_BYTES_A_DAY = 60_000_000
TOLD_EVERY_DAYS = 30
# Bytes an event beside the evidence, more than the goal by far; and what the
# last days have beside that until they are packed.
MOST_BYTES = 30
RECENT_BYTES = 60_000_000


def draw_up(day):
    """Begins to write a day's lines."""
    with open(f"{day}.ndjson", "wb") as file:
        return subprocess.Popen([BENCH / "days", "20260108", str(day), "1",
                                 str(PER_DAY)], stdout=file)


def days_done(store):
    """Of a store that an earlier run began; the day after may be half done."""
    try:
        return int((store / "days-done").read_text())
    except FileNotFoundError:
        return 0


def take_days(store):
    began, first = time.monotonic(), days_done(store)
    drawing = draw_up(first)
    for day in range(first, DAYS):
        assert drawing.wait() == 0
        drawing = draw_up(day + 1)
        run("import", "--org", "bench", "--data", store, f"{day}.ndjson",
            timeout=900)
        os.remove(f"{day}.ndjson")
        (store / "days-done").write_text(f"{day + 1}\n")
        if (day + 1) % TOLD_EVERY_DAYS == 0 or day + 1 == DAYS:
            print(f"# {day + 1} days, "
                  f"{(time.monotonic() - began) / (day + 1 - first):.1f} s "
                  "each", flush=True)
    drawing.kill()
    drawing.wait()


def events_in(store):
    rows = run("export", "counts", "--data", store).out.splitlines()
    return sum(row["unique"] for row in map(json.loads, rows)
               if row["class"] == "accepted")


def bytes_beside_evidence(store):
    done = subprocess.run(
        ["sqlite3", "-readonly", store / "assay.db",
         "SELECT sum(pgsize) FROM dbstat WHERE name NOT LIKE 'evidence%'"],
        check=True, capture_output=True, text=True)
    return int(done.stdout)


def check_size(store):
    events = events_in(store)
    size = os.path.getsize(store / "assay.db")
    beside = bytes_beside_evidence(store)
    print(f"# {events:,} events in {DAYS} days: {size / 1e9:.1f} GB, "
          f"{size / events:.1f} bytes each, {beside / events:.1f} of them "
          "beside the evidence")
    assert beside < MOST_BYTES * events + RECENT_BYTES


def check_answers(store):
    done = subprocess.run([BENCH / "ask", store, "20"], check=True,
                          capture_output=True, text=True)
    most_ms = {"orchestrator": 0.3, "fleet": 10, "ptff": 10, "fps": 10}
    for row in map(json.loads, done.stdout.splitlines()):
        middle = sorted(row["ms"])[len(row["ms"]) // 2]
        print(f"# {row['name']}: {row['rows']:,} rows in {middle:.2f} ms, "
              f"{most_ms[row['name']]} at most")
        assert middle < 3 * most_ms[row["name"]], row


def test_a_year_of_the_network():
    if not soaking() or not (BENCH / "days").exists():
        skip("takes an hour: ./build.sh soak year")
    store = pathlib.Path(os.environ.get("ASSAY_YEAR_STORE", "assay-data"))
    store.mkdir(parents=True, exist_ok=True)
    needed = (DAYS - days_done(store)) * DISK_BYTES_A_DAY
    if shutil.disk_usage(store).free < needed:
        skip(f"takes {needed / 1e9:.0f} GB of disk")
    take_days(store)
    check_size(store)
    check_answers(store)

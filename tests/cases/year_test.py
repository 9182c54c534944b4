"""A year of the network, day by day: what it takes, and how fast it answers.

Only in ./build.sh soak, which builds the generator, and of as many days as
ASSAY_YEAR_DAYS says (365). Half a minute a day.
"""
import json
import os
import subprocess

from harness import ROOT, run, skip, soaking

BENCH = ROOT / "build" / "release" / "bench"
DAYS = int(os.environ.get("ASSAY_YEAR_DAYS", "365"))
PER_DAY = 1_000_000
# Bytes an event beside the evidence; the goal is a fourth of it.
MOST_BYTES = 30


def take_day(day):
    """How many events it had."""
    with open("day.ndjson", "wb") as file:
        subprocess.run([BENCH / "days", "20260108", str(day), "1",
                        str(PER_DAY)], stdout=file, check=True)
    done = run("import", "--json", "--org", "bench", "day.ndjson", timeout=900)
    os.remove("day.ndjson")
    return sum(json.loads(line)["added"] for line in done.out.splitlines())


def bytes_beside_evidence():
    done = subprocess.run(
        ["sqlite3", "-readonly", "assay-data/assay.db",
         "SELECT sum(pgsize) FROM dbstat WHERE name NOT LIKE 'evidence%'"],
        check=True, capture_output=True, text=True)
    return int(done.stdout)


def test_a_year_of_the_network():
    if not soaking() or not (BENCH / "days").exists():
        skip("takes hours: ./build.sh soak year")
    events = sum(take_day(day) for day in range(DAYS))
    size = os.path.getsize("assay-data/assay.db")
    beside = bytes_beside_evidence()
    print(f"# {events:,} events in {DAYS} days: {size / events:.1f} bytes "
          f"each, {beside / events:.1f} of them beside the evidence")
    assert beside < MOST_BYTES * events
    done = subprocess.run([BENCH / "ask", "assay-data", "20"], check=True,
                          capture_output=True, text=True)
    most_ms = {"orchestrator": 0.3, "fleet": 10, "ptff": 10, "fps": 10}
    for row in map(json.loads, done.stdout.splitlines()):
        middle = sorted(row["ms"])[len(row["ms"]) // 2]
        print(f"# {row['name']}: {row['rows']:,} rows in "
              f"{middle:.2f} ms")
        assert middle < 3 * most_ms[row["name"]], row

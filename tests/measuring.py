"""What the programs of tests/bench have in common: sizes, processor time, the
network's telemetry, peers, and the table at the end.
"""
import contextlib
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ROOT / "build" / "release" / "bench"
os.environ["ASSAY_BIN"] = str(ROOT / "build" / "assay")
# The sizes of the project's goals, instead of ones that take a minute or two.
FULL = os.environ.get("ASSAY_BENCH_FULL", "") not in ("", "0")
REPEATS = 5 if FULL else 3
SEED = 20260108

rows = []


def say(text):
    print(text, file=sys.stderr, flush=True)


def add(what, figure, must="", goal="", yardstick=""):
    rows.append((what, figure, must, goal, yardstick))
    say("\t".join(rows[-1]))


def spread(values, digits=0):
    """Minimum, median and maximum in one text."""
    return " / ".join(f"{value:,.{digits}f}" for value in (
        min(values), statistics.median(values), max(values)))


def cpu_of_call(call):
    """Processor seconds of the programs that CALL starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    call()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime
            - before.ru_utime - before.ru_stime)


def cpu_of(command):
    return cpu_of_call(lambda: subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE))


def days(first, count, events):
    """The command that writes COUNT days of about EVENTS events each."""
    return [str(BENCH / "days"), str(SEED), str(first), str(count),
            str(events)]


def write_days(path, first, count, events):
    """The file, and how many events it has."""
    with open(path, "wb") as file:
        subprocess.run(days(first, count, events), stdout=file, check=True)
    with open(path, "rb") as file:
        return sum(block.count(b"\n")
                   for block in iter(lambda: file.read(1 << 20), b""))


def take(store, *files):
    """Processor seconds of an import."""
    return cpu_of([os.environ["ASSAY_BIN"], "import", "--data", store, "--org",
                   "bench", *files])


def yardstick(kind, path):
    done = subprocess.run([str(BENCH / "yardstick"), kind, path], check=True,
                          capture_output=True)
    return json.loads(done.stdout)


def table_bytes(store):
    """Bytes on the disk by table and index, and the free ones."""
    done = subprocess.run(
        ["sqlite3", "-readonly", f"{store}/assay.db",
         "SELECT name, sum(pgsize) FROM dbstat GROUP BY name; SELECT '(free)', "
         "freelist_count * page_size FROM pragma_freelist_count, "
         "pragma_page_size"], check=True, capture_output=True, text=True)
    pairs = (line.rpartition("|") for line in done.stdout.splitlines())
    return {name: int(size) for name, _, size in pairs}


def print_table():
    heading = ("what", "measured", "must", "goal", "yardstick, same run")
    table = [heading] + rows
    widths = [max(len(row[at]) for row in table) for at in range(5)]
    for row in table:
        print("  ".join(cell.ljust(width)
                        for cell, width in zip(row, widths)).rstrip())


@contextlib.contextmanager
def bench(what, repeats=REPEATS):
    """A folder to measure in, and the table at the end. REPEATS of None: each
    figure says of how many it is."""
    place = tempfile.mkdtemp(prefix="assay-bench-", dir=ROOT / "build")
    os.chdir(place)
    of = f" of {repeats}" if repeats else ""
    print(f"{what}; {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f};"
          f" minimum / median / maximum{of}"
          + ("" if FULL else "; ASSAY_BENCH_FULL=1 for the goals' sizes"))
    try:
        yield
    finally:
        os.chdir(ROOT)
        shutil.rmtree(place)
        print_table()

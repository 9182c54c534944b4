#!/usr/bin/env python3
"""probe.py: what measuring costs, each figure beside its goal and a yardstick
of the same run. Run by `./build.sh bench probe`, which builds what it needs;
needs a quiet machine.
"""
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
os.environ["ASSAY_BIN"] = str(ROOT / "build" / "assay")

import harness                    # noqa: E402
from sandbox import sandbox       # noqa: E402

BENCH = ROOT / "build" / "release" / "bench"
MEDIA_SECONDS = 2
LIVE_SECONDS = 8
AT_ONCE = 64
SLOTS = f"orchestrators:\n  - {{name: wide, slots: {2 * AT_ONCE}}}\n"

rows = []


def add(what, figure, goal="", yardstick=""):
    rows.append((what, figure, goal, yardstick))


def measure_media():
    """The transport stream alone: no network, no loop."""
    done = subprocess.run([BENCH / "media", str(MEDIA_SECONDS)], check=True,
                          capture_output=True)
    told = json.loads(done.stdout)
    assert told["frames"] == 60 * 24, told
    add("frames found in a transport stream", f"{told['read_mb_s']} MB/s",
        "", f"copying it: {told['copy_mb_s']} MB/s")
    add("reading a second of live stream", f"{told['read_us']} us of CPU",
        "of 3 ms for all")
    add("writing a second of live stream", f"{told['write_us']} us of CPU",
        "of 3 ms for all", f"{told['write_mb_s']} MB/s")
    add("memory of a reader", f"{told['reader_bytes']} B", "of 256 KB for all")
    add("stamps of a minute's frames", f"{told['stamp_bytes']} B",
        "of 256 KB for all")


def watch_memory(process, peak):
    """The most memory it has had, in KB, as long as it can be asked. What
    wait4 tells instead includes this program, as whose copy it began."""
    status = pathlib.Path(f"/proc/{process.pid}/status")
    while True:
        lines = status.read_text().splitlines()
        found = [line for line in lines if line.startswith("VmHWM")]
        if not found:
            return
        peak[0] = int(found[0].split()[1])
        time.sleep(0.005)


def probe(count, url, *arguments):
    """COUNT runs at once: their rows, CPU seconds and peak memory in KB of
    the process that measured them."""
    peak = [0]
    process = subprocess.Popen(
        [harness.binary(), "probe", "--json", "--allow-cidr", "127.0.0.0/8",
         *arguments, *[url] * count], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, env=harness.environment())
    watcher = threading.Thread(target=watch_memory, args=(process, peak))
    watcher.start()
    rows = harness.json_lines(process.stdout.read().decode())
    watcher.join()
    process.stdout.close()
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    assert len(rows) == count, len(rows)
    return rows, used.ru_utime + used.ru_stime, peak[0]


def measure_reach(url):
    _, one_cpu, one_kb = probe(1, url)
    _, cpu, kb = probe(AT_ONCE, url)
    count = AT_ONCE - 1
    add("reach, on connections of their own",
        f"{(cpu - one_cpu) / count * 1000:.2f} ms of CPU each",
        "2.0, goal 1.4")
    add(f"memory of a reach, {AT_ONCE} at once",
        f"{(kb - one_kb) / count:.0f} KB each", "goal 60",
        "blackbox_exporter: 220 KB")


def measure_live(url):
    arguments = ("--kind", "live", "--seconds", str(LIVE_SECONDS))
    _, _, one_kb = probe(1, url, *arguments)
    rows, cpu, kb = probe(AT_ONCE, url, *arguments)
    good = [row for row in rows if row["outcome"] == "ok"]
    add("live runs at once", f"{len(good)} of {AT_ONCE} ok", "64, goal 200")
    add("... their lowest input", f"{min(r['input_fps'] for r in good):.2f} fps",
        "24")
    add("... their median jitter_fps",
        f"{statistics.median(row['jitter_fps'] for row in good):.4f}",
        "0.005 with 8")
    add("... a second of live stream",
        f"{cpu / AT_ONCE / LIVE_SECONDS * 1000:.2f} ms of CPU", "8, goal 3")
    add("... memory of a run", f"{(kb - one_kb) / (AT_ONCE - 1):.0f} KB",
        "goal 256")


def measure_network():
    """Against the sandbox network, which shares the processors."""
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        with sandbox("--seed", 1, scenario=SLOTS) as network:
            measure_reach(network.url("wide"))
            measure_live(network.url("wide"))


def print_table():
    table = [("what", "measured", "goal", "yardstick")] + rows
    widths = [max(len(row[i]) for row in table) for i in range(4)]
    for row in table:
        print("  ".join(cell.ljust(width)
                        for cell, width in zip(row, widths)).rstrip())


if __name__ == "__main__":
    measure_media()
    measure_network()
    print_table()

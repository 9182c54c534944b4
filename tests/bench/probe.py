#!/usr/bin/env python3
"""probe.py: what measuring costs, each figure beside its goal and a yardstick
of the same run. Run by `./build.sh bench probe`, which builds what it needs;
needs a quiet machine.
"""
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BENCH = ROOT / "build" / "release" / "bench"
MEDIA_SECONDS = 2

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


def print_table():
    table = [("what", "measured", "goal", "yardstick")] + rows
    widths = [max(len(row[i]) for row in table) for i in range(4)]
    for row in table:
        print("  ".join(cell.ljust(width)
                        for cell, width in zip(row, widths)).rstrip())


if __name__ == "__main__":
    measure_media()
    print_table()

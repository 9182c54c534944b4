#!/usr/bin/env python3
"""footprint.py: what a million events a day take on the disk and in memory, and
how soon an event shows; each figure beside its goal. Run by `./build.sh bench
footprint`, two minutes; ASSAY_BENCH_FULL=1 takes more days and looks for
longer.

Recent hours are kept as they are worked with and packed later, so that a store
of a few days says little of one of a year: what counts there is by how much one
day more makes it grow, when the recent ones are as many before as after.
"""
import json
import pathlib
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import harness                    # noqa: E402
from measuring import (FULL, add, bench, spread, table_bytes, take,
                       write_days, yardstick)  # noqa: E402

DAYS = 8 if FULL else 4
PER_DAY = 1_000_000
PER_SECOND = 1_000_000 / 86400
LIVE_SECONDS = 60 if FULL else 15
EVIDENCE = ("evidence_", "sqlite_autoindex_evidence")
EVENTS_SEEN = 7


def without_evidence(sizes):
    return {name: size for name, size in sizes.items()
            if name != "(free)" and not name.startswith(EVIDENCE)}


def largest(sizes, unit):
    """The six that have most of it, in UNIT bytes."""
    most = sorted(sizes.items(), key=lambda pair: -pair[1])[:6]
    return ", ".join(f"{name} {size / unit:.1f}" for name, size in most)


def measure_facts(days, before, after):
    """DAYS are numbers of events, the sizes those with and without the last."""
    grown = {name: size - before.get(name, 0) for name, size in after.items()}
    recent = {name: size - len(days) * grown[name]
              for name, size in after.items()}
    add("facts and hours, bytes per event, of one day more",
        f"{sum(grown.values()) / days[-1]:.1f}", "6", "2")
    add("  largest of them", largest(grown, days[-1]))
    add("  and for the recent days, however many there are, MB",
        f"{sum(recent.values()) / 1e6:.1f}")
    add("  largest of them", largest(recent, 1e6))
    add(f"  both together, bytes per event of these {len(days)} days",
        f"{sum(after.values()) / sum(days):.1f}")


def measure_disk():
    """Days are imported one by one, as they come."""
    days, before, sizes = [], {}, {}
    for day in range(DAYS):
        days.append(write_days("day.ndjson", day, 1, PER_DAY))
        take("assay-data", "day.ndjson")
        before = sizes
        sizes = table_bytes("assay-data") if day >= DAYS - 2 else {}
    bare = yardstick("sqlite", "day.ndjson")
    events = sum(days)
    facts = without_evidence(sizes)
    evidence = sum(sizes.values()) - sizes["(free)"] - sum(facts.values())
    add(f"evidence, bytes per event of {events:,} in {DAYS} days",
        f"{evidence / events:.1f}", "95", "45",
        f"249 (documented: ClickHouse with its views); as rows of SQLite "
        f"{bare['bytes'] / bare['events']:.0f}")
    measure_facts(days, without_evidence(before), facts)
    add("free pages in the file, bytes per event",
        f"{sizes['(free)'] / events:.1f}")


def memory_mb(pid, line):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split(line + ":")[1].split()[0]) / 1024


def status_event(number, ms):
    stream = f"live-{number % 40}"
    return json.dumps({
        "id": f"live-{number}", "type": "ai_stream_status", "gateway": "g",
        "timestamp": str(ms), "data": {
            "stream_id": stream, "request_id": stream, "state": "ONLINE",
            "pipeline": "noop", "inference_status": {"fps": 20 + number % 7},
            "orchestrator_info": {"address": f"0x{number % 9:040x}",
                                  "url": "https://example.network:8935"}}})


def send(server, token, lines):
    status, _, body = server.get(
        "/v1/ingest/events", "POST", "\n".join(lines),
        {"Authorization": f"Bearer {token}",
         "Content-Type": "application/x-ndjson"})
    assert status == 200, (status, body)


def feed(server, token, ended):
    """As a network does that tells a million events a day."""
    number, began = 0, time.monotonic()
    while not ended.wait(0.25):
        until = int((time.monotonic() - began) * PER_SECOND)
        now_ms = int(time.time() * 1000)
        if until > number:
            send(server, token, [status_event(n, now_ms)
                                 for n in range(number, until)])
        number = max(number, until)


def samples_shown(server, org):
    page = server.json(f"/v1/streaming/demand?org={org}&limit=10")
    return sum(row["status_samples"] or 0 for row in page["data"])


def seconds_until_shown(server, token, number):
    """From before it is sent until its hour has it."""
    wanted = samples_shown(server, "seen") + 1
    began = time.monotonic()
    send(server, token, [status_event(5_000_000 + number,
                                      int(time.time() * 1000))])
    while samples_shown(server, "seen") < wanted:
        time.sleep(0.005)
    return time.monotonic() - began


def token_of(org):
    return harness.run("token", "create", "--scope", "ingest", "--org",
                       org).out.split()[-1]


def measure_live():
    tokens = {org: token_of(org) for org in ("live", "seen")}
    with harness.serving() as server:
        pid = server.process.pid
        add("resident, idle beside those days, MB",
            f"{memory_mb(pid, 'VmRSS'):.1f}")
        ended = threading.Event()
        feeding = threading.Thread(target=feed,
                                   args=(server, tokens["live"], ended))
        feeding.start()
        began = time.monotonic()
        times = []
        while time.monotonic() - began < LIVE_SECONDS or len(times) < 5:
            times.append(seconds_until_shown(server, tokens["seen"],
                                             len(times)))
            time.sleep(LIVE_SECONDS / EVENTS_SEEN / 2)
        ended.set()
        feeding.join()
        add(f"resident at 1 M events a day, most in {LIVE_SECONDS} s, MB",
            f"{memory_mb(pid, 'VmHWM'):.1f}", "60", "20",
            "5,000 to 22,000 (documented)")
        add(f"event received to hour visible, s, of {len(times)}",
            spread(times, 2), "1", "0.2", "60 (documented: resolver interval)")


def main():
    with bench("footprint", None):
        measure_disk()
        measure_live()


if __name__ == "__main__":
    main()

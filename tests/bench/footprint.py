#!/usr/bin/env python3
"""footprint.py: what a million events a day take on the disk and in memory, and
how soon an event shows; each figure beside its goal. Run by `./build.sh bench
footprint`; ASSAY_BENCH_FULL=1 takes whole days of a million events.
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

DAYS = 8
PER_DAY = 1_000_000 if FULL else 60_000
PER_SECOND = 1_000_000 / 86400
LIVE_SECONDS = 60 if FULL else 15
EVIDENCE = ("evidence_", "sqlite_autoindex_evidence")
EVENTS_SEEN = 7


def measure_disk():
    """Days are imported one by one, as they come."""
    events = 0
    for day in range(DAYS):
        events += write_days("day.ndjson", day, 1, PER_DAY)
        take("assay-data", "day.ndjson")
    bare = yardstick("sqlite", "day.ndjson")
    sizes = table_bytes("assay-data")
    free = sizes.pop("(free)")
    evidence = sum(size for name, size in sizes.items()
                   if name.startswith(EVIDENCE))
    rest = sum(sizes.values()) - evidence
    add(f"evidence, bytes per event of {events:,} in {DAYS} days",
        f"{evidence / events:.1f}", "95", "45",
        f"249 (documented: ClickHouse with its views); as rows of SQLite "
        f"{bare['bytes'] / bare['events']:.0f}")
    add("facts and hours, bytes per event", f"{rest / events:.1f}", "6", "2")
    add("  free pages in the file, bytes per event", f"{free / events:.1f}")
    largest = sorted(sizes.items(), key=lambda pair: -pair[1])
    add("  largest of them", ", ".join(
        f"{name} {size / events:.1f}" for name, size in
        [pair for pair in largest if not pair[0].startswith(EVIDENCE)][:6]))


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
    with bench("footprint"):
        measure_disk()
        measure_live()


if __name__ == "__main__":
    main()

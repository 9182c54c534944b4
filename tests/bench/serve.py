#!/usr/bin/env python3
"""serve.py: how fast the server is, each figure beside its goal and a
yardstick of the same run.

A core's worth is what the server's own processor time bought: requests over
seconds of CPU, so that the load generator beside it costs nothing. Run by
`./build.sh bench serve`, which builds what it needs; needs a quiet machine.
"""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "reference")]
os.environ["ASSAY_BIN"] = str(ROOT / "build" / "assay")

import generate                   # noqa: E402
import harness                    # noqa: E402

LOAD = ROOT / "build" / "release" / "bench" / "load"
BARE = ROOT / "build" / "release" / "bench" / "bare"
SECONDS = 4
DAYS, SESSIONS = 30, 3000
EVENTS_PER_BATCH = 100
TICKS = os.sysconf("SC_CLK_TCK")

rows = []


def add(what, figure, floor, goal, yardstick=""):
    rows.append((what, figure, floor, goal, yardstick))
    print("\t".join(rows[-1]), file=sys.stderr)


def cpu_seconds(pid):
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    fields = text.rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def load(pid, port, request, connections=4, seconds=SECONDS):
    """What load.c measured, with the CPU that the server took."""
    pathlib.Path("request").write_bytes(request)
    before = cpu_seconds(pid)
    done = subprocess.run([LOAD, str(port), str(seconds), str(connections),
                           "request"], check=True, capture_output=True)
    answer = json.loads(done.stdout)
    answer["cpu"] = cpu_seconds(pid) - before
    assert answer["refused"] == 0 and answer["broken"] == 0, answer
    return answer


def per_core(answer):
    return answer["requests"] / max(answer["cpu"], 0.01)


def get(path, *headers):
    lines = "".join(line + "\r\n" for line in headers)
    return (f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n").encode()


# ---- parts -------------------------------------------------------------------


def make_store():
    """A month of synthetic telemetry."""
    print(f"making a store of {DAYS} days", file=sys.stderr)
    records = generate.generate(1, DAYS, SESSIONS)
    pathlib.Path("in.ndjson").write_bytes(
        b"".join(record + b"\n" for record in records))
    harness.run("import", "in.ndjson", timeout=600)


def first_answer_ms():
    """From fork to the first answer, the least of several."""
    times = []
    for _ in range(7):
        port = harness.free_port()
        started = time.monotonic()
        process = subprocess.Popen(
            [harness.binary(), "serve", "--listen", f"127.0.0.1:{port}"],
            stderr=subprocess.DEVNULL, env=harness.environment())
        while True:
            try:
                with socket.create_connection(("127.0.0.1",
                                               port)) as stream:
                    stream.sendall(get("/v1/health"))
                    if stream.recv(100).startswith(b"HTTP/1.1 200"):
                        break
            except ConnectionRefusedError:
                time.sleep(0.0005)
        times.append((time.monotonic() - started) * 1000)
        process.terminate()
        process.wait()
    return min(times)


def bare(body_bytes):
    """Requests per core of civetweb alone, with answers as large."""
    port = harness.free_port()
    process = subprocess.Popen([BARE, str(port), str(body_bytes)],
                               stdin=subprocess.PIPE)
    time.sleep(0.3)
    answer = load(process.pid, port, get("/"))
    process.stdin.close()
    process.wait()
    return f"{per_core(answer):,.0f} (civetweb bare)"


def one_orchestrator(server):
    """The parameter value that names the orchestrator with most rows."""
    page = server.json("/v1/streaming/sla?limit=1000")["data"]
    names = [row["orchestrator_address"] for row in page
             if row["orchestrator_address"]]
    return max(set(names), key=names.count)


def measure_reads(server):
    pid = server.process.pid
    cached = load(pid, server.port, get("/v1/streaming/sla?limit=10"))
    add("cached answers, req/s per core", f"{per_core(cached):,.0f}", "50,000",
        "90,000", bare(cached["bytes"] - 200))
    add("  p99 over 4 connections", f"{cached['p99_us'] / 1000:.2f} ms", "",
        "")
    # Every address is another one, so that no answer is kept.
    address = one_orchestrator(server)
    path = (f"/v1/streaming/sla?orchestrator={address}&limit=10"
            "&start=2026-01-01T00:00:00.######Z")
    status, _, body = server.get(path.replace("#", "0"))
    assert status == 200, body
    fresh = load(pid, server.port, get(path))
    add("uncached, one orchestrator", f"{per_core(fresh):,.0f}", "8,000",
        "40,000")


def event(number):
    # What the publisher's gateways send once a session.
    return json.dumps({
        "id": f"00000000-0000-4000-{number:04x}-################",
        "type": "stream_trace", "timestamp": str(int(time.time() * 1000)),
        "gateway": "gw", "data": {
            "type": "gateway_receive_stream_request", "stream_id": "s",
            "request_id": "################",
            "timestamp": int(time.time() * 1000)}}) + "\n"


def measure_ingest(server, token):
    body = "".join(event(n) for n in range(EVENTS_PER_BATCH)).encode()
    head = (f"POST /v1/ingest/events HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {token}\r\n"
            f"Content-Type: application/x-ndjson\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    answer = load(server.process.pid, server.port, head + body, 1)
    add("ingest of 100, acknowledged, p99",
        f"{answer['p99_us'] / 1000:.2f} ms", "20 ms", "5 ms",
        f"{sync_ms(len(body)):.2f} ms (write + fsync)")
    add("  events/s over one connection",
        f"{answer['requests'] * EVENTS_PER_BATCH / SECONDS:,.0f}", "", "")


def sync_ms(length):
    """p99 of appending as many bytes and fsync, in the store's folder."""
    times = []
    with open("sync", "wb", buffering=0) as file:
        for _ in range(300):
            started = time.monotonic()
            file.write(b"x" * length)
            os.fsync(file.fileno())
            times.append((time.monotonic() - started) * 1000)
    return sorted(times)[int(len(times) * 0.99)]


def measure():
    make_store()
    add("start to first answer, 30 days", f"{first_answer_ms():.1f} ms",
        "50 ms", "15 ms")
    made = harness.run("token", "create", "--scope", "ingest", "--org",
                       "bench", code=None)
    with harness.serving() as server:
        time.sleep(0.5)
        add("resident, idle", f"{resident_mb(server.process.pid):.1f} MB",
            "12 MB", "6 MB")
        measure_reads(server)
        if made.code == 0:
            measure_ingest(server, made.out.split()[-1])


def print_table():
    heading = ("what", "measured", "at least", "goal", "yardstick, same run")
    table = [heading] + rows
    widths = [max(len(row[at]) for row in table) for at in range(5)]
    for row in table:
        print("  ".join(cell.ljust(width)
                        for cell, width in zip(row, widths)).rstrip())


def main():
    place = tempfile.mkdtemp(prefix="assay-bench-", dir=ROOT / "build")
    os.chdir(place)
    try:
        measure()
    finally:
        os.chdir(ROOT)
        shutil.rmtree(place)
        print_table()


if __name__ == "__main__":
    main()

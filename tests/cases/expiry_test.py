"""Retention: what expires, and what a rebuild then keeps.

Blocks are made old by changing their arrival times in the database; hashes
cover the lines, not these.
"""
import json
import os
import random
import sqlite3
import threading
import time

from harness import export, folder, run, sanitised, serving, wait_until

ORG = "livepeer-cloud"  # longer than what small buffers hold
OLD = {"ASSAY_EVIDENCE_KEEP_IGNORED_DAYS": "1",
       "ASSAY_EVIDENCE_KEEP_ACCEPTED_DAYS": "1"}
START_MS = 1767908945298


def line(number, kind, type_, data, shift=0):
    return json.dumps({"org": ORG, "id": f"{kind}-{number}", "type": type_,
                       "timestamp": str(START_MS + shift), "gateway": "",
                       "data": data})


def sessions():
    lines = []
    for number in range(20):
        names = {"stream_id": f"s{number}", "request_id": "r",
                 "orchestrator_info": {"address": "0x" + "a" * 40, "url": ""}}
        lines.append(line(number, "request", "stream_trace", dict(
            names, type="gateway_receive_stream_request",
            padding="p" * 5000)))
        for sample in range(10):
            lines.append(line(number * 100 + sample, "status",
                              "ai_stream_status", dict(
                                  names, state="ONLINE",
                                  inference_status={"fps": 12.5}),
                              1000 * sample))
    return lines


def noise():
    return [line(number, "noise", "webrtc_stats", {"n": "x" * 100})
            for number in range(9000)]


def take(lines, environment=None):
    run("import", "-", input="".join(text + "\n" for text in lines),
        env=environment)


def make_old(kind):
    database = sqlite3.connect(folder() / "assay-data" / "assay.db")
    with database:
        database.execute(
            "UPDATE evidence_block SET first_arrival_ms = 1, "
            "last_arrival_ms = 1 WHERE feed IN "
            "(SELECT feed FROM evidence_feed WHERE class = ?)", (kind,))
    database.close()


def expired():
    database = sqlite3.connect(folder() / "assay-data" / "assay.db")
    count = database.execute(
        "SELECT count(*) FROM evidence_block WHERE state = 2").fetchone()[0]
    database.close()
    return count


def rows():
    return {what: export(what) for what in ("sla", "sessions", "selections",
                                            "counts")}


def test_a_rebuild_after_ignored_lines_have_expired():
    take(sessions())
    take(sessions())
    take(noise())
    make_old(1)
    take([line(0, "last", "webrtc_stats", {})], OLD)
    assert expired() > 0
    before = rows()
    assert len(before["sessions"]) == 20
    run("rebuild")
    assert rows() == before


def test_a_rebuild_after_accepted_lines_have_expired():
    take(sessions() * 20)
    take([line(n, "filler", "stream_ingest_metrics", {"n": "x" * 100})
          for n in range(9000)])
    make_old(0)
    take([line(0, "last", "webrtc_stats", {})], OLD)
    assert expired() > 0
    before = rows()
    assert "lost evidence" in run("export", "sla").err
    assert "lost evidence" not in run("export", "sla", "--from",
                                      "2027-01-01").err
    run("rebuild")
    assert rows() == before
    run("evidence", "verify")


def test_expired_lines_that_come_again_are_kept_again():
    take(sessions())
    take([line(n, "filler", "stream_ingest_metrics", {"n": "x" * 100})
          for n in range(9000)])
    make_old(0)
    take([line(0, "last", "webrtc_stats", {})], OLD)
    assert expired() > 0
    before = rows()
    take(sessions())
    after = rows()
    for what in ("sla", "sessions", "selections"):
        assert after[what] == before[what], what
    lines = run("evidence", "export", "--class", "accepted").out.split("\n")
    assert set(sessions()) <= set(lines)
    assert ([row["unique"] for row in after["counts"]]
            == [row["unique"] for row in before["counts"]])


# ---- space -------------------------------------------------------------------

SPARE_BYTES = 4 << 20 # what is kept for what comes next
STORE = "assay-data/assay.db"


def heavy():
    """Lines that take 10 MB in the store."""
    chance = random.Random(11)
    return [line(number, "heavy", "webrtc_stats",
                 {"n": "%x" % chance.getrandbits(40000)})
            for number in range(2000)]


def test_space_of_what_has_expired_is_given_back():
    take(heavy())
    full = os.path.getsize(STORE)
    assert full > 2 * SPARE_BYTES, full
    make_old(1)
    take([line(0, "last", "webrtc_stats", {})], OLD)
    assert expired() > 0
    left = os.path.getsize(STORE)
    assert left < 2 * SPARE_BYTES, (full, left)
    run("evidence", "verify")


def test_a_server_gives_space_back_while_it_takes_events():
    secret = run("token", "create", "--scope", "ingest").out.split()[-1]
    take(heavy())
    full = os.path.getsize(STORE)
    make_old(1)
    waits, stop = [], threading.Event()

    def send(server):
        while not stop.is_set():
            began = time.monotonic()
            code, _, _ = server.get(
                "/v1/ingest/events", "POST",
                line(len(waits), "live", "webrtc_stats", {}).encode(),
                {"Authorization": "Bearer " + secret,
                 "Content-Type": "application/x-ndjson"})
            assert code == 200, code
            waits.append(time.monotonic() - began)

    with serving(env=OLD) as server:
        sender = threading.Thread(target=send, args=(server,))
        sender.start()
        try:
            wait_until(lambda: os.path.getsize(STORE) < 2 * SPARE_BYTES, 60,
                       "a shorter file")
        finally:
            stop.set()
            sender.join()
    print(f"# {full >> 20} MB became {os.path.getsize(STORE) >> 20}; "
          f"{len(waits)} batches, longest wait {max(waits) * 1000:.0f} ms")
    assert sanitised() or max(waits) < 2, max(waits)
    run("evidence", "verify")


def test_a_store_that_cannot_shrink_can_when_it_is_restored():
    """It was made before there was this."""
    take(heavy())
    database = sqlite3.connect(STORE, isolation_level=None)
    database.execute("PRAGMA auto_vacuum = 0")
    database.execute("VACUUM")
    assert database.execute("PRAGMA auto_vacuum").fetchone() == (0,)
    database.close()
    before = rows()
    make_old(1)
    take([line(0, "last", "webrtc_stats", {})], OLD)
    assert os.path.getsize(STORE) > 2 * SPARE_BYTES
    run("backup", "b.db")
    run("restore", "b.db", "--force")
    assert os.path.getsize(STORE) < 2 * SPARE_BYTES
    database = sqlite3.connect(STORE)
    assert database.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    database.close()
    after = rows()
    assert {key: after[key] for key in before if key != "counts"} == {
        key: before[key] for key in before if key != "counts"}

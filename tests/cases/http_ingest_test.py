"""POST /v1/ingest/events: what it takes, what it answers, and that whatever it
has answered is there."""
import gzip
import http.client
import json
import random
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

from harness import (SAMPLE_LOG, export, run, sanitised, serving, skip,
                     soaking, wait_until)

PATH = "/v1/ingest/events"
NDJSON = "application/x-ndjson"


def token(scope="ingest", *more):
    return run("token", "create", "--scope", scope, *more).out.split()[-1]


def event(number, **more):
    """A status, an hour after that of the number before."""
    at = 1767900000000 + number * 1000
    return dict({"id": f"event-{number}", "type": "ai_stream_status",
                 "timestamp": str(at), "gateway": "0xgate", "data": {
                     "stream_id": f"stream-{number // 50}", "request_id": "r",
                     "pipeline": "streamdiffusion-sdxl", "state": "ONLINE",
                     "inference_status": {"fps": 20.5},
                     "orchestrator_info": {"address": "0xA", "url": ""}}},
                **more)


def lines_of(events):
    return "".join(json.dumps(one) + "\n" for one in events).encode()


class Producer:
    """One connection that stays open."""

    def __init__(self, server, secret):
        self.server = server
        self.secret = secret
        self.connection = None

    def post(self, body, headers=None, content_type=NDJSON):
        """Status and answer; the connection is kept where it can be."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection(
                "127.0.0.1", self.server.port, timeout=60)
        fields = {"Content-Type": content_type,
                  "Authorization": f"Bearer {self.secret}"}
        try:
            self.connection.request("POST", PATH, body,
                                    dict(fields, **(headers or {})))
            answer = self.connection.getresponse()
            content = json.loads(answer.read())
            status = answer.status
        except (OSError, http.client.HTTPException):
            self.connection = None
            raise
        if status >= 400:
            self.connection = None
        return status, content


def classes(answer):
    return {name: answer[name] for name in
            ("received", "accepted", "ignored", "rejected", "duplicates")}


def test_what_is_answered_is_there():
    secret = token()
    mixed = [event(1, org="acme"), event(2, org="acme"),
             event(1, org="acme"), event(3),
             {"id": "x", "type": "unknown_kind", "timestamp": "1767900000",
              "org": "acme", "data": {}}]
    body = lines_of(mixed) + b"not json\n\n"
    with serving() as server:
        status, answer = Producer(server, secret).post(body)
        assert status == 200, answer
        assert classes(answer) == {"received": 6, "accepted": 3, "ignored": 1,
                                   "rejected": 2, "duplicates": 1}, answer
        reasons = {(row["class"], row["reason"]): row["received"]
                   for row in answer["by_reason"]}
        assert reasons == {("accepted", ""): 3,
                           ("ignored", "unsupported_event_family"): 1,
                           ("rejected", "blank_org"): 1,
                           ("rejected", "invalid_json"): 1}, reasons
        counted = export("counts")
        assert sum(row["received"] for row in counted) == 6, counted
    run("evidence", "verify")


def test_every_shape_and_compression():
    secret = token("ingest", "--org", "acme")
    with serving() as server:
        producer = Producer(server, secret)
        sent = 0
        for number, (body, encoding, content_type) in enumerate((
                (lines_of([event(1), event(2)]), None, NDJSON),
                (json.dumps([event(3), event(4)]).encode(), None,
                 "application/json"),
                (json.dumps(event(5), indent=2).encode(), None,
                 "application/json; charset=utf-8"),
                (gzip.compress(lines_of([event(6)])), "gzip", NDJSON),
                (gzip.compress(lines_of([event(7)])), None,
                 "application/octet-stream"))):
            headers = {"Content-Encoding": encoding} if encoding else {}
            status, answer = producer.post(body, headers, content_type)
            assert status == 200, (number, answer)
            assert answer["received"] == answer["accepted"], (number, answer)
            sent += answer["received"]
        assert sent == 7
        if shutil.which("zstd"):
            packed = subprocess.run(["zstd", "-c"], check=True,
                                    input=lines_of([event(8)]),
                                    capture_output=True).stdout
            status, answer = producer.post(packed,
                                           {"Content-Encoding": "zstd"})
            assert status == 200 and answer["accepted"] == 1, answer
        status, answer = producer.post(iter([lines_of([event(9)]),
                                             lines_of([event(10)])]))
        assert status == 200 and answer["accepted"] == 2, answer


def nested(depth, inner):
    return inner if depth == 0 else {"a": nested(depth - 1, inner)}


def test_conflicts_are_counted():
    secret = token("ingest", "--org", "acme")
    with serving() as server:
        producer = Producer(server, secret)
        for number, conflicts in ((1, 0), (2, 1), (1, 0), (2, 0)):
            status, answer = producer.post(lines_of(
                [event(1, data=nested(100, number))]))
            assert status == 200, answer
            row, = answer["by_reason"]
            assert row["conflicts"] == conflicts, (number, row)
    total, = export("counts")
    assert total["received"] == 4 and total["unique"] == 1, total


def test_the_org_of_the_token_wins():
    with_org = token("ingest", "--org", "acme")
    without = token()
    with serving() as server:
        Producer(server, with_org).post(lines_of([event(1, org="other")]))
        Producer(server, without).post(lines_of([event(2, org="own")]))
        again = Producer(server, with_org).post(
            lines_of([event(1, org="other")]))[1]
        assert again["duplicates"] == 1, again
    orgs = sorted((row["org"], row["unique"]) for row in export("counts"))
    assert orgs == [("acme", 1), ("own", 1)], orgs
    before = run("export", "sessions").out
    run("rebuild")
    assert run("export", "sessions").out == before
    orgs = sorted((row["org"], row["unique"]) for row in export("counts"))
    assert orgs == [("acme", 1), ("own", 1)], orgs


def test_rows_follow_within_two_seconds():
    secret = token("ingest", "--org", "acme")
    with serving() as server:
        producer = Producer(server, secret)
        producer.post(lines_of([event(1)]))
        wait_until(lambda: server.json("/v1/sessions")["data"], 5, "a session")
        producer.post(lines_of([event(100)]))
        wait_until(lambda: len(server.json("/v1/sessions")["data"]) == 2,
                   2 if not sanitised() else 10, "the second session")


def test_rows_keep_up_with_senders_that_never_pause():
    secret = token("ingest", "--org", "acme")
    answered = {}

    def send(server, seconds):
        producer = Producer(server, secret)
        end, number = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            status, answer = producer.post(lines_of(
                event(n) for n in range(number * 50, number * 50 + 50)))
            assert status == 200, answer
            answered[f"acme|stream-{number}|r"] = time.monotonic()
            number += 1

    with serving() as server:
        thread = threading.Thread(target=send, args=(server, 5))
        thread.start()
        behind = []
        while thread.is_alive():
            now = time.monotonic()
            rows = server.json("/v1/sessions?limit=1")["data"]
            newest = rows[0]["session_key"] if rows else min(answered,
                                                             default=None)
            later = [at for key, at in answered.copy().items()
                     if at > answered.get(newest, now)]
            behind.append(now - min(later, default=now))
            time.sleep(0.1)
        thread.join()
    assert sanitised() or max(behind) < 3, max(behind)


def test_a_run_from_outside_is_refused():
    secret = token("ingest", "--org", "acme")
    with serving() as server:
        status, answer = Producer(server, secret).post(
            lines_of([event(1, type="assay_run")]))
        assert status == 200 and answer["rejected"] == 1, answer
        assert answer["by_reason"][0]["reason"] == "run_from_outside", answer
    done = run("import", "-", input=lines_of([event(2, org="a",
                                                    type="assay_run")]))
    assert "run_from_outside" in done.out, done


def test_a_key_is_answered_once():
    secret = token("ingest", "--org", "acme")
    other = token("ingest", "--org", "acme")
    key = {"Idempotency-Key": "order 66"}
    body = lines_of([event(1), event(2)])
    with serving() as server:
        producer = Producer(server, secret)
        status, first = producer.post(body, key)
        assert status == 200 and not first["repeated"], first
        status, again = producer.post(body, key)
        assert status == 200 and again["repeated"], again
        assert dict(again, repeated=False) == first, (first, again)
        status, refusal = producer.post(lines_of([event(3)]), key)
        assert status == 422 and "Idempotency-Key" in refusal["detail"]
        status, answer = Producer(server, other).post(body, key)
        assert status == 200 and not answer["repeated"], answer
        assert answer["duplicates"] == 2, answer
    with serving() as server:
        status, again = Producer(server, secret).post(body, key)
        assert status == 200 and again["repeated"], again
    total, = export("counts")
    assert total["received"] == 4 and total["unique"] == 2, total


def test_bad_bodies_leave_nothing():
    secret = token("ingest", "--org", "acme")
    whole = gzip.compress(lines_of([event(1), event(2)]))
    rows = [
        (b"", {}, NDJSON, 400),
        (whole[:-6], {"Content-Encoding": "gzip"}, NDJSON, 400),
        (b"{}", {"Content-Encoding": "gzip"}, NDJSON, 400),
        (whole, {"Content-Encoding": "identity"}, NDJSON, 400),
        (b"{}", {"Content-Encoding": "br"}, NDJSON, 415),
        (b"{}", {}, "text/html", 415),
        (b"{}", {"Idempotency-Key": "k" * 300}, NDJSON, 400),
        (b"{}", {"Idempotency-Key": ""}, NDJSON, 400),
        (b"x" * (9 << 20), {}, NDJSON, 413),
        (iter([b"x" * 65536] * 144), {}, NDJSON, 413),
        (gzip.compress(b" " * (40 << 20)), {}, NDJSON, 413),
        (gzip.compress(lines_of([event(1)]) + b"y" * (40 << 20)), {}, NDJSON,
         413),
    ]
    with serving() as server:
        for number, (body, headers, content_type, wanted) in enumerate(rows):
            try:
                status, answer = Producer(server, secret).post(
                    body, headers, content_type)
            except (OSError, http.client.HTTPException) as cut:
                # A long body may be cut off before it has been sent.
                assert wanted == 413, (number, cut)
                continue
            assert status == wanted, (number, status, answer)
            assert answer["status"] == wanted and answer["detail"], answer
        assert server.get(PATH)[0] == 405
        assert server.json("/v1/health")["store"]["lines"] == 0
        status, answer = Producer(server, secret).post(lines_of([event(1)]))
        assert status == 200 and answer["accepted"] == 1, answer


def test_the_largest_body_that_may_be_allowed_finds_room():
    secret = token("ingest", "--org", "acme")
    line = lines_of([event(1)])
    refused = run("config", "show", code=2,
                  env={"ASSAY_INGEST_BODY_BYTES": "13MiB"})
    assert "ingest.body_bytes" in refused.err, refused.err
    with serving(env={"ASSAY_INGEST_BODY_BYTES": "12MiB"}) as server:
        status, answer = Producer(server, secret).post(
            b" " * ((12 << 20) - len(line)) + line)
        assert status == 200 and answer["accepted"] == 1, (status, answer)


def test_a_body_cut_short_leaves_nothing():
    secret = token("ingest", "--org", "acme")
    body = lines_of([event(1), event(2)])
    head = (f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {secret}\r\n"
            f"Content-Type: {NDJSON}\r\n")
    with serving() as server:
        for length, rest in ((f"Content-Length: {len(body) + 10}", body),
                             ("Transfer-Encoding: chunked",
                              b"%x\r\n%s\r\n" % (len(body), body)),
                             ("Transfer-Encoding: chunked",
                              b"zz\r\n" + body)):
            with socket.create_connection(("127.0.0.1", server.port)) as to:
                to.sendall(f"{head}{length}\r\n\r\n".encode() + rest)
                to.shutdown(socket.SHUT_WR)
                to.settimeout(20)
                answer = to.recv(65536)
                assert not answer or b" 400 " in answer[:20], answer
        assert server.json("/v1/health")["store"]["lines"] == 0


def test_a_sender_that_waits_is_told_to_go_on():
    secret = token("ingest", "--org", "acme")
    body = lines_of([event(1)])
    head = (f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {secret}\r\nExpect: 100-continue\r\n"
            f"Content-Type: {NDJSON}\r\nContent-Length: {len(body)}\r\n\r\n")
    with serving() as server:
        with socket.create_connection(("127.0.0.1", server.port)) as to:
            to.settimeout(20)
            to.sendall(head.encode())
            assert b" 100 Continue" in to.recv(65536)
            to.sendall(body)
            assert b" 200 OK" in to.recv(65536)


def test_senders_together_lose_nothing():
    secret = token("ingest", "--org", "acme")
    answers = []

    def send(server, part):
        producer = Producer(server, secret)
        for start in range(part * 1000, part * 1000 + 200, 20):
            answers.append(producer.post(
                lines_of(event(n) for n in range(start, start + 20))))

    with serving() as server:
        threads = [threading.Thread(target=send, args=(server, part))
                   for part in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert all(status == 200 and answer["accepted"] == 20 and
               answer["duplicates"] == 0 for status, answer in answers)
    total, = export("counts")
    assert len(answers) == 60 and total["unique"] == 1200, total


def test_http_makes_the_rows_of_import():
    secret = token("ingest", "--org", "cloudspe")
    with open(SAMPLE_LOG, "rb") as log, serving() as server:
        status, answer = Producer(server, secret).post(
            log.read(), content_type="application/json")
        assert status == 200 and answer["accepted"] == 65, answer
    run("import", "--data", "other", "--org", "cloudspe", SAMPLE_LOG)
    for what in ("sla", "sessions", "selections", "counts"):
        assert export(what) == export(what, data="other"), what


# ---- kill -9 -----------------------------------------------------------------

BATCH = 100
EVENTS_PER_SECOND = 2000


def kills():
    return 100 if soaking() else 3 if sanitised() else 20


class Feed:
    """Sends numbered batches at a steady rate and remembers which were
    acknowledged. A batch that was not is sent again under its key."""

    def __init__(self, secret):
        self.secret = secret
        self.next = 0
        self.acknowledged = set()

    def body(self, number):
        return lines_of(event(n) for n in
                        range(number * BATCH, (number + 1) * BATCH))

    def send(self, producer, number):
        status, answer = producer.post(
            self.body(number), {"Idempotency-Key": f"batch-{number}"})
        assert status == 200, answer
        assert answer["accepted"] == BATCH, answer
        self.acknowledged.add(number)

    def run(self, server):
        """Until the server is gone."""
        producer = Producer(server, self.secret)
        due = time.monotonic()
        try:
            while True:
                self.send(producer, self.next)
                self.next += 1
                due += BATCH / EVENTS_PER_SECOND
                time.sleep(max(0, due - time.monotonic()))
        except (OSError, http.client.HTTPException):
            pass


def lines_kept():
    """How often each event lies in the evidence, repeats left out."""
    times = {}
    out = run("evidence", "export", "--json").out_bytes
    for line in out.split(b"\n"):
        row = json.loads(line) if line else {"kind": "repeat"}
        if row["kind"] != "repeat":
            name = json.loads(row["text"])["id"]
            times[name] = times.get(name, 0) + 1
    return times


def check_kept(feed):
    times = lines_kept()
    doubled = [name for name, count in times.items() if count > 1]
    assert not doubled, f"kept twice: {doubled[:3]}"
    for number in feed.acknowledged:
        missing = [n for n in range(number * BATCH, (number + 1) * BATCH)
                   if f"event-{n}" not in times]
        assert not missing, f"batch {number} was acknowledged, lacks {missing}"


def kill_once(feed, seconds):
    with serving() as server:
        thread = threading.Thread(target=feed.run, args=(server,))
        thread.start()
        time.sleep(seconds)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        thread.join()


def test_kill_9_loses_nothing_that_was_acknowledged():
    seed = random.SystemRandom().randrange(10**6) if soaking() else 11
    chance = random.Random(seed)
    feed = Feed(token("ingest", "--org", "acme"))
    for number in range(kills()):
        kill_once(feed, chance.uniform(0.02, 0.6))
        if number % 5 == 4:
            check_kept(feed)
    assert len(feed.acknowledged) > kills(), "hardly anything was taken"
    with serving() as server:
        feed.send(Producer(server, feed.secret), feed.next)
    check_kept(feed)
    run("evidence", "verify")
    run("import", "--data", "other", "--org", "acme", "-",
        input=b"".join(feed.body(n) for n in range(feed.next + 1)))
    for what in ("sla", "sessions", "selections"):
        assert export(what) == export(what, data="other"), (seed, what)
    total, = export("counts")
    assert total["unique"] == (feed.next + 1) * BATCH, (seed, total)


# ---- a full disk -------------------------------------------------------------


def test_a_full_disk_is_503_and_loses_nothing():
    if sanitised():
        skip("the limit on file sizes would stop the sanitiser's log")
    secret = token("ingest", "--org", "acme")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    with serving() as server:
        producer = Producer(server, secret)
        assert producer.post(lines_of([event(1)]))[0] == 200
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE,
                         (4096, limit[1]))
        status, answer = producer.post(lines_of([event(2)]))
        assert status == 503, answer
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limit)
        status, answer = producer.post(lines_of([event(2)]))
        assert status == 200 and answer["duplicates"] == 0, answer
    total, = export("counts")
    assert total["unique"] == 2, total

"""assay serve: what it answers, what it refuses, and how it ends."""
import contextlib
import json
import pathlib
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request

from harness import (SAMPLE_LOG, binary, environment, export, folder,
                     json_lines, run, sample, serving, skip, wait_until)

KEY = "cloudspe|stream-o5s73x-mk5zc8fy|db936fab"


def import_sample():
    run("import", "--org", "cloudspe", SAMPLE_LOG)


def problem(server, path, status, method="GET", headers=None):
    """The problem with which PATH is refused."""
    got, fields, body = server.get(path, method=method, headers=headers)
    assert got == status, (path, got, body)
    assert fields["Content-Type"] == "application/problem+json", fields
    answer = json.loads(body)
    assert answer["status"] == status and answer["title"], answer
    return answer


def raw_answer(server, request):
    """All bytes that come back for the bytes of REQUEST."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as stream:
        stream.sendall(request)
        parts = []
        while part := stream.recv(65536):
            parts.append(part)
        return b"".join(parts)


def test_an_empty_store_is_served():
    with serving() as server:
        assert server.json("/healthz") == {"status": "ok"}
        assert server.json("/readyz") == {"status": "ok"}
        health = server.json("/v1/health")
        assert health["store"]["lines"] == 0, health
        assert health["store"]["first_event"] is None, health
        for path in ("/v1/streaming/sla", "/v1/sessions"):
            answer = server.json(path)
            assert answer["data"] == [], answer
            assert answer["pagination"] == {"next_cursor": None,
                                            "has_more": False,
                                            "page_size": 50}, answer


def test_health_counts_what_was_imported():
    import_sample()
    with serving() as server:
        health = server.json("/v1/health")
        store = health["store"]
        assert store["lines"] == 65 and store["sessions"] == 1, store
        assert store["sla_rows"] == 1, store
        assert store["first_event"] == "2026-01-08T21:49:05.298Z", store
        families = {row["family"]: row["unique"]
                    for row in health["families"]}
        assert families == {"stream_ingest_metrics": 34,
                            "ai_stream_status": 17, "stream_trace": 6,
                            "create_new_payment": 6, "discovery_results": 1,
                            "network_capabilities": 1}, families
        assert sum(row["received"] for row in health["counts"]) == 65
        feed, = health["feeds"]
        assert feed["class"] == "accepted" and feed["lines"] == 65, feed
        assert len(feed["chain"] or feed["open_sha256"]) == 64, feed


def test_evidence_is_listed():
    import_sample()
    lines = ['{"id": "", "type": "a", "timestamp": "1"}', "no json",
             '{"id": "1", "type": "odd", "timestamp": "1767900000000"}']
    run("import", "--org", "acme", "-", input="\n".join(lines))
    with serving() as server:
        def data(path):
            return server.json("/v1/evidence/" + path)["data"]
        feeds = data("feeds")
        assert [(row["class"], row["org"], row["lines"]) for row in feeds] == [
            ("accepted", "cloudspe", 65), ("ignored", "acme", 1),
            ("rejected", "acme", 2)], feeds
        assert data("feeds?class=ignored") == [feeds[1]]
        assert data("feeds?org=acme&limit=1") == [feeds[1]]
        assert data("counts") == [
            dict(row, received=row["received"], unique=row["unique"])
            for row in export("counts")], data("counts")
        bad, = data("counts?reason=blank_id")
        assert bad == {"class": "rejected", "reason": "blank_id",
                       "org": "acme", "received": 1, "unique": 1}, bad
        every, cursor = [], ""
        while cursor is not None:
            page = server.json("/v1/evidence/lines?limit=7" + cursor)
            every += page["data"]
            cursor = page["pagination"]["next_cursor"]
            cursor = cursor and "&cursor=" + cursor
        told = json_lines(run("evidence", "export", "--json").out)
        assert [(row["line"], row["sha256"], row["class"], row["org"],
                 row["kind"]) for row in every] == [
            (row["line"], row["sha256"], row["class"], row["org"],
             row["kind"]) for row in told] and len(every) == 68
        one = server.json(f"/v1/evidence/lines/{every[-1]['line']}")
        assert every[-1] == {name: one[name] for name in every[-1]}, one
        assert [row["line"] for row in data("lines?class=rejected")] == [
            row["line"] for row in told if row["class"] == "rejected"]
        assert server.get("/v1/evidence/feeds?format=csv")[2].startswith(
            b"source,org,class,chain,")
        assert server.get("/v1/evidence/lines?class=odd")[0] == 400


def test_scores_are_the_exported_rows_with_reasons():
    import_sample()
    with serving() as server:
        row, = server.json("/v1/streaming/sla")["data"]
        exported, = json_lines(run("export", "sla").out)
        assert {name: row[name] for name in exported} == exported
        assert list(row)[:len(exported)] == list(exported)
        assert row["sla_score"] == 85.0, row
        assert row["null_reason"] is None and row["provisional"] is False
        assert row["orchestrator_address"] == ""
        assert row["attribution_reasons"] == ["missing_candidate"], row


def test_a_session_is_served_with_its_evidence():
    import_sample()
    with serving() as server:
        exported, = json_lines(run("export", "sessions").out)
        listed, = server.json("/v1/sessions")["data"]
        assert listed == exported, listed
        answer = server.json("/v1/sessions/" + urllib.parse.quote(KEY, ""))
        assert answer["session"] == exported
        assert len(answer["selections"]) == 1, answer["selections"]
        hour, = answer["hours"]
        assert hour["status_samples"] == 17, hour
        assert hour["output_fps_sum"] == 271.9991760846937, hour
        told = " ".join(answer["attribution"]["sentences"])
        assert "74.007 s after the selection, 44.007 s too late" in told, told
        assert answer["attribution"]["nearest_snapshot_after_s"] == 74.007
        assert len(answer["events"]) == 23, len(answer["events"])
        times = [event["ts"] for event in answer["events"]]
        assert times == sorted(times)
        for event in answer["events"]:
            line = server.json(f"/v1/evidence/lines/{event['line']}")
            assert line["class"] == "accepted" and line["kind"] == "line"
            record = json.loads(line["text"])
            assert record["value"]["type"] == event["family"], record


def test_a_score_leads_to_its_sessions():
    import_sample()
    with serving() as server:
        row, = server.json("/v1/streaming/sla")["data"]
        query = {"hour": row["window_start"], "org": row["org"],
                 "orchestrator": row["orchestrator_address"],
                 "model": row["model_id"], "pipeline": row["pipeline_id"],
                 "gpu": row["gpu_id"] or ""}
        path = "/v1/sessions?" + urllib.parse.urlencode(query)
        session, = server.json(path)["data"]
        assert session["session_key"] == KEY, session
        query["hour"] = "2026-01-08T20:00:00Z"
        path = "/v1/sessions?" + urllib.parse.urlencode(query)
        assert server.json(path)["data"] == []


def status_event(number):
    """One status of a session of its own, an hour after the one before."""
    at = 1767900000000 + number * 3_600_000
    return {"id": f"event-{number}", "type": "ai_stream_status",
            "timestamp": str(at), "gateway": "0xgate", "data": {
                "stream_id": f"stream-{number}", "request_id": "r",
                "pipeline": "streamdiffusion-sdxl", "state": "ONLINE",
                "inference_status": {"fps": 20.5},
                "orchestrator_info": {"address": "0xA", "url": ""}}}


def test_pages_follow_one_another_without_gap_or_repeat():
    lines = [json.dumps(status_event(number)) for number in range(23)]
    run("import", "--org", "acme", "-", input="\n".join(lines))
    with serving() as server:
        for path, key in (("/v1/streaming/sla", "window_start"),
                          ("/v1/sessions", "session_key")):
            whole = server.json(f"{path}?limit=1000")["data"]
            assert len(whole) == 23, (path, len(whole))
            pages, cursor = [], ""
            while cursor is not None:
                answer = server.json(f"{path}?limit=5{cursor}")
                pages += answer["data"]
                following = answer["pagination"]["next_cursor"]
                assert answer["pagination"]["has_more"] == bool(following)
                cursor = following and "&cursor=" + following
            assert pages == whole, path
            times = [row.get("last_seen", row.get(key)) for row in whole]
            assert times == sorted(times, reverse=True), path
        some = server.json("/v1/sessions?start=2026-01-09&end="
                           "2026-01-09T03:00:00Z")["data"]
        assert len(some) == 3, [row["last_seen"] for row in some]
        assert server.json("/v1/sessions?org=other")["data"] == []


def test_a_score_without_requests_is_null_with_a_reason():
    run("import", "--org", "acme", "-", input=json.dumps(status_event(0)))
    with serving() as server:
        row, = server.json("/v1/streaming/sla")["data"]
        assert row["requested_sessions"] == 0, row
        assert row["sla_score"] is None, row
        assert row["null_reason"] == "no_requested_sessions", row


def test_wrong_parameters_are_named():
    rows = [
        ("/v1/streaming/sla?limit=0", "limit", "from 1 to 1000"),
        ("/v1/streaming/sla?limit=5.0", "limit", "from 1 to 1000"),
        ("/v1/streaming/sla?start=monday", "start", "2026-01-08T21:00:00Z"),
        ("/v1/streaming/sla?orchestratr=x", "orchestratr",
         "\"orchestrator\" is meant"),
        ("/v1/streaming/sla?lens=theirs", "lens", "published"),
        ("/v1/sessions?hour=2026-01-08T21:30:00Z", "hour", "start of an hour"),
        ("/v1/health?verbose=1", "verbose", "takes no parameters"),
    ]
    with serving() as server:
        for path, parameter, part in rows:
            answer = problem(server, path, 400)
            assert answer["parameter"] == parameter, answer
            assert part in answer["detail"], answer
        for path in ("/v1/sessions?cursor=x", "/v1/sessions?org=a&org=b",
                     "/v1/sessions?org=%zz", "/v1/sessions?org=%00",
                     "/v1/sessions?" + "a" * 5000,
                     "/v1/sessions?hour=2026-01-08T21:00:00Z",
                     "/v1/evidence/lines/1e3", "/%ff"):
            problem(server, path, 400)


def test_what_is_not_there_is_said():
    import_sample()
    with serving() as server:
        for path in ("/nothing", "/v1", "/v1/sessions/none",
                     "/v1/evidence/lines/99999999", "/../etc/passwd",
                     "/..%2f..%2fetc%2fpasswd", "/index.html/"):
            problem(server, path, 404)


def test_it_is_only_read():
    with serving() as server:
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            status, fields, _ = server.get("/v1/health", method=method)
            assert status == 405, (method, status)
            assert fields["Allow"] == "GET, HEAD", fields
        status, fields, body = server.get("/v1/health", method="HEAD")
        assert status == 200 and body == b"", (status, body)
        assert int(fields["Content-Length"]) > 100


def test_other_host_names_are_refused():
    with serving() as server:
        port = server.port
        for host in ("evil.example", f"evil.example:{port}",
                     "localhost.evil.example", "127.0.0.1.evil.example",
                     "10.0.0.1", ""):
            problem(server, "/v1/health", 421, headers={"Host": host})
        for host in ("localhost", f"LocalHost:{port}", f"127.0.0.1:{port}",
                     "[::1]:9"):
            status, _, _ = server.get("/healthz", headers={"Host": host})
            assert status == 200, host


def test_every_answer_has_safe_headers():
    with serving() as server:
        for path in ("/", "/app.js", "/v1/health", "/nothing", "/%"):
            _, fields, _ = server.get(path)
            policy = fields["Content-Security-Policy"]
            assert "default-src 'none'" in policy, path
            assert "frame-ancestors 'none'" in policy, path
            assert fields["X-Content-Type-Options"] == "nosniff", path
            assert fields["Referrer-Policy"] == "no-referrer", path
            assert "Access-Control-Allow-Origin" not in fields, path
        # Also where no request ever became whole: the lobby's own refusal.
        with socket.create_connection(("127.0.0.1", server.port), 20) as slow:
            slow.sendall(b"GET /v1/health HTTP/1.1\r\nHost: local")
            head, _, body = slow.makefile("rb").read().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 "), head
        for name in (b"Content-Security-Policy", b"nosniff", b"no-referrer"):
            assert name in head, head
        assert json.loads(body)["status"] == 408, body


def test_files_are_compressed_and_remembered():
    with serving() as server:
        gzip = {"Accept-Encoding": "gzip"}
        _, packed, small = server.get("/style.css", headers=gzip)
        _, plain, large = server.get("/style.css")
        assert packed["Content-Encoding"] == "gzip" and len(small) < len(large)
        assert "Content-Encoding" not in plain and b":root" in large
        assert packed["ETag"] != plain["ETag"]
        for fields, headers in ((packed, gzip), (plain, {})):
            again = dict(headers, **{"If-None-Match": fields["ETag"]})
            status, fields, body = server.get("/style.css", headers=again)
            assert status == 304 and body == b"", (status, body[:50])


def test_odd_requests_get_an_answer():
    with serving() as server:
        assert b" 400 " in raw_answer(server, b"GARBAGE\r\n\r\n")
        long = b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
        assert raw_answer(server, long)[9:12] in (b"400", b"413", b"414")
        upgrade = (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
                   b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
                   b"Sec-WebSocket-Version: 13\r\n"
                   b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
        assert b" 200 OK" in raw_answer(server, upgrade)
        old = b"GET /healthz HTTP/1.0\r\n\r\n"
        assert b"Connection: close" in raw_answer(server, old)
        two = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        last = two.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        assert raw_answer(server, two + last).count(b" 200 OK") == 2
        assert server.json("/healthz") == {"status": "ok"}


def test_it_ends_in_order():
    import_sample()
    for number in (signal.SIGTERM, signal.SIGINT):
        with serving() as server:
            server.json("/v1/health")
            started = time.monotonic()
            server.stop(number=number)
            assert time.monotonic() - started < 10
            assert "assay is listening on " + server.url in server.text()
    run("export", "sla")


def test_a_running_server_holds_the_store():
    import_sample()
    with serving() as server:
        refused = run("import", SAMPLE_LOG, code=3)
        assert str(server.process.pid) in refused.err, refused.err
        assert len(json_lines(run("export", "sla").out)) == 1


def test_a_taken_port_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        refused = run("serve", "--listen", address, code=4)
        assert f"{address} is in use" in refused.err, refused.err


@contextlib.contextmanager
def listening(address, env=None):
    """The address that a server says it listens on."""
    with open("serve.log", "wb") as log:
        process = subprocess.Popen([binary(), "serve", "--listen", address],
                                   stderr=log, env=environment(env))
    log = folder() / "serve.log"
    try:
        wait_until(lambda: "the store is" in log.read_text(), what="a start")
        yield log.read_text().split("listening on ")[1].split()[0]
    finally:
        process.terminate()
        assert process.wait(30) == 0, log.read_text()


def test_port_0_takes_a_free_one():
    with listening("127.0.0.1:0") as url:
        port = int(url.removeprefix("http://127.0.0.1:").strip("/"))
        assert port > 0, url
        socket.create_connection(("127.0.0.1", port), 5).close()


def test_ipv6_is_an_address_too():
    if not pathlib.Path("/proc/net/if_inet6").exists():
        skip("this machine has no IPv6")
    with listening("[::1]:0") as url:
        assert url.startswith("http://[::1]:"), url
        with urllib.request.urlopen(url + "healthz", timeout=10) as answer:
            assert answer.status == 200


def test_beyond_loopback_needs_a_word():
    refused = run("serve", "--listen", "0.0.0.0:0", code=2)
    assert "public_read" in refused.err, refused.err
    assert not (folder() / "assay-data").exists()
    with listening("0.0.0.0:0", {"ASSAY_PUBLIC_READ": "true",
                                 "ASSAY_SERVE_HOSTS": "any.example"}) as url:
        request = urllib.request.Request(
            url.replace("0.0.0.0", "127.0.0.1") + "healthz",
            headers={"Host": "any.example"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200


def test_capability_lines_are_evidence_too():
    run("import", "--org", "acme", sample("getNetworkCapabilities.json"))
    with serving() as server:
        assert server.json("/v1/health")["store"]["lines"] >= 1
        line = server.json(f"/v1/evidence/lines/{1 << 16}")
        assert line["block"]["number"] == 1, line["block"]
        assert len(line["sha256"]) == 64

"""Requests that nobody sends by mistake. Each gets the answer of its row, frees
its worker, leaves nothing in the store, and the server stays small.

What goes on for ever is in transport_test and slow_clients_test, what is large
in memory_test."""
import contextlib
import gzip
import json
import pathlib
import re
import socket
import subprocess
import time

from harness import run, sanitised, serving

HOST = b"Host: localhost\r\n"
LINE = (b'{"id":"e%d","type":"stream_trace","timestamp":"1767825600000",'
        b'"gateway":"g","data":{"type":"x"}}\n')
GROWTH_KIB = 64 << 10
STATUS = re.compile(rb"HTTP/1\.1 \d\d\d ")


def get(target, headers=b"", version=b"1.1", method=b"GET"):
    return (method + b" " + target + b" HTTP/" + version + b"\r\n" + HOST +
            headers + b"Connection: close\r\n\r\n")


# Name: request, statuses that are right; None where it is cut off at once.
TARGETS = {
    "a proxy's form": (get(b"http://localhost/healthz"), (200, 400)),
    "a proxy's form of another": (get(b"http://elsewhere.example/healthz"),
                                  (400, 403, 421)),
    "a form with a user": (get(b"http://a:b@localhost/healthz"),
                           (400, 403, 421)),
    "another scheme": (get(b"file:///etc/passwd"), (400,)),
    "two slashes": (get(b"//elsewhere.example/healthz"), (400, 404)),
    "a star": (get(b"*"), (400, 404)),
    "a fragment": (get(b"/healthz#x"), (400, 404)),
    "dots": (get(b"/../../etc/passwd"), (400, 404)),
    "encoded dots": (get(b"/%2e%2e/%2e%2e/etc/passwd"), (400, 404)),
    "dots encoded twice": (get(b"/%252e%252e/etc/passwd"), (400, 404)),
    "overlong dots": (get(b"/%c0%ae%c0%ae/etc/passwd"), (400, 404)),
    "an overlong slash": (get(b"/..%c0%af../etc/passwd"), (400, 404)),
    "an encoded slash": (get(b"/v1%2fhealth"), (200, 400, 404)),
    "a backslash": (get(b"/..\\..\\etc\\passwd"), (400, 404)),
    "an encoded end": (get(b"/healthz%00.html"), (400, 404)),
    "an end in a value": (get(b"/v1/sessions?org=a%00b"), (400,)),
    "half an escape": (get(b"/v1/sessions?org=%4"), (400,)),
    "no escape": (get(b"/v1/sessions?org=%zz"), (400,)),
    "an escape in a name": (get(b"/v1/sessions?o%72g=a&org=b"), (400,)),
    "a name twice": (get(b"/v1/sessions?org=a&org=b"), (400,)),
    "no name": (get(b"/v1/sessions?=a"), (400,)),
    "bytes over 127": (get(b"/\xff\xfe\xfd"), (400, 404)),
    "bytes over 127 in a value": (get(b"/v1/sessions?org=\xff"), (400,)),
    "a half character": (get(b"/v1/sessions?org=%e2%82"), (400,)),
    "a number too long": (get(b"/v1/evidence/lines/" + b"9" * 300),
                          (400, 404)),
    "a number below zero": (get(b"/v1/evidence/lines/-1"), (400, 404)),
    "a limit below zero": (get(b"/v1/sessions?limit=-1"), (400,)),
    "a limit of zero": (get(b"/v1/sessions?limit=0"), (400,)),
    "a limit beyond all": (get(b"/v1/sessions?limit=" + b"9" * 40), (400,)),
    "a time of letters": (get(b"/v1/streaming/sla?start=yesterday"), (400,)),
    "a time beyond all": (get(b"/v1/streaming/sla?start=99999-01-01"), (400,)),
    "an unknown parameter": (get(b"/v1/sessions?and=1"), (400,)),
    "a statement": (get(b"/v1/sessions?org='%3bDROP%20TABLE%20session--"),
                    (200,)),
    "a line break in a value": (
        get(b"/v1/sessions?org=a%0d%0aX-Injected:%20yes"), (200, 400)),
    "a line break in a cursor": (
        get(b"/v1/sessions?cursor=%0d%0aX-Injected:%20yes"), (400,)),
    "a cursor of another": (get(b"/v1/sessions?cursor=" + b"A" * 64), (400,)),
    "an empty cursor": (get(b"/v1/sessions?cursor="), (200, 400)),
    "a cursor of 7 KB": (get(b"/v1/sessions?cursor=" + b"A" * 7000), (400,)),
}

HEADERS = {
    "another method": (get(b"/healthz", method=b"TRACE"), (400, 405, 501)),
    "a tunnel": (get(b"localhost:22", method=b"CONNECT"), (400, 405, 501)),
    "a tunnel to a path": (get(b"/healthz", method=b"CONNECT"),
                           (400, 405, 501)),
    "a method of small letters": (get(b"/healthz", method=b"get"), (400,)),
    "a method without end": (get(b"/healthz", method=b"G" * 5000),
                             (400, 414, 431)),
    "a version of letters": (get(b"/healthz", version=b"one"), (400, 505)),
    "a version to come": (get(b"/healthz", version=b"9.9"), (505,)),
    "a promise that is unknown": (get(b"/healthz", b"Expect: money\r\n"),
                                  (200, 417)),
    "an end in a header": (get(b"/healthz", b"X: a\0b\r\n"), (400,)),
    "bytes over 127 in a header": (get(b"/healthz", b"X: \xff\xfe\r\n"),
                                   (200, 400)),
    "an odd name": (get(b"/healthz", b"X Y: a\r\n"), (400,)),
    "no name of a header": (get(b"/healthz", b": a\r\n"), (400,)),
    "a thousand headers": (get(b"/healthz", b"X: y\r\n" * 1000), (400, 431)),
    "another host": (b"GET /healthz HTTP/1.1\r\nHost: elsewhere.example\r\n"
                     b"\r\n", (400, 403, 421)),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", (400,)),
    "a host with a path": (b"GET /healthz HTTP/1.1\r\nHost: localhost/x\r\n"
                           b"\r\n", (400, 403, 421)),
    "a host with a user": (b"GET /healthz HTTP/1.1\r\nHost: a@localhost\r\n"
                           b"\r\n", (400, 403, 421)),
    "a token without end": (get(b"/v1/tokens", b"Authorization: Bearer " +
                                b"a" * 4000 + b"\r\n"), (400, 401)),
    "a token of bytes": (get(b"/v1/tokens", b"Authorization: Bearer \xff\xff"
                             b"\r\n"), (400, 401)),
    "another kind of token": (get(b"/v1/tokens",
                                  b"Authorization: Basic YTpi\r\n"),
                              (400, 401)),
    "an entity tag without end": (get(b"/v1/sessions", b"If-None-Match: " +
                                      b'"a",' * 1000 + b"\r\n"), (200,)),
    "kinds without end": (get(b"/v1/sessions", b"Accept: " + b"a/b;q=0.1," *
                              500 + b"*/*\r\n"), (200, 406)),
    "a range": (get(b"/healthz", b"Range: bytes=0-,-1,5-2\r\n"), (200, 416)),
    "another protocol": (get(b"/healthz", b"Upgrade: websocket\r\n"
                             b"Sec-WebSocket-Version: 13\r\n"
                             b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"),
                         (200, 400, 426)),
}


def zstd(content):
    return subprocess.run(["zstd", "-q", "-c"], check=True, input=content,
                          capture_output=True).stdout


def torn(content):
    """With its last checksum changed."""
    return content[:-8] + bytes([content[-8] ^ 1]) + content[-7:]


def bodies():
    """Name: body, headers, statuses, lines that are taken."""
    lines = LINE % 1 + LINE % 2
    packed, pressed = gzip.compress(lines), zstd(lines)
    gz, zs = b"Content-Encoding: gzip\r\n", b"Content-Encoding: zstd\r\n"
    return {
        "members one after the other": (
            gzip.compress(LINE % 1) + gzip.compress(LINE % 2), gz, (200,), 2),
        "frames one after the other": (zstd(LINE % 3) + zstd(LINE % 4), zs,
                                       (200,), 2),
        "a frame to be skipped": (b"\x50\x2a\x4d\x18\4\0\0\0abcd" + pressed,
                                  zs, (200,), 2),
        "garbage behind a member": (packed + b"garbage", gz, (400,), 0),
        "garbage behind a frame": (pressed + b"garbage", zs, (400,), 0),
        "half a member": (packed[:len(packed) // 2], gz, (400,), 0),
        "half a frame": (pressed[:len(pressed) // 2], zs, (400,), 0),
        "a wrong checksum": (torn(packed), gz, (400,), 0),
        "only the beginning": (packed[:4], gz, (400,), 0),
        "packed twice": (gzip.compress(packed), b"Content-Encoding: gzip, gzip"
                         b"\r\n", (400, 415), 0),
        "an unknown packing": (lines, b"Content-Encoding: br\r\n", (400, 415),
                               0),
        "another packing than it says": (packed, zs, (400,), 0),
        "packed, and it does not say so": (packed, b"", (200,), 2),
        "not packed, and it says so": (lines, gz, (400,), 0),
        "another kind": (lines, b"Content-Type: text/html\r\n",
                         (200, 400, 415), 2),
        "a form": (lines, b"Content-Type: multipart/form-data; boundary=x\r\n",
                   (200, 400, 415), 2),
        "a key without end": (lines, b"Idempotency-Key: " + b"k" * 4000 +
                              b"\r\n", (400,), 0),
        "a key of bytes": (lines, b"Idempotency-Key: \xff\xfe\r\n",
                           (200, 400), 2),
        "a promise that is unknown": (lines, b"Expect: money\r\n", (200, 417),
                                      2),
    }


def exchange(port, request, length=1 << 20):
    """All that comes back until the server closes, and how long it took."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), 15) as stream:
        with contextlib.suppress(OSError):
            stream.sendall(request)
        answer = b""
        with contextlib.suppress(ConnectionResetError, TimeoutError):
            while len(answer) < length and (part := stream.recv(65536)):
                answer += part
    return answer, time.monotonic() - started


def check(server, name, request, statuses):
    answer, seconds = exchange(server.port, request)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 "), (name, answer[:200])
    assert int(head[9:12]) in statuses, (name, answer[:400])
    assert b"X-Injected" not in head, (name, head)
    assert len(STATUS.findall(answer)) == 1, (name, answer[:600])
    assert int(head[9:12]) < 400 or len(body) < 4096, (name, len(body))
    assert sanitised() or seconds < 5, (name, seconds)
    return int(head[9:12]), body


def lines_in(server):
    return server.json("/v1/health")["store"]["lines"]


def peak_kib(server):
    text = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0])


@contextlib.contextmanager
def watched(token=None):
    """Two workers, of which one address may hold one: a held one is seen."""
    with serving(env={"ASSAY_SERVE_WORKERS": "2"}) as server:
        before = lines_in(server)
        yield server
        assert server.json("/healthz") == {"status": "ok"}
        assert token or lines_in(server) == before, "something was written"
        assert sanitised() or peak_kib(server) < GROWTH_KIB


def test_targets():
    with watched() as server:
        for name, (request, statuses) in TARGETS.items():
            check(server, name, request, statuses)


def test_methods_and_headers():
    with watched() as server:
        for name, (request, statuses) in HEADERS.items():
            check(server, name, request, statuses)


def test_bodies():
    """What is refused leaves nothing; what is taken is there, once."""
    token = run("token", "create", "--scope", "ingest", "--org",
                "acme").out.split()[-1].encode()
    with watched(token) as server:
        for name, (body, headers, statuses, taken) in bodies().items():
            before = lines_in(server)
            kind = (b"" if b"Content-Type" in headers
                    else b"Content-Type: application/x-ndjson\r\n")
            request = (b"POST /v1/ingest/events HTTP/1.1\r\n" + HOST +
                       b"Authorization: Bearer " + token + b"\r\n" + headers +
                       kind + b"Connection: close\r\nContent-Length: %d\r\n"
                       b"\r\n" % len(body) + body)
            status, answer = check(server, name, request, statuses)
            if status == 200:
                assert json.loads(answer)["received"] == 2, (name, answer)
            grown = lines_in(server) - before
            assert grown == (taken if status == 200 else 0), (name, grown)


def test_a_body_of_an_expected_length_is_refused_before_it_is_sent():
    """Who asks first is not told to go on with what is too long."""
    token = run("token", "create", "--scope", "ingest").out.split()[-1]
    with watched(token) as server:
        request = (b"POST /v1/ingest/events HTTP/1.1\r\n" + HOST +
                   b"Authorization: Bearer " + token.encode() +
                   b"\r\nExpect: 100-continue\r\n"
                   b"Content-Length: 4000000000\r\n\r\n")
        answer, _ = exchange(server.port, request, 1)
        assert answer.startswith(b"HTTP/1.1 413 "), answer[:200]

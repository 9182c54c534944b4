"""What may come through the wire: smuggled lengths, endless bodies, garbage,
long addresses, TLS. Each is answered as it should be or cut off, and after
each the server still serves and has its workers back."""
import contextlib
import gzip
import json
import pathlib
import socket
import ssl
import subprocess
import time

from harness import (ROOT, SAMPLE_LOG, certificate, run, sanitised, serving,
                     wait_until)

# One worker of two may be held by an address, so one held is seen at once.
WORKERS = {"ASSAY_SERVE_WORKERS": "2"}
HOST = b"Host: localhost\r\n"
GOOD = b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
POST = b"POST /v1/ingest/events HTTP/1.1\r\n" + HOST


@contextlib.contextmanager
def taking_events():
    """A server, and the beginning of a request whose body it will read."""
    made = run("token", "create", "--scope", "ingest", "--org", "acme").out
    token = made.split()[-1].encode()
    with serving(env=WORKERS) as server:
        server.token = token.decode()
        yield server, (POST + b"Authorization: Bearer " + token +
                       b"\r\nContent-Type: application/x-ndjson\r\n")


def answer_to(port, request, seconds=12):
    """All bytes that come back for REQUEST, until the server ends it."""
    with socket.create_connection(("127.0.0.1", port), seconds) as stream:
        stream.sendall(request)
        parts = []
        with contextlib.suppress(ConnectionResetError):
            while part := stream.recv(65536):
                parts.append(part)
        return b"".join(parts)


def statuses(answer):
    """The status of every answer among the bytes."""
    found = []
    rest = answer
    while rest.startswith(b"HTTP/1.1 "):
        head, _, rest = rest.partition(b"\r\n\r\n")
        found.append(int(head[9:12]))
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        rest = rest[length:]
    return found


def still_serves(server):
    started = time.monotonic()
    assert statuses(answer_to(server.port, GOOD)) == [200]
    assert time.monotonic() - started < 2, "the workers are held"


# What follows a request whose end is disputed; nobody may ever see it answered.
SMUGGLED = b"GET /v1/health HTTP/1.1\r\n" + HOST + b"\r\n"

FRAMING = {
    "both lengths": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "both the other way": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n",
    "two equal lengths": b"Content-Length: 5\r\nContent-Length: 5\r\n",
    "a list of lengths": b"Content-Length: 5, 5\r\n",
    "a negative length": b"Content-Length: -5\r\n",
    "a signed length": b"Content-Length: +5\r\n",
    "a length beyond all": b"Content-Length: 99999999999999999999\r\n",
    "a length that wraps": b"Content-Length: 18446744073709551621\r\n",
    "a hexadecimal length": b"Content-Length: 0x5\r\n",
    "a broken length": b"Content-Length: 5.0\r\n",
    "an empty length": b"Content-Length: \r\n",
    "a length of words": b"Content-Length: five\r\n",
    "a length of digits and words": b"Content-Length: 5 five\r\n",
    "a name before a blank": b"Content-Length : 5\r\n",
    "a folded line": b"X-Long: a\r\n b\r\nContent-Length: 5\r\n",
    "two codings": b"Transfer-Encoding: chunked\r\n"
                   b"Transfer-Encoding: chunked\r\n",
    "a list of codings": b"Transfer-Encoding: gzip, chunked\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n",
    "the coding that is none": b"Transfer-Encoding: identity\r\n"
                               b"Content-Length: 5\r\n",
    "a coding after a tab": b"Transfer-Encoding:\tchunked\r\n"
                            b"Content-Length: 5\r\n",
    "two hosts": b"Host: elsewhere\r\n",
    "a line without a colon": b"Content-Length 5\r\n",
    "a line of nothing but a colon": b": 5\r\n",
    "a zero byte": b"X-Zero: a\0b\r\n",
    "a return alone": b"X-Return: a\rContent-Length: 5\r\n",
    "more headers than are kept": b"".join(
        b"X-%d: 1\r\n" % number for number in range(70)) +
        b"Content-Length: 5\r\n",
}


def test_disputed_ends_are_refused():
    with serving(env=WORKERS) as server:
        for method in (b"POST /v1/ingest/events", b"GET /healthz"):
            for name, lines in FRAMING.items():
                request = (method + b" HTTP/1.1\r\n" + HOST + lines +
                           b"\r\n0\r\n\r\n" + SMUGGLED)
                answer = answer_to(server.port, request)
                assert statuses(answer) == [400], (name, method, answer[:300])
                assert b"Connection: close" in answer, (name, answer[:300])
        still_serves(server)


def test_version_1_0_has_no_chunks():
    with serving(env=WORKERS) as server:
        request = (b"POST /v1/ingest/events HTTP/1.0\r\n" + HOST +
                   b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED)
        assert statuses(answer_to(server.port, request)) == [400]
        still_serves(server)


CHUNKS = {
    "a negative size": b"-5\r\nhello\r\n0\r\n\r\n",
    "a size beyond all": b"FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
    "a size that wraps": b"FFFFFFFFFFFFFFFE\r\nhello\r\n0\r\n\r\n",
    "a size of two gigabytes": b"80000000\r\nhello\r\n0\r\n\r\n",
    "a size with a prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "a size of words": b"five\r\nhello\r\n0\r\n\r\n",
    "no size": b"\r\nhello\r\n0\r\n\r\n",
    "no end of the chunk": b"5\r\nhello0\r\n\r\n",
    "a line feed alone": b"5\nhello\n0\n\n",
    "a size too short": b"3\r\nhello\r\n0\r\n\r\n",
    "a size of many digits": b"0" * 200 + b"5\r\nhello\r\n0\r\n\r\n",
}


def test_bad_chunks_end_the_connection():
    """Refused or cut off; what follows is never taken for a request."""
    with taking_events() as (server, post):
        for name, body in CHUNKS.items():
            request = (post + b"Transfer-Encoding: chunked\r\n\r\n" + body +
                       SMUGGLED)
            got = statuses(answer_to(server.port, request))
            assert len(got) <= 1 and all(400 <= one < 500 for one in got), \
                (name, got)
            still_serves(server)


def resident_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0])


def send_until_cut(port, head, block, most_bytes):
    """Status with which an endless body ends, and how much of it was sent."""
    sent = 0
    with socket.create_connection(("127.0.0.1", port), 20) as stream:
        stream.sendall(head)
        try:
            while sent < most_bytes:
                stream.sendall(block)
                sent += len(block)
        except OSError:
            return sent
    return sent


def test_endless_bodies_are_cut_off():
    block = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with taking_events() as (server, post):
        sent = send_until_cut(
            server.port, post + b"Transfer-Encoding: chunked\r\n\r\n", block,
            300 << 20)
        assert sent < 200 << 20, sent
        # A chunk's extension and a trailer may not go on for ever, either.
        for start in (b"5;", b"0\r\nX-Trailer: "):
            sent = send_until_cut(
                server.port,
                post + b"Transfer-Encoding: chunked\r\n\r\n" + start,
                b"x" * 65536, 300 << 20)
            assert sent < 200 << 20, (start, sent)
        still_serves(server)
        if not sanitised():
            assert resident_kib(server.process.pid) < 64 * 1024


def test_bombs_stay_small():
    bomb = gzip.compress(b"[" + b" " * (200 << 20) + b"]", 9)
    with taking_events() as (server, post):
        status, _, _ = server.get(
            "/v1/ingest/events", "POST", bomb,
            {"Content-Encoding": "gzip", "Content-Type": "application/json",
             "Authorization": "Bearer " + server.token})
        assert status != 401
        assert 400 <= status < 500, status
        still_serves(server)
        if not sanitised():
            assert resident_kib(server.process.pid) < 64 * 1024


def test_dripped_bodies_end():
    """At one byte in half a second a megabyte would take six days."""
    for head in (b"Content-Length: 1000000\r\n\r\n",
                 b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n"):
        with taking_events() as (server, post):
            with socket.create_connection(("127.0.0.1", server.port),
                                          5) as stream:
                stream.sendall(post + head)
                started = time.monotonic()
                with contextlib.suppress(OSError):
                    while time.monotonic() - started < 15:
                        stream.sendall(b"x")
                        time.sleep(0.5)
                assert time.monotonic() - started < 12
            still_serves(server)


LONG = {
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n": 414,
    b"GET /?" + b"a=b&" * 2500 + b" HTTP/1.1\r\n" + HOST + b"\r\n": 414,
    b"GET /" + b"a" * 40000: 414,
    b"GET / HTTP/1.1\r\n" + HOST + b"X-Long: " + b"a" * 20000: 431,
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000: 431,
}


def test_long_addresses_and_headers():
    with serving(env=WORKERS) as server:
        for request, status in LONG.items():
            answer = answer_to(server.port, request)
            assert statuses(answer) == [status], (request[:40], answer[:200])
        fits = (b"GET /healthz?" + b"a" * 8000 + b" HTTP/1.1\r\n" + HOST +
                b"Connection: close\r\n\r\n")
        assert statuses(answer_to(server.port, fits)) == [400]
        still_serves(server)


def test_requests_in_a_row():
    """Sent at once, or in pieces at any place: the same answers."""
    one = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
    with serving(env=WORKERS) as server:
        assert statuses(answer_to(server.port, one * 50 + GOOD)) == [200] * 51
        for cut in (1, 10, 24, len(one) - 2, len(one) + 7):
            both = one + GOOD
            with socket.create_connection(("127.0.0.1", server.port),
                                          10) as stream:
                stream.sendall(both[:cut])
                time.sleep(0.05)
                stream.sendall(both[cut:])
                parts = []
                while part := stream.recv(65536):
                    parts.append(part)
            assert statuses(b"".join(parts)) == [200, 200], cut


def test_a_connection_is_kept_while_idle():
    """Idle connections wait without a worker and go on where they were."""
    with serving(env=WORKERS) as server:
        streams = [socket.create_connection(("127.0.0.1", server.port), 10)
                   for _ in range(20)]
        for _ in range(3):
            for stream in streams:
                stream.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
                assert stream.recv(65536).startswith(b"HTTP/1.1 200 ")
            time.sleep(0.1)
        for stream in streams:
            stream.close()


def test_methods_and_versions():
    table = {
        b"GET /healthz HTTP/1.0\r\n\r\n": [200],
        b"HEAD /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n":
            [200],
        b"GET /healthz HTTP/2.0\r\n" + HOST + b"\r\n": [505],
        b"GET /healthz HTTP/0.9\r\n" + HOST + b"\r\n": [505],
        b"GET /healthz\r\n\r\n": [400],
        b"BREW /healthz HTTP/1.1\r\n" + HOST + b"\r\n": [400],
        b"GET http://elsewhere.example/ HTTP/1.1\r\n" + HOST + b"\r\n": None,
        b"GET healthz HTTP/1.1\r\n" + HOST + b"\r\n": [400],
        b"TRACE / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n": None,
        b"CONNECT a.example:1 HTTP/1.1\r\n" + HOST + b"\r\n": None,
        b"OPTIONS * HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n": None,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": None,
    }
    with serving(env=WORKERS) as server:
        for request, wanted in table.items():
            answer = answer_to(server.port, request)
            got = [int(answer[9:12])] if answer else []
            if wanted:
                assert got == wanted, (request, answer[:300])
            else:
                assert all(400 <= one < 500 or one in (204, 505)
                           for one in got), (request, answer[:300])
        head = answer_to(server.port, list(table)[1])
        assert head.endswith(b"\r\n\r\n"), head
        still_serves(server)


def test_garbage_gets_an_end():
    garbage = [b"\0" * 100 + b"\r\n\r\n", b"\xff\xfe" * 1000 + b"\n\n",
               b"\r\n\r\n\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\n\n",
               b"GET\r\n\r\n", b" / HTTP/1.1\r\n\r\n", b"\n\n", b"*1\r\n\r\n"]
    with serving(env=WORKERS) as server:
        for bytes_sent in garbage:
            answer = answer_to(server.port, bytes_sent)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 4") or \
                answer.startswith(b"HTTP/1.1 505"), (bytes_sent, answer)
        still_serves(server)


def test_a_refused_body_does_not_cost_the_answer():
    """The answer arrives although megabytes of body are still on their way."""
    with serving(env=WORKERS) as server:
        for _ in range(10):
            body = b"x" * (4 << 20)
            with socket.create_connection(("127.0.0.1", server.port),
                                          10) as stream:
                stream.settimeout(10)
                head = (b"POST /healthz HTTP/1.1\r\n" + HOST +
                        b"Content-Length: %d\r\n\r\n" % len(body))
                with contextlib.suppress(BrokenPipeError):
                    stream.sendall(head + body)
                answer = stream.recv(65536)
            assert answer.startswith(b"HTTP/1.1 4"), answer[:200]
        still_serves(server)


def test_slow_readers_end():
    """Who asks for much and reads nothing does not keep a worker."""
    run("import", "--org", "cloudspe", SAMPLE_LOG)
    ask = b"GET /app.js HTTP/1.1\r\n" + HOST + b"\r\n"
    with serving(env=WORKERS) as server:
        streams = []
        for _ in range(4):
            stream = socket.socket()
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stream.connect(("127.0.0.1", server.port))
            stream.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                for _ in range(5000):
                    stream.send(ask)
            streams.append(stream)
        wait_until(lambda: quick(server), 15, "a free worker")
        for stream in streams:
            stream.close()
        still_serves(server)


def quick(server):
    with contextlib.suppress(OSError):
        with socket.socket() as stream:
            stream.settimeout(1)
            stream.bind(("127.0.0.3", 0))
            stream.connect(("127.0.0.1", server.port))
            stream.sendall(GOOD)
            return stream.recv(100).startswith(b"HTTP/1.1 200")
    return False


# ---- TLS ---------------------------------------------------------------------


def over_tls(port, request, authority, version=None):
    context = ssl.create_default_context(cafile=authority)
    if version:
        context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", port), 10) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as stream:
            stream.sendall(request)
            parts = []
            with contextlib.suppress(ssl.SSLEOFError):
                while part := stream.recv(65536):
                    parts.append(part)
            return stream.version(), b"".join(parts)


def secured(pem, key, **more):
    return dict(WORKERS, ASSAY_TLS_CERTIFICATE_FILE=pem, ASSAY_TLS_KEY_FILE=key,
                **more)


def test_tls_by_certificate_files():
    for kind in ("ec", "rsa"):
        pem, key = certificate(kind=kind)
        environment = secured(pem, key)
        with serving(env=environment) as server:
            assert f"https://127.0.0.1:{server.port}/" in wait_until(
                server.text, what="the address")
            one = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                _, answer = over_tls(server.port, one * 3 + GOOD, pem, version)
                assert statuses(answer) == [200] * 4, answer[:300]
            run("healthcheck", "--listen", f"127.0.0.1:{server.port}",
                env=environment)
            # Plain HTTP at a TLS port is told so.
            told = answer_to(server.port, GOOD)
            assert statuses(told) == [400] and b"speaks https" in told, told
            _, answer = over_tls(server.port, GOOD, pem)
            assert statuses(answer) == [200]


def test_tls_carries_long_bodies_and_long_answers():
    """Many records each way; also where the request comes in pieces."""
    pem, key = certificate()
    made = run("token", "create", "--scope", "ingest", "--org", "acme").out
    lines = b"".join(
        b'{"id":"event-%d","type":"stream_trace","timestamp":"17678256%05d",'
        b'"gateway":"gw","data":{"type":"x","padding":"%s"}}\n'
        % (number, number, b"p" * 1000) for number in range(2000))
    head = (POST + b"Authorization: Bearer " + made.split()[-1].encode() +
            b"\r\nContent-Type: application/x-ndjson\r\n"
            b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(lines))
    with serving(env=secured(pem, key)) as server:
        _, answer = over_tls(server.port, head + lines, pem)
        assert statuses(answer) == [200] and b'"received":2000' in answer, \
            answer[:500]
        _, answer = over_tls(
            server.port, b"GET /vendor/uplot.js HTTP/1.1\r\n" + HOST +
            b"Connection: close\r\n\r\n", pem)
        assert statuses(answer) == [200] and len(answer) > 20000, len(answer)
        _, answer = over_tls(
            server.port, b"GET /v1/openapi.json HTTP/1.1\r\n" + HOST +
            b"Connection: close\r\n\r\n", pem)
        json.loads(answer.partition(b"\r\n\r\n")[2])
        context = ssl.create_default_context(cafile=pem)
        with context.wrap_socket(
                socket.create_connection(("127.0.0.1", server.port), 10),
                server_hostname="localhost") as stream:
            for piece in (GOOD[:1], GOOD[1:20], GOOD[20:-1], GOOD[-1:]):
                stream.sendall(piece)
                time.sleep(0.05)
            assert stream.recv(100).startswith(b"HTTP/1.1 200 ")


def test_idle_tls_connections_hold_no_worker():
    """They wait with their session, and go on in it."""
    pem, key = certificate()
    context = ssl.create_default_context(cafile=pem)
    one = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
    with serving(env=secured(pem, key)) as server:
        streams = [context.wrap_socket(
            socket.create_connection(("127.0.0.1", server.port), 10),
            server_hostname="localhost") for _ in range(20)]
        started = time.monotonic()
        for _ in range(3):
            for stream in streams:
                stream.sendall(one)
                assert stream.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert sanitised() or time.monotonic() - started < 2
        for stream in streams:
            stream.close()


def test_the_oldest_handshake_gives_way():
    """There is memory for so many handshakes; a new one is always begun."""
    pem, key = certificate()
    context = ssl.create_default_context(cafile=pem)
    with serving(env=secured(pem, key)) as server:
        before = resident_kib(server.process.pid)
        streams = [context.wrap_socket(
            socket.create_connection(("127.0.0.1", server.port), 10),
            server_hostname="localhost") for _ in range(600)]
        _, answer = over_tls(server.port, GOOD, pem)
        assert statuses(answer) == [200]
        assert streams[0].recv(100) == b"", "the oldest is still there"
        streams[-1].sendall(GOOD)
        assert streams[-1].recv(100).startswith(b"HTTP/1.1 200 ")
        if not sanitised():
            assert resident_kib(server.process.pid) - before < 40 * 1024
        for stream in streams:
            stream.close()


def test_tls_refuses_old_versions():
    pem, key = certificate()
    with serving(env=secured(pem, key)) as server:
        try:
            over_tls(server.port, GOOD, pem, ssl.TLSVersion.TLSv1_1)
            assert False, "TLS 1.1 was spoken"
        except (ssl.SSLError, OSError, ValueError):
            pass


def test_a_dripped_handshake_ends():
    pem, key = certificate()
    with serving(env=secured(pem, key)) as server:
        streams = []
        for _ in range(10):
            stream = socket.socket()
            stream.bind(("127.0.0.2", 0))
            stream.connect(("127.0.0.1", server.port))
            stream.sendall(b"\x16\x03\x01")
            streams.append(stream)
        time.sleep(0.2)
        started = time.monotonic()
        _, answer = over_tls(server.port, GOOD, pem)
        assert statuses(answer) == [200]
        assert time.monotonic() - started < 2
        before = cpu_seconds(server.process.pid)
        time.sleep(1)
        assert cpu_seconds(server.process.pid) - before < 0.5, "it spins"
        for stream in streams:
            stream.close()


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().split(") ")[1]
    return sum(map(int, fields.split()[11:13])) / 100


def test_what_is_no_certificate_is_named():
    pem, key = certificate()
    _, other = certificate("other")
    pathlib.Path("text").write_text("no certificate\n")
    pathlib.Path("long").write_text(pathlib.Path(pem).read_text() * 30)
    cases = [(pem, "absent", "absent"), ("absent", key, "absent"),
             ("text", key, "text"), (pem, "text", "text"),
             (pem, other, "not the one"), (pem, "", pem),
             ("long", key, "leave out the root's")]
    for chain, secret, word in cases:
        done = run("serve", "--listen", "127.0.0.1:0", code=2,
                   env={"ASSAY_TLS_CERTIFICATE_FILE": chain,
                        "ASSAY_TLS_KEY_FILE": secret})
        assert word in done.err, (chain, secret, done.err)
    pathlib.Path("both").write_bytes(
        pathlib.Path(pem).read_bytes() + pathlib.Path(key).read_bytes())
    with serving(env={"ASSAY_TLS_CERTIFICATE_FILE": "both"}) as server:
        _, answer = over_tls(server.port, GOOD, pem)
        assert statuses(answer) == [200]


# ---- the corrections themselves ----------------------------------------------


def test_a_correction_matches_exactly_once():
    """vendor/edit.awk writes nothing where a source is not as expected."""
    edits = "=== f\n--- find\nb\n--- put\nB\n@@\n--- find\nd\n--- put\n"
    pathlib.Path("edits").write_text(edits)
    for content, code, wanted in (("a\nb\nc\nd\n", 0, "a\nB\nb\nc\n"),
                                  ("a\nc\nd\n", 1, "a\nc\nd\n"),
                                  ("b\nc\nb\nd\n", 1, "b\nc\nb\nd\n")):
        pathlib.Path("f").write_text(content)
        done = subprocess.run(
            ["awk", "-v", "top=.", "-f", ROOT / "vendor" / "edit.awk",
             "edits"], capture_output=True, check=False)
        assert done.returncode == code, (content, done.stderr)
        assert pathlib.Path("f").read_text() == wanted, content

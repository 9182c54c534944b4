"""Slow and idle clients keep nobody else from being served.

Several thousand connections from one address drip headers, drip bodies, read
slowly or say nothing at all, while a healthy client from another address asks
one thing after the other. The healthy one must hardly notice, and the memory
of the server must stay bounded.
"""
import pathlib
import selectors
import socket
import ssl
import threading
import time

from harness import (SAMPLE_LOG, allow_descriptors, certificate, run,
                     sanitised, serving, soaking, wait_until)

SLOW_ADDRESS = "127.0.0.2"
HEADER = b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
POST = (b"POST /v1/ingest/events HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/x-ndjson\r\nAuthorization: Bearer %s\r\n")
BODY = POST + b"Content-Length: 1000000\r\n\r\n"
CHUNKS = POST + b"Transfer-Encoding: chunked\r\n\r\n1;"
READER = b"GET /app.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100


def make_token():
    """Of a caller whose bodies are read."""
    made = run("token", "create", "--scope", "ingest", "--org", "acme")
    return made.out.split()[-1].encode()


class Size:
    """How many besiege for how long. The product alone stands the whole
    number; its sanitised twin, and handshakes, a small one."""

    def __init__(self, whole):
        self.clients = 10000 if soaking() or whole else 500
        self.seconds = 600 if soaking() else 60 if whole else 10


def resident_kib(pid, field="VmRSS"):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split(field + ":")[1].split()[0])


class Slow:
    """One connection that sends FIRST, then a byte at a time where it DRIPS,
    reads a byte at a time where it does not, and comes back when it is thrown
    out."""

    def __init__(self, port, address, first, drips):
        self.port, self.address = port, address
        self.first, self.drips = first, drips
        self.socket = None

    def open(self):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.bind((self.address, 0))
        self.socket.connect_ex(("127.0.0.1", self.port))
        self.started = False

    def drip(self):
        """One byte; False where the connection has ended."""
        try:
            if not self.started:
                self.socket.send(self.first)
                self.started = True
            elif self.drips:
                self.socket.send(b"x")
            else:
                return self.socket.recv(1) != b""
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            return error.errno == 115 # still connecting
        return True


class Siege(threading.Thread):
    """All slow clients; each sends or reads a byte every two seconds."""

    def __init__(self, clients):
        super().__init__()
        self.clients = clients
        self.stopped = False
        self.reopened = 0
        self.ready = threading.Event()

    def run(self):
        for client in self.clients:
            client.open()
        self.ready.set()
        while not self.stopped:
            started = time.monotonic()
            for at, client in enumerate(self.clients):
                if at % 100 == 0:
                    time.sleep(0.002)
                if not client.drip():
                    client.socket.close()
                    client.open()
                    self.reopened += 1
            time.sleep(max(0, 2 - (time.monotonic() - started)))
        for client in self.clients:
            client.socket.close()


def ask_once(port, authority=None):
    """Seconds until the whole answer of one request on a new connection, over
    TLS where an AUTHORITY is named."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), 10,
                                  ("127.0.0.1", 0)) as stream:
        if authority:
            context = ssl.create_default_context(cafile=authority)
            stream = context.wrap_socket(stream, server_hostname="localhost")
        stream.sendall(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n"
                       b"Connection: close\r\n\r\n")
        parts = []
        while part := stream.recv(65536):
            parts.append(part)
        stream.close()
    answer = b"".join(parts)
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:200]
    return time.monotonic() - started


def ask_for(port, length, authority=None):
    """Times of the requests that were answered, and how many were not."""
    times, failures = [], []
    end = time.monotonic() + length
    while time.monotonic() < end:
        try:
            times.append(ask_once(port, authority))
        except (OSError, AssertionError) as error:
            failures.append(str(error))
        time.sleep(0.005)
    return sorted(times), failures


def withstand(server, clients, seconds, authority=None):
    """The healthy client beside CLIENTS is served as it must be, and all of
    them are gone ten seconds after their end."""
    ask_for(server.port, 1, authority)
    siege = Siege(clients)
    siege.start()
    try:
        siege.ready.wait()
        times, failures = ask_for(server.port, seconds, authority)
        peak = resident_kib(server.process.pid, "VmHWM")
    finally:
        siege.stopped = True
        siege.join()
    assert times, failures[:5]
    share = len(times) / (len(times) + len(failures))
    late = times[int(len(times) * 0.99)]
    told = (f"{len(times)} served, {len(failures)} not, p50 "
            f"{times[len(times) // 2] * 1000:.1f} ms, p99 "
            f"{late * 1000:.1f} ms, worst {times[-1] * 1000:.0f} ms, "
            f"{len(clients)} slow clients came back {siege.reopened} times, "
            f"peak {peak / 1024:.1f} MiB")
    print("# " + told)
    assert share >= 0.999, (told, failures[:5])
    if not sanitised():
        assert late <= 0.5, told
        assert peak < 64 * 1024, told
    descriptors = pathlib.Path(f"/proc/{server.process.pid}/fd")
    wait_until(lambda: len(list(descriptors.iterdir())) < 100, 12,
               "the end of the slow connections")
    ask_once(server.port, authority)


def test_a_healthy_client_is_served_beside_slow_ones():
    size = Size(whole=not sanitised())
    allow_descriptors(size.clients + 1000)
    run("import", "--org", "cloudspe", SAMPLE_LOG)
    token = make_token()
    kinds = [(b"", False), (HEADER, True), (BODY % token, True),
             (CHUNKS % token, True), (READER, False)]
    with serving() as server:
        withstand(server, [
            Slow(server.port, SLOW_ADDRESS, *kinds[number % len(kinds)])
            for number in range(size.clients)], size.seconds)


def hello():
    """The first message of a handshake, as a client sends it."""
    sent = ssl.MemoryBIO()
    session = ssl.create_default_context().wrap_bio(
        ssl.MemoryBIO(), sent, server_hostname="localhost")
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return sent.read()


class Shaken(Slow):
    """One whose handshake is done, and whose header drips."""

    def open(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", self.port), 10,
                                         (self.address, 0))
        self.socket = context.wrap_socket(plain)
        self.socket.setblocking(False)
        self.started = False


def test_a_healthy_tls_client_is_served_beside_stalled_handshakes():
    """Of several addresses, each of which alone could hold its share of the
    workers: silent, cut off in the first message, dripping it, stalling after
    it, and with a handshake that is done but a header that drips."""
    size = Size(whole=False)
    allow_descriptors(size.clients + 1000)
    pem, key = certificate()
    first = hello()
    kinds = [(b"", False), (first[:3], False), (first[:100], True),
             (first, False)]
    environment = {"ASSAY_TLS_CERTIFICATE_FILE": pem,
                   "ASSAY_TLS_KEY_FILE": key}
    with serving(env=environment) as server:
        clients = [Slow(server.port, f"127.0.0.{2 + number // 5 % 8}",
                        *kinds[number % len(kinds)])
                   for number in range(size.clients)]
        clients += [Shaken(server.port, f"127.0.0.{2 + number % 8}", HEADER,
                           True) for number in range(40)]
        withstand(server, clients, size.seconds, pem)


def test_a_part_of_the_next_request_holds_no_worker():
    """Behind an answered request, from more addresses than there are
    workers, plain and over TLS."""
    pem, key = certificate()
    one = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for authority, environment in (
            (None, {}), (pem, {"ASSAY_TLS_CERTIFICATE_FILE": pem,
                               "ASSAY_TLS_KEY_FILE": key})):
        with serving(env=dict(environment, ASSAY_SERVE_WORKERS="2")) as server:
            held = []
            for number in range(8):
                kind = Shaken if authority else Slow
                client = kind(server.port, f"127.0.0.{2 + number}", one + b"G",
                              True)
                client.open()
                client.drip()
                held.append(client)
            times, failures = ask_for(server.port, 1.5, authority)
            assert not failures, failures[:3]
            assert times[-1] < (5 if sanitised() else 1), times[-5:]
            # And that request goes on where it was.
            held[0].socket.setblocking(True)
            held[0].socket.settimeout(10)
            assert b" 200 OK" in held[0].socket.recv(100)
            held[0].socket.sendall(one[1:])
            came = b""
            while came.count(b"HTTP/1.1 200 ") < 1:
                part = held[0].socket.recv(65536)
                assert part, came
                came += part
            for client in held:
                client.socket.close()


def is_closed(stream):
    try:
        return stream.recv(4096) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_a_dripped_header_ends_with_its_deadline():
    """Five seconds from the first byte, however often a byte comes."""
    with serving(env={"ASSAY_SERVE_WORKERS": "2"}) as server:
        streams = []
        for _ in range(20):
            stream = socket.create_connection(("127.0.0.1", server.port), 10)
            stream.sendall(b"GET / HTTP/1.1\r\n")
            stream.setblocking(False)
            streams.append(stream)
        started = time.monotonic()
        while streams and time.monotonic() - started < 12:
            time.sleep(0.25)
            streams = [stream for stream in streams if still_open(stream)]
        assert not streams, f"{len(streams)} of 20 are held open"
        assert 4 < time.monotonic() - started < 9
        assert server.json("/healthz") == {"status": "ok"}


def still_open(stream):
    try:
        stream.send(b"a")
    except OSError:
        stream.close()
        return False
    try:
        answer = stream.recv(4096)
    except BlockingIOError:
        return True
    except OSError:
        answer = b""
    assert answer in (b"",) or answer.startswith(b"HTTP/1.1 408"), answer
    stream.close()
    return False


def test_one_address_leaves_workers_to_others():
    """Bodies that never come hold workers, but not those of other addresses."""
    token = make_token()
    with serving(env={"ASSAY_SERVE_WORKERS": "2"}) as server:
        held = []
        for _ in range(20):
            stream = socket.socket()
            stream.bind((SLOW_ADDRESS, 0))
            stream.connect(("127.0.0.1", server.port))
            stream.sendall(BODY % token)
            held.append(stream)
        times, failures = ask_for(server.port, 2)
        assert not failures and times[-1] < 2, (failures[:3], times[-5:])
        for stream in held:
            stream.close()


def test_a_cap_for_each_address():
    environment = {"ASSAY_LIMITS_CONNECTIONS_PER_ADDRESS": "5"}
    with serving(env=environment) as server:
        streams = []
        for _ in range(8):
            stream = socket.socket()
            stream.bind((SLOW_ADDRESS, 0))
            stream.connect(("127.0.0.1", server.port))
            stream.setblocking(False)
            streams.append(stream)
        wait_until(lambda: sum(map(is_closed, streams)) == 3,
                   what="the end of three of eight")
        assert server.json("/healthz") == {"status": "ok"}
        for stream in streams:
            stream.close()


def test_where_all_places_are_taken_the_oldest_goes():
    """Also where they are of one address with the one that comes."""
    with serving(env={"ASSAY_LIMITS_CONNECTIONS": "16"}) as server:
        selector = selectors.DefaultSelector()
        streams = []
        for _ in range(30):
            stream = socket.create_connection(("127.0.0.1", server.port), 10)
            selector.register(stream, selectors.EVENT_READ)
            streams.append(stream)
        ask_once(server.port)
        closed = {key.fileobj for key, _ in selector.select(1)}
        assert streams[0] in closed and streams[-1] not in closed
        for stream in streams:
            stream.close()

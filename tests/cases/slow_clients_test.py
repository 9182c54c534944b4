"""Slow and idle clients keep nobody else from being served.

Several thousand connections from one address drip headers, drip bodies, read
slowly or say nothing at all, while a healthy client from another address asks
one thing after the other. The healthy one must hardly notice, and the memory
of the server must stay bounded.
"""
import pathlib
import resource
import selectors
import socket
import threading
import time

from harness import (SAMPLE_LOG, run, sanitised, serving, skip, soaking,
                     wait_until)

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


def number_of_slow():
    return 10000 if soaking() else 500


def seconds():
    return 60 if soaking() else 10


def allow_descriptors(count):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < count:
        skip(f"this user may have {most} descriptors; {count} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, most))


def resident_kib(pid, field="VmRSS"):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split(field + ":")[1].split()[0])


class Slow:
    """One connection that is slow in one of five ways, and comes back when
    it is thrown out."""

    KINDS = ("idle", "header", "body", "chunks", "reader")

    def __init__(self, port, number, token):
        self.port = port
        self.first = {"idle": b"", "header": HEADER, "reader": READER,
                      "body": BODY % token, "chunks": CHUNKS % token}
        self.kind = self.KINDS[number % len(self.KINDS)]
        self.socket = None

    def open(self):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.bind((SLOW_ADDRESS, 0))
        self.socket.connect_ex(("127.0.0.1", self.port))
        self.started = False

    def drip(self):
        """One byte; False where the connection has ended."""
        try:
            if not self.started:
                self.socket.send(self.first[self.kind])
                self.started = True
            elif self.kind == "reader":
                return self.socket.recv(1) != b""
            elif self.kind != "idle":
                self.socket.send(b"x")
            elif self.socket.recv(1) == b"":
                return False
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            return error.errno == 115 # still connecting
        return True


class Siege(threading.Thread):
    """All slow clients; each sends a byte every two seconds."""

    def __init__(self, port, count, token):
        super().__init__()
        self.clients = [Slow(port, number, token) for number in range(count)]
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


def ask_once(port):
    """Seconds until the whole answer of one request on a new connection."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), 10,
                                  ("127.0.0.1", 0)) as stream:
        stream.sendall(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n"
                       b"Connection: close\r\n\r\n")
        parts = []
        while part := stream.recv(65536):
            parts.append(part)
    answer = b"".join(parts)
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:200]
    return time.monotonic() - started


def ask_for(port, length):
    """Times of the requests that were answered, and how many were not."""
    times, failures = [], []
    end = time.monotonic() + length
    while time.monotonic() < end:
        try:
            times.append(ask_once(port))
        except (OSError, AssertionError) as error:
            failures.append(str(error))
        time.sleep(0.005)
    return sorted(times), failures


def test_a_healthy_client_is_served_beside_slow_ones():
    count = number_of_slow()
    allow_descriptors(count + 1000)
    run("import", "--org", "cloudspe", SAMPLE_LOG)
    token = make_token()
    with serving() as server:
        ask_for(server.port, 1)
        siege = Siege(server.port, count, token)
        siege.start()
        try:
            siege.ready.wait()
            times, failures = ask_for(server.port, seconds())
            peak = resident_kib(server.process.pid, "VmHWM")
        finally:
            siege.stopped = True
            siege.join()
        share = len(times) / (len(times) + len(failures))
        late = times[int(len(times) * 0.99)]
        told = (f"{len(times)} served, {len(failures)} not, p50 "
                f"{times[len(times) // 2] * 1000:.1f} ms, p99 "
                f"{late * 1000:.1f} ms, worst {times[-1] * 1000:.0f} ms, "
                f"{count} slow clients came back {siege.reopened} times, peak "
                f"{peak / 1024:.1f} MiB")
        print("# " + told)
        assert share >= 0.999, (told, failures[:5])
        if not sanitised():
            assert late <= 0.5, told
            assert peak < 64 * 1024, told
        # All of it is over ten seconds after they have gone.
        descriptors = pathlib.Path(f"/proc/{server.process.pid}/fd")
        wait_until(lambda: len(list(descriptors.iterdir())) < 100, 12,
                   "the end of the slow connections")
        ask_once(server.port)


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

"""Whatever comes in, the server's memory grows by 64 MB at most, and is given
back: one server takes all of it, one after the other, and each time its peak is
held against what it was when it had nothing to do."""
import contextlib
import functools
import gzip
import hashlib
import http.client
import pathlib
import random
import socket
import subprocess
import threading
import time

from harness import (allow_descriptors, json_lines, run, serving, soaking,
                     wait_until)

PRODUCT_ALONE = True
GROWTH_KIB = 64 << 10
LINE = 8 << 20
BODY = 8 << 20

# Those that take most; `soak` has them all.
USUAL = {"spaces without end", "lines of 8 MB", "a session of swaps",
         "many organisations", "long names", "a zstd bomb", "many numbers",
         "one string of noise", "an event of long texts",
         "the same with a difference", "and with another"}
TOGETHER = {"lines of 8 MB", "many numbers", "a zstd bomb",
            "one string of noise", "an event of long texts"}

chance = random.Random(7)


def event(number, data, kind="gateway_receive_stream_request", org=b"acme"):
    """One line of a stream_trace; DATA is JSON."""
    return (b'{"org":"%s","id":"e%d","type":"stream_trace","timestamp":'
            b'"17678256%05d","gateway":"g","data":{"type":"%s","stream_id":'
            b'"s%d","request_id":"r","x":%s}}\n' %
            (org, number, number % 100000, kind.encode(), number, data))


def ignored(number, data):
    return event(number, data, "app_of_somebody")


def swap(number):
    """Of one session that changes to a new orchestrator every second."""
    return (b'{"org":"acme","id":"w%d","type":"stream_trace","timestamp":'
            b'"17678256%05d","gateway":"g","data":{"type":"orchestrator_swap",'
            b'"stream_id":"s","request_id":"swaps","orchestrator_info":'
            b'{"address":"0x%040x","url":"https://o%d:8935"}}}\n' %
            (number, number % 100000, number, number))


def filled(unit, last=b"", room=400):
    """A list that makes the largest body of UNITs."""
    return b"[" + unit * ((BODY - room) // len(unit)) + last + b"]"


def noise(length):
    return b"%0*x" % (length, chance.getrandbits(4 * length))


def zstd(content):
    """Level and window as a hostile sender chooses them."""
    return subprocess.run(["zstd", "-9", "--long=23", "-q", "-c"], check=True,
                          input=content, capture_output=True).stdout


def names(number):
    """An event whose every name is as long as it may be."""
    long = b"%03d" % number + b"n" * 60000
    return (b'{"org":"acme","id":"%s","type":"stream_trace","timestamp":'
            b'"1767825600000","gateway":"%s","data":{"type":'
            b'"gateway_receive_stream_request","stream_id":"%s","request_id":'
            b'"%s"}}\n' % ((long,) * 4))


def texts(number):
    """A list of long texts that cannot be compressed."""
    return b'[%d,%s]' % (number, b",".join(
        b'"' + noise(60000) + b'"' for _ in range(130)))


@functools.cache
def bodies():
    """Name, body, Content-Encoding and the statuses that are right."""
    def packed(name, content, *statuses):
        return name, gzip.compress(content, 6), "gzip", statuses

    def plain(name, content):
        assert len(content) <= BODY, (name, len(content))
        return name, content, None, (200,)

    first, second = texts(1), texts(2)
    snapshot = event(9, b"0").replace(b"stream_trace", b"network_capabilities")
    return [
        packed("spaces without end", b"[" + b" " * (200 << 20) + b"]", 413),
        packed("lines of two bytes", b"{}\n" * (10 << 20), 413),
        packed("elements of one byte", b"[" + b"0," * (15 << 20) + b"0]", 413),
        packed("lines of 8 MB", b"".join(
            ignored(n, b'"' + b"a" * (LINE - 400) + b'"')
            for n in range(3)), 200),
        packed("a line over 8 MB", b"[" + b'"' + b"b" * (30 << 20) + b'"]', 200),
        packed("many events", b"".join(event(n, b"1") for n in range(20000)),
               200),
        packed("a session of swaps", b"".join(map(swap, range(60000))), 200),
        packed("many organisations", b"".join(
            event(n, b"1", org=b"org-%d" % n) for n in range(20000)), 200),
        packed("long names", b"".join(names(n) for n in range(60)), 200),
        ("a zstd bomb", zstd(b'{"a":"' + b"b" * (31 << 20) + b'"}\n'), "zstd",
         (200,)),
        plain("many numbers", ignored(1, filled(b"0,", b"0"))),
        plain("many objects", ignored(2, filled(b"{},", b"{}"))),
        plain("many members", ignored(3, b"{" + filled(b'"a":0,', b'')[1:-1] +
                                      b'"a":0}')),
        plain("deep nesting", ignored(4, b"[" * (BODY // 2 - 300) +
                                      b"]" * (BODY // 2 - 300))),
        plain("brackets without end", b"[" * (BODY - 1) + b"\n"),
        plain("escapes", ignored(5, b'"' + filled(b"\\u0001")[1:-1] + b'"')),
        plain("one string of noise", ignored(6, b'"' + noise(BODY - 400) +
                                             b'"')),
        plain("a snapshot of nothing", snapshot.replace(
            b'{"type"', filled(b"{},", b"{}") + b',"was":{"type"')[:BODY]),
        plain("a dump of nothing", b'{"orchestrators":' +
              filled(b"{},", b"{}", 500) + b"}"),
        plain("an event of long texts", event(7, first)),
        plain("the same with a difference", event(7, second)),
        plain("and with another", event(7, second).replace(b'"g"', b'"h"')),
        plain("and as it was first", event(7, first)),
    ]


class Memory:
    """Of a process: its peak since it was last asked, in KiB."""

    def __init__(self, pid):
        self.folder = pathlib.Path(f"/proc/{pid}")
        self.idle = self.field("VmRSS")

    def field(self, name):
        text = (self.folder / "status").read_text()
        return int(text.split(name + ":")[1].split()[0])

    def ticks(self):
        fields = (self.folder / "stat").read_text().rpartition(") ")[2].split()
        return int(fields[11]) + int(fields[12])

    def is_quiet(self):
        before = self.ticks()
        time.sleep(0.2)
        return self.ticks() == before

    def begin(self):
        """When what came before has been settled."""
        wait_until(self.is_quiet, 60, "an end of the work")
        (self.folder / "clear_refs").write_text("5")

    def check(self, name):
        grown = self.field("VmHWM") - self.idle
        assert grown <= GROWTH_KIB, f"{name}: {grown / 1024:.1f} MiB"
        return grown


def post(server, token, body, encoding=None):
    """The answer's status; 0 where the connection was cut."""
    headers = {"Authorization": "Bearer " + token,
               "Content-Type": "application/x-ndjson"}
    if encoding:
        headers["Content-Encoding"] = encoding
    connection = http.client.HTTPConnection("127.0.0.1", server.port,
                                            timeout=120)
    with contextlib.closing(connection):
        try:
            connection.request("POST", "/v1/ingest/events", body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except OSError:
            return 0


def together(server, token, body, encoding, count):
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(
        post(server, token, body, encoding))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


@contextlib.contextmanager
def measured():
    token = run("token", "create", "--scope", "ingest").out.split()[-1]
    with serving() as server:
        assert post(server, token, event(0, b"0")) == 200
        wait_until(lambda: server.json("/v1/sessions")["data"], what="a row")
        yield server, token, Memory(server.process.pid)


def test_no_body_takes_more_than_64_megabytes():
    with measured() as (server, token, memory):
        most = (0, "")
        for name, body, encoding, statuses in bodies():
            if not soaking() and name not in USUAL:
                continue
            memory.begin()
            status = post(server, token, body, encoding)
            assert status in statuses, (name, status)
            most = max(most, (memory.check(name), name))
        print(f"# the most: {most[0] / 1024:.1f} MiB, {most[1]}")
        assert server.json("/healthz") == {"status": "ok"}


def test_many_bodies_at_once_take_no_more():
    """Who finds no memory is told to come again."""
    with measured() as (server, token, memory):
        for name, body, encoding, statuses in bodies():
            if name not in (TOGETHER if soaking() else TOGETHER & {
                    "a zstd bomb", "one string of noise"}):
                continue
            memory.begin()
            got = together(server, token, body, encoding, 16)
            assert set(got) <= {200, 503} and 200 in got, (name, got)
            memory.check(name)


def test_long_lines_of_evidence_are_shown_in_part():
    """Asked for on every worker at once, where JSON takes six bytes for one."""
    line = event(1, b'"' + b"\x7f" * (LINE - 600) + b'"')[:-1]
    with measured() as (server, token, memory):
        assert post(server, token, line + b"\n" + event(2, b"1")) == 200
        numbers = [row["line"] for row in json_lines(run(
            "evidence", "export", "--json").out) if row["length"] > BODY // 2]
        path = f"/v1/evidence/lines/{numbers[0]}"
        memory.begin()
        threads = [threading.Thread(target=server.json, args=(path,))
                   for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        memory.check("lines of evidence")
        shown = server.json(path)
        assert shown["length"] == len(line)
        assert shown["sha256"] == hashlib.sha256(line).hexdigest()
        assert shown["text"] == line[:shown["shown_bytes"]].decode()
        whole = run("evidence", "show", str(numbers[0])).out
        assert line.decode() in whole


def test_memory_is_given_back():
    with measured() as (server, token, memory):
        for name, body, encoding, _ in bodies():
            if name not in ("lines of 8 MB", "long names"):
                continue
            post(server, token, body, encoding)
        wait_until(lambda: memory.field("VmRSS") - memory.idle < 24 << 10, 20,
                   "the memory")


def endless(port, head, block, seconds=1.5):
    """Sends BLOCK again and again until it is cut off or time is over."""
    end = time.monotonic() + seconds
    with socket.create_connection(("127.0.0.1", port), 20) as stream:
        with contextlib.suppress(OSError):
            stream.sendall(head)
            while time.monotonic() < end:
                stream.sendall(block)


def sampled(number):
    """A session with one sample, all in one hour, on one of ten GPUs."""
    return (b'{"org":"acme","id":"q%d","type":"ai_stream_status","timestamp":'
            b'"17678256%05d","gateway":"g","data":{"stream_id":"q%d",'
            b'"request_id":"r","state":"ONLINE","pipeline":"p","inference_status":'
            b'{"fps":%d.5},"orchestrator_info":{"address":"0x%040x","url":'
            b'"https://o%d:8935"}}}\n' %
            (number, number % 100000, number, number % 30, number % 10,
             number % 10))


def test_an_hour_of_many_sessions_takes_no_more():
    count = 150000 if soaking() else 40000
    with measured() as (server, token, memory):
        memory.begin()
        for first in range(0, count, 20000):
            assert post(server, token, b"".join(
                map(sampled, range(first, min(first + 20000, count))))) == 200
        wait_until(lambda: sum(
            row["status_samples"] for row in server.json(
                "/v1/streaming/demand?start=2026-01-07T00:00:00Z"
                "&end=2026-01-09T00:00:00Z&limit=1000")["data"]) == count, 90,
            "the hour to be added up")
        print(f"# {memory.check('many sessions') / 1024:.1f} MiB")


def test_streams_without_end_take_no_more():
    with measured() as (server, token, memory):
        post_head = (f"POST /v1/ingest/events HTTP/1.1\r\nHost: localhost\r\n"
                     f"Authorization: Bearer {token}\r\n"
                     f"Transfer-Encoding: chunked\r\n\r\n").encode()
        rows = [(post_head, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
                (post_head + b"5;", b"x" * 65536),
                (post_head + b"0\r\n", b"X-Trailer: x\r\n" * 4096),
                (b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000),
                (b"GET / HTTP/1.1\r\n", b"X: y\r\n" * 10000),
                (b"GET /", b"a" * 65536)]
        for head, block in rows:
            memory.begin()
            threads = [threading.Thread(target=endless, args=(
                server.port, head, block)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            memory.check((head[-40:], block[:40]))


def test_idle_connections_take_no_more():
    count = 10000 if soaking() else 2000
    allow_descriptors(count + 500)
    with measured() as (server, _, memory):
        memory.begin()
        streams = []
        for number in range(count):
            stream = socket.socket()
            stream.bind((f"127.0.0.{2 + number % 50}", 0))
            stream.connect(("127.0.0.1", server.port))
            if number % 2:
                stream.sendall(b"GET / HTTP/1.1\r\nX: " + b"y" * 4000)
            streams.append(stream)
        assert server.json("/healthz") == {"status": "ok"}
        memory.check(f"{count} connections")
        for stream in streams:
            stream.close()

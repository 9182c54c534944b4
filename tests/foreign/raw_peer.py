#!/usr/bin/env python3
"""raw_peer.py: orchestrators made of bytes, that break every protocol at every
stage: TCP, TLS, HTTP/2, protobuf, HTTP/1.1, trickle, transport streams, JSON.

    raw_peer.py CERTIFICATE KEY

prints one JSON object, {name: url}, when all listen, and runs until its
standard input ends. Those of CALLS fail before or in GetOrchestrator; those of
JOBS tell of themselves properly and go wrong at one step of a job: start,
input, output, events, control or delete.
"""
import asyncio
import json
import pathlib
import random
import socket
import ssl
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import orchestrator

DRIP_S = 0.1
FLOOD_PAUSE_S = 0.004
PIECE_BYTES = 1 << 16
PREFACE_BYTES = 24


class Connection:
    """One connection, and what is done with it byte by byte."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def drip(self, data):
        for i in range(len(data)):
            await self.send(data[i:i + 1])
            await asyncio.sleep(DRIP_S)

    async def forever(self, piece):
        while True:
            await self.send(piece)
            await asyncio.sleep(FLOOD_PAUSE_S)  # others want to be served

    async def hang(self):
        """Until the other side leaves."""
        while await self.reader.read(PIECE_BYTES):
            pass

    def reset(self):
        plain = self.writer.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def garbage(length, seed=1):
    return random.Random(seed).randbytes(length)


# ---- HTTP/2 ------------------------------------------------------------------

DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM, END_HEADERS = 1, 4


def frame(kind, flags=0, stream=1, payload=b"", length=None):
    size = len(payload) if length is None else length
    return (size.to_bytes(3, "big") + bytes([kind, flags]) +
            stream.to_bytes(4, "big") + payload)


def field(name, value):
    """A header without indexing, RFC 7541 section 6.2.2."""
    return (bytes([0, len(name)]) + name.encode() + bytes([len(value)]) +
            value.encode())


STATUS_200 = b"\x88"
ANSWER = frame(HEADERS, END_HEADERS, 1,
               STATUS_200 + field("content-type", "application/grpc"))
TRAILERS = frame(HEADERS, END_HEADERS | END_STREAM, 1,
                 field("grpc-status", "0"))
WELCOME = frame(SETTINGS, stream=0)


def message(body, length=None):
    size = len(body) if length is None else length
    return b"\0" + size.to_bytes(4, "big") + body


def frames_of(body):
    return b"".join(frame(DATA, 0, 1, body[i:i + 16384])
                    for i in range(0, len(body), 16384))


def answers(body):
    return ANSWER + frames_of(body) + TRAILERS


def nested(depth):
    """Messages within messages: field 1, as deep as 1 MB allows."""
    inner = b""
    for _ in range(depth):
        length, size = len(inner), b""
        while length > 127:
            size += bytes([length & 127 | 128])
            length >>= 7
        inner = b"\x0a" + size + bytes([length]) + inner
    return inner


async def asked(connection):
    """Reads the preface and a little of the request."""
    await connection.reader.readexactly(PREFACE_BYTES)
    await connection.reader.read(PIECE_BYTES)
    await connection.send(WELCOME)


def h2(body):
    async def serve(connection):
        await asked(connection)
        await connection.send(body)
        await connection.hang()
    return serve


def h2_forever(first, piece):
    async def serve(connection):
        await asked(connection)
        await connection.send(first)
        await connection.forever(piece)
    return serve


def h2_drips(body):
    async def serve(connection):
        await asked(connection)
        await connection.drip(body)
        await connection.hang()
    return serve


def h2_reset(body):
    async def serve(connection):
        await asked(connection)
        await connection.send(body)
        connection.reset()
    return serve


async def reset_at_once(connection):
    connection.reset()


async def closes_at_once(connection):
    del connection


async def says_nothing(connection):
    await connection.hang()


def says(data):
    async def serve(connection):
        await connection.send(data)
        await connection.hang()
    return serve


def says_forever(first, piece):
    async def serve(connection):
        await connection.send(first)
        await connection.forever(piece)
    return serve


async def resets_a_preface(connection):
    await connection.reader.readexactly(PREFACE_BYTES)
    connection.reset()


REPEATED_FIELDS = bytes.fromhex("9a0500") * 300000  # field 83, empty

CALLS = {
    "accept_reset": reset_at_once,
    "accept_closed": closes_at_once,
    "accept_silent": says_nothing,
    "noise": says_forever(b"", garbage(PIECE_BYTES)),
    "http1_endless_headers": says_forever(b"HTTP/1.1 200 OK\r\n",
                                          b"X-A: " + b"a" * 8000 + b"\r\n"),
    "preface_reset": resets_a_preface,
    "request_reset": h2_reset(b""),
    "answer_reset": h2_reset(ANSWER + frames_of(message(b"\0" * 64))[:40]),
    "settings_drip": h2_drips(WELCOME * 100),
    "settings_flood": h2_forever(b"", WELCOME * 500),
    "ping_flood": h2_forever(b"", frame(PING, 0, 0, bytes(8)) * 500),
    "no_window": h2(frame(SETTINGS, stream=0,
                          payload=struct.pack(">HI", 4, 0))),
    "interim_flood": h2_forever(b"", frame(HEADERS, END_HEADERS, 1,
                                           b"\x08\x03103") * 500),
    "endless_header": h2_forever(
        frame(HEADERS, 0, 1, STATUS_200),
        frame(CONTINUATION, 0, 1, field("x", "a" * 100) * 100)),
    "stream_reset": h2(frame(RESET, 0, 1, bytes(4))),
    "goes_away": h2(frame(GOAWAY, 0, 0, bytes(8))),
    "huge_frame": h2(frame(DATA, 0, 1, b"", 0xffffff)),
    "endless_answer": h2_forever(ANSWER, frame(DATA, 0, 1, bytes(16384))),
    "empty_data_flood": h2_forever(ANSWER, frame(DATA) * 1000),
    "answer_drip": h2_drips(answers(message(bytes(600)))),
    "longer_than_said": h2(answers(message(bytes(100), 1))),
    "shorter_than_said": h2(answers(message(bytes(100), 0xffffffff))),
    "compressed": h2(answers(b"\1" + message(bytes(100))[1:])),
    "no_trailers": h2(ANSWER + frame(DATA, END_STREAM, 1, message(b""))),
    "nested_protobuf": h2(answers(message(nested(60000)))),
    "many_fields": h2(answers(message(REPEATED_FIELDS))),
    "endless_varint": h2(answers(message(b"\xff" * 100000))),
}

# ---- TLS ---------------------------------------------------------------------


class Handshake:
    """What a proper server would say to a client's first words."""

    def __init__(self, context):
        self.heard, self.said = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.heard, self.said, server_side=True)

    async def answer(self, connection):
        self.heard.write(await connection.reader.read(PIECE_BYTES))
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.said.read()


async def tls_half(connection, flight):
    await connection.send(flight[:len(flight) // 2])
    await connection.hang()


async def tls_half_reset(connection, flight):
    await connection.send(flight[:len(flight) // 2])
    connection.reset()


async def tls_hello_reset(connection, flight):
    del flight
    connection.reset()


async def tls_drip(connection, flight):
    await connection.drip(flight)
    await connection.hang()


async def tls_flight_only(connection, flight):
    await connection.send(flight)
    await asyncio.sleep(30)


async def tls_bent(connection, flight):
    middle = len(flight) // 2
    await connection.send(flight[:middle] + bytes([flight[middle] ^ 1]) +
                          flight[middle + 1:])
    await connection.hang()


async def tls_endless(connection, flight):
    del flight
    await connection.forever(b"\x16\x03\x03\x40\x00" + garbage(1 << 14))


async def tls_alert(connection, flight):
    del flight
    await connection.send(b"\x15\x03\x03\x00\x02\x02\x28")


async def tls_silent(connection, flight):
    del flight
    await connection.hang()


HANDSHAKES = [tls_half, tls_half_reset, tls_hello_reset, tls_drip,
              tls_flight_only, tls_bent, tls_endless, tls_alert, tls_silent]

# After a whole handshake, in the clear of TLS.
SECURE_CALLS = {
    "tls_then_reset": reset_at_once,
    "tls_then_silence": says_nothing,
    "tls_then_noise": says_forever(b"", garbage(PIECE_BYTES)),
}

# ---- a job over HTTP/1.1 -----------------------------------------------------

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
BEGUN = OK + b"Lp-Trickle-Seq: 0\r\n" + CHUNKED + b"\r\n"


def chunk(data):
    return b"%x\r\n" % len(data) + data + b"\r\n"


def packets(pid, count, begins=False):
    """Transport packets without an adaptation field and with random bytes."""
    head = bytes([0x47, (0x40 if begins else 0) | pid >> 8, pid & 255])
    return b"".join(head + bytes([0x10 | i & 15]) + garbage(184, i)
                    for i in range(count))


NULL_PACKETS = packets(0x1fff, 300)
NEW_PIDS = b"".join(packets(pid, 1, True) for pid in range(8192))


async def resets(connection, _):
    connection.reset()


async def hangs(connection, _):
    await connection.hang()


def replies(data):
    async def serve(connection, _):
        await connection.send(data)
        await connection.hang()
    return serve


def replies_forever(first, piece):
    async def serve(connection, _):
        await connection.send(first)
        await connection.forever(piece)
    return serve


def drips(data):
    async def serve(connection, _):
        await connection.drip(data)
        await connection.hang()
    return serve


def breaks_off(data):
    async def serve(connection, _):
        await connection.send(data)
        connection.reset()
    return serve


def numbered(number):
    """An empty segment at once, with NUMBER of the one that was asked for."""
    async def serve(connection, path):
        asked_for = max(int(path.rsplit("/", 1)[1]), 0)
        await connection.send(OK + b"Lp-Trickle-Seq: %d\r\n" %
                              number(asked_for) +
                              b"Content-Length: 0\r\n\r\n")
        await connection.hang()
    return serve


def restart_event(connection, path):
    event = {"type": "restart", "restart_count": 1, "restart_logs": "x" * 100}
    body = json.dumps({"event": event}).encode()
    seq = max(int(path.rsplit("/", 1)[1]), 0)
    return connection.send(OK + b"Lp-Trickle-Seq: %d\r\nContent-Length: %d"
                           b"\r\n\r\n" % (seq, len(body)) + body)


async def reset_in_the_middle(connection, _):
    await connection.reader.read(PIECE_BYTES)
    connection.reset()


ENDLESS_HEADERS = replies_forever(OK, b"X-A: " + b"a" * 8000 + b"\r\n")
INTERIM_FLOOD = replies_forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500)
CHUNK_BOMB = replies(BEGUN + b"ffffffffffffffff\r\nx")
TWO_LENGTHS = replies(OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}")
FAR_LENGTH = replies(OK + b"Lp-Trickle-Seq: 0\r\nContent-Length: "
                     b"999999999999\r\n\r\n{")
MINUS_LENGTH = replies(OK + b"Content-Length: -1\r\n\r\n{}")

JOBS = {
    "start_reset": ("start", resets),
    "start_half": ("start", replies(b"HTTP/1.1 20")),
    "start_drip": ("start", drips(OK + b"X-A: 1\r\n" * 100)),
    "start_endless_headers": ("start", ENDLESS_HEADERS),
    "start_interim_flood": ("start", INTERIM_FLOOD),
    "start_chunk_bomb": ("start", CHUNK_BOMB),
    "start_two_lengths": ("start", TWO_LENGTHS),
    "start_far_length": ("start", FAR_LENGTH),
    "start_minus_length": ("start", MINUS_LENGTH),
    "start_endless_body": ("start", replies_forever(
        OK + CHUNKED + b"\r\n", chunk(b" " * PIECE_BYTES))),
    "start_deep_json": ("start", replies(
        OK + b"Content-Length: 60000\r\n\r\n" + b"[" * 60000)),
    "input_reset": ("input", resets),
    "input_reset_late": ("input", reset_in_the_middle),
    "input_answered_early": ("input", replies(
        OK + b"Content-Length: 0\r\n\r\n")),
    "input_answer_drip": ("input", drips(OK + b"X-A: 1\r\n" * 100)),
    "input_noise": ("input", replies_forever(b"", garbage(PIECE_BYTES))),
    "output_reset": ("output", resets),
    "output_broken_off": ("output", breaks_off(BEGUN + chunk(NULL_PACKETS))),
    "output_endless_headers": ("output", ENDLESS_HEADERS),
    "output_header_drip": ("output", drips(OK + b"X-A: 1\r\n" * 100)),
    "output_interim_flood": ("output", INTERIM_FLOOD),
    "output_chunk_bomb": ("output", CHUNK_BOMB),
    "output_far_length": ("output", FAR_LENGTH),
    "output_minus_length": ("output", MINUS_LENGTH),
    "output_noise": ("output", replies_forever(
        BEGUN, chunk(garbage(PIECE_BYTES)))),
    "output_null_packets": ("output", replies_forever(BEGUN,
                                                      chunk(NULL_PACKETS))),
    "output_random_packets": ("output", replies_forever(
        BEGUN, chunk(packets(0, 100, True) + packets(256, 300, True)))),
    "output_new_pids": ("output", replies_forever(BEGUN, chunk(NEW_PIDS))),
    "output_one_endless_frame": ("output", replies_forever(
        BEGUN + chunk(packets(256, 1, True)), chunk(packets(256, 300)))),
    "output_restarts": ("output", numbered(lambda seq: seq)),
    "output_backwards": ("output", numbered(lambda seq: max(seq - 2, 0))),
    "output_leaps": ("output", numbered(lambda seq: seq + 10**9)),
    "events_restarts": ("events", restart_event),
    "events_endless": ("events", replies_forever(
        BEGUN, chunk(b'{"event":[' * 100))),
    "events_deep": ("events", replies(BEGUN + chunk(b"[" * 60000) +
                                      b"0\r\n\r\n")),
    "events_reset": ("events", resets),
    "control_reset": ("control", resets),
    "delete_hangs": ("delete", hangs),
    "delete_reset": ("delete", resets),
}


def step_of(method, path):
    if method == "DELETE":
        return "delete"
    if path.endswith("/live-video-to-video"):
        return "start"
    for suffix in ("out", "events", "control"):
        if f"/cafe-{suffix}/" in path:
            return "output" if suffix == "out" else suffix
    return "input"


async def start_properly(connection, path):
    base = path.removesuffix("/live-video-to-video") + "/ai/trickle/cafe"
    body = json.dumps({"publish_url": base, "subscribe_url": base + "-out",
                       "control_url": base + "-control",
                       "events_url": base + "-events",
                       "manifest_id": "cafe"}).encode()
    await connection.send(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    await connection.hang()


async def take_properly(connection, _):
    """Whatever is sent; the answer when the body ends."""
    tail = b""
    while not tail.endswith(b"0\r\n\r\n"):
        piece = await connection.reader.read(PIECE_BYTES)
        if not piece:
            return
        tail = (tail + piece)[-5:]
    await connection.send(OK + b"Content-Length: 0\r\n\r\n")
    await connection.hang()


async def delete_properly(connection, _):
    await connection.send(OK + b"Content-Length: 0\r\n\r\n")
    await connection.hang()


PROPERLY = {"start": start_properly, "input": take_properly,
            "control": take_properly, "output": hangs, "events": hangs,
            "delete": delete_properly}


async def serve_job(connection):
    """One request a connection; its path begins with the peer's name."""
    head = (await connection.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    method, path, _ = head.split(" ", 2)
    step = step_of(method, path)
    wrong_step, wrong = JOBS[path.split("/")[1]]
    await (wrong if step == wrong_step else PROPERLY[step])(connection, path)


# ---- listening ---------------------------------------------------------------


async def listen(serve, context=None):
    """The port; SERVE may meet any end of its connection."""
    async def met(reader, writer):
        try:
            await serve(Connection(reader, writer))
        except (OSError, EOFError, ssl.SSLError):
            pass
        finally:
            writer.close()
    server = await asyncio.start_server(met, "127.0.0.1", 0, ssl=context)
    return server.sockets[0].getsockname()[1]


def with_flight(serve, context):
    async def greet(connection):
        await serve(connection, await Handshake(context).answer(connection))
    return greet


async def main(certificate, key):
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])
    urls, servers = {}, []
    for name, serve in CALLS.items():
        urls[name] = f"http://127.0.0.1:{await listen(serve)}"
    for serve in HANDSHAKES:
        port = await listen(with_flight(serve, context))
        urls[serve.__name__] = f"https://127.0.0.1:{port}"
    for name, serve in SECURE_CALLS.items():
        urls[name] = f"https://127.0.0.1:{await listen(serve, context)}"
    jobs = f"http://127.0.0.1:{await listen(serve_job)}"
    for name in JOBS:
        server, port = orchestrator.serve_calls(
            lambda _, name=name: orchestrator.info(f"{jobs}/{name}"))
        servers.append(server)
        urls[name] = f"http://127.0.0.1:{port}"
    print(json.dumps(urls), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for server in servers:
        server.stop(None)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

"""relay.py: a relay that hands bytes on and notes when they came and went, by
the kernel's stamps: the truth about what a probe measures of a connection.

    with relay("127.0.0.1", port) as line:
        ... https://127.0.0.1:{line.port} ...
    for connection in line.connections:
        print(connection.tls_ms(), connection.call_ms())

A stamp is right however long this thread had to wait for a processor.
"""
import contextlib
import select
import selectors
import socket
import struct
import threading

# <linux/net_tstamp.h>, <linux/tcp.h>; Python has no names for them.
SO_TIMESTAMPING = 37
STAMP_SENDING, STAMP_ARRIVAL, STAMP_REPORT, STAMP_ALONE = 2, 8, 16, 2048
MSG_ERRQUEUE = 0x2000
TCP_INFO_BYTES, ROUND_TRIP_AT = 104, 68
CONTROL_BYTES = 256

# Records of TLS (RFC 8446 §5.1).
RECORD_HEAD_BYTES, APPLICATION_DATA = 5, 23
# The client's Finished is shorter, a call of GetOrchestrator longer.
CALL_BYTES = 100


def stamp_in(control):
    """Microseconds of the wall clock, None where there is no stamp."""
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPING:
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            return seconds * 1000000 + nanoseconds // 1000
    return None


class Connection:
    """What went over one connection: .chunks of (is_ours, stamp_us, bytes),
    where ours are the client's."""

    def __init__(self, client, server):
        self.client, self.server = client, server
        info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO,
                                 TCP_INFO_BYTES)
        self.round_trip_ms = struct.unpack_from("I", info,
                                                ROUND_TRIP_AT)[0] / 1000
        self.chunks = []

    def sent_us(self):
        """The last stamp of leaving that waits, None where none does."""
        stamp_us = None
        with contextlib.suppress(BlockingIOError):
            while True:
                _, control, _, _ = self.client.recvmsg(
                    0, CONTROL_BYTES, MSG_ERRQUEUE | socket.MSG_DONTWAIT)
                stamp_us = stamp_in(control)
        return stamp_us

    def forward(self):
        """False where nothing more will come, as back."""
        try:
            data, control, _, _ = self.client.recvmsg(
                65536, CONTROL_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            self.sent_us()  # a stamp that came late has woken us
            return True
        if data:
            self.chunks.append((True, stamp_in(control), data))
            self.server.sendall(data)
        return bool(data)

    def back(self):
        data = self.server.recv(65536)
        if data:
            self.client.sendall(data)
            stamp_us = self.sent_us()
            waiting = select.poll()
            waiting.register(self.client, 0)  # only for what waits to be told
            while stamp_us is None and waiting.poll(1000):
                stamp_us = self.sent_us()
            self.chunks.append((False, stamp_us, data))
        return bool(data)

    def close(self):
        self.client.close()
        self.server.close()

    def is_stamped(self):
        """Whether the kernel gave every stamp; it may be late to begin."""
        return all(stamp_us is not None for _, stamp_us, _ in self.chunks)

    def calls(self):
        """Where in .chunks the client's calls are."""
        found = []
        left = b""
        for at, (is_ours, _, data) in enumerate(self.chunks):
            left += data if is_ours else b""
            while len(left) >= RECORD_HEAD_BYTES:
                kind, length = left[0], int.from_bytes(left[3:5], "big")
                if len(left) < RECORD_HEAD_BYTES + length:
                    break
                if kind == APPLICATION_DATA and length > CALL_BYTES:
                    found.append(at)
                left = left[RECORD_HEAD_BYTES + length:]
        return found

    def answered_us(self, before):
        """When the last bytes went to the client before chunk BEFORE."""
        return next(stamp_us for is_ours, stamp_us, _
                    in reversed(self.chunks[:before]) if not is_ours)

    def tls_ms(self):
        """The client's first bytes to the server's last before the client's
        second ones."""
        second = [at for at, chunk in enumerate(self.chunks) if chunk[0]][1]
        return (self.answered_us(second) - self.chunks[0][1]) / 1000

    def call_ms(self):
        """The first of two calls."""
        first, second = self.calls()[:2]
        return (self.answered_us(second) - self.chunks[first][1]) / 1000


class Relay:
    def __init__(self, host, port):
        self.target = host, port
        self.connections = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        # Handed on to those that are accepted, whose first bytes may be there
        # before this program is.
        self.listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING,
                                 STAMP_SENDING | STAMP_ARRIVAL | STAMP_REPORT |
                                 STAMP_ALONE)
        self.port = self.listener.getsockname()[1]
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        self.ending, self.end = socket.socketpair()
        self.selector.register(self.ending, selectors.EVENT_READ, None)
        self.thread = threading.Thread(target=self.run)

    def accept(self):
        client, _ = self.listener.accept()
        connection = Connection(client, socket.create_connection(self.target))
        self.connections.append(connection)
        for source, pump in ((connection.client, connection.forward),
                             (connection.server, connection.back)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(source, selectors.EVENT_READ,
                                   lambda c=connection, p=pump: self.move(c, p))

    def move(self, connection, pump):
        try:
            going_on = pump()
        except OSError:
            going_on = False
        if not going_on:
            self.selector.unregister(connection.client)
            self.selector.unregister(connection.server)
            connection.close()

    def run(self):
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    return
                # Its connection may have ended by another event of this turn.
                if key.fileobj.fileno() >= 0:
                    key.data()


@contextlib.contextmanager
def relay(host, port):
    line = Relay(host, port)
    line.thread.start()
    try:
        yield line
    finally:
        line.end.close()
        line.thread.join()
        for connection in line.connections:
            connection.close()
        for part in (line.listener, line.ending, line.selector):
            part.close()

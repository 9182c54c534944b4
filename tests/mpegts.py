"""mpegts.py: transport streams for tests, written from ISO/IEC 13818-1 and not
from the C: one H.264 stream, one PES packet a frame.

    frames = clip_frames()
    writer = Writer()
    segment = writer.tables() + writer.frame(frames[0], 0) + ...
    [(frame.pts, frame.end) for frame in read_frames(segment)]
"""
import pathlib
import re

PACKET = 188
PMT_PID = 0x1000
VIDEO_PID = 0x100
TICKS = 90000
FPS = 24
SEGMENT_FRAMES = 48

CLIP = (pathlib.Path(__file__).resolve().parent.parent / "app" / "media" /
        "clip.h264")


def clip_frames():
    """The test pattern's frames, each from its access unit delimiter on."""
    data = CLIP.read_bytes()
    starts = [match.start()
              for match in re.finditer(rb"\x00\x00\x00\x01\x09", data)]
    return [data[start:end]
            for start, end in zip(starts, starts[1:] + [len(data)])]


def crc32(data):
    """The checksum of tables (13818-1 annex A)."""
    value = 0xffffffff
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1) ^ (0x04c11db7 if value & 0x80000000 else 0)
            value &= 0xffffffff
    return value.to_bytes(4, "big")


def stamp(marker, ticks):
    """A timestamp in five bytes."""
    ticks &= (1 << 33) - 1
    return bytes([marker << 4 | ticks >> 29 & 0x0e | 1, ticks >> 22 & 0xff,
                  ticks >> 14 & 0xfe | 1, ticks >> 7 & 0xff,
                  ticks << 1 & 0xfe | 1])


class Writer:
    """Keeps the packet counters over segments."""

    def __init__(self):
        self.counters = {}

    def packet(self, pid, start, payload, clock=None):
        """One packet; returns it and how much of the payload it took."""
        count = self.counters[pid] = (self.counters.get(pid, -1) + 1) & 15
        field = b""
        if clock is not None:
            field = bytes([0x10]) + ((clock << 15 | 0x7e00)
                                     & (1 << 48) - 1).to_bytes(6, "big")
        room = PACKET - 4
        if field or len(payload) < room:
            room -= 1 + len(field)
            stuffing = max(0, room - len(payload))
            if stuffing and not field:
                # The flags are one byte of the stuffing; none for length 0.
                field = b"\0" + b"\xff" * (stuffing - 1)
            else:
                field += b"\xff" * stuffing
            room -= stuffing
            field = bytes([len(field)]) + field
        head = bytes([0x47, (0x40 if start else 0) | pid >> 8, pid & 0xff,
                      (0x30 if field else 0x10) | count])
        return head + field + payload[:room], room

    def section(self, pid, table, body):
        """A table in one packet of its own."""
        data = bytes([table]) + (0xb000 | len(body) + 4).to_bytes(2, "big")
        data += body
        data = b"\0" + data + crc32(data)
        payload = data + b"\xff" * (PACKET - 4 - len(data))
        return self.packet(pid, True, payload)[0]

    def tables(self):
        program = (0xe000 | PMT_PID).to_bytes(2, "big")
        pat = b"\0\1\xc1\0\0" + b"\0\1" + program
        video = (0xe000 | VIDEO_PID).to_bytes(2, "big")
        pmt = b"\0\1\xc1\0\0" + video + b"\xf0\0" + b"\x1b" + video + b"\xf0\0"
        return self.section(0, 0, pat) + self.section(PMT_PID, 2, pmt)

    def frame(self, data, pts):
        pes = b"\0\0\1\xe0\0\0\x80\x80\x05" + stamp(2, pts) + data
        clock = max(0, pts - TICKS // 10) & (1 << 33) - 1
        out, start = b"", True
        while pes:
            packet, took = self.packet(VIDEO_PID, start, pes,
                                       clock if start else None)
            out += packet
            pes = pes[took:]
            start = False
        return out


class Frame:
    """pts in ticks (None where there is none), end: the offset behind its last
    packet."""

    def __init__(self, pts):
        self.pts = pts
        self.end = 0


def read_frames(data):
    """The frames of one segment, by their PES packets."""
    assert len(data) % PACKET == 0, len(data)
    frames = []
    for at in range(0, len(data), PACKET):
        packet = data[at:at + PACKET]
        assert packet[0] == 0x47, (at, packet[:4])
        if (packet[1] << 8 | packet[2]) & 0x1fff != VIDEO_PID:
            continue
        skip = 5 + packet[4] if packet[3] & 0x20 else 4
        if packet[1] & 0x40:
            pes = packet[skip:]
            assert pes[:3] == b"\0\0\1", pes[:9]
            pts = None
            if pes[7] & 0x80:
                high, middle, low = pes[9], pes[10:12], pes[12:14]
                pts = ((high >> 1 & 7) << 30 |
                       int.from_bytes(middle, "big") >> 1 << 15 |
                       int.from_bytes(low, "big") >> 1)
            frames.append(Frame(pts))
        frames[-1].end = at + PACKET
    return frames


def segments(count, first_pts=0):
    """COUNT segments of two seconds: lists of (due, bytes), due in seconds
    from the first frame on."""
    writer, frames = Writer(), clip_frames()
    for segment in range(count):
        pieces = []
        for i in range(SEGMENT_FRAMES):
            number = segment * SEGMENT_FRAMES + i
            data = writer.tables() if i == 0 else b""
            data += writer.frame(frames[number % len(frames)],
                                 first_pts + number * TICKS // FPS)
            pieces.append((number / FPS, data))
        yield pieces

#!/usr/bin/env python3
"""clip.py: draws the test pattern of app/media/clip.h264 as raw video.

Writes FRAMES pictures, YUV 4:2:0, to standard output; ./build.sh clip encodes
them. What one sees: eight colour bars; a field of rings that drifts and has
grain, so that every frame costs bits as a camera's does; a white bar that
crosses the picture once in two seconds; a disk on a circle; and at the foot a
strip of cells that counts the frames in binary, the highest bit on the left.
"""
import math
import random
import sys

WIDTH = HEIGHT = 512
FRAMES = 96          # two segments of two seconds at 24 a second
BARS_END = 160       # rows of colour bars, from the top
STRIP_TOP = 448      # rows of the counter, to the foot
CELLS = 8
SWEEP_FRAMES = 48    # of the white bar
SWEEP_WIDTH = 12
DISK_RADIUS = 40
GRAIN_MASK = 0x0f    # of what is added to the rings
WHITE = (235, 128, 128)
BLACK = (16, 128, 128)
# White, yellow, cyan, green, magenta, red, blue, black at 75 %: Y, Cb, Cr.
BARS = [(180, 128, 128), (168, 44, 136), (145, 147, 44), (133, 63, 52),
        (63, 193, 204), (51, 109, 212), (28, 212, 120), BLACK]


def bar_row(plane, width):
    cell = width // len(BARS)
    return bytes(colour[plane] for colour in BARS for _ in range(cell))


def counter_row(frame, plane, width):
    """Cells of one bit each, parted by grey."""
    cell = width // CELLS
    row = bytearray()
    for bit in reversed(range(CELLS)):
        colour = WHITE if frame >> bit & 1 else BLACK
        row += bytes([colour[plane]]) * (cell - 2) + bytes([128, 128])
    return bytes(row)


def rings(size):
    """One square of rings, twice as large as the picture, to be cut from."""
    rows = []
    for y in range(size):
        rows.append(bytes(
            int(125.5 + 80 * math.sin(math.hypot(x - size // 2,
                                                 y - size // 2) * 0.23))
            for x in range(size)))
    return rows


def grainy(row, chance):
    return bytearray(value + (grain & GRAIN_MASK)
                     for value, grain in zip(row, chance.randbytes(len(row))))


def drift(frame):
    angle = 2 * math.pi * frame / FRAMES
    return (int(WIDTH / 2 + 90 * math.cos(angle)),
            int(HEIGHT / 2 + 90 * math.sin(2 * angle)))


def luma(frame, field, chance):
    left, top = drift(frame)
    rows = []
    for y in range(HEIGHT):
        if y < BARS_END:
            rows.append(bytearray(bar_row(0, WIDTH)))
        elif y < STRIP_TOP:
            rows.append(grainy(field[top + y][left:left + WIDTH], chance))
        else:
            rows.append(bytearray(counter_row(frame, 0, WIDTH)))
    return rows


def chroma(frame, plane):
    rows = []
    for y in range(0, HEIGHT, 2):
        if y < BARS_END:
            rows.append(bytearray(bar_row(plane, WIDTH // 2)))
        else:
            rows.append(bytearray([128]) * (WIDTH // 2))
    return rows


def paint(rows, scale, left, right, top, bottom, value):
    for y in range(top // scale, bottom // scale):
        first, last = max(left // scale, 0), min(right // scale, len(rows[y]))
        rows[y][first:last] = bytes([value]) * (last - first)


def paint_moving(planes, frame):
    sweep = frame % SWEEP_FRAMES * WIDTH // SWEEP_FRAMES
    angle = 2 * math.pi * frame / SWEEP_FRAMES
    across = WIDTH // 2 + int(150 * math.cos(angle))
    down = (BARS_END + STRIP_TOP) // 2 + int(90 * math.sin(angle))
    for plane, (rows, scale) in enumerate(zip(planes, (1, 2, 2))):
        paint(rows, scale, sweep, sweep + SWEEP_WIDTH, 0, STRIP_TOP,
              WHITE[plane])
        for y in range(-DISK_RADIUS, DISK_RADIUS, scale):
            half = int(math.sqrt(DISK_RADIUS ** 2 - y ** 2))
            paint(rows, scale, across - half, across + half, down + y,
                  down + y + scale, BARS[5][plane])


def main():
    field = rings(2 * WIDTH)
    chance = random.Random(1)
    for frame in range(FRAMES):
        planes = [luma(frame, field, chance), chroma(frame, 1),
                  chroma(frame, 2)]
        paint_moving(planes, frame)
        for plane in planes:
            sys.stdout.buffer.write(b"".join(plane))


if __name__ == "__main__":
    main()

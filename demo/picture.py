"""PNG pictures of lit balls before a sky, made with nothing but zlib and struct: https://www.w3.org/TR/png-3/."""

from __future__ import annotations

import struct
import zlib
from random import Random

WIDTH, HEIGHT = 192, 128
GRAIN = 8  # strength of the film grain: it makes the files as large as real ones


def picture(random: Random) -> bytes:
    """A PNG picture, another one on each call."""
    sky, ball = _colour(random), _colour(random)
    centre, radius = (random.randrange(40, WIDTH - 40), random.randrange(40, HEIGHT - 40)), random.randrange(20, 40)
    grain = random.randbytes(WIDTH * HEIGHT)
    rows = (_row(y, sky, ball, centre, radius, grain[y * WIDTH : (y + 1) * WIDTH]) for y in range(HEIGHT))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)  # 8 bits, RGB
    pixels = zlib.compress(b"".join(rows))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _colour(random: Random) -> tuple[int, int, int]:
    return random.randrange(80, 240), random.randrange(80, 240), random.randrange(80, 240)


def _row(
    y: int, sky: tuple[int, int, int], ball: tuple[int, int, int], centre: tuple[int, int], radius: int, grain: bytes
) -> bytes:
    """A line of pixels, after the byte that names its filter (none)."""
    line = bytearray(1)
    for x in range(WIDTH):
        nearness = 1 - ((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / radius**2
        colour, light = (ball, 0.3 + 0.7 * nearness) if nearness > 0 else (sky, 0.5 + 0.5 * y / HEIGHT)
        line += bytes(int(part * light) + grain[x] % GRAIN for part in colour)
    return bytes(line)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

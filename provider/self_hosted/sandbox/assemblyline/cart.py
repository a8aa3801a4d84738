"""CaRT, the neutered form in which the stand-in hands out what may be harmful, as the real server does.

https://github.com/CybercentreCanada/cart
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

KEY = bytes((3, 1, 4, 1, 5, 9, 2, 6)) * 2  # the key that all use, so that the content is neutered and not hidden
HEADER, FOOTER = struct.Struct("<4shQ16sQ"), struct.Struct("<4sQQQ")


def packed(content: bytes, header: dict[str, Any]) -> bytes:
    """A content as CaRT.

    :param content: what goes in
    :param header: what is told of it
    """
    told = _ciphered(json.dumps(header).encode())
    body = _ciphered(zlib.compress(content))
    foot = _ciphered(json.dumps({"length": str(len(content))}).encode())
    start = HEADER.pack(b"CART", 1, 0, KEY, len(told)) + told + body
    return start + foot + FOOTER.pack(b"TRAC", 0, len(start), len(foot))


def unpacked(data: bytes) -> tuple[dict[str, Any], bytes]:
    """What is told of a content, and the content.

    :param data: a whole CaRT
    :raises ValueError: when it is none, or not whole
    """
    try:
        magic, _, _, _, length = HEADER.unpack_from(data)
        trac, _, end, _ = FOOTER.unpack(data[-FOOTER.size :])
        body = HEADER.size + length
        if (magic, trac) != (b"CART", b"TRAC"):
            raise ValueError("no CaRT")
        return json.loads(_ciphered(data[HEADER.size : body])), zlib.decompress(_ciphered(data[body:end]))
    except (struct.error, zlib.error) as problem:
        raise ValueError(str(problem)) from None


def _ciphered(data: bytes) -> bytes:
    """RC4, there and back."""
    box, other = list(range(256)), 0
    for place in range(256):
        other = (other + box[place] + KEY[place % len(KEY)]) & 255
        box[place], box[other] = box[other], box[place]
    stream, place, other = bytearray(), 0, 0
    for byte in data:
        place = (place + 1) & 255
        other = (other + box[place]) & 255
        box[place], box[other] = box[other], box[place]
        stream.append(byte ^ box[(box[place] + box[other]) & 255])
    return bytes(stream)

"""CaRT, the format in which Assemblyline transfers files that may be harmful.

https://github.com/CybercentreCanada/cart
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

KEY = bytes((3, 1, 4, 1, 5, 9, 2, 6)) * 2  # the default key; it neuters the content and does not protect it
HEADER, FOOTER = struct.Struct("<4shQ16sQ"), struct.Struct("<4sQQQ")


def pack_cart(content: bytes, header: dict[str, Any]) -> bytes:
    """Return a content as CaRT.

    :param content: the content
    :param header: the optional header, such as ``{"name": "a.txt"}``
    """
    packed_header = _apply_rc4(json.dumps(header).encode())
    body = _apply_rc4(zlib.compress(content))
    footer = _apply_rc4(json.dumps({"length": str(len(content))}).encode())
    start = HEADER.pack(b"CART", 1, 0, KEY, len(packed_header)) + packed_header + body
    return start + footer + FOOTER.pack(b"TRAC", 0, len(start), len(footer))


def unpack_cart(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the optional header and the content of a CaRT.

    :param data: the whole CaRT
    :raises ValueError: if it is not a CaRT, or is incomplete
    """
    try:
        magic, _, _, _, length = HEADER.unpack_from(data)
        end_magic, _, end, _ = FOOTER.unpack(data[-FOOTER.size :])
        body = HEADER.size + length
        if (magic, end_magic) != (b"CART", b"TRAC"):
            raise ValueError("no CaRT")
        return json.loads(_apply_rc4(data[HEADER.size : body])), zlib.decompress(_apply_rc4(data[body:end]))
    except (struct.error, zlib.error) as error:
        raise ValueError(str(error)) from None


def _apply_rc4(data: bytes) -> bytes:
    """Encrypt or decrypt with RC4, which the standard library lacks."""
    box, other = list(range(256)), 0
    for index in range(256):
        other = (other + box[index] + KEY[index % len(KEY)]) & 255
        box[index], box[other] = box[other], box[index]
    result, index, other = bytearray(), 0, 0
    for byte in data:
        index = (index + 1) & 255
        other = (other + box[index]) & 255
        box[index], box[other] = box[other], box[index]
        result.append(byte ^ box[(box[index] + box[other]) & 255])
    return bytes(result)

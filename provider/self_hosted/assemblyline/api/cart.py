"""CaRT, the neutered form in which Assemblyline hands out files and bundles: what its header tells of its content.

https://github.com/CybercentreCanada/cart
"""

from __future__ import annotations

import json
import struct
from typing import Any

MAGIC = b"CART"
MANDATORY = struct.Struct("<4shQ16sQ")  # magic, version, reserved, the cipher's key, length of the header that follows
ENOUGH = 4096
"""Bytes of the beginning that hold the whole header of what the server makes."""

BUNDLE = "archive/bundle/al"


def cart_header(start: bytes) -> dict[str, Any]:
    """What a CaRT says of its content, before the content: its ``name``, and what else its maker put there.

    :param start: the beginning of it, `ENOUGH` bytes or more
    :raises ValueError: when it is no CaRT
    """
    if len(start) < MANDATORY.size or not start.startswith(MAGIC):
        raise ValueError("it is no CaRT: it does not begin with CART")
    _, _, _, key, length = MANDATORY.unpack_from(start)
    try:
        found = json.loads(_deciphered(key, start[MANDATORY.size : MANDATORY.size + length]) if length else b"{}")
    except ValueError:
        raise ValueError("it is a damaged CaRT: its header cannot be read") from None
    return found if isinstance(found, dict) else {}


def bundle_sid(start: bytes) -> str:
    """The id of the submission that a bundle holds, which the server does not tell when it is imported.

    :param start: the beginning of the bundle, `ENOUGH` bytes or more
    :raises ValueError: when it is no bundle that Assemblyline exported
    """
    header = cart_header(start)
    name = str(header.get("name", ""))
    if (header.get("al") or {}).get("type") != BUNDLE or not name.removesuffix(".tgz"):
        raise ValueError(f"it is a CaRT, but no bundle: its type would be {BUNDLE}")
    return name.removesuffix(".tgz")


def _deciphered(key: bytes, data: bytes) -> bytes:
    """RC4, which hides nothing here, since the key comes along: it only keeps virus scanners calm."""
    box, other = list(range(256)), 0
    for place in range(256):
        other = (other + box[place] + key[place % len(key)]) % 256
        box[place], box[other] = box[other], box[place]
    plain, place, other = bytearray(), 0, 0
    for byte in data:
        place = (place + 1) % 256
        other = (other + box[place]) % 256
        box[place], box[other] = box[other], box[place]
        plain.append(byte ^ box[(box[place] + box[other]) % 256])
    return bytes(plain)

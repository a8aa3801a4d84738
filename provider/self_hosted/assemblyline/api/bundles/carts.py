"""CaRT, the neutralised format of files and bundles: the header in front of the content.

https://github.com/CybercentreCanada/cart
"""

from __future__ import annotations

import json
import struct
from typing import Any

MAGIC = b"CART"
MANDATORY_HEADER = struct.Struct("<4shQ16sQ")  # magic, version, reserved, cipher key, length of the optional header
MAX_HEADER_BYTES = 4096
"""The first bytes of a CaRT that hold the whole header, if the server created it."""

BUNDLE_TYPE = "archive/bundle/al"


def read_header(start: bytes) -> dict[str, Any]:
    """Return the optional header of a CaRT: its ``name``, and further values of its creator.

    :param start: the first `MAX_HEADER_BYTES` bytes or more
    :raises ValueError: if it is no CaRT, or damaged
    """
    if len(start) < MANDATORY_HEADER.size or not start.startswith(MAGIC):
        raise ValueError("the file is no CaRT: it does not start with CART")
    _, _, _, key, length = MANDATORY_HEADER.unpack_from(start)
    encrypted = start[MANDATORY_HEADER.size : MANDATORY_HEADER.size + length]
    try:
        header = json.loads(_decrypt(key, encrypted) if length else b"{}")
    except ValueError:
        raise ValueError("the CaRT is damaged: its header cannot be read") from None
    return header if isinstance(header, dict) else {}


def read_bundle_sid(start: bytes) -> str:
    """Return the id of the submission in a bundle, which the server does not return for an import.

    :param start: the first `MAX_HEADER_BYTES` bytes of the bundle or more
    :raises ValueError: if it is no bundle that Assemblyline exported
    """
    header = read_header(start)
    name = str(header.get("name", "")).removesuffix(".tgz")
    if (header.get("al") or {}).get("type") != BUNDLE_TYPE or not name:
        raise ValueError(f"the CaRT is no bundle: its type is not {BUNDLE_TYPE}")
    return name


def _decrypt(key: bytes, data: bytes) -> bytes:
    """Return the data decrypted by RC4. The key is public: the cipher only keeps virus scanners from reacting."""
    box, j = list(range(256)), 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    plain, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        plain.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(plain)

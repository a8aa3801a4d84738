"""Packing and unpacking of bundles."""

from __future__ import annotations

import binascii
import io
import json
import tarfile
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.cart import pack_cart, unpack_cart
from self_hosted.sandbox.assemblyline.errors import ApiError, internal_error

BUNDLE_TYPE, RESULTS_FILE = "archive/bundle/al", "results.json"
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
GZIP_MAGIC = b"\x1f\x8b\x08"
FAILURE = {"success": False}


async def read_body(request: Request) -> bytes:
    """Return the bundle of a request, decoded from Base64 if necessary.

    The framework of the real server withholds the body of a form, so that it is empty.
    """
    if request.headers.get("content-type", "").startswith(FORM_TYPES):
        return b""
    data = await request.body()
    if data.startswith((b"CART", GZIP_MAGIC)):
        return data
    try:
        return b64decode(data)
    except binascii.Error:
        return data


def pack_bundle(results: bytes, name: str) -> bytes:
    """Return a bundle.

    :param results: JSON with the documents
    :param name: name for the header
    """
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        member = tarfile.TarInfo(RESULTS_FILE)
        member.size = len(results)
        archive.addfile(member, io.BytesIO(results))
    return pack_cart(target.getvalue(), {"al": {"type": BUNDLE_TYPE}, "name": name})


def unpack_bundle(data: bytes) -> Mapping[str, Any]:
    """Return the documents of a bundle.

    :param data: CaRT or tar archive
    :raises ApiError: if it is not a bundle
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(_unpack_cart(data))) as archive:
            member = archive.extractfile(RESULTS_FILE)
            return json.loads(member.read() if member else b"")  # type: ignore[no-any-return]
    except EOFError:  # the real server does not handle an incomplete compressed file
        raise internal_error() from None
    except (ValueError, KeyError, OSError, tarfile.TarError) as error:
        message = f"Bundle decompression failed. Not a valid bundle: {error}"
        raise ApiError(400, message, FAILURE) from None


def _unpack_cart(data: bytes) -> bytes:
    if not data.startswith(b"CART"):
        return data
    header, content = unpack_cart(data)
    if header.get("al", {}).get("type") != BUNDLE_TYPE:
        raise ApiError(400, f"Not a valid CaRTed bundle, should be of type: {BUNDLE_TYPE}", FAILURE)
    return content

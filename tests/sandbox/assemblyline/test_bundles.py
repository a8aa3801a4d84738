"""Bundles and the CaRT format."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import pytest

from self_hosted.sandbox.assemblyline.cart import pack_cart, unpack_cart
from tests.sandbox.assemblyline.api import STANDARD_KEY

pytestmark = pytest.mark.usefixtures("fast")


@pytest.fixture
def import_bundle(call):
    headers = {**STANDARD_KEY, "Content-Type": "application/octet-stream"}
    return lambda data: call("POST", "bundle/", headers, data=data)


def test_a_packed_cart_can_be_unpacked():
    assert unpack_cart(pack_cart(b"content", {"name": "a"})) == ({"name": "a"}, b"content")


def test_a_damaged_cart_is_rejected():
    cart = pack_cart(b"content", {})
    for damaged in (b"", b"CART", cart[:-3], b"X" + cart[1:]):
        with pytest.raises(ValueError, match=r"\w"):
            unpack_cart(damaged)


def test_a_bundle_contains_the_submission_and_can_be_imported_without_cart(send, call, submit, import_bundle):
    sid = submit("a")["sid"]
    reply = send("GET", f"bundle/{sid}/")
    assert reply.headers["content-disposition"].endswith(f"{sid}.al_bundle")
    header, archive = unpack_cart(reply.content)
    assert header == {"al": {"type": "archive/bundle/al"}, "name": f"{sid}.tgz"}
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        results: Any = members.extractfile("results.json")
        documents = json.loads(results.read())
    assert documents["submission"]["metadata"]["bundle.source"] == "localhost"
    call("DELETE", f"submission/{sid}/")
    assert import_bundle(archive).response == {"success": True}
    assert import_bundle(reply.content).status == 409


def test_a_cart_of_another_type_is_rejected(import_bundle):
    message = "Not a valid CaRTed bundle, should be of type: archive/bundle/al"
    assert import_bundle(pack_cart(b"a", {"name": "a.exe"})).error == (400, message)

"""The sync's view of fake and real servers, in all three dialects; see `tests/atrocore/test_contract.py`."""

from __future__ import annotations

import uuid

import pytest

from self_hosted.atrocore.sync.target import AtrocoreTarget
from self_hosted.core.sync.target import Change
from tests.atrocore.conftest import DIALECTS
from tests.atrocore.sync.conftest import Described
from tests.atrocore.sync.samples import specs
from tests.atrocore.test_contract import LIVE_KEY, create_hook, is_live

FIELDS = ("name", "price", "isActive", "tag", "ean", "categoriesIds")


@pytest.fixture(params=DIALECTS)
def products(request, server):
    """Products whose keys begin with a random text; those that a test creates are deleted."""
    hook = create_hook(request, server)
    key = LIVE_KEY if is_live(request) else "sku" if request.param == "espo" else "number"
    target = AtrocoreTarget("Product", key, finds_deleted=True)
    described = Described(hook, target, hook.run(target.describe(specs(*FIELDS, key=key))))
    described.prefix = f"T-{uuid.uuid4().hex[:10]}"
    yield described
    keys = [f"{described.prefix}-{n}" for n in range(3)]
    described.write(*[Change("delete", key, target.new_ref(key), {}) for key in keys])


@pytest.fixture
def category(products):
    """Return the id of a category."""
    record_id = uuid.uuid4().hex[:24]
    products.hook.create_record("Category", {"id": record_id, "name": "a", "code": record_id})
    yield record_id
    products.hook.delete_record("Category", record_id)


def new(products, n, **values):
    key = f"{products.prefix}-{n}"
    return Change("create", key, products.target.new_ref(key), {"name": "Thing & Söhne", **values})


def read_one(products, n=0):
    [stored] = [each for each in products.find(f"{products.prefix}-{n}") if not each.is_deleted]
    return stored


def test_types_are_known(products):
    types = {name: field.type for name, field in products.schema.fields.items() if name in FIELDS}
    assert list(types.values()) == ["text", "number", "boolean", "options", "text", "references"]
    assert products.schema.forbidden == {}


def test_what_is_written_is_read(products, category):
    values = {"price": 4.5, "isActive": True, "categoriesIds": [category]}
    [outcome] = products.write(new(products, 0, **values))
    assert (outcome.result, outcome.message) == ("created", "")
    stored = read_one(products)
    assert stored.values == {"name": "Thing & Söhne", "tag": None, "ean": None, **values}
    assert products.change(stored, price=13, categoriesIds=None, isActive=False).result == "updated"
    stored = read_one(products)
    assert (stored.values["price"], stored.values["categoriesIds"], stored.is_active) == (13, None, False)
    assert products.change(stored, price=13).result == "unchanged"


def test_one_failing_record_does_not_stop_the_others(products):
    outcomes = products.write(new(products, 0), new(products, 1, ean="12"), new(products, 2))
    assert [outcome.result for outcome in outcomes] == ["created", "failed", "created"]


@pytest.mark.parametrize("name", ["00123", "a"])
def test_an_update_expects_the_old_value(products, name):
    products.write(new(products, 0, price=1, name=name))
    stored = read_one(products)
    assert products.change(stored, name="b", price=2).result == "updated"
    assert products.change(stored, price=3).result == "conflict"


def test_records_are_deactivated_deleted_and_restored(products):
    products.write(new(products, 0, isActive=True))
    stored = read_one(products)
    assert products.change(stored, "deactivate").result == "deactivated"
    [outcome] = products.write(Change("delete", stored.key, stored.ref, {}))
    assert outcome.result == "deleted"
    found = products.find(stored.key)
    assert [each.is_deleted for each in found] in ([True], [])  # the oldest servers hide it
    for deleted in found:
        assert products.change(deleted, "restore", name="b").result == "restored"
        assert read_one(products).values["name"] == "b"


def test_the_listing_finds_what_is_written(products):
    products.write(*[new(products, n) for n in range(3)])
    found = {stored.key for stored in products.list_all()}
    assert found >= {f"{products.prefix}-{n}" for n in range(3)}

"""Values of attributes that are one or more options of a list, by code or label."""

from __future__ import annotations

import pytest

from self_hosted.core.sync.fields import Attribute

SIZES = {"s": "Small", "m": "Medium"}


@pytest.fixture
def sizes(site):
    """Return the code of an attribute, and the values of its options by code."""
    options = site.add_options("sizes", **SIZES)
    is_list = "extensibleEnumId" in options
    code = site.add_attribute("size", "extensibleEnum" if is_list else "enum", **options)
    many = site.add_attribute("all", "extensibleMultiEnum" if is_list else "multiEnum", **options)
    return code, many, {name: site.id(f"sizes{name}") if is_list else site.code(name) for name in SIZES}


def stored(site, key, code):
    """Return a value as the sync reads it."""
    result = site.sync([site.row(key, value="")], Attribute(code, column="value", empty="clear"), dry_run=True)
    assert result == {}
    changes = site.result["changes"]
    return changes[0]["fields"][f"attributes.{code}"][0] if changes else None


def test_options_are_stored_by_code(site, sizes):
    code, many, values = sizes
    declared = [Attribute(code, column="size"), Attribute(many, column="sizes", separator=",")]
    small, medium = site.code("s"), site.code("m")
    rows = [
        site.row("1", size=small, sizes=f"{medium}, {small}"),
        site.row("2", size=f" {medium.upper()} ", sizes=medium),
        site.row("3"),
    ]
    assert site.sync(rows, *declared) == {"created": 3}
    assert stored(site, "1", code) == values["s"]
    assert stored(site, "1", many) == sorted(values.values())
    assert stored(site, "2", code) == values["m"]
    assert site.sync(rows, *declared) == {"unchanged": 3}


def test_options_are_stored_by_label(site, sizes):
    code, _, values = sizes
    label = site.code("s") if site.name == "2.3" else "Small"  # options have no other label there
    assert site.sync([site.row("1", size=label)], Attribute(code, column="size")) == {"created": 1}
    assert stored(site, "1", code) == values["s"]


def test_an_unknown_option_fails_its_row_and_names_similar_ones(site, sizes):
    code, _, _ = sizes
    rows = [site.row("1", size="huge"), site.row("2", size=site.code("s"))]
    assert site.sync(rows, Attribute(code, column="size")) == {"created": 1, "failed": 1}
    assert "'huge' is not an option; valid: " in site.problems()

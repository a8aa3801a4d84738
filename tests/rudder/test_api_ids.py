"""Tests of rudder/api/ids.py: ids that Rudder would read as something else are rejected before any request."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.rudder.api import nodes, rules
from self_hosted.rudder.api.ids import WORDS_BY_RESOURCE, Resource, check_object_id
from tests.rudder.flows import first_request

RESERVED = [(resource, word) for resource, words in WORDS_BY_RESOURCE.items() for word in sorted(words)]


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "None",
        None,
        True,
        1.5,
        "\0",
        "x" * 5000,
        "a b",
        " a",
        "a/b",
        "a\\b",
        "a?b",
        "a#b",
        "..",
        ".",
        "index",
        "a\tb",
    ],
)
@pytest.mark.parametrize("resource", WORDS_BY_RESOURCE)
def test_an_id_of_something_else_is_rejected(resource: Resource, value: Any) -> None:
    with pytest.raises(ValueError, match="some_id must be"):
        check_object_id("some_id", value, resource)


@pytest.mark.parametrize(("resource", "word"), RESERVED)
def test_a_word_that_is_an_endpoint_is_rejected(resource: Resource, word: str) -> None:
    with pytest.raises(ValueError, match=f"some_id must be the id of a {resource}"):
        check_object_id("some_id", word, resource)


@pytest.mark.parametrize("value", ["b2c1f8de-0c5a", "hasPolicyServer-root", "r1+abcdef", "a:b", "trees", "é", 7])
def test_other_ids_are_accepted(value: Any) -> None:
    assert check_object_id("some_id", value) == str(value)


def test_the_error_names_the_argument() -> None:
    with pytest.raises(ValueError, match="rule_id must be the id of a rule; Rudder reads 'tree' as something else"):
        next(rules.get("tree"))
    with pytest.raises(ValueError, match="node_id must be the id of a node"):
        next(nodes.get("pending"))


def test_a_revision_is_quoted() -> None:
    assert first_request(rules.get("r1+abcdef")).path == "/rules/r1%2Babcdef"

"""The tree of errors."""

from __future__ import annotations

import json
import pickle

import pytest

from self_hosted.core import errors
from self_hosted.core.errors import (
    Busy,
    Final,
    NotFound,
    ProductError,
    QuotaInUse,
    Uncertain,
    Unreachable,
    from_json,
    kind_of,
)

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ProductError)]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "Invalid"),
        (401, "LoginRefused"),
        (403, "Forbidden"),
        (404, "NotFound"),
        (409, "Conflict"),
        (418, "Invalid"),
        (425, "Busy"),
        (429, "Busy"),
        (500, "Broken"),
        (502, "Uncertain"),
        (503, "Busy"),
        (504, "Uncertain"),
        (599, "Broken"),
    ],
)
def test_a_status_stands_for_a_kind_of_error(status, kind):
    assert kind_of(status).__name__ == kind


def test_only_what_did_nothing_is_retried_without_asking():
    assert {kind for kind in KINDS if kind.retryable} == {Unreachable, Busy, QuotaInUse}
    assert not Uncertain.retryable


def test_final_errors_are_never_retryable():
    assert not any(kind.retryable for kind in KINDS if issubclass(kind, Final))


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_the_way_between_two_processes(kind):
    error = kind("too busy", method="GET", path="/x", status=503, retry_after=2.0)
    error.retryable = False
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == "GET /x: too busy (HTTP 503)"
    assert vars(copy) == vars(error)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_the_event_of_a_trigger(kind):
    error = kind("too busy", method="GET", path="/x", status=503, retry_after=2.0)
    copy = from_json(json.loads(json.dumps(error.as_json())))
    assert type(copy) is kind
    assert vars(copy) == vars(error)


def test_a_kind_of_a_products_own_comes_back_as_the_one_above_it():
    class NotOffered(NotFound):
        """A product's own."""

    assert type(from_json(NotOffered("no such endpoint").as_json())) is NotFound


def test_an_error_without_request_and_status_is_only_its_words():
    assert str(ProductError("nothing was sent")) == "nothing was sent"


def test_every_kind_is_drawn_in_the_tree_and_says_what_it_means():
    assert errors.__doc__ is not None
    assert [kind.__name__ for kind in KINDS if kind.__name__ not in errors.__doc__ or not kind.__doc__] == []

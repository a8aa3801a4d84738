"""The tree of errors."""

from __future__ import annotations

import json
import pickle

import pytest

from self_hosted.core.http import errors
from self_hosted.core.http.errors import (
    ConcurrencyQuotaError,
    NotFoundError,
    OutcomeUnknownError,
    PermanentError,
    SelfHostedError,
    UnavailableError,
    UnreachableError,
    error_class_for_status,
    error_from_json,
)

ERROR_CLASSES = [
    value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, SelfHostedError)
]


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "InvalidRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (409, "ConflictError"),
        (418, "InvalidRequestError"),
        (425, "UnavailableError"),
        (429, "UnavailableError"),
        (500, "ServerError"),
        (502, "OutcomeUnknownError"),
        (503, "UnavailableError"),
        (504, "OutcomeUnknownError"),
        (599, "ServerError"),
    ],
)
def test_each_status_has_an_error_class(status, name):
    assert error_class_for_status(status).__name__ == name


def test_only_errors_without_an_effect_are_retryable():
    assert {error_class for error_class in ERROR_CLASSES if error_class.retryable} == {
        UnreachableError,
        UnavailableError,
        ConcurrencyQuotaError,
    }
    assert not OutcomeUnknownError.retryable


def test_permanent_errors_are_never_retryable():
    assert not any(error_class.retryable for error_class in ERROR_CLASSES if issubclass(error_class, PermanentError))


@pytest.mark.parametrize("error_class", ERROR_CLASSES)
def test_an_error_survives_pickling(error_class):
    error = error_class("too busy", method="GET", path="/x", status=503, retry_after=2.0)
    error.retryable = False
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is error_class
    assert str(copy) == "GET /x: too busy (HTTP 503)"
    assert vars(copy) == vars(error)


@pytest.mark.parametrize("error_class", ERROR_CLASSES)
def test_an_error_survives_a_trigger_event(error_class):
    error = error_class("too busy", method="GET", path="/x", status=503, retry_after=2.0)
    copy = error_from_json(json.loads(json.dumps(error.as_json())))
    assert type(copy) is error_class
    assert vars(copy) == vars(error)


def test_an_error_class_of_a_product_is_restored_as_its_core_base_class():
    class EndpointNotFoundError(NotFoundError):
        """A class of a product."""

    assert type(error_from_json(EndpointNotFoundError("no such endpoint").as_json())) is NotFoundError


def test_the_text_of_an_error_without_request_is_its_message():
    assert str(SelfHostedError("nothing was sent")) == "nothing was sent"


def test_every_error_class_is_in_the_tree_and_has_a_docstring():
    assert errors.__doc__ is not None
    assert [
        error_class.__name__
        for error_class in ERROR_CLASSES
        if error_class.__name__ not in errors.__doc__ or not error_class.__doc__
    ] == []

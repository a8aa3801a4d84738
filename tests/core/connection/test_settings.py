"""Stored connections: parsing, base URLs, all ways of storage, and forms."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from airflow.sdk._shared.secrets_masker import should_hide_value_for_key

from self_hosted.core.connection.form import ConnectionForm, text, transport_fields
from self_hosted.core.connection.settings import limiter_for
from self_hosted.provider_info import FORMS
from tests.core.connection.stored import URL, read, read_error, read_from_environment
from tests.core.toy import FORM

BY_TYPE = {form.conn_type: form for form in FORMS}


# values


@pytest.mark.parametrize("value", [True, "true", "True", "YES", "on", 1, "1"])
def test_true_is_accepted_in_every_spelling(value):
    assert read(extra={"loud": value}).extra["loud"] is True


@pytest.mark.parametrize("value", [False, "false", "False", "no", "OFF", 0, "0"])
def test_false_is_accepted_in_every_spelling(value):
    assert read(extra={"verify_tls": value}).address.verify is False


@pytest.mark.parametrize("value", ["maybe", 2, "[]"])
def test_an_invalid_boolean_is_shown_in_the_error(value):
    assert read_error(extra={"loud": value}) == f"loud must be true or false, not {value!r}"


@pytest.mark.parametrize(("value", "size"), [(7, 7), ("7", 7), (" 7 ", 7), (None, 3), ("", 3)])
def test_numbers_are_read_from_text_and_empty_ones_have_the_default(value, size):
    assert read(extra={"size": value}).extra["size"] == size


@pytest.mark.parametrize("value", [0, "-1", "many", 1.5, True])
def test_an_invalid_number_is_shown_in_the_error(value):
    assert read_error(extra={"size": value}) == f"size must be a whole number, 1 or more, not {value!r}"


def test_a_choice_has_a_default_and_accepts_only_its_options():
    assert read().extra["flavour"] == "sweet"
    assert read(extra={"flavour": "sour"}).extra["flavour"] == "sour"
    assert read_error(extra={"flavour": "salty"}) == "flavour must be one of sweet, sour, not 'salty'"


def test_a_number_in_a_text_field_becomes_text():
    assert read(extra={"api_key": 12345}).extra["api_key"] == "12345"


def test_fields_that_are_not_set_are_empty():
    settings = read()
    assert settings.extra["api_key"] is None
    assert (settings.login, settings.password) == ("", "")


@pytest.mark.parametrize("extra", ["", None, "{}"])
def test_a_connection_needs_no_extra_fields(extra):
    assert read(extra=extra).address.base_url == URL


@pytest.mark.parametrize("extra", ["[1]", "no json", '"text"'])
def test_extra_fields_must_be_a_json_object(extra):
    assert read_error(extra=extra) == "the extra fields must be a JSON object"


def test_an_unknown_extra_field_is_an_error_that_lists_the_valid_ones():
    message = read_error(extra={"verify_tsl": False, "colour": "red"})
    assert message.startswith("unknown extra 'colour', 'verify_tsl'; valid are api_key, ca_bundle, ")


def test_the_transport_fields_are_part_of_the_address(tmp_path):
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).touch()
    address = read(
        extra={
            "ca_bundle": str(tmp_path / "ca.pem"),
            "client_cert": str(tmp_path / "cert.pem"),
            "client_key": str(tmp_path / "key.pem"),
            "proxy": "http://proxy.example.com:3128",
            "connect_timeout": "3",
            "read_timeout": 4,
            "total_timeout": 9,
            "retry_timeout": 0,
            "max_response_mib": 2,
        }
    ).address
    assert address.verify == str(tmp_path / "ca.pem")
    assert address.client_cert == (str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))
    assert address.proxy == "http://proxy.example.com:3128"
    assert (address.connect_timeout, address.read_timeout, address.retry_timeout) == (3, 4, 0)
    assert (address.total_timeout, address.max_response_bytes) == (9, 2 * 1024 * 1024)


@pytest.mark.parametrize("total_timeout", [0, None, ""])
def test_the_total_timeout_is_five_times_the_read_timeout_by_default(total_timeout):
    assert read(extra={"read_timeout": 4, "total_timeout": total_timeout}).address.total_timeout == 20


def test_a_ca_bundle_is_ignored_without_certificate_verification(tmp_path):
    (tmp_path / "ca.pem").touch()
    assert read(extra={"verify_tls": False, "ca_bundle": str(tmp_path / "ca.pem")}).address.verify is False


@pytest.mark.parametrize("name", ["ca_bundle", "client_cert", "client_key"])
def test_a_missing_certificate_file_is_named(name):
    assert read_error(extra={name: "/no/such.pem"}) == f"{name}: file '/no/such.pem' does not exist on this machine"


@pytest.mark.parametrize("url", ["proxy.example.com:3128", "user:pa/ss@proxy:1", "socks5://user:pass@proxy", "http://"])
def test_an_invalid_proxy_is_rejected_without_showing_it(url):
    assert read_error(extra={"proxy": url}) == "proxy must be a URL such as http://proxy.example.com:3128"


# limits


def test_connections_with_the_same_limits_share_a_limiter():
    settings = read(extra={"max_concurrent_requests": 3, "max_requests_per_second": 5})
    limiter = limiter_for(settings)
    assert (limiter.max_concurrency, limiter.max_per_second) == (3, 5)
    assert limiter_for(read(extra={"max_concurrent_requests": 3, "max_requests_per_second": 5})) is limiter


@pytest.mark.parametrize("changed", [{"max_concurrent_requests": 4}, {"max_requests_per_second": 6}])
def test_a_connection_with_changed_limits_gets_a_new_limiter(changed):
    limits = {"max_concurrent_requests": 3, "max_requests_per_second": 5}
    limiter = limiter_for(read(extra=limits))
    assert limiter_for(read(extra={**limits, **changed})) is not limiter


def test_each_connection_and_base_url_has_its_own_limiter():
    first = read()
    others = [replace(first, conn_id="other_toy"), read("https://other.example.com")]
    assert len({id(limiter_for(settings)) for settings in [first, *others]}) == 3


# all ways in which Airflow stores connections


def uri_fields(form: ConnectionForm) -> dict[str, str]:
    """Return a text for every field of a form, as in a connection URI."""
    texts = {"boolean": "false", "integer": "7", "string": "text & more"}
    fields = {name: field["schema"] for name, field in form.fields.items()}
    values = {name: schema.get("enum", [texts[schema["type"][0]]])[-1] for name, schema in fields.items()}
    files = dict.fromkeys(("ca_bundle", "client_cert", "client_key"), __file__)
    return {**values, **files, "proxy": "http://user:pass@proxy:3128", "secret_headers": "X-Pass: text & more"}


@pytest.mark.parametrize("form", FORMS, ids=BY_TYPE)
def test_extra_fields_of_a_uri_are_parsed_to_their_types(monkeypatch, form):
    host = quote("https://toy.example.com/sub", safe="")
    uri = f"{form.conn_type}://bo:p%40ss@{host}:8443?{urlencode(uri_fields(form))}"
    settings = read_from_environment(monkeypatch, uri, form)
    assert (settings.login, settings.password) == ("bo", "p@ss")
    assert settings.address.base_url == "https://toy.example.com:8443/sub"
    assert settings.address.verify is False
    assert settings.address.read_timeout == 7
    types = {"boolean": bool, "integer": int, "string": str}
    for name, field in form.fields.items():
        assert type(settings.extra[name]) is types[field["schema"]["type"][0]], name


@pytest.mark.parametrize("form", FORMS, ids=BY_TYPE)
def test_a_uri_with_extra_fields_as_json_is_read(monkeypatch, form):
    extra = urlencode({"__extra__": json.dumps({"verify_tls": False, "retry_timeout": 5})})
    settings = read_from_environment(monkeypatch, f"{form.conn_type}://bo:pass@toy.example.com?{extra}", form)
    assert (settings.address.verify, settings.address.retry_timeout) == (False, 5)


@pytest.mark.parametrize("form", FORMS, ids=BY_TYPE)
def test_a_connection_stored_as_json_is_read(monkeypatch, form):
    stored = {"conn_type": form.conn_type, "host": "http://toy:8080", "password": "pass", "extra": {"proxy": None}}
    settings = read_from_environment(monkeypatch, json.dumps(stored), form)
    assert settings.address.base_url == f"http://toy:8080{form.default_path}"


# forms


@pytest.mark.parametrize("form", FORMS, ids=BY_TYPE)
def test_airflow_masks_the_names_of_secret_fields(form):
    secrets = [name for name, field in form.fields.items() if field["schema"].get("format") == "password"]
    assert [name for name in [*secrets, "proxy"] if not should_hide_value_for_key(name)] == []


@pytest.mark.parametrize("form", FORMS, ids=BY_TYPE)
def test_every_form_has_the_transport_fields(form):
    assert set(transport_fields()) <= set(form.fields)


@pytest.mark.parametrize("form", FORMS, ids=BY_TYPE)
def test_every_default_is_valid(form):
    settings = read(form=form, extra={name: field["schema"].get("default") for name, field in form.fields.items()})
    assert settings.extra == read(form=form).extra


@pytest.mark.parametrize("form", FORMS, ids=BY_TYPE)
def test_no_field_is_mandatory_because_airflow_has_no_alternatives(form):
    assert [name for name, field in form.fields.items() if "null" not in field["schema"]["type"]] == []


class Widget:
    """A field of the form library."""

    def __init__(self, label: str, validators: Sequence[Any], default: Any, description: str) -> None:
        self.label, self.validators, self.default, self.description = label, validators, default, description


def test_airflow_3_1_gets_the_same_fields_as_widgets(monkeypatch):
    widget_classes = {
        name: type(name, (Widget,), {}) for name in ("StringField", "IntegerField", "BooleanField", "PasswordField")
    }
    validators = types.SimpleNamespace(Optional=lambda: "optional", any_of=lambda options: options)
    monkeypatch.setitem(sys.modules, "wtforms", types.SimpleNamespace(**widget_classes))
    monkeypatch.setitem(sys.modules, "wtforms.validators", validators)
    widgets = FORM.widgets()
    assert {name: type(widget).__name__ for name, widget in list(widgets.items())[:4]} == {
        "api_key": "PasswordField",
        "flavour": "StringField",
        "loud": "BooleanField",
        "size": "IntegerField",
    }
    assert (widgets["size"].label, widgets["size"].default, widgets["size"].description) == (
        "Size",
        3,
        "Number of bricks.",
    )
    assert widgets["size"].validators == ["optional"]
    assert widgets["flavour"].validators == ["optional", ["sweet", "sour"]]
    assert list(widgets) == list(FORM.fields)


def test_a_section_is_part_of_the_schema():
    assert text("Label", "Description.", "Section")["schema"]["section"] == "Section"
    assert "section" not in text("Label", "Description.")["schema"]

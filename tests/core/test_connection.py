"""How stored connections are read, however they were stored."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from airflow.providers.common.compat.sdk import BaseHook
from airflow.sdk._shared.secrets_masker import should_hide_value_for_key

from self_hosted.core.connection import Settings, read_connection
from self_hosted.core.form import ConnectionForm, text, transport_fields
from self_hosted.provider_info import FORMS
from tests.core.toy import FORM

URL = "https://toy.example.com"
BY_TYPE = {form.conn_type: form for form in FORMS}


class Stored:
    """What Airflow's Connection offers to a reader."""

    def __init__(self, host: str | None = URL, extra: Any = None, **fields: Any) -> None:
        self.conn_id = "my_toy"
        self.host, self.extra = host, json.dumps(extra) if isinstance(extra, dict) else extra
        self.login, self.password = fields.get("login"), fields.get("password")
        self.schema, self.port = fields.get("schema"), fields.get("port")


def read(*args: Any, form: ConnectionForm = FORM, **fields: Any) -> Settings:
    return read_connection(Stored(*args, **fields), form)


def problem(*args: Any, form: ConnectionForm = FORM, **fields: Any) -> str:
    with pytest.raises(ValueError, match=r"^connection 'my_toy': ") as error:
        read(*args, form=form, **fields)
    return str(error.value).removeprefix("connection 'my_toy': ")


# values


@pytest.mark.parametrize("given", [True, "true", "True", "YES", "on", 1, "1"])
def test_yes_is_understood_in_every_spelling(given):
    assert read(extra={"loud": given}).extra["loud"] is True


@pytest.mark.parametrize("given", [False, "false", "False", "no", "OFF", 0, "0"])
def test_no_is_understood_in_every_spelling_so_that_text_from_a_uri_is_not_taken_for_yes(given):
    assert read(extra={"verify_tls": given}).address.verify is False


@pytest.mark.parametrize("given", ["maybe", 2, "", []])
def test_what_is_neither_yes_nor_no_is_named(given):
    if given in ("", []):  # nothing at all is the default
        given = given or "[]"
    assert problem(extra={"loud": given}) == f"loud must be true or false, not {given!r}"


@pytest.mark.parametrize(("given", "size"), [(7, 7), ("7", 7), (" 7 ", 7), (None, 3), ("", 3)])
def test_numbers_are_read_from_text_and_nothing_is_the_default(given, size):
    assert read(extra={"size": given}).extra["size"] == size


@pytest.mark.parametrize("given", [0, "-1", "many", 1.5, True])
def test_what_is_no_such_number_is_named(given):
    assert problem(extra={"size": given}) == f"size must be a whole number from 1 on, not {given!r}"


def test_a_choice_has_a_default_and_only_its_words():
    assert read().extra["flavour"] == "sweet"
    assert read(extra={"flavour": "sour"}).extra["flavour"] == "sour"
    assert problem(extra={"flavour": "salty"}) == "flavour must be one of sweet, sour, not 'salty'"


def test_text_that_came_as_a_number_is_text():
    assert read(extra={"api_key": 12345}).extra["api_key"] == "12345"


def test_what_is_not_set_is_nothing():
    settings = read()
    assert settings.extra["api_key"] is None
    assert (settings.login, settings.password) == ("", "")


@pytest.mark.parametrize("extra", ["", None, "{}"])
def test_a_connection_needs_no_extra(extra):
    assert read(extra=extra).address.base_url == URL


@pytest.mark.parametrize("extra", ["[1]", "no json", '"text"'])
def test_extras_that_are_no_object_are_refused(extra):
    assert problem(extra=extra) == "the extra fields must be a JSON object"


def test_an_unknown_extra_is_named_beside_those_that_are_known():
    words = problem(extra={"verify_tsl": False, "colour": "red"})
    assert words.startswith("unknown extra 'colour', 'verify_tsl'; known are api_key, ca_bundle, ")


def test_all_that_concerns_the_transport_reaches_the_address(tmp_path):
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
            "retry_budget": 0,
        }
    ).address
    assert address.verify == str(tmp_path / "ca.pem")
    assert address.client_cert == (str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))
    assert address.proxy == "http://proxy.example.com:3128"
    assert (address.connect_timeout, address.read_timeout, address.retry_budget) == (3, 4, 0)


def test_without_the_check_a_bundle_is_of_no_use(tmp_path):
    (tmp_path / "ca.pem").touch()
    assert read(extra={"verify_tls": False, "ca_bundle": str(tmp_path / "ca.pem")}).address.verify is False


@pytest.mark.parametrize("name", ["ca_bundle", "client_cert", "client_key"])
def test_a_file_that_is_not_there_is_named(name):
    assert problem(extra={name: "/no/such.pem"}) == f"{name}: there is no file '/no/such.pem' on this machine"


@pytest.mark.parametrize("url", ["proxy.example.com:3128", "user:pa/ss@proxy:1", "socks5://user:pass@proxy", "http://"])
def test_what_is_no_proxy_is_refused_without_quoting_what_may_be_a_password(url):
    assert problem(extra={"proxy": url}) == "proxy must be a URL such as http://proxy.example.com:3128"


# addresses


@pytest.mark.parametrize(
    ("fields", "base_url"),
    [
        ({"host": "https://toy.example.com/"}, "https://toy.example.com"),
        ({"host": " http://toy:8080/sub/path/ "}, "http://toy:8080/sub/path"),
        ({"host": "toy.example.com"}, "https://toy.example.com"),
        ({"host": "toy.example.com/sub"}, "https://toy.example.com/sub"),
        ({"host": "toy.example.com:8443"}, "https://toy.example.com:8443"),
        ({"host": "toy.example.com", "port": 8443}, "https://toy.example.com:8443"),
        ({"host": "toy.example.com/sub", "port": 8443}, "https://toy.example.com:8443/sub"),
        ({"host": "toy", "schema": "http"}, "http://toy"),
        ({"host": "toy", "schema": "http", "port": 80}, "http://toy:80"),
        ({"host": "https://toy", "schema": "http"}, "https://toy"),
        ({"host": "https://toy", "port": 8443}, "https://toy:8443"),
        ({"host": "https://toy:8443", "port": 8443}, "https://toy:8443"),
        ({"host": "[::1]:8443"}, "https://[::1]:8443"),
    ],
)
def test_the_base_url_is_read_from_host_port_and_schema(fields, base_url):
    assert read(**fields).address.base_url == base_url


def test_a_product_has_its_own_path_unless_another_is_given():
    form = BY_TYPE["rudder"]
    assert read(form=form).address.base_url == f"{URL}/rudder"
    assert read(f"{URL}/sub/rudder", form=form).address.base_url == f"{URL}/sub/rudder"


@pytest.mark.parametrize("host", [None, "", "  "])
def test_a_missing_base_url_says_what_one_looks_like(host):
    assert problem(host) == "the base URL (host) is missing; an example is https://server.example.com"


@pytest.mark.parametrize(
    "host", ["ftp://toy", "https:///path", "https://toy:port", "https://toy:99999", "toy:0", "http://[x"]
)
def test_a_base_url_that_is_none_is_quoted(host):
    words = problem(host)
    assert words == f"the base URL {host!r} is not of the form https://server.example.com[:port][/path]"


@pytest.mark.parametrize(
    "host",
    ["https://bo:hush@toy", "bo:hush@toy", "https://bo:hush@toy:port", "https://bo:hu/sh@toy", "ftp://bo:hush@toy"],
)
def test_a_credential_in_the_base_url_is_refused_and_not_quoted(host):
    words = problem(host)
    assert words.startswith("the base URL ")
    assert not any(part in words for part in ("hush", "hu/", "bo"))


@pytest.mark.parametrize("host", ["https://toy/?a=1", "https://toy/#top"])
def test_a_base_url_takes_neither_query_nor_fragment(host):
    assert problem(host).startswith("the base URL takes no user, query or fragment")


def test_two_ports_that_contradict_each_other_are_refused():
    assert problem("https://toy:1", port=2).startswith("the base URL says port 1, the field Port says 2")


# real connections, in every way Airflow stores them


def through_airflow(monkeypatch: pytest.MonkeyPatch, value: str, form: ConnectionForm) -> Settings:
    monkeypatch.setenv("AIRFLOW_CONN_READ_ME", value)
    return read_connection(BaseHook.get_connection("read_me"), form)


def texts(form: ConnectionForm) -> dict[str, str]:
    """Text for every field of a form, as it stands in a URI."""
    kinds = {"boolean": "false", "integer": "7", "string": "text & more"}
    fields = {name: field["schema"] for name, field in form.fields.items()}
    given = {name: schema.get("enum", [kinds[schema["type"][0]]])[-1] for name, schema in fields.items()}
    files = dict.fromkeys(("ca_bundle", "client_cert", "client_key"), __file__)
    return {**given, **files, "proxy": "http://user:pass@proxy:3128"}


@pytest.mark.parametrize("form", FORMS, ids=BY_TYPE)
def test_extras_that_come_as_text_from_a_uri_have_their_types(monkeypatch, form):
    uri = f"{form.conn_type}://bo:p%40ss@{quote('https://toy.example.com/sub', safe='')}:8443?{urlencode(texts(form))}"
    settings = through_airflow(monkeypatch, uri, form)
    assert (settings.login, settings.password) == ("bo", "p@ss")
    assert settings.address.base_url == "https://toy.example.com:8443/sub"
    assert settings.address.verify is False
    assert settings.address.read_timeout == 7
    kinds = {"boolean": bool, "integer": int, "string": str}
    for name, field in form.fields.items():
        assert type(settings.extra[name]) is kinds[field["schema"]["type"][0]], name


@pytest.mark.parametrize("form", FORMS, ids=BY_TYPE)
def test_a_uri_that_holds_the_extras_as_json_is_read_too(monkeypatch, form):
    extra = urlencode({"__extra__": json.dumps({"verify_tls": False, "retry_budget": 5})})
    settings = through_airflow(monkeypatch, f"{form.conn_type}://bo:pass@toy.example.com?{extra}", form)
    assert (settings.address.verify, settings.address.retry_budget) == (False, 5)


@pytest.mark.parametrize("form", FORMS, ids=BY_TYPE)
def test_a_connection_stored_as_json_is_read(monkeypatch, form):
    stored = {"conn_type": form.conn_type, "host": "http://toy:8080", "password": "pass", "extra": {"proxy": None}}
    settings = through_airflow(monkeypatch, json.dumps(stored), form)
    assert settings.address.base_url == f"http://toy:8080{form.default_path}"


# forms


@pytest.mark.parametrize("form", FORMS, ids=BY_TYPE)
def test_the_names_of_secrets_are_masked_by_airflow(form):
    secrets = [name for name, field in form.fields.items() if field["schema"].get("format") == "password"]
    assert [name for name in [*secrets, "proxy"] if not should_hide_value_for_key(name)] == []


@pytest.mark.parametrize("form", FORMS, ids=BY_TYPE)
def test_every_connection_has_the_fields_of_the_transport(form):
    assert set(transport_fields()) <= set(form.fields)


@pytest.mark.parametrize("form", FORMS, ids=BY_TYPE)
def test_every_default_is_one_that_the_reader_accepts(form):
    settings = read(form=form, extra={name: field["schema"].get("default") for name, field in form.fields.items()})
    assert settings.extra == read(form=form).extra


@pytest.mark.parametrize("form", FORMS, ids=BY_TYPE)
def test_no_field_is_mandatory_in_the_form_for_airflow_cannot_say_which_of_two_credentials_is(form):
    assert [name for name, field in form.fields.items() if "null" not in field["schema"]["type"]] == []


class Widget:
    """A field of the form library that Airflow 3.1 stands in for."""

    def __init__(self, label: str, validators: Sequence[Any], default: Any, description: str) -> None:
        self.label, self.validators, self.default, self.description = label, validators, default, description


def test_for_airflow_3_1_the_same_fields_are_made_into_widgets(monkeypatch):
    kinds = {
        name: type(name, (Widget,), {}) for name in ("StringField", "IntegerField", "BooleanField", "PasswordField")
    }
    validators = types.SimpleNamespace(Optional=lambda: "optional", any_of=lambda options: options)
    monkeypatch.setitem(sys.modules, "wtforms", types.SimpleNamespace(**kinds))
    monkeypatch.setitem(sys.modules, "wtforms.validators", validators)
    widgets = FORM.widgets()
    assert {name: type(widget).__name__ for name, widget in list(widgets.items())[:4]} == {
        "api_key": "PasswordField",
        "flavour": "StringField",
        "loud": "BooleanField",
        "size": "IntegerField",
    }
    assert (widgets["size"].label, widgets["size"].default, widgets["size"].description) == ("Size", 3, "In bricks.")
    assert widgets["size"].validators == ["optional"]
    assert widgets["flavour"].validators == ["optional", ["sweet", "sour"]]
    assert list(widgets) == list(FORM.fields)


def test_a_section_is_a_part_of_the_schema():
    assert text("Label", "Words.", "Place")["schema"]["section"] == "Place"
    assert "section" not in text("Label", "Words.")["schema"]

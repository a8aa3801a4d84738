"""The base URL of a connection: from host, port and schema, without the path of the product's API."""

from __future__ import annotations

import json

import pytest

from self_hosted.provider_info import FORMS
from tests.core.connection.stored import URL, read, read_error, read_from_environment

BY_TYPE = {form.conn_type: form for form in FORMS}


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


def test_a_base_url_without_path_has_the_default_path_of_the_product():
    form = BY_TYPE["rudder"]
    assert read(form=form).address.base_url == f"{URL}/rudder"
    assert read(f"{URL}/sub/rudder", form=form).address.base_url == f"{URL}/sub/rudder"


@pytest.mark.parametrize("host", [None, "", "  "])
def test_a_missing_base_url_is_an_error_with_an_example(host):
    assert read_error(host) == "the base URL (host) is missing; use a URL such as https://server.example.com"


@pytest.mark.parametrize(
    "host", ["ftp://toy", "https:///path", "https://toy:port", "https://toy:99999", "toy:0", "http://[x"]
)
def test_an_invalid_base_url_is_shown_in_the_error(host):
    message = read_error(host)
    assert message == f"the base URL {host!r} is invalid; use the form https://server.example.com[:port][/path]"


@pytest.mark.parametrize(
    "host",
    [
        "https://bo:secret@toy",
        "bo:secret@toy",
        "https://bo:secret@toy:port",
        "https://bo:sec/ret@toy",
        "ftp://bo:secret@toy",
    ],
)
def test_a_credential_in_the_base_url_is_rejected_and_not_shown(host):
    message = read_error(host)
    assert message.startswith("the base URL ")
    assert not any(part in message for part in ("secret", "sec/", "bo"))


def test_two_different_ports_are_rejected():
    assert read_error("https://toy:1", port=2).startswith("the base URL has port 1, the field Port has 2")


# what users paste: the address of the API, or of a page


@pytest.mark.parametrize(
    ("product", "given", "base_url"),
    [
        ("assemblyline", "/api", ""),
        ("assemblyline", "/api/", ""),
        ("assemblyline", "/api/v4", ""),
        ("assemblyline", "/api/v4/", ""),
        ("assemblyline", "/sub/api/v4", "/sub"),
        ("ayon", "/api", ""),
        ("ayon", "/graphql", ""),
        ("ayon", "/sub/api/", "/sub"),
        ("rudder", "/rudder/api", "/rudder"),
        ("rudder", "/rudder/api/latest", "/rudder"),
        ("rudder", "/rudder/api/21/", "/rudder"),
        ("rudder", "/api/latest", ""),
        ("atrocore", "/api", ""),
        ("atrocore", "/api/v1/", ""),
        ("atrocore", "/pim/api/v1", "/pim"),
        ("atrocore", "/openapi.json", ""),
        ("atrocore", "/#Product", ""),
        ("atrocore", "/pim/#Product/view/a01", "/pim"),
    ],
)
def test_the_path_of_the_api_is_not_part_of_the_base_url(product, given, base_url):
    settings = read(f"{URL}{given}", form=BY_TYPE[product])
    assert settings.address.base_url == f"{URL}{base_url}"
    expected = "#..." if "#" in given else given.rstrip("/").removeprefix(base_url)
    assert settings.removed_path == expected


@pytest.mark.parametrize(
    ("product", "path"),
    [
        ("assemblyline", "/api/al"),
        ("assemblyline", "/api/v5"),
        ("assemblyline", "/myapi"),
        ("ayon", "/api/v1"),
        ("rudder", "/api/old/rudder"),
        ("rudder", "/rudder/api/next"),
        ("atrocore", "/api/v2"),
        ("atrocore", "/apis"),
    ],
)
def test_the_path_of_a_proxy_is_kept(product, path):
    settings = read(f"{URL}{path}", form=BY_TYPE[product])
    assert settings.address.base_url == f"{URL}{path}"
    assert not settings.removed_path


@pytest.mark.parametrize("form", FORMS, ids=BY_TYPE)
def test_a_proxy_below_the_path_api_is_named_by_its_api(form):
    assert read(f"{URL}/api/api", form=form).address.base_url == f"{URL}/api"


@pytest.mark.parametrize(
    ("product", "given", "correct"),
    [
        ("assemblyline", "/submissions", ""),
        ("assemblyline", "/sub/submission/report/1", "/sub"),
        ("ayon", "/projects/demo/overview", ""),
        ("ayon", "/settings/users", ""),
        ("rudder", "/rudder/secure/index", "/rudder"),
        ("rudder", "/rudder/secure/configurationManager/ruleManagement#{}", "/rudder"),
        ("rudder", "/secure/", "/rudder"),
        ("atrocore", "/apidocs/", ""),
    ],
)
def test_the_address_of_a_page_is_rejected_with_the_right_one(product, given, correct):
    form = BY_TYPE[product]
    assert read_error(f"{URL}{given}", form=form) == (
        f"the base URL is the address of a page of {form.hook_name}; use {URL}{correct}"
    )


def test_a_proxy_with_the_path_of_a_page_is_named_by_its_api():
    assert read(f"{URL}/submit/api/v4", form=BY_TYPE["assemblyline"]).address.base_url == f"{URL}/submit"


def test_a_query_is_rejected_with_the_right_address():
    assert read_error(f"{URL}/api/?a=1", form=BY_TYPE["ayon"]) == f"the base URL must not contain a query; use {URL}"
    assert read_error(f"{URL}?a=1", form=BY_TYPE["rudder"]).endswith(f"use {URL}/rudder")


@pytest.mark.parametrize("host", ["https://bo?secret@toy", "https://bo#secret@toy"])
def test_a_password_with_a_delimiter_is_not_taken_for_a_query(host):
    message = read_error(host)
    assert message == "the base URL must not contain user or password; enter them in their own fields"


def test_a_base_url_that_is_used_as_it_is_has_no_removed_path():
    assert not read(f"{URL}/", form=BY_TYPE["ayon"]).removed_path


@pytest.mark.parametrize("host", ["ayon.example.com:5000/api", "https%3A%2F%2Fayon.example.com%3A5000%2Fapi%2F"])
def test_a_uri_may_contain_the_path_of_the_api(monkeypatch, host):
    settings = read_from_environment(monkeypatch, f"ayon://bo:pass@{host}", BY_TYPE["ayon"])
    assert settings.address.base_url == "https://ayon.example.com:5000"
    assert settings.removed_path == "/api"


def test_the_path_of_a_uri_is_part_of_the_base_url(monkeypatch):
    settings = read_from_environment(monkeypatch, "rudder://:token@rudder.example.com/sub/rudder", BY_TYPE["rudder"])
    assert settings.address.base_url == "https://rudder.example.com/sub/rudder"


def test_a_connection_in_json_may_contain_the_path_of_the_api(monkeypatch):
    stored = {"conn_type": "rudder", "host": "https://rudder.example.com/rudder/api/latest", "password": "token"}
    settings = read_from_environment(monkeypatch, json.dumps(stored), BY_TYPE["rudder"])
    assert settings.address.base_url == "https://rudder.example.com/rudder"
    assert settings.removed_path == "/api/latest"

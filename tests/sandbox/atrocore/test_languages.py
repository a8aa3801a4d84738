"""Content languages of the fake AtroCore server."""

from __future__ import annotations

import pytest

GERMAN = {"language": "de_DE"}


@pytest.fixture
def german(client):
    client.served.seed({"languages": ["de_DE"]})
    client.create(id="p", name="Door", nameDeDe="Tür")
    return client


def texts(response):
    record = response.json()
    return record["name"], record.get("nameDeDe")


def test_a_read_with_a_language_has_its_text_in_the_main_field(german):
    assert texts(german.call("GET", "/Product/p")) == ("Door", "Tür")
    assert texts(german.call("GET", "/Product/p", headers=GERMAN)) == ("Tür", None)
    [listed] = german.call("GET", "/Product", params={"select": "name"}, headers=GERMAN).json()["list"]
    assert listed["name"] == "Tür"


def test_a_write_with_a_language_overwrites_the_main_language(german):
    changed = german.call("PATCH", "/Product/p", {"name": "Türe"}, headers=GERMAN)
    assert texts(changed) == ("Tür", None)
    assert texts(german.call("GET", "/Product/p")) == ("Türe", "Tür")


def test_an_inactive_language_is_rejected(german):
    for method, path in (("GET", "/Product/p"), ("GET", "/Product"), ("PATCH", "/Product/p")):
        response = german.call(
            method, path, {"name": "x"} if method == "PATCH" else None, headers={"language": "fr_FR"}
        )
        assert (response.status_code, response.headers["X-Status-Reason"]) == (400, "No such language is available.")
    assert texts(german.call("GET", "/Product/p")) == ("Door", "Tür")


def test_names_are_required_in_every_language_before_core_2(german):
    if german.dialect == "1.x-2.2":
        german.served.seed({"core": "1.10.30"})
        german.log_in()
    response = german.create(name="Table", nameDeDe="")
    assert response.status_code == (200 if german.dialect == "2.3" else 400)
    if german.dialect != "2.3":
        assert response.headers["X-Status-Reason"] == "Validation failed. 'Name / de_DE' is required."

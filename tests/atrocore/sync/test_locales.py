"""Texts in several languages, of fields and attributes, on servers that have more than one language."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.core.sync.fields import Attribute, Text
from tests.atrocore.sync.test_attributes import stored

SITES = ("2.3", "2.2", "1.10")


@pytest.fixture
def german(site, request):
    """A server with German as a second language."""
    if site.name != "live":
        request.getfixturevalue("served").seed({"languages": ["de_DE"]})
    elif not site.is_multilingual:
        pytest.skip("the real server has one language")
    site.read_metadata()
    site.is_multilingual = False  # tests declare the German names themselves
    return site


def row(site, key, german, **values):
    return {**site.row(key), "german": german, **values}


GERMAN = Text("name", locale="de_DE", column="german")


def test_each_language_has_its_own_field(german):
    site, rows = german, [row(german, "1", "Tür"), row(german, "2", "Fenster")]
    assert site.sync(rows, GERMAN) == {"created": 2}
    record = site.record("1")
    assert (record["name"], record["nameDeDe"]) == ("Thing 1", "Tür")
    assert site.sync(rows, GERMAN) == {"unchanged": 2}
    rows[0]["german"] = "Pforte"
    assert site.sync(rows, GERMAN) == {"updated": 1, "unchanged": 1}
    record = site.record("1")
    assert (record["name"], record["nameDeDe"]) == ("Thing 1", "Pforte")


def test_a_language_that_new_records_need_is_named(german):
    result = german.sync([row(german, "1", "Tür")])
    if german.name in {"1.10", "live"}:
        assert result == {"failed": 1}
        assert "a new record needs nameDeDe" in german.problems()
    else:  # variants are never required
        assert result == {"created": 1}


def test_an_unknown_language_is_rejected(german):
    with pytest.raises(AirflowFailException, match="no field for the language 'fr_FR'; further languages are de_DE"):
        german.sync([row(german, "1", "a")], Text("name", locale="fr_FR", column="german"))


def test_attributes_have_a_value_per_language(german):
    site = german
    code = site.add_attribute("slogan", "varchar", isMultilang=True)
    declared = [GERMAN, Attribute(code, column="en"), Attribute(code, locale="de_DE", column="de")]
    rows = [row(site, "1", "Tür", en="Hello", de="Hallo"), row(site, "2", "Tor", en="Bye", de="")]
    assert site.sync(rows, *declared) == {"created": 2}
    assert site.sync(rows, *declared) == {"unchanged": 2}
    assert stored(site, "1", "slogan")[0] == "Hello"
    rows[0] |= {"de": "Servus"}
    assert site.sync(rows, *declared) == {"updated": 1, "unchanged": 1}
    assert stored(site, "1", "slogan")[0] == "Hello"
    assert site.sync(rows, *declared) == {"unchanged": 2}


def test_attributes_of_one_language_have_no_locale(german):
    code = german.add_attribute("colour", "varchar")
    with pytest.raises(AirflowFailException, match="has one value for all languages; leave out locale"):
        german.sync([row(german, "1", "a")], GERMAN, Attribute(code, locale="de_DE", value="x"))


def test_an_unknown_language_of_an_attribute_is_rejected(german):
    code = german.add_attribute("slogan", "varchar", isMultilang=True)
    with pytest.raises(AirflowFailException, match="no value in the language 'fr_FR'; further languages are de_DE"):
        german.sync([row(german, "1", "a")], GERMAN, Attribute(code, locale="fr_FR", column="german"))

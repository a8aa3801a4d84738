"""Metadata, settings, labels and the OpenAPI document of the fake AtroCore server."""

from __future__ import annotations

import pytest
import requests

from tests.sandbox.atrocore.client import client_of_core

PATHS = {"2.3": ("metadata", "settings", "i18n")}
OLD_PATHS = ("Metadata", "Settings", "I18n")


def get(client, index, **arguments):
    path = PATHS.get(client.dialect, OLD_PATHS)[index]
    return client.call("GET", f"/{path}", **arguments)


def test_metadata_describe_fields_in_all_dialects(client):
    product = get(client, 0).json()["entityDefs"]["Product"]
    fields = product["fields"]
    assert fields["price"]["measureId"] == "currency"
    assert fields["priceUnit"]["unitIdField"] is True
    assert fields["quantity"] == {"type": "float", "min": 0, "default": 0}
    assert fields[client.status]["options"] == ["draft", "prepared", "reviewed", "notReady", "ready"]
    assert fields["createdAt"] == {"type": "datetime", "readOnly": True}
    assert ("sku" in fields, "number" in fields) == (client.key == "sku", client.key == "number")
    assert product["links"]["brand"]["entity"] == "Brand"
    assert product["links"]["categories"]["relationName"] == "productCategory"


def test_metadata_need_a_user_and_settings_do_not(client):
    client.headers = {}
    assert [get(client, index).status_code for index in range(3)] == [401, 200, 200]


def test_each_language_has_its_own_field(client):
    client.served.seed({"languages": ["de_DE", "fr_FR"]})
    fields = get(client, 0).json()["entityDefs"]["Product"]["fields"]
    assert fields["name"]["lingualFields"] == ["nameDeDe", "nameFrFr"]
    assert (fields["nameDeDe"]["multilangField"], fields["nameDeDe"]["multilangLocale"]) == ("name", "de_DE")
    settings = get(client, 1).json()
    assert (settings["inputLanguageList"], settings["isMultilangActive"]) == (["de_DE", "fr_FR"], True)
    assert get(client, 2).json()["Product"]["fields"]["nameDeDe"] == "Name / de_DE"


def test_an_admin_can_add_change_and_remove_fields(client):
    fields = {"colour": {"type": "enum", "options": ["red"], "required": True}, "mpn": {}}
    client.served.seed({"fields": {"Product": fields}})
    described = get(client, 0).json()["entityDefs"]["Product"]["fields"]
    assert described["colour"] == fields["colour"]
    assert "mpn" not in described
    assert client.create().status_code == 400
    assert client.create(colour="red", mpn="M").status_code == 200
    assert "mpn" not in client.call("GET", "/Product").json()["list"][0]


def test_seeded_unique_fields_are_in_the_metadata(client):
    client.served.seed({"unique": {"Product": [client.key]}})
    assert get(client, 0).json()["entityDefs"]["Product"]["fields"][client.key]["unique"] is True


@pytest.mark.parametrize("core", ["1.10.30", "2.2.31"])
def test_the_openapi_document_of_old_cores_calls_numbers_texts_and_lacks_fields(served, core):
    served.seed({"core": core})
    document = requests.get(f"{served.base_url}/openapi.json", timeout=60).json()
    product = document["components"]["schemas"]["Product"]
    types = {name: one["type"] for name, one in product["properties"].items()}
    assert (types["price"], types["sortOrder"], types["isActive"]) == ("string", "string", "boolean")
    assert not {"priceUnitId", "parentId", "mainImageId", "categoriesIds"} & types.keys()
    client = client_of_core(served, core)
    served.seed({"records": {"Category": [{"id": "c", "name": "C"}]}})
    created = client.call(
        "POST", "/Product", {"name": "a", "number": "A", "priceUnitId": "eur", "categoriesIds": ["c"]}
    ).json()
    assert (created["priceUnitId"], created["categoriesIds"]) == ("eur", ["c"])


def test_the_openapi_document_of_new_cores_is_complete(newest):
    schemas = requests.get(f"{newest.served.base_url}/openapi.json", timeout=60).json()["components"]["schemas"]
    properties = schemas["ProductPost"]["properties"]
    assert properties["price"] == {"type": "number", "nullable": True}
    assert properties["number"] == {"type": "string"}
    assert {"priceUnitId", "parentId", "mainImageId", "categoriesIds"} <= properties.keys()
    assert "createdAt" not in properties
    assert "brandName" not in properties
    assert schemas["ProductPost"]["required"] == ["name", "number", "status"]
    assert "required" not in schemas["ProductPatch"]

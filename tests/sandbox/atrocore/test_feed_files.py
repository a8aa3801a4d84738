"""Imports and exports of files by the fake AtroCore server."""

from __future__ import annotations

from base64 import b64encode

import pytest
import requests

from tests.sandbox.atrocore.client import client_of_core, list_records

CSV = 'sku;name;price\nI-1;One;"1.234,5"\nI-2;;2\nI-3;Three;abc\n'
IMPORT_FEED = {
    "id": "f",
    "name": "Products",
    "code": "in",
    "entity": "Product",
    "decimalMark": ",",
    "thousandSeparator": ".",
}
EXPORT_FEED = {"id": "x", "name": "Products out", "code": "out", "entity": "Product", "sortOrderField": "sku"}
BY_KEY = {"byWhere": True, "where": [{"type": "startsWith", "attribute": "sku", "value": "I-"}]}


@pytest.fixture
def old(served):
    client = client_of_core(served, "1.10.30")
    served.seed({"cron": False})
    return client


def add_import(client, csv=CSV, **values):
    contents = f"data:text/csv;base64,{b64encode(csv.encode()).decode()}"
    client.call("POST", "/File", {"id": "csv", "name": "p.csv", "fileContents": contents})
    client.call("POST", "/ImportFeed", {**IMPORT_FEED, **values})
    for number, name in enumerate(("sku", "name", "price")):
        column = {"importFeedId": "f", "name": name, "column": [name], "sortOrder": number}
        client.call("POST", "/ImportConfiguratorItem", {**column, "entityIdentifier": name == "sku"})


def run_import(client, **values):
    return client.call("POST", "/ImportFeed/action/runImport", {"importFeedId": "f", "attachmentId": "csv", **values})


def add_export(client, *columns):
    client.call("POST", "/ExportFeed", EXPORT_FEED)
    for number, name in enumerate(columns):
        column = {"exportFeedId": "x", "name": name, "type": "Field", "columnType": "internal", "sortOrder": number}
        client.call("POST", "/ExportConfiguratorItem", column)


def run_export(client, **values):
    return client.call("POST", "/ExportFeed/action/exportFile", {"id": "x", **values})


def run_cron(client):
    for _ in range(2):
        client.served.seed({"cron": True, "advance_seconds": 60})
        client.served.tables()
    client.served.seed({"cron": False})


def download(client, file_id):
    query = {"entryPoint": "download", "id": file_id}
    return requests.get(f"{client.served.base_url}/", params=query, headers=client.headers, timeout=60).text


def test_an_import_creates_records_and_logs_errors(old):
    add_import(old)
    assert run_import(old).json() is True
    [job] = list_records(old, "ImportJob")
    assert (job["state"], job["name"], job["end"]) == ("Pending", "Product: Products", None)
    run_cron(old)
    [job] = list_records(old, "ImportJob")
    assert (job["state"], job["createdCount"], job["errorsCount"]) == ("Success", 1, 2)
    assert [(one["sku"], one["price"]) for one in list_records(old, "Product")] == [("I-1", 1234.5)]
    logs = old.call("GET", f"/ImportJob/{job['id']}/importJobLogs").json()["list"]
    assert [(log["rowNumber"], log["message"]) for log in logs] == [
        (3, "Validation failed. 'Name' is required."),
        (4, "convertValidationPrefixunexpectedFieldType"),
    ]
    assert old.call("GET", "/ImportFeed/f").json()["lastStatus"] == "Success"


def test_the_rows_with_errors_are_a_file(old):
    add_import(old)
    run_import(old)
    run_cron(old)
    [job] = list_records(old, "ImportJob")
    body = {"id": job["id"], "field": "errorsAttachment"}
    file = old.call("POST", "/ImportJob/action/generateFile", body).json()
    assert download(old, file["id"]).splitlines() == [
        "0;1;2;3",
        "sku;name;price;Import Errors",
        "I-2;;2;Validation failed. 'Name' is required.",
        "I-3;Three;abc;convertValidationPrefixunexpectedFieldType",
    ]
    assert old.call("GET", f"/ImportJob/{job['id']}").json()["errorsAttachmentId"] == file["id"]


@pytest.mark.parametrize(
    ("action", "counts", "names"),
    [
        ("create_update", {"updatedCount": 1, "createdCount": 1, "skippedCount": 1}, {"New", "B", "C"}),
        ("create", {"createdCount": 1, "skippedCount": 2}, {"A", "B", "C"}),
        ("update", {"updatedCount": 1, "skippedCount": 2}, {"New", "B"}),
    ],
)
def test_an_import_matches_records_by_their_identifier(old, action, counts, names):
    add_import(old, "sku;name;price\n1;New;\n2;B;\n3;C;\n", fileDataAction=action)
    old.served.seed({"records": {"Product": [{"sku": "1", "name": "A"}, {"sku": "2", "name": "B"}]}})
    run_import(old)
    run_cron(old)
    [job] = list_records(old, "ImportJob")
    assert {name: job[name] for name in counts} == counts
    assert {one["name"] for one in list_records(old, "Product")} == names


def test_wrong_runs_of_an_import_are_rejected(old):
    old.call("POST", "/ImportFeed", IMPORT_FEED)
    assert run_import(old).text == "configuratorEmpty"
    column = {"importFeedId": "unknown", "name": "sku"}
    assert old.call("POST", "/ImportConfiguratorItem", column).text == "ImportFeed is required for Configurator item."
    old.call("POST", "/ImportConfiguratorItem", {**column, "importFeedId": "f"})
    assert run_import(old, attachmentId="unknown").text == "No such File 'unknown'."
    assert run_import(old, importFeedId=None).status_code == 400
    assert run_import(old, importFeedId="unknown").text == "No such ImportFeed"
    old.call("PATCH", "/ImportFeed/f", {"isActive": False})
    assert run_import(old).text == "importFeedIsInactive"


def test_the_columns_of_a_file(old):
    add_import(old)
    body = {"attachmentId": "csv", "delimiter": ";"}
    assert old.call("POST", "/ImportFeed/action/parseFileColumns", body).json() == ["sku", "name", "price"]


def test_an_export_writes_a_file(old):
    old.served.seed({"records": {"Product": [{"sku": "I-2", "name": "Two"}, {"sku": "I-1"}, {"sku": "X"}]}})
    add_export(old, "sku", "name")
    assert run_export(old, ignoreFilter=True, entityFilterData=BY_KEY).json() is True
    assert list_records(old, "ExportJob") == []
    run_cron(old)
    [job] = list_records(old, "ExportJob")
    assert (job["state"], job["count"]) == ("Success", 2)
    assert job["fileName"].startswith("productsout_")
    assert download(old, job["fileId"]) == "SKU;Name\nI-1;\nI-2;Two\n"


def test_an_export_by_ids(old):
    old.served.seed({"records": {"Product": [{"id": "a", "sku": "1"}, {"id": "b", "sku": "2"}]}})
    add_export(old, "sku")
    run_export(old, ignoreFilter=True, entityFilterData={"ids": ["b"]})
    run_cron(old)
    [job] = list_records(old, "ExportJob")
    assert download(old, job["fileId"]) == "SKU\n2\n"


def test_wrong_runs_of_an_export_are_rejected(old):
    add_export(old)
    assert run_export(old).text == "noConfiguratorItems"
    column = {"exportFeedId": "unknown", "name": "sku", "type": "Field", "columnType": "internal"}
    assert old.call("POST", "/ExportConfiguratorItem", column).status_code == 404
    old.call("POST", "/ExportConfiguratorItem", {**column, "exportFeedId": "x"})
    assert run_export(old, entityFilterData=BY_KEY).status_code == 500
    assert run_export(old, id="unknown").status_code == 404


def test_an_export_has_no_file_before_its_end(old):
    old.served.seed({"jobs": [{"entity": "ExportJob", "values": {"id": "e", "fileId": None}, "running": 600}]})
    assert old.call("GET", "/ExportJob/e").json()["fileName"] is None
    [listed] = old.call("GET", "/ExportJob", params={"select": "state"}).json()["list"]
    assert "fileName" not in listed


def test_the_rows_of_an_export_feed_can_be_read_at_once(old):
    old.served.seed({"records": {"Product": [{"sku": "1"}, {"sku": "2"}]}})
    add_export(old, "sku")
    query = {"code": "out", "offset": 1}
    found = old.call("GET", "/ExportFeed/action/easyCatalog", params=query).json()
    assert found == {"total": 2, "urlColumns": [], "records": [{"SKU": "2"}]}
    assert old.call("GET", "/ExportFeed/action/easyCatalog", params={"code": "unknown"}).status_code == 404


def test_feeds_by_code_since_2_3(newest):
    newest.served.seed({"records": {"ImportFeed": [{"id": "f", "name": "In", "code": "in"}]}})
    assert newest.call("POST", "/ImportFeed/importData", {"code": "in", "json": [{"a": 1}]}).json() is True
    assert newest.call("POST", "/ImportFeed/importData", {"code": "unknown", "json": []}).status_code == 404
    assert [job["importFeedId"] for job in list_records(newest, "ImportJob")] == ["f"]
    for code, validity in (("in", "valid"), ("unknown", "invalid")):
        found = newest.call("GET", "/ImportFeed/verifyFeedByCode", params={"code": code}).json()
        assert found == {"message": f"Import Feed code is {validity}"}


def test_a_file_of_an_import_is_made_by_a_job_since_2_3(newest):
    job_id = newest.call("POST", "/ImportJob/unknown/generateFile", {"type": "errors"}).json()["queueItemId"]
    assert newest.call("GET", f"/Job/{job_id}").status_code == 200

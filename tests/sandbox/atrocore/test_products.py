"""Rules of products, brands and units of the fake AtroCore server."""

from __future__ import annotations

from base64 import b64encode


def create_file(client, file_id):
    contents = f"data:image/png;base64,{b64encode(file_id.encode()).decode()}"
    return client.call("POST", "/File", {"id": file_id, "name": f"{file_id}.png", "fileContents": contents})


def list_files(client):
    rows = client.call("GET", "/ProductFile", params={"sortBy": "fileId"}).json()["list"]
    return {row["fileId"]: row["isMainImage"] for row in rows if row["productId"] == "p"}


def test_the_main_image_is_one_of_the_files(queue):
    queue.create(id="p")
    create_file(queue, "f1")
    create_file(queue, "f2")
    changed = queue.call("PATCH", "/Product/p", {"mainImageId": "f1"}).json()
    assert (changed["mainImageId"], changed["mainImageName"]) == ("f1", "f1.png")
    queue.call("PATCH", "/Product/p", {"mainImageId": "f2"})
    assert list_files(queue) == {"f1": False, "f2": True}
    assert "f2" in queue.call("GET", "/Product/p").json()["mainImagePathsData"]["download"]
    queue.call("PATCH", "/Product/p", {"mainImageId": "f1"})
    assert list_files(queue) == {"f1": True, "f2": False}


def test_a_file_of_a_product_becomes_its_main_image(queue):
    queue.create(id="p")
    create_file(queue, "f1")
    body = {"productId": "p", "fileId": "f1"}
    file_id = queue.call("POST", "/ProductFile", body).json()["id"]
    assert queue.call("GET", "/Product/p").json()["mainImageId"] is None
    assert queue.call("POST", "/ProductFile", body).status_code == 400
    queue.call("PATCH", f"/ProductFile/{file_id}", {"isMainImage": True})
    assert queue.call("GET", "/Product/p").json()["mainImageId"] == "f1"


def test_an_unknown_main_image_is_no_file(queue):
    queue.create(id="p")
    queue.call("PATCH", "/Product/p", {"mainImageId": "unknown"})
    assert list_files(queue) == {}


def test_a_brand_in_use_cannot_be_deleted(queue):
    queue.served.seed({"records": {"Brand": [{"id": "b", "name": "B"}]}})
    queue.create(id="p", brandId="b")
    assert queue.call("DELETE", "/Brand/b").status_code == 400
    queue.call("DELETE", "/Product/p")
    assert queue.call("DELETE", "/Brand/b").json() is True


def test_the_first_unit_of_a_measure_is_its_main_unit(queue):
    measure = queue.call("POST", "/Measure", {"name": "Weight"}).json()["id"]
    values = {"measureId": measure, "multiplier": 1.0}
    units = [queue.call("POST", "/Unit", {"name": name, **values}).json() for name in ("kg", "g")]
    assert [unit["isMain"] for unit in units] == [True, False]


def test_a_value_with_a_unit_is_converted_into_all_units(queue):
    queue.served.seed({
        "records": {"Unit": [{"id": "cent", "name": "Cent", "measureId": "currency", "multiplier": 100.0}]}
    })
    queue.create(id="p")
    changed = queue.call("PATCH", "/Product/p", {"price": 2.0, "priceUnitId": "eur"}).json()
    assert (changed["priceAllUnits"]["EUR"], changed["priceAllUnits"]["Cent"]) == (2, 200)
    assert "priceAllUnits" not in queue.create(id="q", price=2.0).json()

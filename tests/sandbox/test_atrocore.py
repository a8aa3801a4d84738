"""The quirks of AtroCore that the stand-in imitates, asked for with nothing but requests."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
import requests

from self_hosted.sandbox.atrocore import Atrocore
from tests.conftest import Served

USER, PASSWORD = "airflow", "sandbox-password"


def encoded(user, secret):
    return b64encode(f"{user}:{secret}".encode()).decode()


class Client:
    """AtroCore as a client sees it, signed in."""

    def __init__(self, served: Served, dialect: str) -> None:
        self.served, self.dialect = served, dialect
        self.api = f"{served.base_url}/{'api' if dialect == '2.3' else 'api/v1'}"
        self.headers: dict[str, str] = {}

    def ask(self, method: str, path: str, body: Any = None, **arguments: Any) -> requests.Response:
        headers = {**self.headers, **arguments.pop("headers", {})}
        return requests.request(method, f"{self.api}{path}", json=body, headers=headers, timeout=10, **arguments)

    def login(self, password: str = PASSWORD, **headers: str) -> requests.Response:
        name, prefix = ("Espo-Authorization", "") if self.dialect == "espo" else ("Authorization", "Basic ")
        credential = {name: f"{prefix}{encoded(USER, password)}", **headers}
        path = "/userSession" if self.dialect == "2.3" else "/App/user"
        return requests.get(f"{self.api}{path}", headers=credential, timeout=10)

    def sign_in(self) -> Client:
        token = self.login().json()["token"]
        header = "Espo-Authorization" if self.dialect == "espo" else "Authorization-Token"
        self.headers = {header: encoded(USER, token)}
        return self

    def create(self, **values: Any) -> requests.Response:
        return self.ask("POST", "/Product", {"name": "Wheel", self.key: "W", self.status: "draft", **values})

    @property
    def key(self) -> str:
        return "sku" if self.dialect == "espo" else "number"

    @property
    def status(self) -> str:
        return "productStatus" if self.dialect == "espo" else "status"

    def upsert(self, *payloads: dict[str, Any]) -> list[dict[str, Any]]:
        path = "/upsert" if self.dialect == "2.3" else "/MassActions/action/upsert"
        items = [{"entity": "Product", "payload": payload} for payload in payloads]
        return self.ask("POST", path, items).json()  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def _served(serve: Callable[[Atrocore], Served]) -> Served:
    return serve(Atrocore())


@pytest.fixture
def served(_served: Served) -> Served:
    _served.reset()
    return _served


@pytest.fixture(params=["2.3", "1.x-2.2", "espo"])
def client(request, served) -> Client:
    served.seed({"dialect": request.param})
    return Client(served, request.param).sign_in()


@pytest.fixture
def newest(served) -> Client:
    return Client(served, "2.3").sign_in()


def of_core(served, core, dialect="1.x-2.2"):
    served.seed({"core": core})
    return Client(served, dialect).sign_in()


# the three dialects


@pytest.mark.parametrize(("dialect", "url"), [("2.3", "/api"), ("1.x-2.2", "/api/v1")])
def test_the_description_is_open_and_names_the_base_path(served, dialect, url):
    served.seed({"dialect": dialect})
    document = requests.get(f"{served.base_url}/openapi.json", timeout=10).json()
    assert document["servers"] == [{"url": url}]
    assert "Product" in document["components"]["schemas"]
    assert ("ProductPost" in document["components"]["schemas"]) == (dialect == "2.3")


def test_espo_has_no_description_and_no_upsert(served):
    served.seed({"dialect": "espo"})
    assert requests.get(f"{served.base_url}/openapi.json", timeout=10).status_code == 404
    client = Client(served, "espo").sign_in()
    assert client.ask("POST", "/MassActions/action/upsert", []).status_code == 404


def test_routes_of_other_dialects_are_unknown_before_anybody_signs_in(served):
    url = served.base_url
    assert requests.get(f"{url}/api/v1/Product", timeout=10).status_code == 404
    assert requests.get(f"{url}/api/userSession", timeout=10).status_code == 401
    served.seed({"dialect": "1.x-2.2"})
    assert requests.get(f"{url}/api/v1/Product", timeout=10).status_code == 401
    assert requests.get(f"{url}/api/userSession", timeout=10).status_code == 404


def test_put_is_gone_since_2_3(client):
    record_id = client.create().json()["id"]
    expected = 404 if client.dialect == "2.3" else 200
    assert client.ask("PUT", f"/Product/{record_id}", {"name": "Tyre"}).status_code == expected
    assert client.ask("PATCH", f"/Product/{record_id}", {"name": "Rim"}).status_code == 200


def test_the_upsert_came_with_1_4_114(served):
    path = "/MassActions/action/upsert"
    assert of_core(served, "1.4.113").ask("POST", path, []).status_code == 404
    assert of_core(served, "1.4.114").ask("POST", path, []).status_code == 200


def test_products_are_known_by_sku_before_2_0_28(served):
    assert of_core(served, "2.0.27").ask("POST", "/Product", {"name": "a", "sku": "W"}).json()["sku"] == "W"
    assert "sku" not in of_core(served, "2.0.28").ask("POST", "/Product", {"name": "a", "sku": "W"}).json()


# signing in


def test_a_login_earns_a_token_and_the_token_alone_opens_the_other_routes(client):
    assert client.ask("GET", "/Product").status_code == 200
    if client.dialect != "espo":
        basic = {"Authorization": f"Basic {encoded(USER, PASSWORD)}"}
        refused = requests.get(f"{client.api}/Product", headers=basic, timeout=10)
        assert (refused.status_code, refused.text) == (401, "Unauthorized")


def test_who_is_signed_in_needs_no_new_token(client):
    path = "/userSession" if client.dialect == "2.3" else "/App/user"
    assert client.ask("GET", path).json()["user"]["userName"] == USER
    assert client.served.tables()["tokens"] == [{"user": USER, "tokens": 1}]


def test_the_ready_made_token_came_with_1_3_12(served):
    assert "authorizationToken" not in of_core(served, "1.3.11").login().json()
    assert "authorizationToken" in of_core(served, "1.3.12").login().json()


def test_a_login_may_ask_for_the_token_alone(newest):
    assert list(newest.login(**{"Authorization-Token-Only": "true"}).json()) == ["authorizationToken"]


def test_espo_gives_no_token_without_its_own_header_and_one_for_every_password(served):
    served.seed({"dialect": "espo"})
    client = Client(served, "espo")
    basic = {"Authorization": f"Basic {encoded(USER, PASSWORD)}"}
    assert not client.ask("GET", "/App/user", headers=basic).json()["token"]
    for _ in range(3):
        client.ask("GET", "/Product", headers={"Espo-Authorization": encoded(USER, PASSWORD)})
    assert served.tables()["tokens"] == [{"user": USER, "tokens": 3}]


def test_sessions_end(client):
    client.served.end_sessions()
    assert client.ask("GET", "/Product", headers={"Espo-Authorization-By-Token": "true"}).status_code == 401


def test_more_than_ten_denied_logins_lock_out(newest):
    assert [newest.login("wrong").status_code for _ in range(12)] == [401] * 11 + [403]
    assert newest.login().headers["X-Status-Reason"] == "Max failed login attempts exceeded."
    assert newest.ask("GET", "/Product").status_code == 200


# errors


def test_errors_are_text_with_the_reason_in_a_header(client):
    answer = client.create(name="")
    assert answer.status_code == 400
    assert "name" in answer.headers["X-Status-Reason"]
    assert answer.headers["Content-Type"].startswith("text/html")
    # the founding dialect says it in the header alone
    assert answer.text == ("" if client.dialect == "espo" else answer.headers["X-Status-Reason"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/Product/none"),
        ("GET", "/Nothing"),
        ("POST", "/Product/none"),
        ("DELETE", "/Product/none"),
        ("GET", "/a/b/c"),
    ],
)
def test_what_is_not_there_is_404_without_text(client, method, path):
    answer = client.ask(method, path, {} if method == "POST" else None)
    assert (answer.status_code, answer.text) == (404, "")


def test_malformed_json_is_400(newest):
    answer = requests.post(f"{newest.api}/Product", data="{", headers=newest.headers, timeout=10)
    assert (answer.status_code, answer.text.partition(":")[0]) == (400, "JSON parsing failed")


def test_since_2_3_a_create_must_have_all_required_fields_and_the_right_types(newest):
    missing = newest.ask("POST", "/Product", {"name": "a", "number": "W"})
    assert missing.status_code == 400
    assert "Required property 'status' must be present in the object" in missing.text
    assert "Request [post /{entityName}]" in missing.text
    assert newest.create(price="1.5").status_code == 400
    assert newest.create(isActive=1).status_code == 400
    assert newest.create(price=True).status_code == 400


def test_an_update_that_changes_nothing_is_304(client):
    record_id = client.create(price=1).json()["id"]
    for values in ({"price": 1}, {"colour": "red"}, {"createdAt": "2020-01-01 00:00:00"}, {}):
        answer = client.ask("PATCH", f"/Product/{record_id}", values)
        assert (answer.status_code, answer.text) == (304, "")


def test_an_edit_conflict_is_409(newest):
    record_id = newest.create(price=1).json()["id"]
    conflicting = {"price": 3, "_prev": {"price": 2}}
    assert newest.ask("PATCH", f"/Product/{record_id}", conflicting).status_code == 409
    forced = {**conflicting, "_skipCheckForConflicts": True}
    assert newest.ask("PATCH", f"/Product/{record_id}", forced).status_code == 200


def test_the_answer_can_fail_the_servers_own_validation_after_the_work(newest):
    newest.served.seed({"faults": [{"kind": "response-validation"}]})
    answer = newest.create()
    assert answer.status_code == 400
    assert "for Response [post /Product 200]" in answer.text
    assert len(newest.served.tables()["products"]) == 1
    assert newest.create().status_code == 200


def test_a_create_can_end_in_500_and_leave_a_record(newest):
    newest.served.seed({"faults": [{"kind": "create-then-500", "times": 2}]})
    assert [newest.create().status_code for _ in range(3)] == [500, 500, 200]
    assert len(newest.served.tables()["products"]) == 3


# records


def test_numbers_are_text_right_after_a_create(client):
    created = client.create(price=1.5).json()
    assert (created["price"], created["quantity"]) == ("1.5", "0")
    read = client.ask("GET", f"/Product/{created['id']}").json()
    assert (read["price"], read["quantity"]) == (1.5, 0)


def test_products_have_no_unique_field_unless_an_admin_says_so(client):
    assert [client.create().status_code for _ in range(2)] == [200, 200]
    client.served.seed({"unique": {"Product": [client.key]}})
    assert client.create().status_code == 400


def test_own_ids_are_taken_once_and_revived_after_a_soft_delete(client):
    assert [client.create(id="own").status_code for _ in range(2)] == [200, 400]
    assert client.ask("DELETE", "/Product/own").json() is True
    assert client.ask("DELETE", "/Product/own").status_code == 404
    assert client.ask("GET", "/Product").json()["list"] == []
    assert client.create(id="own").status_code == 200


def test_a_permanent_delete_reaches_what_was_deleted_softly(newest):
    newest.create(id="own")
    newest.ask("DELETE", "/Product/own")
    permanently = {"permanently": "true"}
    assert newest.ask("DELETE", "/Product/own", headers=permanently).status_code == 200
    assert newest.ask("DELETE", "/Product/own", headers=permanently).status_code == 404


# upsert


def payload(key, **values):
    return {"number": key, "name": "Wheel", **values}


def test_an_upsert_answers_for_each_item(newest):
    first, second = payload("A", id="a"), payload("B", id="b", price="many")
    assert newest.upsert(first, second) == [
        {"status": "Created", "stored": True, "entity": "Product", "id": "a"},
        {"status": "Failed", "stored": False, "code": 400, "message": "price: valueIsNotNumber"},
    ]
    assert [result["status"] for result in newest.upsert(first, {**first, "price": "1.5"})] == [
        "NotModified",
        "Updated",
    ]
    assert newest.ask("GET", "/Product/a").json()["price"] == pytest.approx(1.5)


def test_an_upsert_revives(newest):
    newest.upsert(payload("A", id="a"))
    newest.ask("DELETE", "/Product/a")
    assert newest.upsert(payload("A", id="a"))[0]["status"] == "Created"


def test_an_upsert_without_id_makes_duplicates_unless_a_field_is_unique(newest):
    assert [newest.upsert(payload("A"))[0]["status"] for _ in range(2)] == ["Created", "Created"]
    newest.served.seed({"unique": {"Product": ["number"]}})
    assert newest.upsert(payload("A", price=1))[0]["status"] == "Updated"


def test_an_upsert_of_an_unknown_entity_fails_item_by_item(newest):
    answer = newest.ask("POST", "/upsert", [{"entity": "Prodct", "payload": {}}])
    assert (answer.status_code, answer.json()[0]["status"]) == (200, "Failed")


def test_before_2_3_the_whole_record_comes_back(served):
    result = of_core(served, "2.2.31").upsert(payload("A", id="a"))[0]
    assert (result["entity"]["id"], result["entity"]["name"]) == ("a", "Wheel")


def test_before_1_11_56_what_is_unchanged_has_failed(served):
    client = of_core(served, "1.11.55")
    item = {"sku": "A", "name": "Wheel", "id": "a"}
    assert [client.upsert(item)[0]["status"] for _ in range(2)] == ["Created", "Failed"]
    assert client.upsert(item)[0]["message"].startswith("Code: 304.")
    assert of_core(served, "1.11.56").upsert(item)[0]["status"] == "NotModified"


def test_before_1_10_61_an_item_without_id_overwrites_the_one_before_it(served):
    client = of_core(served, "1.10.60")
    client.upsert({"sku": "A", "name": "Wheel", "id": "a"})
    client.upsert({"sku": "A", "name": "Wheel", "id": "a", "price": 1}, {"sku": "B", "name": "Tyre"})
    assert client.ask("GET", "/Product/a").json()["sku"] == "B"


def test_a_poisoned_record_breaks_its_request_when_it_comes_to_it(newest):
    newest.served.seed({"poison": ["B"]})
    items = [{"entity": "Product", "payload": payload(key)} for key in "ABC"]
    assert newest.ask("POST", "/upsert", items).status_code == 500
    assert [product["number"] for product in newest.served.tables()["products"]] == ["A"]


# lists


@pytest.fixture
def wheels(newest):
    rows = [{"id": f"id-{n}", "number": f"W-{n}", "name": f"Wheel {n}", "price": n or None} for n in range(5)]
    newest.served.seed({"records": {"Product": rows}})
    return newest


def found(client, *conditions, **query):
    answer = client.ask("GET", "/Product", params={"where": json.dumps(conditions), **query})
    return [record["id"] for record in answer.json()["list"]]


def condition(kind, attribute="", value=None):
    return {"type": kind, "attribute": attribute, "value": value}


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        (condition("equals", "number", "W-1"), [1]),
        (condition("notEquals", "number", "W-1"), [0, 2, 3, 4]),
        (condition("in", "number", ["W-1", "W-3", "none"]), [1, 3]),
        (condition("notIn", "number", ["W-1", "W-3"]), [0, 2, 4]),
        (condition("isNull", "price"), [0]),
        (condition("isNotNull", "price"), [1, 2, 3, 4]),
        (condition("greaterThan", "price", 2), [3, 4]),
        (condition("lessThan", "price", "3"), [1, 2]),
        (condition("like", "name", "wheel 2%"), [2]),
        (condition("isFalse", "isActive"), [0, 1, 2, 3, 4]),
        (condition("isTrue", "isActive"), []),
        (condition("or", value=[condition("equals", "id", "id-0"), condition("equals", "id", "id-4")]), [0, 4]),
        (condition("not", value=[condition("equals", "id", "id-0")]), [1, 2, 3, 4]),
        (condition("and", value=[condition("equals", "id", "id-0"), condition("equals", "id", "id-4")]), []),
    ],
)
def test_lists_are_filtered(wheels, where, ids):
    assert found(wheels, where) == [f"id-{n}" for n in ids]


def test_an_unknown_type_is_dropped_and_everything_comes_back(wheels):
    assert len(found(wheels, condition("equal", "number", "W-1"))) == 5


def test_an_unknown_field_gives_500_with_sql(wheels):
    answer = wheels.ask("GET", "/Product", params={"where": json.dumps([condition("equals", "colour", "red")])})
    assert answer.status_code == 500
    assert "SQLSTATE" in answer.text


def test_filters_may_be_written_with_brackets(wheels):
    query = [
        ("where[0][type]", "or"),
        ("where[0][value][0][type]", "in"),
        ("where[0][value][0][attribute]", "number"),
        ("where[0][value][0][value][]", "W-1"),
        ("where[0][value][0][value][]", "W-2"),
        ("where[0][value][1][type]", "isNull"),
        ("where[0][value][1][attribute]", "price"),
    ]
    listed = wheels.ask("GET", "/Product", params=query).json()["list"]
    assert [record["id"] for record in listed] == ["id-0", "id-1", "id-2"]


def test_lists_have_pages_an_order_and_a_selection(wheels):
    query = {"maxSize": 2, "offset": 1, "sortBy": "number", "asc": "false", "select": "number"}
    assert wheels.ask("GET", "/Product", params=query).json() == {
        "total": 5,
        "list": [{"id": "id-3", "number": "W-3"}, {"id": "id-2", "number": "W-2"}],
    }
    assert wheels.ask("GET", "/Product", params={"totalOnly": "true"}).json() == {"total": 5}
    assert list(wheels.ask("GET", "/Product", params={"collectionOnly": "true"}).json()) == ["list"]


def test_espo_refuses_pages_of_more_than_200(served):
    served.seed({"dialect": "espo"})
    client = Client(served, "espo").sign_in()
    assert client.ask("GET", "/Product", params={"maxSize": 201}).status_code == 403
    assert client.ask("GET", "/Product", params={"maxSize": 200}).status_code == 200


# the page, and its speed


def test_the_page_shows_products_newest_first_and_no_secrets(wheels):
    tables = wheels.served.tables()
    assert [product["number"] for product in tables["products"]] == ["W-4", "W-3", "W-2", "W-1", "W-0"]
    assert tables["tokens"] == [{"user": USER, "tokens": 1}]
    assert wheels.headers["Authorization-Token"] not in json.dumps(tables)


def test_ten_thousand_products_are_a_matter_of_seconds(newest):
    start = time.perf_counter()
    for batch in range(100):
        results = newest.upsert(*(payload(f"P-{batch}-{n}", id=f"{batch}-{n}") for n in range(100)))
        assert {result["status"] for result in results} == {"Created"}
    for batch in range(100):
        keys = {"where[0][type]": "in", "where[0][attribute]": "number"}
        query = {**keys, "where[0][value][]": [f"P-{batch}-{n}" for n in range(100)]}
        assert len(newest.ask("GET", "/Product", params=query).json()["list"]) == 100
    assert time.perf_counter() - start < 20


def test_it_can_take_its_time_as_a_real_server_does(wheels):
    wheels.served.seed({"costs": {"request": 0.05, "written": 0.05, "listed": 0.05}})

    def seconds(work):
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    assert seconds(lambda: wheels.ask("GET", "/Product")) >= 0.05 + 5 * 0.05
    assert seconds(lambda: wheels.upsert(payload("A"), payload("B"))) >= 0.05 + 2 * 0.05


# background jobs


def job(served, entity, job_id, **course):
    served.seed({"jobs": [{"entity": entity, "values": {"id": job_id}, **course}]})


def feed(served, entity, *parts, **values):
    served.seed({"records": {entity: [{"id": "f", "name": "Prices", **values}]}, "runs": {"f": list(parts)}})


def state_of(client, entity, job_id):
    record = client.ask("GET", f"/{entity}/{job_id}").json()
    return record["status" if entity == "Job" else "state"]


def listed(client, entity):
    return client.ask("GET", f"/{entity}").json()["list"]


@pytest.fixture(params=["2.3", "1.x-2.2"])
def queue(request, served) -> Client:
    """A server that has a queue of jobs."""
    served.seed({"dialect": request.param})
    return Client(served, request.param).sign_in()


def run_import(client):
    if client.dialect == "2.3":
        return client.ask("POST", "/ImportFeed/f/runImport", {})
    return client.ask("POST", "/ImportFeed/action/runImport", {"importFeedId": "f"})


def export_file(client):
    if client.dialect == "2.3":
        return client.ask("POST", "/ExportFeed/f/exportFile", {})
    return client.ask("POST", "/ExportFeed/action/exportFile", {"id": "f"})


def test_the_queue_came_with_core_1_12(served):
    assert of_core(served, "1.11.61").ask("GET", "/Job").status_code == 404
    assert of_core(served, "1.12.0").ask("GET", "/Job").json()["list"] == []


@pytest.mark.parametrize("entity", ["Job", "ImportJob", "ExportJob"])
def test_a_job_is_pending_then_running_then_what_it_ends_as(served, queue, entity):
    job(served, entity, "j", pending=0.2, running=0.2, **{"status" if entity == "Job" else "state": "Failed"})
    seen = []
    while "Failed" not in seen:
        seen.append(state_of(queue, entity, "j"))
        time.sleep(0.02)
    assert list(dict.fromkeys(seen)) == ["Pending", "Running", "Failed"]


def test_without_cron_a_job_stays_pending_and_the_server_says_why(served, newest):
    served.seed({"cron": False})
    job(served, "Job", "j", running=0)
    assert state_of(newest, "Job", "j") == "Pending"
    assert newest.ask("GET", "/checkBackgroundProcessing").json() is False
    served.seed({"cron": True})
    assert state_of(newest, "Job", "j") == "Success"
    assert newest.ask("GET", "/checkBackgroundProcessing").json() is True


@pytest.mark.parametrize(("core", "status"), [("2.3.13", 404), ("2.3.14", 200)])
def test_whether_cron_runs_is_told_since_2_3_14(served, core, status):
    assert of_core(served, core, "2.3").ask("GET", "/checkBackgroundProcessing").status_code == status


def test_a_run_of_a_feed_answers_true_and_names_no_job(served, queue):
    feed(served, "ImportFeed", {"running": 0, "createdCount": 3})
    assert run_import(queue).json() is True
    [found] = listed(queue, "ImportJob")
    assert (found["importFeedId"], found["state"], found["createdCount"]) == ("f", "Success", 3)


def test_a_run_of_a_feed_that_does_not_exist_is_unknown(queue):
    assert run_import(queue).status_code == 404
    assert export_file(queue).status_code == 404


def test_an_import_may_be_split_and_is_a_success_when_one_part_is(served, queue):
    feed(served, "ImportFeed", {"running": 0.1}, {"running": 0.1, "state": "Failed"})
    served.seed({"cron": False})
    run_import(queue)
    [parent] = listed(queue, "ImportJob")  # its parts are made by a job
    assert (parent["state"], [found["type"] for found in listed(queue, "Job")]) == ("Pending", ["ImportJobCreator"])
    served.seed({"cron": True})
    found = {one["id"]: one["state"] for one in listed(queue, "ImportJob")}
    assert found == dict.fromkeys(found, "Running")
    assert len(found) == 3
    time.sleep(0.1)
    assert sorted(one["state"] for one in listed(queue, "ImportJob")) == ["Failed", "Success", "Success"]
    assert state_of(queue, "ImportJob", parent["id"]) == "Success"


def test_the_jobs_of_an_export_are_made_in_the_background(served, queue):
    feed(served, "ExportFeed", {"running": 0, "count": 5}, {"running": 0, "count": 2})
    served.seed({"cron": False})
    assert export_file(queue).json() is True
    assert listed(queue, "ExportJob") == []
    [creator] = listed(queue, "Job")
    assert (creator["type"], creator["payload"]) == ("ExportJobCreator", {"feed": {"id": "f"}})
    served.seed({"cron": True})
    assert [(found["state"], found["count"]) for found in listed(queue, "ExportJob")] == [
        ("Success", 5),
        ("Success", 2),
    ]


def test_an_inactive_feed_exports_nothing_and_says_so(served, queue):
    feed(served, "ExportFeed", isActive=False)
    assert export_file(queue).json() is False
    assert listed(queue, "Job") == []


def test_counters_tell_what_the_record_does_not(served, queue):
    served.seed({"counters": {"i": {"createdCount": 4}}})
    job(served, "ImportJob", "i", running=0, createdCount=None, errorsCount=1)
    assert listed(queue, "ImportJob")[0]["createdCount"] is None
    assert queue.ask("GET", "/ImportJob/i/recordCounters").json() == {
        "id": "i",
        "state": "Success",
        "createdCount": 4,
        "updatedCount": 0,
        "deletedCount": 0,
        "skippedCount": 0,
        "errorsCount": 1,
    }


def test_only_what_is_under_way_can_be_cancelled(served, newest):
    job(served, "ExportJob", "e", running=99)
    job(served, "ExportJob", "done", running=0)
    assert newest.ask("POST", "/ExportJob/e/cancel").json() is True
    assert newest.ask("POST", "/ExportJob/e/cancel").json() is False
    assert newest.ask("POST", "/ExportJob/done/cancel").json() is False
    assert [state_of(newest, "ExportJob", job_id) for job_id in ("e", "done")] == ["Canceled", "Success"]


def test_export_jobs_can_be_cancelled_since_2_3(served):
    client = of_core(served, "2.2.31")
    job(served, "ExportJob", "e", running=99)
    assert client.ask("POST", "/ExportJob/e/cancel").status_code == 404


def test_old_jobs_are_purged(served, queue):
    job(served, "Job", "done", running=0)
    job(served, "Job", "running", running=99)
    assert len(listed(queue, "Job")) == 2
    served.seed({"purge": True})
    assert [found["id"] for found in listed(queue, "Job")] == ["running"]


def test_jobs_are_shown_on_the_page(served):
    job(served, "ExportJob", "e", running=99)
    [row] = served.tables()["jobs"]
    assert (row["entity"], row["state"], row["id"]) == ("ExportJob", "Running", "e")

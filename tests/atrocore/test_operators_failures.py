"""The sync operator when rows fail, and when the server does."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.core.http.errors import SelfHostedError, ServerError, UnavailableError
from tests.atrocore.conftest import counts, products, rows
from tests.task_logs import clock

__all__ = ["clock"]

pytestmark = pytest.mark.usefixtures("clock")  # after a lost response, records are read until the server is quiet

EAN, INVALID_EAN = "4006381333931", "12"

# failure threshold


@pytest.mark.parametrize(
    ("fail_on", "fails"), [("any", True), ("never", False), (0.5, False), ("0.2", True), (0, True)]
)
def test_the_task_fails_after_all_other_rows_are_done(served, sync, fail_on, fails):
    given = [*rows(3), {"number": "bad", "name": "a", "ean": INVALID_EAN}]
    if fails:
        with pytest.raises(
            AirflowFailException,
            match=r"1 of 4 rows are not stored as planned, the first with the key bad: failed: .*ean",
        ):
            sync(given, fail_on=fail_on)
    else:
        [problem] = sync(given, fail_on=fail_on)["problems"]
        assert (problem["key"], problem["result"], problem["row"]) == ("bad", "failed", 4)
    assert len(products(served)) == 3


def test_a_failure_that_may_pass_is_left_to_the_tasks_retries(served, sync):
    served.seed({"poison": ["W-1"]})
    with pytest.raises(ServerError, match="1 of 3 rows are not stored as planned"):
        sync(rows(3))


# errors of the server


def test_a_record_that_makes_its_batch_fail_does_not_affect_others(served, sync):
    served.seed({"poison": ["W-77"]})
    result = sync(rows(150), fail_on="never")
    assert counts(result) == {"created": 149, "failed": 1}
    assert "SQLSTATE[22P02]" in result["problems"][0]["message"]
    assert len(products(served)) == 149


@pytest.mark.parametrize("dialect", ["2.3", "1.x-2.2"])
def test_a_row_whose_unique_value_another_record_has_never_succeeds(served, sync, dialect):
    served.seed({"dialect": dialect})
    served.seed({"unique": {"Product": ["ean"]}, "records": {"Product": [{"number": "X", "ean": EAN, "id": "x"}]}})
    result = sync([{"number": "A", "name": "a", "ean": EAN}, *rows(2)], fail_on="never")
    assert counts(result) == {"created": 2, "failed": 1}
    assert "AtroCore changed the record x instead" in result["problems"][0]["message"]


def test_without_upsert_a_used_unique_value_is_rejected(served, sync):
    records = {"Product": [{"sku": "X", "ean": EAN}]}
    served.seed({"dialect": "espo", "unique": {"Product": ["ean"]}, "records": records})
    given = [{"sku": "A", "name": "a", "ean": EAN}, {"sku": "B", "name": "b"}]
    result = sync(given, key_field="sku", fail_on="never")
    assert counts(result) == {"created": 1, "failed": 1}
    assert "database constraints" in result["problems"][0]["message"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop"},
        {"kind": "status", "status": 502},
        {"kind": "status", "status": 500, "body": "Allowed memory size exhausted"},
        {"kind": "status", "status": 413},
    ],
)
@pytest.mark.parametrize("size", [1, 5, 30])
def test_a_batch_with_a_lost_response_takes_effect_once(served, sync, fault, size):
    served.fail(**fault, method="POST", path="/api/upsert")
    is_refused = fault.get("status") == 413 and size == 1
    result = sync(rows(size), fail_on="never")
    assert counts(result) == ({"failed": 1} if is_refused else {"created": size})
    assert counts(sync(rows(size))) == ({"created": 1} if is_refused else {"unchanged": size})
    assert len(products(served)) == size


def test_requests_are_repeated_while_the_server_is_unavailable(served, sync):
    served.fail("status", method="POST", path="/api/upsert", status=503, headers={"Retry-After": "0"})
    assert counts(sync(rows(3))) == {"created": 3}


def test_a_response_that_fails_the_servers_own_validation_is_no_failure(served, sync):
    served.seed({"faults": [{"kind": "response-validation"}]})
    assert counts(sync(rows(3))) == {"created": 3}
    served.seed({"faults": [{"kind": "response-validation"}]})
    assert counts(sync(rows(3, price=9))) == {"updated": 3}


def test_after_a_timeout_completed_changes_are_read_back(served, connect, sync):
    connect("atrocore_default", served.connection(extra={"read_timeout": 1}))
    served.fail("slow_after", method="POST", path="/api/upsert", seconds=1.5)
    assert counts(sync(rows(3))) == {"created": 3}


@pytest.mark.parametrize("fault", ["create-then-500", "response-validation"])
def test_one_by_one_a_create_that_seems_to_fail_is_read_back(served, sync, fault):
    served.seed({"dialect": "espo", "faults": [{"kind": fault}]})
    catalogue = [{"sku": f"W-{n}", "name": "Wheel"} for n in range(3)]
    assert counts(sync(catalogue, key_field="sku")) == {"created": 3}
    assert counts(sync(catalogue, key_field="sku")) == {"unchanged": 3}


def test_one_by_one_a_create_with_a_lost_response_is_read_back(served, sync):
    served.seed({"dialect": "espo"})
    served.fail("drop", method="POST", path="/api/v1/Product")
    assert counts(sync([{"sku": f"W-{n}", "name": "Wheel"} for n in range(3)], key_field="sku")) == {"created": 3}
    assert len(served.tables()["products"]) == 3


def test_a_session_that_expires_during_the_sync_is_renewed(served, sync):
    served.fail("status", method="POST", path="/api/upsert", status=401, body="Unauthorized")
    assert counts(sync(rows(3))) == {"created": 3}


def test_a_retry_continues_an_interrupted_sync(served, connect, sync):
    connect("atrocore_default", served.connection(extra={"retry_timeout": 0}))
    sync(rows(1))
    served.fail("status", method="POST", path="/api/upsert", status=503, times=1)
    with pytest.raises(UnavailableError):
        sync(rows(20), batch_size=10)
    assert counts(sync(rows(20), batch_size=10, try_number=2)) == {"created": 19, "unchanged": 1}


def test_the_sync_ends_if_all_changes_of_the_first_batch_fail(served, sync):
    served.fail("status", method="POST", path="/api/upsert", status=500, times=1000)
    with pytest.raises(SelfHostedError):
        sync(rows(300), batch_size=100)
    assert served.tables()["products"] == []

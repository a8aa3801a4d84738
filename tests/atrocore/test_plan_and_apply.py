"""A sync in two tasks: a plan is written, and applied later exactly as it is."""

from __future__ import annotations

import json

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.atrocore.hook import AtrocoreHook
from self_hosted.atrocore.operators import AtrocoreSyncRecordsApplyOperator
from self_hosted.core.http.errors import SelfHostedError
from self_hosted.sandbox.atrocore import Atrocore
from tests.atrocore.conftest import counts, products, rows
from tests.context import context


def change_product(served, key, **values):
    """Somebody else changes a product."""
    AtrocoreHook().update_record("Product", products(served)[key]["id"], values)


def test_a_plan_sends_nothing_and_its_apply_sends_all_of_it(served, sync, plan, apply, dialect):
    key = "sku" if dialect == "espo" else "number"
    given = [{key: f"W-{n}", "name": f"Wheel {n}", "price": n / 2} for n in range(30)]
    sync(given[:20], key_field=key)
    before = products(served)
    changed = [{**row, "price": 7} for row in given]
    planned = plan(changed, key_field=key)
    assert counts(planned) == {"create": 10, "update": 19, "unchanged": 1}
    assert (planned["entity"], planned["changes"], planned["total"]) == ("Product", 29, 30)
    assert products(served) == before

    result = apply(planned)
    assert counts(result) == {"created": 10, "updated": 19, "unchanged": 1}
    assert {product["price"] for product in products(served).values()} == {7}
    assert counts(sync(changed, key_field=key)) == {"unchanged": 30}


def test_a_plan_can_be_applied_twice_without_harm(served, plan, apply):
    planned = plan(rows(30))
    assert counts(apply(planned)) == {"created": 30}
    before = products(served)
    assert counts(apply(planned)) == {"unchanged": 30}
    assert products(served) == before


def test_a_compressed_plan_is_applied(plan, apply, tmp_path):
    assert counts(apply(plan(rows(3), plan_uri=f"file://{tmp_path}/new folder/plan.jsonl.gz"))) == {"created": 3}


def test_the_result_of_a_plan_fits_into_approval_and_apply(plan, tmp_path):
    planned = plan([*rows(2), {"number": "A", "name": "a", "price": "a lot"}])
    assert planned["plan_uri"] == str(tmp_path / "plan.jsonl")
    assert planned["shards"] == [{"plan_uri": planned["plan_uri"], "sha256": planned["sha256"]}]
    assert [(problem["key"], problem["result"]) for problem in planned["problems"]] == [("A", "failed")]
    assert "create `W-0`" in planned["summary"]
    assert json.loads(json.dumps(planned)) == planned


def test_rows_that_failed_in_the_plan_fail_in_the_apply(served, plan, apply):
    planned = plan([*rows(2), {"number": "A", "name": "a", "price": "a lot"}])
    with pytest.raises(AirflowFailException, match="1 of 3 rows are not stored as planned, the first with the key A"):
        apply(planned)
    assert set(products(served)) == {"W-0", "W-1"}
    result = apply(planned, fail_on=0.5)
    assert counts(result) == {"unchanged": 2, "failed": 1}
    assert result["problems"][0]["message"].startswith("price: 'a lot' is not a number")


# conflicts


def test_a_record_that_was_changed_after_the_plan_is_a_conflict(served, sync, plan, apply, dialect):
    key = "sku" if dialect == "espo" else "number"
    given = [{key: f"W-{n}", "name": "Wheel", "price": 1} for n in range(3)]
    sync(given, key_field=key)
    planned = plan([{**row, "price": 2} for row in given], key_field=key)
    change_product(served, "W-1", price=99)
    change_product(served, "W-2", price=2)
    result = apply(planned, fail_on="never")
    assert counts(result) == {"updated": 1, "unchanged": 1, "conflict": 1}
    assert [(problem["key"], problem["result"]) for problem in result["problems"]] == [("W-1", "conflict")]
    assert [product["price"] for _, product in sorted(products(served).items())] == [2, 99, 2]


@pytest.mark.parametrize(
    ("on_conflict", "expected", "price"), [("skip", {"skipped": 1}, 99), ("overwrite", {"updated": 1}, 2)]
)
def test_a_conflict_is_skipped_or_overwritten_if_wanted(served, sync, plan, apply, on_conflict, expected, price):
    sync(rows(1, price=1))
    planned = plan(rows(1, price=2))
    change_product(served, "W-0", price=99)
    assert counts(apply(planned, on_conflict=on_conflict)) == expected
    assert products(served)["W-0"]["price"] == price


def test_a_field_that_the_plan_does_not_change_may_change(served, sync, plan, apply):
    sync(rows(1, price=1))
    planned = plan(rows(1, price=2))
    change_product(served, "W-0", note="of somebody else")
    assert counts(apply(planned)) == {"updated": 1}


def test_a_product_that_somebody_created_meanwhile_is_a_conflict(served, plan, apply):
    planned = plan(rows(2))
    served.seed({"records": {"Product": [{"id": "other", "number": "W-1", "name": "of somebody else"}]}})
    result = apply(planned, fail_on="never")
    assert counts(result) == {"created": 1, "conflict": 1}
    assert [product["name"] for product in served.tables()["products"] if product["number"] == "W-1"] == [
        "of somebody else"
    ]


# other plans and other targets


def test_another_plan_than_the_approved_one_is_rejected(served, plan, apply):
    planned = plan(rows(2))
    with pytest.raises(AirflowFailException, match="SHA-256"):
        apply({**planned, "sha256": "0" * 64})
    with open(planned["plan_uri"], "a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(AirflowFailException, match=planned["plan_uri"]):
        apply(planned)
    assert products(served) == {}


@pytest.mark.parametrize("sha256", ["None", "", "abc", "g" * 64])
def test_a_missing_result_in_place_of_the_hash_is_rejected(served, plan, apply, sha256):
    with pytest.raises(AirflowFailException, match="sha256 must be the SHA-256 of the plan"):
        apply({**plan(rows(2)), "sha256": sha256})
    assert products(served) == {}


def test_a_rendered_hash_that_is_none_is_rejected(served, plan):
    operator = AtrocoreSyncRecordsApplyOperator(
        task_id="apply", entity="Product", plan_uri=plan(rows(2))["plan_uri"], sha256="{{ ti.xcom_pull('none') }}"
    )
    operator.sha256 = None  # rendered
    with pytest.raises(AirflowFailException, match="sha256 must be the SHA-256 of the plan"):
        operator.execute(context(operator))
    assert products(served) == {}


def test_a_missing_plan_fails_the_task(apply, tmp_path):
    with pytest.raises((AirflowFailException, FileNotFoundError), match="plan"):
        apply({"plan_uri": str(tmp_path / "none.jsonl"), "sha256": None})


def test_a_plan_for_another_entity_is_rejected(served, plan):
    planned = plan(rows(2))
    operator = AtrocoreSyncRecordsApplyOperator(task_id="apply", entity="Brand", plan_uri=planned["plan_uri"])
    with pytest.raises(AirflowFailException, match="entity: the plan is about 'Product', not 'Brand'"):
        operator.execute(context(operator))
    assert products(served) == {}


def test_a_plan_for_another_server_is_rejected(served, serve, connect, plan, apply):
    planned, other = plan(rows(2)), serve(Atrocore())
    connect("atrocore_other", other.connection())
    with pytest.raises(AirflowFailException, match=r"the plan is for the target .*, not .*make a new plan"):
        apply(planned, atrocore_conn_id="atrocore_other")
    assert products(served) == products(other) == {}


def test_a_plan_keeps_key_scope_and_fields(served, sync, plan, apply):
    scope = [{"type": "startsWith", "attribute": "name", "value": "Wheel"}]
    row = {"Nummer": "A", "Titel": "Wheel", "Preis": "1,5", "Rest": "x"}
    fields = {"Nummer": "number", "Titel": "name", "Preis": "price"}
    assert counts(apply(plan([row], fields=fields, decimal=",", scope=scope))) == {"created": 1}
    assert products(served)["A"]["price"] == pytest.approx(1.5)


# one plan per run


def test_a_retry_of_a_plan_accepts_the_equal_plan_of_the_earlier_try(plan):
    first = plan(rows(3))
    assert plan(rows(3)) == first


def test_another_plan_in_the_same_run_is_rejected_and_the_first_one_stays(served, plan, apply):
    first = plan(rows(3))
    with pytest.raises(AirflowFailException, match=r"another plan, made .* exists at .*trigger a new run"):
        plan(rows(4))
    assert counts(apply(first)) == {"created": 3}
    assert len(products(served)) == 3


def test_a_sync_in_one_task_may_replace_the_plan_of_its_earlier_try(sync, tmp_path):
    plan_uri = tmp_path / "plan.jsonl"
    assert sync(rows(2), plan_uri=plan_uri)["plan_uri"] == str(plan_uri)
    assert counts(sync(rows(3), plan_uri=plan_uri)) == {"created": 1, "unchanged": 2}
    header, *lines, _ = map(json.loads, plan_uri.read_text().splitlines())
    assert header["counts"]["create"] == len(lines) == 1


# shards


def test_a_plan_in_shards_is_applied_by_one_task_each(served, plan, apply, tmp_path):
    given = [*rows(40), {"number": "A", "name": "a", "price": "a lot"}]
    planned = plan(given, shards=4, plan_uri=tmp_path / "plan-{shard}.jsonl")
    assert planned["changes"] == 40
    assert len(planned["shards"]) == len({shard["plan_uri"] for shard in planned["shards"]}) == 4
    results = [apply(shard, fail_on="never") for shard in planned["shards"]]
    assert sum(result["created"] for result in results) == len(products(served)) == 40
    assert sum(result["failed"] for result in results) == 1


def test_a_shard_is_resumed_like_a_plan(served, connect, plan, apply):
    connect("atrocore_default", served.connection(extra={"retry_timeout": 0}))
    first, second = plan(rows(80), shards=2)["shards"]
    apply(first)
    served.fail("status", method="POST", path="/api/upsert", status=503)
    with pytest.raises(SelfHostedError):
        apply(second)
    apply(second, try_number=2)
    assert len(products(served)) == 80

"""A plan with relations, attributes, units and files is applied later, by another task."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.atrocore.operators.sync_records import (
    AtrocoreSyncRecordsApplyOperator,
    AtrocoreSyncRecordsPlanOperator,
)
from self_hosted.core.sync.fields import Attribute, File, Number, Relation
from tests.context import context

DELETED_LATER = "a file of the source"


@pytest.fixture
def plan(site, tmp_path):
    """Plan a product with all kinds of fields; return the result of the plan."""
    site.add("Category", "tables")
    measure = site.add("Measure", "weight")
    site.add("Unit", "kg", measureId=measure, multiplier=1)
    code = site.add_attribute("weight", "float", measureId=measure)
    path = tmp_path / f"{site.prefix}.txt"
    path.write_text(DELETED_LATER)
    fields = [
        Relation("categories"),
        Attribute(code, column="weight", unit=site.code("kg")),
        Number("price", unit="EUR"),
        File("mainImage", column="image"),
    ]
    row = site.row("1", categories=site.code("tables"), weight="2,5", price=3, image=str(path))
    operator = AtrocoreSyncRecordsPlanOperator(
        task_id="plan",
        entity="Product",
        key_field=site.key,
        source=[row],
        fields=site.fields(*fields),
        plan_uri=str(tmp_path / "plan.jsonl"),
        atrocore_conn_id=site.conn_id,
    )
    site.created.append(("Product", site.ref("1")))
    return operator.execute(context(operator))


def apply(site, plan):
    operator = AtrocoreSyncRecordsApplyOperator(
        task_id="apply",
        entity="Product",
        plan_uri=plan["plan_uri"],
        sha256=plan["sha256"],
        atrocore_conn_id=site.conn_id,
    )
    return operator.execute(context(operator))


def test_the_plan_sends_nothing_and_is_applied_once(site, plan):
    assert plan["create"] == 1
    where = [{"type": "equals", "attribute": site.key, "value": f"{site.prefix}-1"}]
    assert site.hook.list_records("Product", where) == []
    assert apply(site, plan)["created"] == 1
    assert site.related("1") == [site.id("tables")]
    assert site.record("1")["priceUnitId"] == "eur"
    assert apply(site, plan)["unchanged"] == 1


def test_a_file_that_was_changed_after_the_approval_is_not_uploaded(site, plan, tmp_path):
    (tmp_path / f"{site.prefix}.txt").write_text("something else")
    with pytest.raises(AirflowFailException, match="was changed since it was compared"):
        apply(site, plan)

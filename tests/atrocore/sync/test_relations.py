"""Relations: named by code or name, replaced or added, created if they are missing, and parents before children."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.core.sync.fields import Relation


def test_records_are_related_by_code_and_the_second_sync_plans_nothing(site):
    tables, chairs = site.add("Category", "tables"), site.add("Category", "chairs")
    rows = [
        site.row("1", categories=f"{site.code('tables')}|{site.code('chairs')}"),
        site.row("2", categories=site.code("chairs")),
        site.row("3", categories=None),
    ]
    declared = Relation("categories", by="code")
    assert site.sync(rows, declared) == {"created": 3}
    assert (site.related("1"), site.related("2"), site.related("3")) == ([chairs, tables], [chairs], [])
    assert site.sync(rows, declared) == {"unchanged": 3}


def test_relations_are_replaced_by_what_the_row_names(site):
    tables, chairs = site.add("Category", "tables"), site.add("Category", "chairs")
    declared = Relation("categories", by="code", separator=";")
    assert site.sync([site.row("1", categories=f"{site.code('tables')};{site.code('chairs')}")], declared) == {
        "created": 1
    }
    row = site.row("1", categories=site.code("chairs"))
    assert site.sync([row], declared) == {"updated": 1}
    assert site.related("1") == [chairs]
    row = site.row("1", categories="")
    assert site.sync([row], declared) == {"unchanged": 1}
    assert site.sync([row], Relation("categories", by="code", empty="clear")) == {"updated": 1}
    assert site.related("1") == []
    assert tables != chairs


def test_added_relations_leave_others_alone(site):
    tables, chairs = site.add("Category", "tables"), site.add("Category", "chairs")
    assert site.sync([site.row("1", categories=site.code("tables"))], Relation("categories")) == {"created": 1}
    row, declared = site.row("1", categories=site.code("chairs")), Relation("categories", mode="add")
    assert site.sync([row], declared) == {"updated": 1}
    assert site.related("1") == [chairs, tables]
    assert site.sync([row], declared) == {"unchanged": 1}


def test_one_record_is_related_by_name(site):
    brand = site.add("Brand", "acme")
    declared = Relation("brand", by="name")
    rows = [site.row("1", brand=f"{site.prefix} acme"), site.row("2", brand="")]
    assert site.sync(rows, declared) == {"created": 2}
    assert site.record("1")["brandId"] == brand
    assert site.sync(rows, declared) == {"unchanged": 2}


def test_a_row_that_names_an_unknown_record_fails_alone(site):
    site.add("Category", "tables")
    rows = [site.row("1", categories=f"{site.code('tables')}|nowhere"), site.row("2", categories=site.code("tables"))]
    assert site.sync(rows, Relation("categories")) == {"created": 1, "failed": 1}
    assert "'nowhere' names no record; give the code of one, or set missing='create'" in site.problems()


def test_missing_records_are_created_once_with_all_that_they_need(site):
    by_code = Relation("categories", by="code", missing="create")
    by_name = Relation("brand", by="name", missing="create")
    rows = [
        site.row("1", categories=f"{site.code('new')}|{site.code('other')}", brand=site.code("brand")),
        site.row("2", categories=site.code("new"), brand=site.code("brand")),
    ]
    for entity, name in (("Category", "new"), ("Category", "other"), ("Brand", "brand")):
        site.created.append((entity, site.ref(site.code(name), entity)))
    assert site.sync(rows, by_code, by_name)["created"] == 2 + 3
    new = site.hook.get_record("Category", site.ref(site.code("new"), "Category"))
    assert (new["code"], new["name"]) == (site.code("new"), site.code("new"))
    assert len(site.related("1")) == 2
    assert site.record("2")["brandId"] == site.ref(site.code("brand"), "Brand")
    assert site.sync(rows, by_code, by_name) == {"unchanged": 2}


def test_a_relation_by_an_unknown_field_is_rejected_with_similar_ones(site):
    with pytest.raises(AirflowFailException, match=r"categories names records by 'nmae', but Category .* one of name"):
        site.sync([site.row("1", categories="a")], Relation("categories", by="nmae"))


def test_a_tree_is_created_from_its_root(site):
    declared = ["code", "name", *(["nameDeDe"] if site.is_multilingual else []), Relation("parent", by="code")]
    names = {"nameDeDe": "Ding"} if site.is_multilingual else {}
    rows = [
        {"code": site.code("leaf"), "name": "leaf", "parent": site.code("branch"), **names},
        {"code": site.code("branch"), "name": "branch", "parent": site.code("root"), **names},
        {"code": site.code("root"), "name": "root", "parent": None, **names},
    ]
    assert site.sync(rows, *declared, entity="Category", key_field="code") == {"created": 3}
    root, branch, leaf = (site.ref(site.code(name), "Category") for name in ("root", "branch", "leaf"))
    assert site.parent("Category", leaf) == branch
    assert site.parent("Category", branch) == root
    assert site.sync(rows, *declared, entity="Category", key_field="code") == {"unchanged": 3}
    moved = [{**rows[0], "parent": site.code("root")}, *rows[1:]]
    assert site.sync(moved, *declared, entity="Category", key_field="code") == {"updated": 1, "unchanged": 2}
    assert site.parent("Category", leaf) == root


def test_products_have_parents(site):
    declared = Relation("parent", by=site.key)
    rows = [site.row("child", parent=f"{site.prefix}-whole"), site.row("whole")]
    assert site.sync(rows, declared) == {"created": 2}
    assert site.parent("Product", site.ref("child")) == site.ref("whole")
    assert site.sync(rows, declared) == {"unchanged": 2}

"""The quality file: complete, and every ``done`` has a test as evidence."""

from __future__ import annotations

import pytest

from tests.meta.rules.quality import (
    RULES,
    format_quality_table,
    has_test,
    list_entry_problems,
    list_quality_violations,
    load_quality,
)
from tests.meta.source import PRODUCTS, assert_none

pytestmark = pytest.mark.meta
KNOWN = "tests/known.py::test_known"


def test_every_product_has_every_rule_and_every_evidence_exists():
    assert_none(list_quality_violations(load_quality(), has_test))


class TestRule:
    """The rule reports a violation."""

    def test_a_complete_file_is_accepted(self):
        quality = {product: dict.fromkeys(RULES, "todo") for product in PRODUCTS}
        assert list_quality_violations(quality, has_test) == []

    def test_missing_and_unknown_rules_and_products_are_reported(self):
        quality = {product: dict.fromkeys(RULES, "todo") for product in PRODUCTS if product != "ayon"}
        del quality["rudder"]["links"]
        quality["rudder"]["beauty"] = "todo"
        assert list_quality_violations(quality, has_test) == [
            "ayon: missing",
            "rudder.links: missing",
            "rudder.beauty: unknown rule",
        ]

    @pytest.mark.parametrize(
        ("rule", "entry", "problem"),
        [
            ("links", "perhaps", "'perhaps' is neither todo nor done nor exempt"),
            ("links", {"exempt": ""}, "exempt without a reason"),
            ("links", {"done": "tests/a.py::test_b"}, "the test tests/a.py::test_b does not exist"),
            ("links", {"done": []}, "done without a test"),
            ("live_contract_tests", {"done": KNOWN, "version": "4.6", "date": "2026-01-01"}, "lacks the field count"),
        ],
    )
    def test_a_malformed_entry_is_reported(self, rule, entry, problem):
        assert list_entry_problems(rule, entry, lambda test: test == KNOWN) == [problem]

    @pytest.mark.parametrize(
        "entry", ["todo", {"exempt": "the product has none"}, {"done": ["a::test_b", "c::test_d"]}]
    )
    def test_a_well_formed_entry_is_accepted(self, entry):
        assert list_entry_problems("links", entry, lambda test: True) == []

    def test_a_test_exists_if_its_file_defines_it(self, tmp_path):
        source = (
            "def test_a(): ...\nclass TestB:\n    def test_c(self): ...\nasync def test_d(): ...\ndef helper(): ...\n"
        )
        (tmp_path / "test_x.py").write_text(source)
        assert all(has_test(f"test_x.py::{name}", tmp_path) for name in ("test_a", "TestB::test_c", "test_d"))
        missing = (
            "test_x.py::test_z",
            "test_x.py::test_c",
            "test_x.py::helper",
            "test_x.py::TestB",
            "test_x.py",
            "y.py::test_a",
        )
        assert [name for name in missing if has_test(name, tmp_path)] == []

    def test_the_table_shows_each_state(self):
        entries = {"sign_ins": {"done": "a::test_b"}, "links": {"exempt": "the product has no pages"}}
        table = format_quality_table({"rudder": entries}).splitlines()
        assert table[0] == "| rule | Rudder |"
        assert "| sign-ins | done |" in table
        assert "| links | exempt |" in table
        assert "| lineage | todo |" in table
        assert len(table) == len(RULES) + 2

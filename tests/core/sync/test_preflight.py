"""Findings: counted by kind, with samples; and required fields of new records."""

from __future__ import annotations

import logging

import pytest

from self_hosted.core.sync.preflight import (
    MAX_KINDS,
    SAMPLES_PER_KIND,
    Finding,
    FindingKind,
    Findings,
    check_declarations,
    missing_required,
)
from self_hosted.core.sync.target import Schema
from tests.core.sync.typing_cases import make_field


def find(row=1, key="A", field="price", value="x", message="is not a number; write it like 1.5", **options):
    return Finding(row, key, field, value, message, **options)


def test_findings_are_counted_by_level_field_and_fault():
    findings = Findings()
    for finding in (find(), find(2, "B"), find(field="weight"), find(level="warning"), find(message="is empty")):
        findings.add(finding)
    assert findings.counts == {
        FindingKind("error", "price", "is not a number"): 2,
        FindingKind("error", "weight", "is not a number"): 1,
        FindingKind("warning", "price", "is not a number"): 1,
        FindingKind("error", "price", "is empty"): 1,
    }
    assert (findings.count("error"), findings.count("warning")) == (4, 1)


def test_the_first_findings_of_each_kind_are_kept():
    findings = Findings()
    for row in range(100):
        findings.add(find(row))
    (samples,) = findings.samples.values()
    assert [sample.row for sample in samples] == list(range(SAMPLES_PER_KIND))


def test_a_sample_does_not_hold_a_large_value():
    findings = Findings()
    for value in ("x" * 10_000, ["x" * 10_000], None, 5, True):
        findings.add(find(value=value))
    (samples,) = findings.samples.values()
    assert all(len(str(sample.value)) <= 80 for sample in samples)
    assert [sample.value for sample in samples[2:]] == [None, 5, True]


def test_the_number_of_kinds_is_bounded():
    findings = Findings()
    for number in range(MAX_KINDS + 10):
        findings.add(find(message=f"fault {number}"))
    assert len(findings.counts) == MAX_KINDS + 1
    assert findings.counts[FindingKind("error", "", "other findings")] == 10
    assert findings.count("error") == MAX_KINDS + 10


def test_each_kind_is_one_line_of_the_log(caplog):
    caplog.set_level(logging.WARNING)
    findings = Findings()
    findings.add(find(7, "", "name", None, "is empty"))
    for row in (1, 2):
        findings.add(find(row))
    findings.log()
    assert caplog.messages == [
        "2 x price: row 1 (A): price: 'x' is not a number; write it like 1.5",
        "row 7: name: None is empty",
    ]


def test_a_new_record_needs_all_required_fields():
    fields = {"name": make_field("name", is_required=True), "price": make_field("price")}
    schema = Schema(fields, required=["number", "status"])
    assert missing_required(schema, {"name": "", "number": "A"}) == ["name", "status"]
    assert missing_required(schema, {"name": "x", "number": "A", "status": "new"}) == []


def test_a_declaration_of_another_kind_than_the_field_is_refused():
    number, date = make_field("name", "text", {"kind": "number"}), make_field("price", "number", {"kind": "date"})
    with pytest.raises(
        ValueError,
        match="fields: name is declared as number, but has the type text; "
        "price is declared as date, but has the type number",
    ):
        check_declarations(Schema({"name": number, "price": date}))


@pytest.mark.parametrize(
    ("kind", "type"),
    [
        *[("auto", "number"), ("text", "option"), ("number", "integer"), ("date", "moment"), ("boolean", "boolean")],
        *[("relation", "references"), ("file", "reference"), ("attribute", "number"), ("unit", "option")],
    ],
)
def test_a_declaration_that_fits_is_accepted(kind, type):
    check_declarations(Schema({"field": make_field("field", type, {"kind": kind})}))

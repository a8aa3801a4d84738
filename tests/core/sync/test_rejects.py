"""The rejects file is a source of the rejected rows, with all their cells as they were."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from self_hosted.core.sync.plan_file import open_plan, write_plan
from self_hosted.core.sync.plan_header import PlanHeader
from self_hosted.core.sync.rejects import parse_rejects_uri, write_rejected_changes, write_rejects
from self_hosted.core.sync.report import Report
from self_hosted.core.sync.snapshot import Snapshot, take_snapshot
from self_hosted.core.sync.source import parse_source
from self_hosted.core.sync.target import Change, Outcome, Schema
from self_hosted.core.sync.values import convert
from self_hosted.core.sync.workspace import Workspace
from tests.core.sync.typing_cases import make_field, make_schema

ENDINGS = [".csv", ".jsonl", ".csv.gz", ".jsonl.GZ"]
TEXTS = {
    "number": "00123",
    "name": ' Ärmel "groß"; a, b\tc ',
    "text": "two\nlines\r\n=1+1",
    "price": "1.234,50",
    "empty": "",
}
NO_FIELDS = make_schema()


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


def read(source: Any) -> list[dict[str, Any]]:
    """Read a source as the next sync does."""
    with Workspace() as workspace:
        return [row.cells for row in take_snapshot(parse_source(source), workspace, ["number"]).rows()]


def reject(workspace: Workspace, source: Any, uri: str, *rows: int, schema: Schema = NO_FIELDS) -> Snapshot:
    snapshot = take_snapshot(parse_source(source), workspace, ["number"])
    report = Report(workspace.connection)
    for row in rows:
        report.add(Outcome("A", "failed", "no"), Change("create", "A", None, {}, row=row))
    assert write_rejects(uri, report, snapshot, schema) == len(rows)
    return snapshot


@pytest.mark.parametrize("ending", ENDINGS)
def test_rejected_rows_of_a_text_file_are_a_source_with_the_same_cells(
    tmp_path: Path, workspace: Workspace, ending: str
):
    source = tmp_path / "source.csv"
    names = ",".join(TEXTS)
    cells = ",".join('"' + text.replace('"', '""') + '"' for text in TEXTS.values())
    source.write_text(f"{names}\n1,,,,\n{cells}\n3,,,,\n{cells}\n", encoding="utf-8", newline="")
    uri = str(tmp_path / f"rejects{ending}")
    reject(workspace, str(source), uri, 4, 2)
    original = [read(str(source))[index] for index in (1, 3)]
    assert read(uri) == [{**cells, "_error": "failed: no"} for cells in original]


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz"])
def test_rejected_rows_keep_types_and_absent_cells_in_json_lines(tmp_path: Path, workspace: Workspace, ending: str):
    rows = [
        {"number": 7, "price": 1.5, "is": True, "tags": ["a", "b"], "none": None, "object": {"a": [1]}},
        {"number": "x", "amount": Decimal("12.50")},
        {"number": "y", "amount": Decimal("0.12345678901234567890")},
    ]
    uri = str(tmp_path / f"rejects{ending}")
    reject(workspace, rows, uri, 1, 2, 3)
    first, second, third = read(uri)
    assert first == {**rows[0], "_error": "failed: no"}
    assert second == {"number": "x", "amount": 12.5, "_error": "failed: no"}
    assert third["amount"] == "0.12345678901234567890"


def test_rejected_rows_of_typed_sources_are_texts_in_csv(tmp_path: Path, workspace: Workspace):
    uri = str(tmp_path / "rejects.csv")
    row = {"number": 7, "price": 1.5, "amount": Decimal("12.50"), "is": True, "tags": ["ä"], "none": None}
    reject(workspace, [row], uri, 1)
    expected = 'number,price,amount,is,tags,none,_error\n7,1.5,12.50,true,"[""ä""]",,failed: no\n'
    assert Path(uri).read_text("utf-8") == expected


def test_keys_of_typed_sources_are_the_same_keys_in_csv(tmp_path: Path, workspace: Workspace):
    uri = str(tmp_path / "rejects.csv")
    reject(workspace, [{"number": 12345.0}, {"number": Decimal("12345.00")}, {"number": "12345.0"}], uri, 1, 2, 3)
    assert [cells["number"] for cells in read(uri)] == ["12345", "12345", "12345.0"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_numbers_of_typed_sources_are_read_again_with_the_decimal_mark_of_their_column(
    tmp_path: Path, workspace: Workspace, ending: str
):
    # with the mark of the column, the text "1.234" would be 1234
    field, uri = make_field("price", "number", {"decimal": ","}), str(tmp_path / f"rejects{ending}")
    numbers = [1.234, Decimal("1.2345"), Decimal("-0.12345678901234567890"), 1234.0, "1.234,5"]
    rows = [{"number": str(n), "price": number} for n, number in enumerate(numbers)]
    reject(workspace, rows, uri, *range(1, len(rows) + 1), schema=make_schema(field))
    values = [convert(field, cells["price"]) for cells in read(uri)]
    assert values == [1.234, 1.2345, -0.12345678901234567890, 1234, 1234.5]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_rejects_file_that_is_used_again_has_one_column_for_errors(tmp_path: Path, workspace: Workspace, ending: str):
    first, second = (str(tmp_path / f"{name}{ending}") for name in ("first", "second"))
    with Workspace() as other:
        reject(other, [{"number": "1", "name": "a"}, {"number": "2", "name": "b"}], first, 1, 2)
    reject(workspace, first, second, 2)
    assert read(second) == [{"number": "2", "name": "b", "_error": "failed: no"}]


def test_without_rejected_rows_there_is_an_empty_file(tmp_path: Path, workspace: Workspace):
    reject(workspace, [{"number": "1"}], str(tmp_path / "a.csv"))
    assert (tmp_path / "a.csv").read_text() == "number,_error\n"


def test_rejected_changes_of_a_stored_plan_have_its_fields(tmp_path: Path, workspace: Workspace):
    changes = [
        Change("create", "A", None, {"name": "a", "price": 1}, row=1),
        Change("update", "B", "1", {"name": "b"}, {"name": "c"}, row=2),
        Change("delete", "C", "2", {}, {"name": "c"}),
    ]
    header = PlanHeader("target", None, "mirror", [], options={"key": "number"})
    plan = write_plan(str(tmp_path / "plan.jsonl"), header, changes, [])
    report = Report(workspace.connection)
    for change in changes[1:]:
        report.add(Outcome(change.key, "conflict", "changed"), change)
    with open_plan(plan.uri) as opened:
        assert write_rejected_changes(str(tmp_path / "rejects.csv"), report, opened) == 1
    assert (tmp_path / "rejects.csv").read_text() == "number,name,price,_error\nB,b,,conflict: changed\n"


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_name_of_the_file_decides_its_format(ending: str):
    assert parse_rejects_uri(f"/folder/rejects{ending}") == f"/folder/rejects{ending}"
    assert parse_rejects_uri(None) is None


@pytest.mark.parametrize("name", ["/a/rejects.xlsx", "/a/rejects", "/a/rejects.gz", "/a/rejects.csv.zip"])
def test_other_formats_are_invalid(name: str):
    with pytest.raises(ValueError, match=r"rejects_uri must end with \.csv or \.jsonl"):
        parse_rejects_uri(name)

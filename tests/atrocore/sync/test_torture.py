"""The torture catalogue: the same plan from every format, and a server that holds what the plan says."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from self_hosted.atrocore.operators import (
    AtrocoreSyncProductsApplyOperator,
    AtrocoreSyncProductsOperator,
    AtrocoreSyncProductsPlanOperator,
)
from self_hosted.core.sync.results import ApplyCounts
from tests.atrocore.sync.torture import COLUMNS, POISON, ROWS, Row
from tests.atrocore.sync.torture_formats import WRITERS, fits_excel_csv, to_german, write_excel_csv
from tests.atrocore.sync.torture_shop import Shop
from tests.conftest import Served
from tests.context import context

Lines = list[dict[str, Any]]
PLACE = re.compile(r"(first in |\()(?:line|row) \d+")
SHOWN = re.compile(r"^(\w+): (?:'.*?'|\".*?\"|\S+) (?=(?:is|has|does|names|exists) )", re.DOTALL)


@pytest.fixture(params=["2.3", "1.10"])
def shop(request: pytest.FixtureRequest, served: Served, connect: Callable[..., str]) -> Shop:
    """A server of each version, with the products that exist before the sync."""
    return Shop(request.param, served, connect)


def plan(shop: Shop, folder: Path, source: Mapping[str, Any]) -> Lines:
    """Return the lines of the plan for a source."""
    folder.mkdir()
    operator = AtrocoreSyncProductsPlanOperator(
        task_id="plan", plan_uri=folder / "plan.jsonl", **shop.arguments, **source
    )
    operator.execute(context(operator))
    return [json.loads(line) for line in (folder / "plan.jsonl").read_text(encoding="utf-8").splitlines()]


def make_source(name: str, folder: Path, rows: Iterable[Row], connect: Callable[..., str]) -> dict[str, Any]:
    """Write rows in a format, and return the arguments of the operators."""
    cells = [row.cells for row in rows]
    if name == "list":
        return {"source": cells}
    path = WRITERS[name](folder / f"artikel.{name}", cells)
    if name != "sqlite":
        return {"source": path}
    connection = connect("erp", {"conn_type": "sqlite", "host": path})
    return {"sql": "SELECT * FROM artikel ORDER BY rowid", "sql_conn_id": connection}


def without_places(lines: Lines) -> Lines:
    """Return the lines of a plan without what depends on the format: the place of a row, and how its cell looks."""
    found = []
    for line in lines[1:-1]:
        message = SHOWN.sub(r"\1: {} ", PLACE.sub(r"\1#", line.get("message", "")))
        found.append({**line, "message": message} if message else line)
    return found


def expect(rows: Sequence[Row], shop: Shop) -> Lines:
    """Return the lines of the plan without the first and the last one."""
    numbered = [(number, row) for number, row in enumerate(rows, 1)]
    changes = [expect_change(number, row) for number, row in numbered if row.result in {"create", "update"}]
    changes.sort(key=lambda line: (line["do"], line["key"]))
    settled = [expect_settled(number, row) for number, row in numbered if row.message]
    return [shop.rename(line) for line in [*({"n": n, **line} for n, line in enumerate(changes, 1)), *settled]]


def expect_change(number: int, row: Row) -> dict[str, Any]:
    old, new = row.stored or {}, row.values
    names = row.changes or tuple(new)
    fields = {name: [old.get(name), new[name]] for name in names}
    return {"do": row.result, "key": row.key, "ref": row.ref, "fields": fields, "row": number}


def expect_settled(number: int, row: Row) -> dict[str, Any]:
    key = "" if row.message.startswith("number: ") else row.key
    named = {"field": row.problem, "value": row.values.get(row.problem)} if row.problem else {}
    return {"verdict": row.result, "key": key, "row": number, "message": row.message, **named}


def test_every_format_has_the_expected_plan(shop, tmp_path, connect):
    expected = expect(ROWS, shop)
    hashes = set()
    for name in ("list", *WRITERS):
        source = make_source(name, tmp_path, ROWS, connect)
        header, *_ = lines = plan(shop, tmp_path / f"plan of {name}", source)
        assert without_places(lines) == expected, name
        hashes.add(header["source"]["hash"])
    assert len(hashes) == 1


def test_a_file_of_a_german_excel_has_the_expected_plan(shop, tmp_path):
    # the message names the near key: without its row, the other one is not ambiguous
    rows = [row for row in ROWS if fits_excel_csv({**row.cells, "message": row.message})]
    assert len(rows) > 1700
    path = write_excel_csv(tmp_path / "artikel.csv", [row.cells for row in rows])
    assert without_places(plan(shop, tmp_path / "plan", {"source": path})) == expect(rows, shop)


REJECTS = {"csv.gz": "csv.gz", "jsonl": "jsonl", "parquet": "jsonl.gz"}
"""The ending of the rejects file for each format; default: csv."""


@pytest.mark.parametrize("name", ["list", *WRITERS])
def test_the_server_holds_what_the_plan_says_and_corrected_rows_are_stored_too(shop, tmp_path, connect, name):
    source = make_source(name, tmp_path, ROWS, connect)
    plan(shop, tmp_path / "plan", source)
    result = run(AtrocoreSyncProductsApplyOperator, plan_uri=tmp_path / "plan" / "plan.jsonl")
    assert counts(result) == expect_counts("created", "updated")
    assert shop.find_differences(ROWS) == []
    # a record whose relations change is not modified
    assert shop.list_written() == {row.ref for row in ROWS if row.is_written and row.changes != ("categoriesIds",)}

    rejects = tmp_path / f"rejects.{REJECTS.get(name, 'csv')}"
    again = {**shop.arguments, **source, "rejects_uri": rejects}
    assert counts(run(AtrocoreSyncProductsOperator, **again)) == expect_counts("unchanged", "unchanged")
    rows = read_rows(rejects)
    rejected = [row for row in ROWS if row.is_rejected]
    assert [list(cells) for cells in rows] == [[*COLUMNS, "_error"]] * len(rejected)
    assert [cells["Intern"] for cells in rows] == [row.cells["Intern"] for row in rejected]
    assert [cells["_error"].partition(":")[0] for cells in rows] == [
        "failed" if row.key == POISON else row.result for row in rejected
    ]

    corrected = [
        cells | {column: to_german(cell) for column, cell in row.correction.items()}
        for cells, row in zip(rows, rejected, strict=True)
    ]
    source = {**shop.arguments, "source": write_rows(tmp_path / f"corrected.{rejects.name}", corrected)}
    result = counts(run(AtrocoreSyncProductsOperator, **source))
    assert {name for name in result if result[name]} == {"created", "unchanged"}
    assert shop.find_differences(row.corrected if row.is_rejected else row for row in ROWS) == []
    assert counts(run(AtrocoreSyncProductsOperator, **source)) == {"unchanged": len(rejected)}


def run(operator_class: Any, **arguments: Any) -> dict[str, Any]:
    """Return the result of a task."""
    operator = operator_class(task_id="task", fail_on="never", **arguments)
    return dict(operator.execute(context(operator)))


def counts(result: Mapping[str, Any]) -> dict[str, int]:
    """Return how many rows have which outcome, without zeros."""
    return {name: result[name] for name in ApplyCounts.__annotations__ if result[name]}


def expect_counts(created: str, updated: str) -> dict[str, int]:
    """Return how many rows have which outcome, if those to create and to update have these."""
    names = {"create": created, "update": updated, "forbidden": "failed"}
    return dict(Counter("failed" if row.key == POISON else names.get(row.result, row.result) for row in ROWS))


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a rejects file."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    if ".jsonl" in path.name:
        return [json.loads(line) for line in text.splitlines()]
    return list(csv.DictReader(io.StringIO(text, newline="")))


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows in the format of a rejects file, and return the path."""
    text = io.StringIO(newline="")
    if ".jsonl" in path.name:
        text.writelines(json.dumps(cells) + "\n" for cells in rows)
    else:
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)

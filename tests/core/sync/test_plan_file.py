"""Plan files: written once, complete, and never applied if they are torn or changed."""

from __future__ import annotations

import dataclasses
import gzip
import itertools
import json
import logging
from typing import Any

import pytest
from airflow.sdk.io.store import attach
from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]

from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.plan_check import TornPlanError
from self_hosted.core.sync.plan_file import PlanInfo, open_plan, write_plan
from self_hosted.core.sync.plan_header import PlanHeader
from self_hosted.core.sync.plan_lines import Settled
from self_hosted.core.sync.target import Change, Target
from self_hosted.core.tasks.storage import resolve_path

SPECS = [FieldSpec("sku", column="Artikel"), FieldSpec("stock", "number", value=[1, None], own="on_create")]
HEADER = PlanHeader(
    target="toy Product",
    scope={"where": ["a"]},
    mode="upsert",
    fields=SPECS,
    options={"on_missing": "ignore"},
    made="2026-11-30T08:00:00Z",
    source={"name": "a.csv", "rows": 3, "hash": "1f", "sha256": None},
    read={"from": "2026-11-30T08:00:00Z", "to": "2026-11-30T08:01:00Z", "records": 9},
    limits={"max_missing": 500},
    counts={"create": 1, "update": 1},
)
CHANGES = [
    Change("create", "Größe|1", None, {"name": "ä\ud800\u2028", "stock": None}, stage=1, parent="p", row=1),
    Change("create", "red", "id-1", {"code": "red"}, collection="Color"),
    Change("update", "k2", "id-2", {"name": ["b"], "stock": 1.5}, {"name": [], "stock": None}, stamp="7", row=2),
    Change("restore", "k3", "id-3", {}, {}, row=3),
    Change("deactivate", "k4", "id-4", {}, {"name": "d"}, stage=5),
    Change("delete", "k5", "id-5", {}, {"name": "e", "stock": 0}),
]
SETTLED = [Settled("failed", "k6", 4, "no number", "stock", "x"), Settled("ambiguous", "k7", None, "two records")]


@pytest.fixture(params=["path", "compressed", "object store"])
def uri(request, tmp_path):
    attach(protocol="memory", fs=MemoryFileSystem())
    path = tmp_path / "run 1" / "plan.jsonl"
    return {"path": str(path), "compressed": f"{path}.gz", "object store": f"memory://bucket{path}.GZ"}[request.param]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "plan.jsonl"


def write(uri: Any, header: Any = HEADER, changes: Any = CHANGES, settled: Any = SETTLED) -> PlanInfo:
    return write_plan(str(uri), header, iter(changes), iter(settled))


def test_a_plan_is_read_as_it_was_written(uri):
    info = write(uri)
    with open_plan(uri, info.sha256) as plan:
        assert list(plan.changes()) == CHANGES
        assert list(plan.settled()) == SETTLED
        assert plan.header == dataclasses.replace(HEADER, shard=[1, 1])
        assert plan.info.counts == {"create": 1, "update": 1}
        assert (plan.info.sha256, plan.info.changes) == (info.sha256, 6)


def test_a_plan_is_compressed_by_its_name(uri):
    write(uri)
    content = resolve_path(uri).read_bytes()
    text = gzip.decompress(content) if uri.lower().endswith(".gz") else content
    assert [next(iter(json.loads(line))) for line in text.splitlines()] == [
        *("plan", "n", "n", "n", "n", "n", "n", "verdict", "verdict", "end")
    ]


def test_changes_and_settled_rows_can_be_read_at_the_same_time(uri):
    write(uri)
    with open_plan(uri) as plan:
        assert list(zip(plan.settled(), plan.changes(), strict=False)) == list(zip(SETTLED, CHANGES, strict=False))


def test_changes_are_read_from_where_the_last_try_ended(path):
    write(path)
    with open_plan(str(path)) as plan:
        assert list(plan.changes(after=4)) == CHANGES[4:]


def test_an_empty_plan_can_be_written(uri):
    info = write(uri, changes=[], settled=[])
    with open_plan(uri) as plan:
        assert (list(plan.changes()), list(plan.settled()), info.changes) == ([], [], 0)


def test_a_file_that_changes_while_it_is_open_does_not_change_the_plan(path):
    write(path)
    with open_plan(str(path)) as plan:
        path.write_bytes(b"other")
        assert list(plan.changes()) == CHANGES


@pytest.mark.parametrize("cut", [0, 20, 40, 0.3, 0.6, -30, -1])
def test_a_torn_plan_is_not_opened(uri, cut):
    write(uri)
    whole = resolve_path(uri).read_bytes()
    resolve_path(uri).write_bytes(whole[: int(cut * len(whole)) if isinstance(cut, float) else cut])
    with pytest.raises(TornPlanError), open_plan(uri):
        pass


@pytest.mark.parametrize("line", range(10))
def test_a_changed_plan_is_not_opened(path, line):
    write(path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = lines[line].replace(b"}\n", b" }\n") if line < 9 else b'{"end":{"sha256":"0"}}\n'
    path.write_bytes(b"".join(lines))
    with pytest.raises(ValueError, match="was changed after it was made"), open_plan(str(path)):
        pass


@pytest.mark.parametrize("end", [b'{"end":1}\n', b'{"end":\n', b'{"end":{"sha256":"%s"}}\n'])
def test_a_plan_with_a_malformed_end_is_not_opened(path, end):
    end = end.replace(b"%s", write(path).sha256.encode())
    path.write_bytes(b"".join([*path.read_bytes().splitlines(keepends=True)[:-1], end]))
    with pytest.raises(ValueError, match="was changed after it was made"), open_plan(str(path)):
        pass


def test_a_compressed_plan_with_changed_bytes_is_not_opened(path):
    uri = f"{path}.gz"
    write(uri)
    for position, byte in itertools.product([0, 100, 300], [0, 255]):
        content = bytearray(resolve_path(uri).read_bytes())
        content[position] = byte
        changed = path.with_name(f"{position}-{byte}.gz")
        changed.write_bytes(content)
        with pytest.raises(ValueError, match=r"changed|is no plan|in the middle"), open_plan(str(changed)):
            pass


def test_another_plan_than_the_approved_one_is_not_opened(path):
    write(path)
    with (
        pytest.raises(ValueError, match=r"has the SHA-256 [0-9a-f]{64}, not 00: it was replaced"),
        open_plan(str(path), "00"),
    ):
        pass


def test_a_missing_plan_is_reported(path):
    with pytest.raises(ValueError, match="there is no plan at"), open_plan(str(path)):
        pass


def test_a_plan_of_another_version_is_not_opened(path):
    value = HEADER.to_json()
    with pytest.raises(ValueError, match="version 2, not 1: make a new plan"):
        PlanHeader.from_json({**value, "plan": 2})
    with pytest.raises(ValueError, match=r"version 9\.1 made the plan: make a new plan"):
        PlanHeader.from_json({**value, "engine": "9.1", "fields": [{"field": "sku", "flavour": "sweet"}]})
    del value["fields"]
    with pytest.raises(ValueError, match="make a new plan"):
        PlanHeader.from_json(value)


def test_an_equal_plan_of_an_earlier_try_is_adopted(uri, caplog):
    first = write(uri)
    before = resolve_path(uri).read_bytes()
    again = dataclasses.replace(HEADER, made="2026-11-30T09:00:00Z", read={"records": 10}, counts={"records": 10})
    with caplog.at_level(logging.INFO):
        info = write(uri, header=again)
    assert (info.sha256, info.header.made) == (first.sha256, "2026-11-30T08:00:00Z")
    assert info.counts == HEADER.counts
    assert resolve_path(uri).read_bytes() == before
    assert "The same plan, made 2026-11-30T08:00:00Z, exists" in caplog.text


@pytest.mark.parametrize(
    "other",
    [
        {"changes": CHANGES[1:]},
        {"settled": []},
        {"header": dataclasses.replace(HEADER, source={**HEADER.source, "hash": "2e"})},
        {"header": dataclasses.replace(HEADER, scope=None)},
    ],
    ids=["changes", "settled rows", "source", "scope"],
)
def test_a_plan_is_never_replaced_by_another_one(uri: Any, other: Any) -> None:
    write(uri)
    before = resolve_path(uri).read_bytes()
    with pytest.raises(ValueError, match=r"another plan, made 2026-11-30T08:00:00Z, .* trigger a new run"):
        write(uri, **other)
    assert resolve_path(uri).read_bytes() == before


def test_a_torn_plan_is_replaced(uri, caplog):
    first = write(uri)
    resolve_path(uri).write_bytes(resolve_path(uri).read_bytes()[:-40])
    assert write(uri).sha256 == first.sha256
    assert "A part of a plan is replaced" in caplog.text
    with open_plan(uri) as plan:
        assert list(plan.changes()) == CHANGES


def test_a_file_that_is_no_plan_is_never_replaced(uri):
    write(uri)  # creates the folder
    resolve_path(uri).write_bytes(gzip.compress(b"sku\n1\n") if uri.lower().endswith(".gz") else b"sku\n1\n")
    with pytest.raises(ValueError, match=r"is no plan: it starts with b'sku"):
        write(uri)


def test_a_file_that_is_not_compressed_is_never_replaced_by_a_compressed_plan(tmp_path):
    uri = tmp_path / "plan.gz"
    uri.write_bytes(b"sku\n")
    with pytest.raises(ValueError, match="is no compressed file, or was changed"):
        write(uri)
    assert uri.read_bytes() == b"sku\n"


def test_a_plan_that_cannot_be_made_leaves_no_file(path):
    def fail():
        yield CHANGES[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write(path, changes=fail())
    assert list(path.parent.iterdir()) == []


def test_the_progress_of_a_long_plan_is_logged(path, caplog, monkeypatch):
    monkeypatch.setattr("self_hosted.core.sync.plan_file.SECONDS_BETWEEN_LINES", 0.0)
    with caplog.at_level(logging.INFO):
        write(path)
    assert "1 changes are planned" in caplog.text
    assert f"Plan of 6 changes written to {path}" in caplog.text


def test_equal_plans_are_equal_files(tmp_path):
    first, second = tmp_path / "1.jsonl.gz", tmp_path / "2.jsonl.gz"
    write(first)
    write(second)
    assert first.read_bytes() == second.read_bytes()


class Table(Target):
    name, scope = "toy Product", {"where": ("a",)}


def test_a_plan_is_applied_to_its_target_only():
    HEADER.require_target(Table())
    others = {
        "target": dataclasses.replace(HEADER, target="toy Category"),
        "scope": dataclasses.replace(HEADER, scope=None),
    }
    for name, header in others.items():
        with pytest.raises(ValueError, match=rf"the plan is for the {name} .*: make a new plan"):
            header.require_target(Table())


def test_a_plan_of_another_major_version_is_not_applied():
    dataclasses.replace(HEADER, engine=f"{HEADER.engine.partition('.')[0]}.99.0").require_target(Table())
    with pytest.raises(ValueError, match=r"version 99\.0 made the plan"):
        dataclasses.replace(HEADER, engine="99.0").require_target(Table())

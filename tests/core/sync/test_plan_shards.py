"""Plans in several files: together they are the whole plan, and subtrees stay whole."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.plan_file import open_plan
from self_hosted.core.sync.plan_header import PlanHeader
from self_hosted.core.sync.plan_shards import shard_uri, write_shards
from self_hosted.core.sync.target import Capacity
from tests.core.sync.comparing import BadRow, compared
from tests.core.sync.toy_server import ToyServer
from tests.core.sync.toy_targets import TreeTarget, make_schema

HEADER = PlanHeader("toy table", None, "upsert", [FieldSpec("key")])


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://plans/run-1.jsonl.gz", "s3://plans/run-1.2-of-8.jsonl.gz"),
        ("/tmp/a.b/plan.jsonl", "/tmp/a.b/plan.2-of-8.jsonl"),
        ("plan", "plan.2-of-8"),
        ("/tmp/a.b/plan", "/tmp/a.b/plan.2-of-8"),
        ("/tmp/run 2026-11-30T08:00:00.123+00:00/plan.gz", "/tmp/run 2026-11-30T08:00:00.123+00:00/plan.2-of-8.gz"),
        ("/tmp/2026.11.30.jsonl", "/tmp/2026.11.30.2-of-8.jsonl"),
        ("/tmp/{shard}/plan.jsonl", "/tmp/2-of-8/plan.jsonl"),
    ],
)
def test_each_part_has_its_own_name(uri, expected):
    assert shard_uri(uri, 2, 8) == expected


def test_a_plan_in_one_part_keeps_its_name():
    assert shard_uri("plan.jsonl", 1, 1) == "plan.jsonl"


def read(infos):
    parts = []
    for info in infos:
        with open_plan(info.uri, info.sha256) as plan:
            parts.append((list(plan.changes()), list(plan.settled()), plan.header))
    return parts


@pytest.fixture
def server():
    server = ToyServer()
    for number in range(40):
        server.put(f"old{number}", name="n")
    return server


def test_the_parts_are_the_whole_plan(server, tmp_path):
    rows: dict[str, Any] = {f"new{number}": {"name": "n"} for number in range(40)} | {"old1": {"name": "x"}}
    rows |= {f"bad{number}": BadRow("failed", "why") for number in range(20)}
    with compared(server, rows, mode="mirror", on_missing="delete") as result:
        parts = read(write_shards(result.workspace, str(tmp_path / "plan.jsonl"), HEADER, 3))
        changes = [change for part in parts for change in part[0]]
        assert sorted(changes, key=repr) == sorted(result.changes, key=repr)
        assert sorted((each for part in parts for each in part[1]), key=repr) == sorted(result.settled, key=repr)
        assert [part[2].shard for part in parts] == [[1, 3], [2, 3], [3, 3]]
        assert all(len(part[0]) > 10 and len(part[1]) > 2 for part in parts)


def test_the_parts_are_the_same_on_each_try(server, tmp_path):
    rows = {f"new{number}": {"name": "n"} for number in range(40)}
    for _ in range(2):
        with compared(server, rows) as result:
            infos = write_shards(result.workspace, str(tmp_path / "plan.jsonl"), HEADER, 3)
    assert len({info.sha256 for info in infos}) == 3


def test_a_plan_in_one_part_is_the_whole_plan(server, tmp_path):
    with compared(server, {"new": {"name": "n"}, "bad": BadRow("failed", "why")}) as result:
        [(changes, settled, header)] = read(write_shards(result.workspace, str(tmp_path / "plan.jsonl"), HEADER, 1))
        assert (changes, settled, header.shard) == (result.changes, result.settled, [1, 1])


ALL = Capacity(keys_per_lookup=5, listing_factor=float("inf"))


@pytest.fixture
def tree():
    server = ToyServer(is_tree=True)
    for key, parent in {"a": None, "m": "a", "b": None}.items():
        server.put(key, name="n", parent=parent)
    return server


def test_subtrees_are_in_one_part(tree, tmp_path):
    rows = {f"r{root}": {"name": "n", "parent": None} for root in range(20)}
    rows |= {f"c{root}-{child}": {"name": "n", "parent": f"r{root}"} for root in range(20) for child in range(3)}
    rows |= {f"g{root}": {"name": "n", "parent": f"c{root}-1"} for root in range(20)}
    with compared(tree, rows, TreeTarget(ALL), make_schema("name", "parent")) as result:
        parts = read(write_shards(result.workspace, str(tmp_path / "plan.jsonl"), HEADER, 4))
    assert sum(len(changes) for changes, _, _ in parts) == 100
    for changes, _, _ in parts:
        keys = [change.key for change in changes]
        assert 0 < len(keys) < 100
        assert all(change.parent is None or change.parent in keys for change in changes)


def test_a_tree_in_which_records_move_and_others_are_deleted_is_one_part(tree, tmp_path):
    rows = {"m": {"name": "n", "parent": "b"}, "b": {"name": "n", "parent": None}}
    tree.put("x", name="n", parent="a")
    options = {"mode": "mirror", "on_missing": "delete"}
    with compared(tree, rows, TreeTarget(ALL), make_schema("name", "parent"), **options) as result:
        with pytest.raises(ValueError, match="shards must be 1: records of a tree move"):
            write_shards(result.workspace, str(tmp_path / "plan.jsonl"), HEADER, 2)
        assert list(tmp_path.iterdir()) == []
        write_shards(result.workspace, str(tmp_path / "plan.jsonl"), HEADER, 1)

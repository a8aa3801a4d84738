"""The state file: what it preserves, and files that cannot be used."""

from __future__ import annotations

import json
import math
import pickle
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from self_hosted.sandbox.assemblyline.analysis.files import AnalyzedFile
from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.fake_server import FakeServer
from self_hosted.sandbox.faults import Fault
from self_hosted.sandbox.server import create_servers
from self_hosted.sandbox.state_file import load_state, save_state

VALUES: dict[str, Any] = {
    "none": None,
    "texts": ["", "é\ud83d", "\x00"],
    "numbers": [True, 0, -1, 10**30, 0.1, math.inf, -math.inf],
    "tuples": ((), (1, (2, 3))),
    "sets": [set(), {1, "a", (2, 3)}, frozenset({4})],
    "dict": {1: "a", None: "b", ("x", 2): ["c"], "ref": 1},
    "counter": Counter(a=2),
    "bytes": [b"", b"\x00\xff"],
    "date": datetime(2026, 11, 30, tzinfo=UTC),
    "session": Session("admin", ("a", "b"), None),
    "file": AnalyzedFile("1", "2", "3", 4, None, b"head"),
    "fault": Fault("slow", duration_seconds=60),
}


def reload(file: Path, **attributes: Any) -> Any:
    """Return an object with the saved and loaded attributes."""
    save_state(file, {"it": SimpleNamespace(**attributes)})
    loaded = SimpleNamespace(**dict.fromkeys(attributes))
    load_state(file, {"it": loaded})
    return loaded


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.mark.parametrize("name", VALUES)
def test_values_keep_their_types(file: Path, name: str):
    loaded = reload(file, value=VALUES[name]).value
    assert loaded == VALUES[name]
    assert repr(loaded) == repr(VALUES[name])


def test_the_file_is_json_with_a_version(file: Path):
    save_state(file, {"it": SimpleNamespace(**VALUES)})
    content = json.loads(file.read_text(encoding="utf-8"))
    assert content["version"] == 1
    assert content.keys() == {"version", "state", "objects"}


def test_references_to_one_object_are_preserved(file: Path):
    shared: list[Any] = [1]
    shared.append({"myself": shared})
    loaded = reload(file, first=shared, second={"shared": shared}, empty=[[], []])
    assert loaded.second["shared"] is loaded.first
    assert loaded.first[1]["myself"] is loaded.first
    assert loaded.empty[0] is not loaded.empty[1]


def test_missing_keys_still_have_a_default(file: Path):
    assert reload(file, records=defaultdict(dict, a={"b": 1})).records["missing"] == {}


def test_a_random_generator_continues(file: Path):
    generator = Random(3)
    generator.random()
    assert reload(file, generator=generator).generator.random() == generator.random()


def test_private_attributes_are_not_saved(file: Path):
    save_state(file, {"it": SimpleNamespace(saved=1, _private=2)})
    loaded = SimpleNamespace(saved=0, _private=0)
    load_state(file, {"it": loaded})
    assert (loaded.saved, loaded._private) == (1, 0)


def test_a_value_that_cannot_be_saved_is_an_error_and_the_file_remains(file: Path):
    save_state(file, {"it": SimpleNamespace(value=1)})
    with pytest.raises(TypeError, match=r"the state cannot contain values of type pathlib\..*Path"):
        save_state(file, {"it": SimpleNamespace(value=file)})
    assert json.loads(file.read_text(encoding="utf-8"))["version"] == 1


@pytest.mark.parametrize("original", create_servers(), ids=lambda original: original.name)
def test_the_state_of_a_fresh_server_is_preserved(file: Path, original: FakeServer):
    save_state(file, {"it": original})
    other = next(other for other in create_servers() if other.name == original.name)
    load_state(file, {"it": other})
    assert other.tables() == original.tables()
    assert not file.with_name("state.unusable").exists()


def build_unusable_files() -> dict[str, bytes]:
    """Return contents that cannot be loaded into {"it": an object with the attribute "value"}."""

    def build(version: int = 1, value: Any = 1, objects: Any = (), attributes: tuple[str, ...] = ("value",)) -> bytes:
        first = ["dict", [[name, value] for name in attributes]]
        return json.dumps({"version": version, "state": {"it": {"ref": 0}}, "objects": [first, *objects]}).encode()

    reference = {"ref": 1}
    return {
        "empty": b"",
        "truncated": build()[:-9],
        "pickle": pickle.dumps({"it": {"value": 1}}),
        "list": b"[]",
        "no version": b"{}",
        "other version": build(version=0),
        "no state": json.dumps({"version": 1, "state": {}, "objects": []}).encode(),
        "missing attribute": build(attributes=()),
        "unknown attribute": build(attributes=("value", "other")),
        "missing object": build(value=reference),
        "unknown class": build(value=reference, objects=[["self_hosted.sandbox.faults:Missing", {}]]),
        "unknown module": build(value=reference, objects=[["self_hosted.sandbox.missing:Fault", {}]]),
        "foreign class": build(value=reference, objects=[["subprocess:Popen", {"args": "true"}]]),
        "imported class": build(value=reference, objects=[["self_hosted.sandbox.faults:Random", {}]]),
        "function": build(value=reference, objects=[["self_hosted.sandbox.dependencies:check_dependencies", {}]]),
        "other fields": build(value=reference, objects=[["self_hosted.sandbox.faults:Fault", {"kind": "drop"}]]),
        "deep": b"[" * 100_000,
    }


@pytest.mark.parametrize("name", build_unusable_files())
def test_an_unusable_file_is_reported_in_one_sentence_and_kept(file: Path, name: str, caplog: pytest.LogCaptureFixture):
    content = build_unusable_files()[name]
    file.write_bytes(content)
    loaded = SimpleNamespace(value="fresh")
    load_state(file, {"it": loaded})
    assert loaded == SimpleNamespace(value="fresh")
    [message] = caplog.messages
    unusable = file.with_name("state.unusable")
    assert message.startswith(f"The state file is damaged or outdated; starting afresh, it is now {unusable} (")
    assert unusable.read_bytes() == content
    assert not file.exists()


def test_a_file_with_another_structure_is_unusable(file: Path, caplog: pytest.LogCaptureFixture):
    session = Session("admin", (), None)
    save_state(file, {"it": SimpleNamespace(value=1)})
    load_state(file, {"it": SimpleNamespace(value=session)})
    assert "ValueError: it.value has another type" in caplog.text


def test_nothing_is_loaded_without_a_file(file: Path):
    loaded = SimpleNamespace(value="fresh")
    load_state(file, {"it": loaded})
    assert loaded.value == "fresh"

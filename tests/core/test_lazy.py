"""Modules that are imported when they are first used."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from self_hosted.core.lazy import when_used


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module that tells when it is imported."""
    (tmp_path / "telling.py").write_text("import builtins\nbuiltins.told = True\nANSWER = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("builtins.told", False, raising=False)
    yield "telling"
    sys.modules.pop("telling", None)


def told() -> bool:
    return bool(getattr(__import__("builtins"), "told", False))


def test_a_module_is_imported_when_it_is_used_and_not_before(module: str):
    lazy = when_used(module)
    assert not told()
    assert lazy.ANSWER == 42
    assert told()


def test_who_imports_it_the_usual_way_gets_the_same_module(module: str):
    lazy = when_used(module)
    import telling  # type: ignore[import-not-found]

    assert telling is lazy
    assert telling.ANSWER == 42


def test_what_is_imported_already_is_taken_as_it_is():
    assert when_used("sys") is sys


@pytest.mark.parametrize("name", ["no_such_module", "self_hosted.no_such_part"])
def test_a_module_that_does_not_exist_is_missed_at_once(name: str):
    with pytest.raises(ModuleNotFoundError, match=name):
        when_used(name)

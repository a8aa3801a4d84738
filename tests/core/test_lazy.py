"""Modules that are imported when they are first used."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
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


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a package that publishes what its module `telling` defines."""
    (tmp_path / "lazily").mkdir()
    (tmp_path / "lazily" / "__init__.py").write_text(
        "from self_hosted.core.lazy import published_by\n"
        '__getattr__, __dir__ = published_by(__name__, {"telling": ("ANSWER",)})\n'
    )
    (tmp_path / "lazily" / "telling.py").write_text("import builtins\nbuiltins.told = True\nANSWER = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("builtins.told", False, raising=False)
    yield "lazily"
    sys.modules.pop("lazily", None)
    sys.modules.pop("lazily.telling", None)


def test_what_a_package_publishes_is_imported_when_it_is_taken(package: str):
    imported = import_module(package)
    assert dir(imported) == imported.__all__ == ["ANSWER"]  # by the latter help() shows them
    assert not told()
    assert imported.ANSWER == 42
    assert told()


def test_what_a_package_does_not_publish_is_missed_as_usual(package: str):
    with pytest.raises(AttributeError, match="module 'lazily' has no attribute 'QUESTION'"):
        import_module(package).QUESTION  # noqa: B018

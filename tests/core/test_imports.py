"""Lazy imports of modules, and lazy re-exports of packages."""

from __future__ import annotations

import builtins
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import pytest

from self_hosted.core.imports import import_string, lazy_import

SOURCE = "import builtins\nbuiltins.was_executed = True\nANSWER = 42\n"


@pytest.fixture(autouse=True)
def _not_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(builtins, "was_executed", False, raising=False)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] in {"recording", "recording_package"}]:
        del sys.modules[name]


@pytest.fixture
def module(tmp_path: Path) -> str:
    """The name of a module that records its execution."""
    (tmp_path / "recording.py").write_text(SOURCE)
    return "recording"


@pytest.fixture
def package(tmp_path: Path) -> str:
    """The name of a package that re-exports a name of a module that records its execution."""
    folder = tmp_path / "recording_package"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from self_hosted.core.imports import lazy_exports\n__getattr__, __dir__ = lazy_exports(__name__, __file__)\n"
    )
    (folder / "__init__.pyi").write_text(
        "from .recording import ANSWER\nfrom .recording import ANSWER as SOLUTION\n__all__ = []\n"
    )
    (folder / "recording.py").write_text(SOURCE)
    return "recording_package"


def was_executed() -> bool:
    return bool(builtins.was_executed)  # type: ignore[attr-defined]


def test_a_lazy_module_is_executed_at_its_first_use(module: str):
    lazy = lazy_import(module)
    assert not was_executed()
    assert lazy.ANSWER == 42
    assert was_executed()


def test_a_lazy_module_has_the_attributes_of_the_imported_one(module: str, monkeypatch: pytest.MonkeyPatch):
    lazy = lazy_import(module)
    monkeypatch.setattr(f"{module}.ANSWER", 43)
    assert lazy.ANSWER == 43
    with pytest.raises(AttributeError, match="QUESTION"):
        _ = lazy.QUESTION


def test_a_thread_waits_until_another_has_executed_the_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    started, proceed = threading.Event(), threading.Event()

    def pause() -> None:
        started.set()
        proceed.wait(60)

    monkeypatch.setattr(builtins, "pause", pause, raising=False)
    (tmp_path / "recording.py").write_text(f"import builtins\nbuiltins.pause()\n{SOURCE}")
    lazy = lazy_import("recording")
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(lambda: lazy.ANSWER)
        assert started.wait(60)
        second = threads.submit(lambda: lazy.ANSWER)
        with pytest.raises(TimeoutError):
            second.result(0.05)
        proceed.set()
        assert (first.result(30), second.result(30)) == (42, 42)


def test_an_unknown_module_is_an_error_at_its_first_use():
    lazy = lazy_import("self_hosted.no_such_part")
    with pytest.raises(ModuleNotFoundError, match="no_such_part"):
        _ = lazy.ANSWER


def test_a_dotted_path_is_imported():
    assert import_string("self_hosted.core.imports.lazy_import") is lazy_import


def test_an_unknown_name_of_a_dotted_path_is_an_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        import_string("self_hosted.core.imports.no_such_name")


def test_an_exported_name_is_imported_at_its_first_use(package: str):
    imported = import_module(package)
    assert not was_executed()
    assert imported.ANSWER == 42
    assert imported.SOLUTION == 42
    assert was_executed()


def test_exported_names_are_listed_without_an_import(package: str):
    imported = import_module(package)
    assert dir(imported) == imported.__all__ == ["ANSWER", "SOLUTION"]  # `help` reads the latter
    assert not was_executed()


def test_a_name_that_is_not_exported_is_an_attribute_error(package: str):
    with pytest.raises(AttributeError, match="module 'recording_package' has no attribute 'NO_SUCH_NAME'"):
        import_module(package).NO_SUCH_NAME  # noqa: B018

"""Files of a folder that others may write to: no link leads out of it, whenever it appears."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from self_hosted.core.tasks.drop_folder import find_local_path, is_inside, open_inside
from self_hosted.core.tasks.storage import resolve_path

SECRET, CONTENT = b"of the worker", b"of the sender"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder with a file that must not be read."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "a.bin").write_bytes(SECRET)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The drop folder, with a file in it and one below it."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.bin").write_bytes(CONTENT)
    (folder / "sub" / "a.bin").write_bytes(CONTENT)
    return folder


def read(folder: Path, name: str) -> bytes:
    with open_inside(folder, folder / name) as file:
        return file.read()


@pytest.mark.parametrize("name", ["a.bin", "sub/a.bin", "sub/../a.bin"])
def test_files_of_the_folder_are_read(folder: Path, name: str) -> None:
    assert is_inside(folder, folder / name)
    assert read(folder, name) == CONTENT


def test_links_within_the_folder_are_read(folder: Path) -> None:
    (folder / "link").symlink_to("sub/a.bin")
    (folder / "to folder").symlink_to(folder / "sub")
    assert is_inside(folder, folder / "to folder" / "a.bin")
    assert [read(folder, name) for name in ("link", "to folder/a.bin")] == [CONTENT, CONTENT]


def test_the_folder_may_be_a_link_itself(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "current"
    link.symlink_to(folder)
    assert is_inside(link, link / "a.bin")
    assert read(link, "sub/a.bin") == CONTENT


def link_to_file(folder: Path, outside: Path) -> str:
    (folder / "link").symlink_to(outside / "a.bin")
    return "link"


def link_with_dots(folder: Path, outside: Path) -> str:
    (folder / "link").symlink_to("../outside/a.bin")
    return "link"


def link_to_folder(folder: Path, outside: Path) -> str:
    (folder / "link").symlink_to(outside)
    return "link/a.bin"


def chain_of_links(folder: Path, outside: Path) -> str:
    (folder / "first").symlink_to("sub/second")
    (folder / "sub" / "second").symlink_to("third")
    (folder / "sub" / "third").symlink_to(outside / "a.bin")
    return "first"


def folder_with_the_same_beginning(folder: Path, outside: Path) -> str:
    other = folder.with_name(folder.name + "side")
    outside.rename(other)
    (folder / "link").symlink_to(other / "a.bin")
    return "link"


def path_with_dots(folder: Path, outside: Path) -> str:
    return "../outside/a.bin"


@pytest.mark.parametrize(
    "make",
    [link_to_file, link_with_dots, link_to_folder, chain_of_links, folder_with_the_same_beginning, path_with_dots],
)
def test_what_leads_out_of_the_folder_is_not_read(
    folder: Path, outside: Path, make: Callable[[Path, Path], str]
) -> None:
    name = make(folder, outside)
    assert (folder / name).read_bytes() == SECRET
    assert not is_inside(folder, folder / name)
    with pytest.raises(PermissionError, match="is a link that points outside of"):
        read(folder, name)


@pytest.mark.parametrize("replaced", ["sub/a.bin", "sub"])
def test_a_link_that_replaces_a_part_of_the_path_after_the_check_is_not_followed(
    folder: Path, outside: Path, monkeypatch: pytest.MonkeyPatch, replaced: str
) -> None:
    realpath = os.path.realpath

    def replace_after_the_check(path: Path) -> str:
        resolved = realpath(path)
        if path == folder / "sub/a.bin":
            (folder / replaced).rename(folder / "moved")
            (folder / replaced).symlink_to(outside / "a.bin" if replaced.endswith("bin") else outside)
        return resolved

    monkeypatch.setattr(os.path, "realpath", replace_after_the_check)
    with pytest.raises(OSError, match=r"Too many levels of symbolic links|Not a directory"):
        read(folder, "sub/a.bin")
    assert (folder / "sub/a.bin").read_bytes() == SECRET


def test_a_pipe_that_replaces_a_file_does_not_block(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(PermissionError, match="is not a file"):
        read(folder, "pipe")


def test_a_loop_of_links_cannot_be_opened(folder: Path) -> None:
    (folder / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        read(folder, "loop")


def test_no_descriptor_stays_open(folder: Path, outside: Path) -> None:
    os.mkfifo(folder / "pipe")
    link_to_folder(folder, outside)
    before = os.listdir("/proc/self/fd")
    for name in ("sub/a.bin", "pipe", "link/a.bin", "missing", "sub/missing/a"):
        try:
            read(folder, name)
        except OSError:
            continue
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_files_on_this_machine_have_a_local_path_and_objects_have_none(folder: Path) -> None:
    assert find_local_path(resolve_path(str(folder / "a.bin"))) == folder / "a.bin"
    assert find_local_path(resolve_path((folder / "a.bin").as_uri())) == folder / "a.bin"
    assert find_local_path(resolve_path("memory://bucket/a.bin")) is None

"""The generated sections of the docs are current."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.meta.rules.generated import GENERATORS, list_pages, list_section_violations, update_sections
from tests.meta.source import ROOT, assert_none

pytestmark = pytest.mark.meta
BEGIN, END = "<!-- begin generated: numbers -->\n", "<!-- end generated: numbers -->"
ONE_TWO = {"numbers": lambda: "one\ntwo"}


def read_pages(root: Path = ROOT) -> dict[str, str]:
    """Return the text of each page by its path: pages of two folders may have the same name."""
    return {page.relative_to(root).as_posix(): page.read_text(encoding="utf-8") for page in list_pages(root)}


def test_generated_sections_are_current():
    pages = read_pages().items()
    assert_none(problem for page, text in pages for problem in list_section_violations(page, text, GENERATORS))


def test_every_generator_is_used():
    text = "\n".join(read_pages().values())
    assert_none(name for name in GENERATORS if f"<!-- begin generated: {name} -->" not in text)


class TestRule:
    """The rule reports a violation."""

    def test_pages_of_the_same_name_in_several_folders_are_all_read(self, tmp_path):
        for name in ("README.md", "docs/README.md", "docs/rudder/README.md"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(name)
        assert read_pages(tmp_path) == {name: name for name in ("README.md", "docs/README.md", "docs/rudder/README.md")}

    def test_an_update_replaces_only_the_section(self):
        assert (
            update_sections(f"# Page\n{BEGIN}old\n{END}\nrest\n", ONE_TWO) == f"# Page\n{BEGIN}one\ntwo\n{END}\nrest\n"
        )

    def test_a_current_section_is_accepted(self):
        assert list_section_violations("page", f"{BEGIN}one\ntwo\n{END}", ONE_TWO) == []

    def test_an_outdated_section_is_reported(self):
        assert list_section_violations("page", f"{BEGIN}one\n{END}", ONE_TWO) == [
            "page: run `make docs`, a generated section is outdated"
        ]

    def test_a_section_without_end_is_reported(self):
        assert list_section_violations("page", f"{BEGIN}one", ONE_TWO) == ["page: section numbers is not closed"]

    def test_a_section_without_generator_is_reported(self):
        assert list_section_violations("page", f"{BEGIN}one\n{END}", {}) == ["page: no generator for section numbers"]

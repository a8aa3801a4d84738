"""The words of the project: standard terms instead of a private vocabulary."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.meta.rules.words import Use, find_banned_words, list_banned_words, list_word_violations
from tests.meta.source import ROOT, assert_none, list_text_files

pytestmark = pytest.mark.meta

LEFT_OUT = {
    "tests/meta/rules/words.py",  # the list of banned words
    "tests/meta/test_words.py",  # examples of them
    "LICENSE",
}
ALLOWED: dict[tuple[str, str], str] = {}
"""The reason for each use of a banned word, by file and word: texts that imitate a product's responses."""


def list_paths() -> list[Path]:
    return [path for path in list_text_files() if path.relative_to(ROOT).as_posix() not in LEFT_OUT]


def test_no_banned_word_is_used():
    assert_none(list_word_violations(list_banned_words(list_paths(), ROOT), ALLOWED))


def test_code_docs_tests_and_programs_are_searched():
    searched = {path.relative_to(ROOT).parts[0] for path in list_paths()}
    assert searched >= {"provider", "docs", "example_dags", "tests", "demo", "chaos", "benchmarks"}
    assert searched >= {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile", "pyproject.toml", ".ci"}


@pytest.mark.parametrize("name", ["a.py", "a.pyi", "a.md", "a.yaml", "a.toml", "Makefile", ".ci/run", "docs/b/c.txt"])
def test_all_kinds_of_text_files_are_searched(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    assert list(list_text_files(tmp_path)) == [tmp_path / name]


def test_every_permission_has_a_reason():
    assert [key for key, reason in ALLOWED.items() if len(reason.split()) < 3] == []


class TestRule:
    """The rule reports each use."""

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("What a user is told.", "told"),
            ("def test_it_is_told_once(): ...", "told"),
            ("class ToldError(Exception): ...", "told"),
            ("hasTold = 1", "told"),
            ("TOLD_SECONDS = 3", "told"),
            ("Somebody must mend that.", "mend"),
            ("It waits in\n    vain.", "in vain"),
            ("# it waits in\n# vain", "in vain"),
            ("The docstring tells of it.", "tells of"),
            ("Lest it fail.", "lest"),
            ("class StandIn: ...", "stand in"),
            ("a table of stand-ins", "stand ins"),
            ("stand_in = 1", "stand in"),
            ("The server says his name.", "his"),
            ("he", "he"),
            ("is_his = 1", "his"),
        ],
    )
    def test_a_banned_word_is_found_in_names_and_texts(self, text, word):
        assert [found for _, found in find_banned_words(text)] == [word]

    @pytest.mark.parametrize(
        "text",
        [
            "a toldstone",
            "She saw the history of this",
            "recommend, mendacious, at least",
            "kHe7",
            "rotary-vane",
            "in vainer",
            "the rules that stand in the file",
        ],
    )
    def test_parts_of_other_words_are_accepted(self, text):
        assert list(find_banned_words(text)) == []

    def test_file_and_line_of_a_use_are_reported(self, tmp_path):
        (tmp_path / "told.md").write_text("fine\nfine\nin\nvain and anew\n")
        assert list_banned_words([tmp_path / "told.md"], tmp_path) == [
            Use("told.md", 0, "told"),
            Use("told.md", 3, "in vain"),
            Use("told.md", 4, "anew"),
        ]

    def test_a_permission_holds_for_one_word_of_one_file(self):
        uses = [Use("a.py", 3, "told"), Use("a.py", 4, "anew"), Use("b.py", 5, "told")]
        assert list_word_violations(uses, {("a.py", "told"): "a response of the product"}) == [
            "a.py:4: anew",
            "b.py:5: told",
        ]

    def test_a_permission_without_use_is_reported(self):
        assert list_word_violations([], {("a.py", "told"): "a response of the product"}) == [
            "a.py: told is allowed, but does not occur"
        ]

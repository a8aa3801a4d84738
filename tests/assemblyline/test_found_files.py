"""Which files a task is given that hands in many."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline.operators.found_files import files_below, listed_files
from tests.core.test_arguments import OfMappedTasks


def test_files_are_listed_in_the_same_ways():
    for given in (["a", "b"], "['a', 'b']", '["a", "b"]', OfMappedTasks()):
        assert [one.name for one in listed_files(given)] == ["a", "b"]


@pytest.mark.parametrize("pattern", ["", None, "../*", "/etc/*", "a/*"])
def test_a_pattern_leads_nowhere_else(tmp_path, pattern):
    with pytest.raises(ValueError, match="pattern must be one of names of files"):
        files_below(str(tmp_path), pattern, recursive=False, at_most=9)


def test_of_a_folder_with_too_many_files_no_more_are_looked_at_than_tell_that(tmp_path):
    for number in range(5):
        (tmp_path / f"{number}.txt").write_text("a")
    assert len(files_below(str(tmp_path), "*", recursive=False, at_most=2)) == 3

"""The input files of the bulk operators."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline.operators.input_files import find_input_files, list_input_files
from tests.core.test_arguments import OfMappedTasks


def test_a_list_of_files_may_have_several_forms():
    for given in (["a", "b"], "['a', 'b']", '["a", "b"]', OfMappedTasks()):
        assert [one.name for one in list_input_files(given)] == ["a", "b"]


@pytest.mark.parametrize("pattern", ["", "../*", "/etc/*", "a/*"])
def test_a_pattern_matches_no_file_outside_of_the_folder(tmp_path, pattern):
    with pytest.raises(ValueError, match="pattern must be a pattern of file names"):
        find_input_files(str(tmp_path), pattern, recursive=False, max_files=9)


def test_at_most_one_file_more_than_allowed_is_read(tmp_path):
    for number in range(5):
        (tmp_path / f"{number}.txt").write_text("a")
    assert len(find_input_files(str(tmp_path), "*", recursive=False, max_files=2)) == 3

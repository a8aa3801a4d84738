"""What operators and sensors are given, as DAG authors write it and as templates give it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from self_hosted.core.arguments import check_id, check_object, checked_texts


class OfMappedTasks(Sequence[str]):
    """Results of a mapped task: Airflow fetches each when it is taken."""

    def __getitem__(self, index):
        return ["a", "b"][index]

    def __len__(self):
        return 2

    def __str__(self):
        return "of mapped tasks"


@pytest.mark.parametrize(
    "given", [["a", "b"], ("a", "", "b"), "['a', 'b']", '["a", "b"]', ' ["a", "b"]', OfMappedTasks()], ids=str
)
def test_a_list_is_one_however_it_is_given(given):
    assert checked_texts("sids", given) == ["a", "b"]


@pytest.mark.parametrize("given", ["[case 7] seen", "[a].txt", "a"])
def test_a_text_is_one_text_though_it_begins_as_a_list_does(given):
    assert checked_texts("reason", given) == [given]


@pytest.mark.parametrize("given", [None, "", [], [""], "[]"])
def test_nothing_is_nothing(given):
    assert checked_texts("filters", given) == []


@pytest.mark.parametrize("given", ["None", ["a", "None"], 7, {"a": 1}, [1], b"a", "[1]"])
def test_what_is_no_text_is_named_and_so_is_what_a_template_makes_of_a_missing_result(given):
    with pytest.raises(ValueError, match="sids must be a text or a list of texts, not"):
        checked_texts("sids", given)


@pytest.mark.parametrize("given", [None, "", "None", 7, {"sid": "s"}])
def test_what_is_no_id_is_named(given):
    with pytest.raises(ValueError, match="sid must be the id of a submission, not"):
        check_id("sid", given, "a submission")


@pytest.mark.parametrize(
    "given", ["hunter2", {"password": "hunter2", "when": object()}, {"hunter2": float("nan")}, ["hunter2"]]
)
def test_what_is_no_dictionary_is_named_and_not_shown(given):
    with pytest.raises(ValueError, match="submission_params must be ") as told:
        check_object("submission_params", given)
    assert "hunter2" not in str(told.value)

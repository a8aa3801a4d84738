"""Arguments as DAG authors write them and as templates render them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from self_hosted.core.arguments import (
    check_ids,
    is_set,
    parse_bool,
    parse_choice,
    parse_float,
    parse_id,
    parse_id_list,
    parse_int,
    parse_json,
    parse_list,
    parse_object,
    parse_object_list,
    parse_optional,
    parse_optional_text,
    parse_seconds,
    parse_share,
    parse_str_list,
    parse_text,
    require_confirm,
    require_json,
    require_not_blank,
    require_one_of,
    to_plain,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = "secret-value"


class OfMappedTasks(Sequence[str]):
    """Results of mapped tasks: Airflow reads each on access."""

    def __getitem__(self, index):
        return ["a", "b"][index]

    def __len__(self):
        return 2

    def __str__(self):
        return "of mapped tasks"


@pytest.mark.parametrize(("value", "expected"), [(None, False), ("", False), (0, True), ("0", True), (False, True)])
def test_an_argument_is_set_unless_it_is_none_or_an_empty_text(value, expected):
    assert is_set(value) is expected


# booleans, numbers and choices


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        ("True", True),
        (" yes ", True),
        ("ON", True),
        (1, True),
        ("1", True),
        (False, False),
        ("no", False),
    ],
)
def test_a_boolean_may_be_text_in_any_case(value, expected):
    assert parse_bool("confirm", value) is expected


def test_a_list_of_ids_is_checked_one_by_one():
    assert check_ids("sids", ["a", 7]) == ["a", "7"]
    assert check_ids("sids", []) == []
    assert check_ids("sids", {"a"}, lambda argument, value: f"{argument} {value}") == ["sids a"]


@pytest.mark.parametrize("value", ["ab", None, 7, {"a": 1}, ["a", ""], [None], ["None"]])
def test_anything_but_a_list_of_ids_is_rejected(value: Any):
    with pytest.raises(ValueError, match="sids must be"):
        check_ids("sids", value)


@pytest.mark.parametrize("value", [None, "", "None", "maybe", 2, []])
def test_an_invalid_boolean_is_rejected(value):
    with pytest.raises(ValueError, match="confirm must be true or false, not ") as error:
        parse_bool("confirm", value)
    assert repr(value) in str(error.value)


@pytest.mark.parametrize("value", [7, "7", " 7 "])
def test_a_whole_number_may_be_text(value):
    assert parse_int("rows", value) == 7


def test_a_whole_number_may_be_negative():
    assert parse_int("priority", "-3", minimum=-5) == -3


@pytest.mark.parametrize("value", [0, "-1", 1.5, "1.5", "None", None, "", True, "²"])
def test_an_invalid_whole_number_is_rejected(value):
    with pytest.raises(ValueError, match="rows must be a whole number, 1 or more, not "):
        parse_int("rows", value)


@pytest.mark.parametrize("value", [0, 11])
def test_a_whole_number_outside_its_limits_is_rejected(value):
    with pytest.raises(ValueError, match=f"rows must be a whole number, from 1 to 10, not {value}"):
        parse_int("rows", value, maximum=10)


@pytest.mark.parametrize(("value", "expected"), [(0.5, 0.5), ("0.5", 0.5), (60, 60.0), (" 60 ", 60.0)])
def test_a_number_may_be_text(value, expected):
    assert parse_float("poll_interval", value) == expected


@pytest.mark.parametrize("value", [0, -1, "often", "None", None, "", True, "nan", "inf", []])
def test_an_invalid_number_is_rejected(value):
    with pytest.raises(ValueError, match="poll_interval must be a number above 0, not "):
        parse_float("poll_interval", value)


@pytest.mark.parametrize(("value", "is_valid"), [(-1, False), (0, True), (100, True), ("100.5", False)])
def test_a_number_has_limits(value, is_valid):
    if is_valid:
        assert parse_float("share", value, above=-1, maximum=100) == pytest.approx(float(value))
    else:
        with pytest.raises(ValueError, match="share must be a number above -1 and at most 100, not "):
            parse_float("share", value, above=-1, maximum=100)


def test_a_choice_is_returned():
    assert parse_choice("state", "enabled", ["enabled", "disabled"]) == "enabled"


@pytest.mark.parametrize("value", ["Enabled", "", "None", None, ["enabled"]])
def test_an_invalid_choice_is_rejected(value):
    with pytest.raises(ValueError, match="state must be one of enabled, disabled, not "):
        parse_choice("state", value, ["enabled", "disabled"])


# ids and timestamps


@pytest.mark.parametrize(("value", "expected"), [("a", "a"), (" a ", "a"), (7, "7"), ("0", "0")])
def test_an_id_is_text_or_a_whole_number(value, expected):
    assert parse_id("sid", value, "a submission") == expected


@pytest.mark.parametrize("value", [None, "", "  ", "None", " None ", True, 1.5, {"sid": "s"}, ["s"]])
def test_an_invalid_id_is_rejected(value):
    with pytest.raises(ValueError, match="sid must be the id of a submission, not "):
        parse_id("sid", value, "a submission")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(["a", " b "], ["a", "b"]), ("a", ["a"]), ("['a', 7]", ["a", "7"]), ([], []), (None, []), ("", [])],
)
def test_a_list_of_ids_may_be_empty(value: Any, expected: list[str]):
    assert parse_id_list("sids", value, "a submission") == expected


@pytest.mark.parametrize("value", [["a", ""], ["a", None], "None", ["a", "None"], 7, {"a": "b"}, " "])
def test_a_list_of_ids_without_gaps_is_required(value: Any):
    with pytest.raises(ValueError, match="sids must be"):
        parse_id_list("sids", value, "a submission")


@pytest.mark.parametrize(
    ("value", "expected"), [(NOON, "2026-11-24T12:00:00+00:00"), ({"b", "a"}, ["a", "b"]), (5, 5), (["a"], ["a"])]
)
def test_arguments_are_stored_as_plain_json(value, expected):
    assert to_plain(value) == expected


# lists


@pytest.mark.parametrize(
    "value", [["a", "b"], ("a", "", "b"), "['a', 'b']", '["a", "b"]', ' ["a", "b"]', OfMappedTasks()], ids=str
)
def test_a_list_of_texts_may_be_a_sequence_json_or_python_source(value):
    assert parse_str_list("sids", value) == ["a", "b"]


def test_a_list_of_texts_may_be_a_set():
    assert sorted(parse_str_list("sids", {"a", "b"})) == ["a", "b"]


@pytest.mark.parametrize("value", ["[case 7] seen", "[a].txt", "a"])
def test_a_text_that_is_not_a_list_is_a_list_of_one(value):
    assert parse_str_list("reason", value) == [value]


@pytest.mark.parametrize("value", [None, "", [], [""], "[]"])
def test_an_empty_value_is_an_empty_list(value):
    assert parse_str_list("filters", value) == []


@pytest.mark.parametrize("value", ["None", ["a", "None"], 7.5, False, [True], {}, {"a": 1}, [1.5], b"a", "[[1]]"])
def test_an_item_that_is_not_a_text_or_is_a_missing_result_is_rejected(value):
    with pytest.raises(ValueError, match="sids must be a text or a list of texts, not"):
        parse_str_list("sids", value)


@pytest.mark.parametrize(("value", "expected"), [("[1, 2]", [1, 2]), ({"a": 1}, {"a": 1}), (7, 7), (b"a", b"a")])
def test_other_values_of_a_list_are_returned_unchanged(value, expected):
    assert parse_list(value) == expected


# objects


@pytest.mark.parametrize("value", [{"a": None}, '{"a": null}', "{'a': None}", ' {"a": null} '])
def test_an_object_may_be_json_or_python_source(value):
    assert parse_object("params", value) == {"a": None}


@pytest.mark.parametrize("value", [None, "", "  ", "None", {}, "{}"])
def test_an_empty_value_is_an_empty_object(value):
    assert parse_object("params", value) == {}


@pytest.mark.parametrize("value", [SECRET, [SECRET], [], "[]", 0, False, f'"{SECRET}"'])
def test_a_value_that_is_not_an_object_is_rejected_and_not_shown(value):
    with pytest.raises(ValueError, match="params must be a dictionary, not ") as error:
        parse_object("params", value)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("value", [{"password": SECRET, "when": object()}, {SECRET: float("nan")}])
def test_an_object_that_is_not_json_is_rejected_and_not_shown(value):
    with pytest.raises(ValueError, match="params must consist of plain JSON values") as error:
        parse_object("params", value)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("value", [{"a": 1}, '{"a": 1}', [{"a": 1}], ({"a": 1},), '[{"a": 1}]', "[{'a': 1}]"])
def test_a_list_of_objects_may_be_one_object_json_or_python_source(value):
    assert parse_object_list("operations", value) == [{"a": 1}]


@pytest.mark.parametrize("value", [None, "", [], "[]"])
def test_an_empty_value_is_an_empty_list_of_objects(value):
    assert parse_object_list("operations", value) == []


@pytest.mark.parametrize("value", ["None", "a", "{a}", "0", ["a"], [{"a": 1}, None], 7, 0, False])
def test_an_item_that_is_not_an_object_is_rejected(value):
    with pytest.raises(ValueError, match="operations must be a list of objects, not "):
        parse_object_list("operations", value)


def test_an_item_that_is_not_json_is_rejected():
    with pytest.raises(ValueError, match="operations must consist of plain JSON values"):
        parse_object_list("operations", [{"a": object()}])


@pytest.mark.parametrize("value", [None, 1, "a", [1, {"b": True}]])
def test_plain_values_are_valid_json(value):
    require_json("json", value)


# requirements


@pytest.mark.parametrize("value", ["", "  "])
def test_a_blank_text_is_rejected_where_it_would_clear_a_field(value):
    with pytest.raises(ValueError, match="tags must not be an empty text"):
        require_not_blank("tags", value)


@pytest.mark.parametrize("value", ["a", [], {}, None, 0])
def test_only_a_blank_text_is_blank(value):
    require_not_blank("tags", value)


def test_the_only_argument_that_is_set_is_returned():
    assert require_one_of({"rule": None, "group": ""}) == "group"


@pytest.mark.parametrize(
    ("arguments", "given"), [({"rule": None, "group": None}, "none"), ({"rule": "a", "group": "b"}, "rule, group")]
)
def test_none_or_several_of_exclusive_arguments_are_rejected(arguments, given):
    with pytest.raises(ValueError, match=f"give exactly one of rule, group, not {given}"):
        require_one_of(arguments)


@pytest.mark.parametrize(("value", "expected"), [(5, 5), (0.5, 0.5), (" 30 ", 30), (timedelta(minutes=2), 120), (0, 0)])
def test_a_time_span_is_a_number_its_digits_or_a_timedelta(value, expected):
    assert parse_seconds("timeout", value) == expected


@pytest.mark.parametrize(
    "value",
    [
        *("soon", -1, "-1", None, True, "", "nan", []),
        timedelta(seconds=-1),
        "-1 day, 0:00:00",
        f"{'9' * 30} days, 0:00:00",
    ],
)
def test_an_invalid_time_span_is_rejected(value):
    with pytest.raises(ValueError, match=r"^timeout must be a number of seconds, 0 or more, not "):
        parse_seconds("timeout", value)


@pytest.mark.parametrize("span", [timedelta(seconds=5), timedelta(days=1, hours=2), timedelta(400, 0, 5)])
def test_the_rendered_text_of_a_timedelta_is_a_time_span(span):
    assert parse_seconds("timeout", str(span)) == span.total_seconds()


@pytest.mark.parametrize(("value", "expected"), [("a", "a"), ("", ""), (12345, "12345"), (True, "True")])
def test_a_text_may_have_been_read_as_a_number(value, expected):
    assert parse_text("name", value) == expected


@pytest.mark.parametrize(
    ("value", "shown"), [(1.1, "1.1; if a template"), (None, "None$"), (["a"], r"\['a'\]; if"), ({}, "{}; if")]
)
def test_anything_but_a_text_is_rejected(value, shown):
    with pytest.raises(ValueError, match=f"^name must be a text, not {shown}"):
        parse_text("name", value)


@pytest.mark.parametrize(("value", "expected"), [(None, None), ("", None), ("None", None), (7, "7"), ("a", "a")])
def test_an_optional_text_is_none_if_it_is_not_set(value, expected):
    assert parse_optional_text("name", value) == expected


@pytest.mark.parametrize("value", [[12, "a"], "[12, 'a']", (12, "a")])
def test_whole_numbers_in_a_list_of_texts_become_texts(value):
    assert parse_str_list("names", value) == ["12", "a"]
    assert parse_str_list("names", 12) == ["12"]


@pytest.mark.parametrize("value", [None, "", " ", "None", " None "])
def test_an_optional_value_that_is_missing_is_not_parsed(value):
    assert parse_optional("limit", value, parse_int) is None


def test_an_optional_value_that_is_set_is_parsed():
    assert parse_optional("enabled", "False", parse_bool) is False
    with pytest.raises(ValueError, match="limit must be a whole number"):
        parse_optional("limit", 0, parse_int)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 1}, {"a": 1}),
        ("{'a': None}", {"a": None}),
        ('[{"a": true}]', [{"a": True}]),
        ("[a] text", "[a] text"),
        ("text", "text"),
        (7, 7),
        (False, False),
        (None, None),
        ("None", None),
        ("", None),
    ],
)
def test_a_json_value_may_be_the_text_of_a_list_or_an_object(value, expected):
    assert parse_json("json", value) == expected


def test_a_value_that_cannot_be_sent_as_json_is_rejected():
    with pytest.raises(ValueError, match="json must consist of plain JSON values"):
        parse_json("json", {"at": NOON})


@pytest.mark.parametrize("missing", ["", "None", None])
def test_a_missing_result_beside_an_argument_that_is_set_is_not_set(missing):
    assert require_one_of({"rule": missing, "group": "g"}) == "group"


def test_of_one_missing_result_its_own_parser_says_so():
    assert require_one_of({"rule": "None", "group": None}) == "rule"


@pytest.mark.parametrize("value", [True, "true"])
def test_a_confirmed_action_is_allowed(value):
    require_confirm(value, "it cannot be undone")


@pytest.mark.parametrize("value", [False, "no"])
def test_an_unconfirmed_action_is_rejected(value):
    with pytest.raises(ValueError, match=r"^confirm must be true: it cannot be undone$"):
        require_confirm(value, "it cannot be undone")


@pytest.mark.parametrize(("value", "share"), [("any", 0), ("never", 1), ("0.05", 0.05), (0.5, 0.5), (0, 0)])
def test_a_share_is_a_word_or_a_number(value, share):
    assert parse_share("fail_on", value) == share


@pytest.mark.parametrize("value", ["some", -0.1, "-1", 1.5, None, "nan", True, ["any"]])
def test_an_invalid_share_is_rejected(value):
    with pytest.raises(ValueError, match="fail_on must be 'any', 'never' or a share from 0 to 1, not"):
        parse_share("fail_on", value)

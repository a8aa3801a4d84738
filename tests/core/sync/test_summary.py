"""A plan in short: nothing in it acts as Markdown, HTML, a link or a template."""

from __future__ import annotations

import dataclasses
import re

import pytest

from self_hosted.core.http.redact import Secrets
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.plan_file import PlanInfo
from self_hosted.core.sync.plan_header import PlanHeader
from self_hosted.core.sync.plan_lines import Settled
from self_hosted.core.sync.summary import log_lines, summarize
from self_hosted.core.sync.target import Change

HEADER = PlanHeader(
    target="atrocore Product https://pim.example.com",
    scope={"brand": "x"},
    mode="mirror",
    fields=[FieldSpec("sku")],
    source={"name": "s3://bucket/products.csv", "rows": 1200},
    limits={"max_missing": 500, "max_emptied": None},
    counts={"total": 1200, "create": 1, "update": 2, "unchanged": 1197, "failed": 0},
)
INFO = PlanInfo("s3://plans/run 1.jsonl", "ab" * 32, "cd" * 32, 3, HEADER)
UPDATE = Change("update", "W-1", "id-1", {"price": 2.5, "name": None}, {"price": 2, "name": "a"}, row=4)
HOSTILE = [
    "![x](https://evil.example/pixel.png)",
    "[click](javascript:alert(1))",
    "<img src=x onerror=alert(1)>",
    "<!-- comment -->",
    "a | b\n|---|---|\n| c | d |",
    "`code` ``more`` ```",
    "`",
    "``",
    "**bold** _it_ ~~s~~ # h",
    "\n\n# heading\n\n- list\n\n    block",
    "{{ conn.pim.password }} {% set x = 1 %} {# c #} {{{x}}}",
    "https://evil.example www.evil.example bo@evil.example",
    "\u202eright to left\u2066 \u200bzero \x1b[31mred\x07\x00",
    "\r\n\t\v\f\u2028\u2029\x85",
    "   blanks   ",
    "",
    "\\` \\",
    "x" * 100_000,
    "`" * 5000,
    "&lt;b&gt; &#x60;",
]


def remove_code(markdown):
    """Return Markdown without its code spans, as CommonMark finds them."""
    return re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", markdown)


def test_a_summary_shows_counts_limits_and_changes():
    settled = [Settled("failed", "W-9", 7, "no number", "price", "x"), Settled("ambiguous", "W-8", None, "two records")]
    assert summarize(INFO, [UPDATE, Change("create", "red", "r", {}, collection="Color")], settled).splitlines() == [
        "**Plan for `atrocore Product https://pim.example.com`**",
        "",
        "- Source: `s3://bucket/products.csv`, 1200 rows",
        '- Scope: `{"brand": "x"}`',
        "- Mode: `mirror`",
        "- Limits: `max_missing` `500`",
        f"- File: `s3://plans/run 1.jsonl`, SHA-256 `{'ab' * 32}`",
        "",
        "| result of the comparison | number |",
        "|---|---:|",
        "| rows of the source | 1200 |",
        "| create | 1 |",
        "| update | 2 |",
        "| unchanged | 1197 |",
        "",
        "**First changes**",
        "",
        '- update `W-1`: `price` `2` → `2.5`, `name` `"a"` → `null`',
        "- create `Color` `red`",
        "",
        "**First problems**",
        "",
        "- failed `W-9` (row 7): `no number`",
        "- ambiguous `W-8`: `two records`",
    ]


def test_an_empty_plan_has_a_summary():
    header = dataclasses.replace(HEADER, scope=None, limits={}, counts={})
    text = summarize(dataclasses.replace(INFO, header=header), [])
    assert "- Scope: all records\n" in text
    assert "- Limits: none\n" in text
    assert "First" not in text


@pytest.mark.parametrize("place", ["key", "field", "new", "old", "message", "collection", "target", "source", "uri"])
@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_no_value_acts_as_anything_but_text(place, hostile):
    given = {name: "x" for name in ("key", "field", "new", "old", "message", "collection", "target", "source", "uri")}

    def build(value):
        values = {**given, place: value}
        change = Change(
            "update", values["key"], "id", {values["field"]: values["new"]}, {values["field"]: values["old"]},
            collection=values["collection"],
        )  # fmt: skip
        header = dataclasses.replace(HEADER, target=values["target"], source={"name": values["source"], "rows": 1})
        settled = Settled("failed", values["key"], 1, values["message"])
        return summarize(dataclasses.replace(INFO, uri=values["uri"], header=header), [change], [settled])

    text = build(hostile)
    assert len(text.encode()) <= 20_000
    assert not re.search(r"\{\{|\{%|\{#|\}\}|%\}|#\}", text)
    assert all(character.isprintable() or character == "\n" for character in text)
    # all of the value is inside of code spans: what is left is the same for every value
    if hostile or place != "collection":
        assert remove_code(text) == remove_code(build("x"))


def test_a_summary_is_never_longer_than_20_kb():
    values = {f"field {number} {'f' * 200}": "ß€😀" * 200 for number in range(100)}
    changes = [Change("update", "k" * 500, "id", values, dict.fromkeys(values, "x" * 500)) for _ in range(100)]
    settled = [Settled("failed", "k" * 500, 1, "m" * 5000) for _ in range(100)]
    text = summarize(INFO, changes, settled)
    assert 15_000 < len(text.encode()) <= 20_000
    assert text.endswith("\nThe rest is in the plan.\n")


def test_only_the_first_changes_and_fields_are_shown():
    changes = [Change("update", f"k{number}", "id", {f"f{field}": 1 for field in range(12)}) for number in range(30)]
    unread = iter(changes)
    text = summarize(INFO, unread, [])
    assert [line[:13] for line in text.splitlines() if line.startswith("- update")][-1] == "- update `k19"
    assert "- and more, which the plan lists" in text
    assert "`f9` `null` → `1`, and 2 more fields\n" in text
    assert len(list(unread)) == 30 - 21


def test_no_secret_is_shown():
    secrets = Secrets(["hunter2-hunter2"])
    assert "hunter2" not in summarize(INFO, [Change("update", "k", "id", {"name": "hunter2-hunter2"})])
    del secrets


def test_the_log_shows_counts_changes_and_problems():
    settled = [Settled("failed", "W-9", 7, "no number"), Settled("ambiguous", "W-8", None, "two records")]
    removal = Change("delete", "W-2", "id-2", {}, {"name": "x"})
    assert list(log_lines(INFO, [UPDATE, removal], settled)) == [
        "Plan for atrocore Product https://pim.example.com: total 1200, create 1, update 2, unchanged 1197",
        'update W-1: price 2 -> 2.5, name "a" -> null',
        "delete W-2",
        "failed W-9 (row 7): no number",
        "ambiguous W-8: two records",
    ]


def test_the_log_shows_the_first_changes_only():
    changes = [Change("create", f"k{number}", None, {}) for number in range(30)]
    assert len(list(log_lines(INFO, changes, [Settled("failed", "k", 1, "m")] * 30))) == 41
    assert next(log_lines(dataclasses.replace(INFO, header=dataclasses.replace(HEADER, counts={})), [])).endswith(
        "nothing to compare"
    )


def test_the_values_of_a_new_record_have_no_old_ones():
    text = summarize(INFO, [Change("create", "W-1", "id-1", {"name": "a"})])
    assert '- create `W-1`: `name` `"a"`\n' in text

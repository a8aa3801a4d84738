"""JSON Lines, and JSON files with an array of objects."""

from __future__ import annotations

import json

import pytest

from self_hosted.core.sync.readers import json_array, json_lines
from self_hosted.core.sync.readers.table import IncompleteSourceError
from tests.core.sync.read_source import read

ROWS = [{"sku": "00123", "a": 1.5, "b": None}, {"sku": 2, "c": {"x": [1, "ä"]}}, {"sku": True, "a": ""}]
CELLS = [{"sku": "00123", "a": 1.5, "b": None}, {"sku": 2, "c": {"x": [1, "ä"]}}, {"sku": True, "a": None}]


@pytest.fixture
def write(tmp_path):
    def write(content, name, encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


class TestLines:
    """One object per line."""

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
    def test_objects_are_rows(self, write, encoding, end):
        found = read(write(end.join(json.dumps(row, ensure_ascii=False) for row in ROWS), "a.jsonl", encoding))
        assert found.cells == CELLS
        assert found.columns == ("sku", "a", "b", "c")
        assert found.lines == ([1, 2, 3] if end != "\n\n" else [1, 3, 5])

    @pytest.mark.parametrize("content", ["", "\n \n", "\ufeff"])
    def test_an_empty_file_has_no_rows(self, write, content):
        assert read(write(content, "a.jsonl")).rows == []

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ('{"sku": 1', r"line 2 of .*a.jsonl is not valid JSON"),
            ('{"sku": 1} {"sku": 2}', "line 2 of .* is not valid JSON"),
            ("[" * 100_000, "line 2 of .* is not valid JSON"),
            ('{"sku": ' + "1" * 5000 + "}", "line 2 of .* is not valid JSON"),
            ("[1]", "line 2 of .* must be an object of column to value, not"),
            ('"sku"', "line 2 of .* must be an object"),
            ('{"sku": 1, "sku": 2}', "line 2 of .* has the name 'sku' twice in one object"),
            ('{"sku": 1, "a": {"b": 1, "b": 2}}', "line 2 of .* has the name 'b' twice in one object"),
            ('{"sku": 1, "sku ": 2}', "line 2 of .* has the column 'sku' twice"),
        ],
    )
    def test_a_malformed_line_is_rejected_by_its_number(self, write, line, message):
        with pytest.raises(ValueError, match=message):
            read(write('{"sku": 1}\n' + line + "\n", "a.jsonl"))

    def test_numbers_that_are_none_fail_their_row(self, write):
        found = read(write('{"sku": NaN}\n{"sku": 1e999}\n{"sku": 1}\n', "a.jsonl"))
        assert [problem.partition(";")[0] for problem in found.problems] == [
            "sku: nan is no value",
            "sku: inf is no value",
            "",
        ]

    def test_a_text_that_is_not_unicode_fails_its_row(self, write):
        problems = read(write('{"sku": "\\ud800"}\n{"sku": "\\ud83d\\ude00"}\n', "a.jsonl")).problems
        assert problems == ["sku: the text '\\ud800' is not valid Unicode", ""]

    def test_a_missing_column_is_named(self, write):
        with pytest.raises(ValueError, match=r"a.jsonl has no column 'sku'; similar: 'SKU'"):
            read(write('{"SKU": 1}\n', "a.jsonl"))

    def test_a_too_long_line_is_rejected(self, write, monkeypatch):
        monkeypatch.setattr(json_lines, "MAX_ROW_CHARACTERS", 20)
        with pytest.raises(ValueError, match=r"line 2 of .*a.jsonl has more than 20 characters"):
            read(write('{"sku": 1}\n{"sku": "xxxxxxxxxxxxxxxxxxxxx"}\n', "a.jsonl"))


class TestArray:
    """An array of objects, read one after the other."""

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    @pytest.mark.parametrize("indent", [None, 2])
    def test_objects_are_rows(self, write, encoding, indent):
        found = read(write(json.dumps(ROWS, indent=indent, ensure_ascii=False), "a.json", encoding))
        assert found.cells == CELLS
        assert found.lines == ([1, 1, 1] if indent is None else [2, 7, 16])

    @pytest.mark.parametrize("chunk", [1, 2, 3, 7, 20])
    def test_objects_may_span_parts_of_the_file(self, write, chunk, monkeypatch):
        monkeypatch.setattr(json_array, "CHUNK_CHARACTERS", chunk)
        found = read(write(json.dumps(ROWS, indent=1), "a.json"))
        assert found.cells == CELLS
        assert found.lines == [2, 7, 16]

    @pytest.mark.parametrize("content", ["", " \n", "[]", "\ufeff[ \n]\n"])
    def test_an_empty_file_or_array_has_no_rows(self, write, content):
        assert read(write(content, "a.json")).rows == []

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ('{"sku": 1}\n{"sku": 2}\n', "line 1 of .* must begin with the .* give source_format='jsonl'"),
            ('"x"', "line 1 of .* must begin with the"),
            ('[{"sku": 1},\n 5]', "line 2 of .* has '5' where an object must begin"),
            ('[{"sku": 1},\n]', "line 2 of .* has ']' where an object must begin"),
            ('[,{"sku": 1}]', "line 1 of .* has ',' where an object must begin"),
            ('[{"sku": 1}\n {"sku": 2}]', "line 2 of .* is not valid JSON: expected , or ] before '{'"),
            ('[{"sku": 1},\n {"sku":\n x}]', "line 3 of .* is not valid JSON: Expecting value"),
            ('[{"sku": 1},\n {"sku": 1, "sku": 2}]', "line 2 of .* has the name 'sku' twice in one object"),
            ('[{"sku": 1}]\nx', "line 2 of .* has 'x' after the end of the array"),
            ('[{"sku": ' + "[" * 100_000, "line 1 of .* is not valid JSON"),
        ],
    )
    def test_malformed_json_is_rejected_by_line(self, write, content, message):
        with pytest.raises(ValueError, match=message):
            read(write(content, "a.json"))

    @pytest.mark.parametrize("content", ["[", '[{"sku": 1}', '[{"sku": 1},', '[{"sku": 1}, \n'])
    def test_a_torn_array_is_rejected(self, write, content):
        with pytest.raises(IncompleteSourceError, match=r"a.json ends before the ] of its array"):
            read(write(content, "a.json"))

    def test_a_too_long_object_is_rejected(self, write, monkeypatch):
        monkeypatch.setattr(json_array, "CHUNK_CHARACTERS", 8)
        monkeypatch.setattr(json_array, "MAX_ROW_CHARACTERS", 20)
        with pytest.raises(ValueError, match=r"line 1 of .* is not valid JSON"):
            read(write('[{"sku": "' + "x" * 100 + '"}]', "a.json"))

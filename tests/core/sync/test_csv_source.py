"""CSV files as Excel, databases and people write them."""

from __future__ import annotations

import csv
import logging

import pytest

from self_hosted.core.sync.readers import csv_rows
from tests.core.sync.read_source import read


@pytest.fixture
def write(tmp_path):
    """Write a file: ``write("a;b\\n1;2\\n")`` returns its path."""

    def write(content, name="a.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
        return path

    return write


class TestGermanExcel:
    """Files of a German Excel, without any option."""

    CONTENT = "sku;Größe (cm);Preis;Text\r\n00123;1,5;1.234,50;Maß „groß“\r\n1E5;;-3;a\r\n"
    ROWS = (
        {"sku": "00123", "Größe (cm)": "1,5", "Preis": "1.234,50", "Text": "Maß „groß“"},
        {"sku": "1E5", "Größe (cm)": None, "Preis": "-3", "Text": "a"},
    )

    @pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16", "utf-32"])
    def test_its_encodings_are_recognized(self, write, encoding):
        found = read(write(self.CONTENT, encoding=encoding), ["sku", "Größe (cm)"])
        assert found.cells == list(self.ROWS)
        assert found.lines == [2, 3]

    def test_unicode_text_is_recognized(self, write):
        assert read(write(self.CONTENT.replace(";", "\t"), "a.txt", "utf-16")).cells == list(self.ROWS)

    def test_big_endian_utf16_is_recognized(self, write):
        assert read(write(b"\xfe\xff" + self.CONTENT.encode("utf-16-be"))).cells == list(self.ROWS)

    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    @pytest.mark.parametrize("line", ["sep=;\r\n", '"sep=;"\n', "SEP=;\n"])
    def test_a_line_that_names_the_separator_is_no_header(self, write, line, mark):
        found = read(write(mark + line + self.CONTENT))
        assert found.cells == list(self.ROWS)
        assert found.lines == [3, 4]

    def test_the_named_separator_wins_over_the_header(self, write):
        assert read(write("sep=|\nsku|a;b\n1|2\n"), ["sku"]).cells == [{"sku": "1", "a;b": "2"}]
        assert read(write("sep=\t\nsku\n1\n"), ["sku"]).cells == [{"sku": "1"}]

    def test_a_given_delimiter_wins_over_the_named_one(self, write):
        assert read(write("sep=,\nsku;a\n1;2\n"), delimiter=";").cells == [{"sku": "1", "a": "2"}]


class TestHeader:
    """The names of the columns."""

    def test_blanks_around_and_within_names_do_not_count(self, write):
        found = read(write(' sku ;\u00a0Preis\u00a0\u00a0brutto ;"Gro\u0308ße\n(cm)"\n1;2;3\n'), ["sku", "Größe (cm)"])
        assert found.cells == [{"sku": "1", "Preis brutto": "2", "Größe (cm)": "3"}]
        assert found.lines == [3]

    def test_the_expected_spelling_is_kept(self, write):
        assert read(write("sku ;Preis\u00a0 neu\n1;2\n"), ["sku", "Preis  neu"]).columns == ("sku", "Preis  neu")

    def test_a_column_that_occurs_twice_is_rejected(self, write):
        with pytest.raises(ValueError, match=r"a.csv has the column 'name', 'x y' more than once"):
            read(write("sku;name; name;x y;x  y\n1;2;3;4;5\n"))

    def test_columns_without_a_name_may_have_no_cells(self, write):
        found = read(write("sku;;a;\n1;;2;\n3;;4\n"))
        assert found.cells == [{"sku": "1", "a": "2"}, {"sku": "3", "a": "4"}]

    def test_a_cell_in_a_column_without_a_name_is_rejected(self, write):
        with pytest.raises(ValueError, match=r"line 3 of .*a.csv has the value 'x' in column 2, which has no name"):
            read(write("sku;;a\n1;;2\n3;x;4\n"))

    def test_a_missing_column_is_named_with_similar_ones(self, write):
        with pytest.raises(
            ValueError, match=r"has no column 'Preis', 'zzz'; similar: 'PREIS'. It has sku, PREIS, name"
        ):
            read(write("sku;PREIS;name\n1;2;3\n"), ["sku", "Preis", "zzz"])

    def test_many_columns_are_shown_in_short(self, write):
        header = ";".join(f"c{number}" for number in range(30))
        with pytest.raises(ValueError, match=r"has no column 'sku'. It has c0, .*, c19 and 10 more$"):
            read(write(f"{header}\n"))

    @pytest.mark.parametrize("content", ["", "\n\r\n", "\ufeff"])
    def test_an_empty_file_has_no_rows(self, write, content):
        found = read(write(content))
        assert (found.columns, found.rows) == ((), [])

    def test_a_file_with_only_a_header_has_no_rows(self, write):
        found = read(write("sku;a\n"))
        assert (found.columns, found.rows) == (("sku", "a"), [])

    def test_a_column_named_id_is_a_column_like_any_other(self, write):
        assert read(write("id;sku\n7;1\n")).cells == [{"id": "7", "sku": "1"}]


class TestDelimiter:
    """The delimiter is the one that yields the expected columns."""

    @pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
    def test_it_is_found_by_the_header(self, write, delimiter):
        content = delimiter.join(["sku", '"a,b;c|d\te"', "x"]) + "\n" + delimiter.join(["1", '"1,2;3|4\t5"', "6"])
        found = read(write(content), ["sku", "x"])
        assert found.cells == [{"sku": "1", "a,b;c|d e": "1,2;3|4\t5", "x": "6"}]

    def test_a_name_with_other_delimiters_is_no_obstacle(self, write):
        found = read(write("name,de;sku;size|cm\nA;1;3\n"), ["sku"])
        assert found.cells == [{"name,de": "A", "sku": "1", "size|cm": "3"}]

    def test_the_mapped_columns_decide_too(self, write):
        assert read(write("sku,y;sku;z\n1,2;3;4\n"), ["sku", "z"]).cells == [{"sku,y": "1,2", "sku": "3", "z": "4"}]
        assert read(write("sku;x,sku,y\n1;2,3,4\n"), ["sku", "y"]).cells == [{"sku;x": "1;2", "sku": "3", "y": "4"}]

    def test_a_header_of_one_column_is_ambiguous(self, write):
        with pytest.raises(
            ValueError,
            match=r"the delimiter of .*a.csv is not clear: its header may be split by any of ';', ',', 'tab', '\|'. "
            "Give delimiter",
        ):
            read(write("sku\n1\n"))
        assert read(write("sku\n1;5\n"), delimiter=",").cells == [{"sku": "1;5"}]

    def test_a_header_that_fits_several_delimiters_is_ambiguous(self, write):
        with pytest.raises(ValueError, match=r"may be split by any of ';', ','. Give delimiter"):
            read(write("a;sku,b;c\n1;2,3;4\n"), ["x"])

    def test_a_missing_column_is_no_question_of_the_delimiter(self, write):
        with pytest.raises(ValueError, match=r"has no column 'price'; similar: 'preis'. It has sku, preis"):
            read(write("sku;preis\n1;2\n"), ["sku", "price"])
        with pytest.raises(ValueError, match=r"has no column 'x'. It has sku, preis"):
            read(write("sku;preis\n1;2\n"), ["x"])

    def test_tsv_files_have_tabs(self, write):
        assert read(write("sku\ta;b\n1\t2\n", "a.tsv")).cells == [{"sku": "1", "a;b": "2"}]
        assert read(write("sku;a\n1;2\n", "a.tsv"), delimiter=";").cells == [{"sku": "1", "a": "2"}]


class TestRows:
    """Cells and rows."""

    def test_cells_stay_texts(self, write):
        found = read(write("sku,a\n00123,1E5\n+1,01.03.2026\nTRUE,nan\n1/2,-\n"))
        assert found.cells == [
            {"sku": "00123", "a": "1E5"},
            {"sku": "+1", "a": "01.03.2026"},
            {"sku": "TRUE", "a": "nan"},
            {"sku": "1/2", "a": "-"},
        ]

    def test_a_key_that_looks_like_a_number_stays_behind_many_that_are(self, write):
        rows = "".join(f"{number};x\n" for number in range(10_000))
        assert read(write(f"sku;a\n{rows}00123;x\nA-1;x\n")).cells[-2:] == [
            {"sku": "00123", "a": "x"},
            {"sku": "A-1", "a": "x"},
        ]

    def test_an_empty_cell_is_no_value_with_and_without_quotes(self, write):
        assert read(write('sku;a;b\n1;;""\n')).cells == [{"sku": "1", "a": None, "b": None}]

    def test_null_values_are_no_value(self, write):
        found = read(write("sku;a;b;c\n1;NULL;null; \n"), null_values=["NULL"])
        assert found.cells == [{"sku": "1", "a": None, "b": "null", "c": " "}]

    def test_quoted_line_breaks_and_delimiters_belong_to_the_cell(self, write):
        found = read(write('sku;a\n1;"x;\r\n""y""\n\n"\n2;z\n'))
        assert found.cells == [{"sku": "1", "a": 'x;\r\n"y"\n\n'}, {"sku": "2", "a": "z"}]
        assert found.lines == [2, 6]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_all_line_ends_are_read(self, write, end):
        found = read(write(end.join(["sku;a", "1;2", "", "3;4"])))
        assert found.cells == [{"sku": "1", "a": "2"}, {"sku": "3", "a": "4"}]
        assert found.lines == [2, 4]

    def test_rows_without_any_value_are_left_out(self, write, caplog):
        with caplog.at_level(logging.INFO):
            found = read(write("\n;;\nsku;a;\n;;\n1;2;\n\n;;\n".removeprefix("\n;;\n")))
        assert found.cells == [{"sku": "1", "a": "2"}]
        assert "2 rows without any value are left out" in caplog.text

    def test_a_long_cell_is_read(self, write):
        text = "ä" * 200_000
        assert read(write(f"sku;a\n1;{text}\n")).cells == [{"sku": "1", "a": text}]
        assert csv.field_size_limit() >= csv_rows.MAX_CELL_CHARACTERS

    def test_a_too_long_cell_is_rejected_by_the_line_where_its_record_began(self, write):
        text = "x" * (csv.field_size_limit() + 1)
        with pytest.raises(
            ValueError, match=r"the record that begins in line 3 of .*a.csv is not valid CSV: a cell has more than \d+"
        ):
            read(write(f"sku;a\n1;2\n3;{text}\n"))

    def test_a_quote_that_is_not_closed_is_rejected_by_the_line_where_its_record_began(self, write):
        with pytest.raises(
            ValueError, match=r"the record that begins in line 4 of .*a.csv is not valid CSV: a quote is not closed"
        ):
            read(write('sku;a\n1;2\n\n3;"4\n5;6\n7;8\n'))

    def test_a_quote_in_the_header_that_is_not_closed_is_rejected(self, write):
        with pytest.raises(ValueError, match=r"begins in line 1 of .*a.csv is not valid CSV: a quote is not closed"):
            read(write('"sku;a\n1;2\n'))

    def test_a_text_after_a_quote_is_rejected(self, write):
        with pytest.raises(ValueError, match=r"line 2 of .*a.csv is not valid CSV: ';' expected after '\"'"):
            read(write('sku;a\n1;"2" x\n'))

    @pytest.mark.parametrize(("row", "cells"), [("1", 1), ("1;2", 2), ("1;2;3;4", 4), ("1;2;3;;5", 5), ('"1;2;3"', 1)])
    def test_a_row_with_too_few_or_too_many_cells_is_rejected(self, write, row, cells):
        with pytest.raises(ValueError, match=rf"line 3 of .*a.csv has {cells} cells, but the header has 3 columns"):
            read(write(f"sku;a;b\n1;2;3\n{row}\n"))

    def test_a_delimiter_at_the_end_of_rows_is_no_cell(self, write):
        assert read(write("sku;a\n1;2;\n3;4;;\n")).cells == [{"sku": "1", "a": "2"}, {"sku": "3", "a": "4"}]

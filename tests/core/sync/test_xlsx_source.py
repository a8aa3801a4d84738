"""XLSX files: values, dates, formulas, errors; and files that are not what they seem."""

from __future__ import annotations

import logging
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import openpyxl
import pytest

from self_hosted.core.sync.readers import xlsx, xlsx_formulas, xlsx_package
from tests.core.sync.read_source import read


@pytest.fixture
def write(tmp_path):
    """Write sheets: ``write([["sku"], [1]])``, or ``write(Name=[...], Other=[...])``."""

    def write(rows=None, hidden=(), **sheets):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, cells in (sheets or {"Sheet": rows}).items():
            sheet = book.create_sheet(name)
            for row in cells:
                sheet.append(row)
            sheet.sheet_state = "hidden" if name in hidden else "visible"
        book.save(tmp_path / "a.xlsx")
        return tmp_path / "a.xlsx"

    return write


def rewrite(path, **parts):
    """Replace texts in parts of a file: ``rewrite(path, sheet1=("<a>", "<b>"))``."""
    with zipfile.ZipFile(path) as package:
        content = {info.filename: package.read(info) for info in package.infolist()}
    for part, (old, new) in parts.items():
        name = next(name for name in content if name.endswith(f"{part}.xml"))
        assert old.encode() in content[name]
        content[name] = content[name].replace(old.encode(), new.encode(), 1)
    with zipfile.ZipFile(path, "w") as package:
        for name, data in content.items():
            package.writestr(name, data)
    return path


def test_values_keep_their_type(write):
    found = read(
        write([
            ["sku", "a"],
            ["00123", 1.5],
            [123, True],
            [12345.0, datetime(2026, 3, 1, 10, 30)],
            ["x", date(2026, 3, 1)],
            ["y", datetime(2026, 3, 1)],
            ["z", time(10, 30)],
            [Decimal("12.50"), None],
        ])
    )
    assert [tuple(cells.values()) for cells in found.cells] == [
        ("00123", 1.5),
        (123, True),
        (12345, "2026-03-01T10:30:00"),
        ("x", "2026-03-01"),
        ("y", "2026-03-01"),
        ("z", "10:30:00"),
        (12.5, None),
    ]
    assert found.lines == [2, 3, 4, 5, 6, 7, 8]
    assert isinstance(found.cells[1]["sku"], int)


def test_a_duration_fails_its_row(write):
    assert "a: datetime.timedelta" in read(write([["sku", "a"], [1, timedelta(hours=30)]])).problems[0]


def test_header_and_rows_may_begin_anywhere(write):
    found = read(write([[], [None, None], [None, " sku ", "Größe\n(cm)", None], [None, 1, 2], [], [None, 3]]))
    assert found.columns == ("sku", "Größe (cm)")
    assert found.cells == [{"sku": 1, "Größe (cm)": 2}, {"sku": 3, "Größe (cm)": None}]
    assert found.lines == [4, 6]


def test_a_value_beside_the_columns_is_rejected(write):
    with pytest.raises(
        ValueError, match=r"row 2 of sheet 'Sheet' of .*a.xlsx has 3 cells, but the header has 1 columns"
    ):
        read(write([["sku"], [1, None, "note"]]))
    with pytest.raises(ValueError, match="has the value 'note' in column 2, which has no name"):
        read(write([["sku", None, "a"], [1, "note", 2]]))


def test_a_column_that_occurs_twice_is_rejected(write):
    with pytest.raises(ValueError, match="has the column 'sku' more than once"):
        read(write([["sku", " sku"], [1, 2]]))


@pytest.mark.parametrize("rows", [[], [[None]]])
def test_an_empty_sheet_has_no_rows(write, rows):
    assert read(write(rows)).rows == []


def test_a_header_alone_has_no_rows(write):
    assert read(write([["sku"]])).rows == []


class TestSheets:
    """The sheet that is read."""

    def test_the_first_visible_one_is_read(self, write, caplog):
        path = write(Lists=[["x"]], Products=[["sku"], [1]], Other=[["y"]], hidden=["Lists"])
        with caplog.at_level(logging.INFO):
            assert read(path).cells == [{"sku": 1}]
        assert "Sheet 'Products' of" in caplog.text
        assert "is read, the first of 'Lists', 'Products', 'Other'" in caplog.text

    def test_one_can_be_given_by_name(self, write):
        path = write(Products=[["sku"], [1]], Lists=[["sku"], [2]], hidden=["Lists"])
        assert read(path, sheet="Lists").cells == [{"sku": 2}]

    def test_a_missing_one_is_rejected_with_the_others(self, write):
        with pytest.raises(ValueError, match=r"sheet: .*a.xlsx has no sheet 'A'; it has 'B', 'C'"):
            read(write(B=[["sku"]], C=[["sku"]]), sheet="A")


class TestFormulas:
    """Formulas are read as the values that were stored with them."""

    def test_a_stored_result_is_read(self, write):
        path = write([["sku", "a"], [1, "=1+1"]])
        rewrite(path, sheet1=("<f>1+1</f><v />", "<f>1+1</f><v>2</v>"))
        assert read(path).cells == [{"sku": 1, "a": 2}]

    def test_one_without_a_stored_result_fails_its_row(self, write):
        found = read(write([["sku", "a"], [1, "=1+1"], [2, 5], [3, "=A2&A3"]]))
        expected = "a: the cell has no value but a formula without a stored result: open the file in Excel, and save it"
        assert [problem.partition(";")[0] for problem in found.problems] == [expected, "", expected]

    def test_one_in_a_column_that_is_not_used_fails_no_row(self, write):
        assert read(write([["sku", "a"], [1, "=1+1"]]), problem_columns=["sku"]).problems == [""]

    def test_an_empty_text_is_a_result(self, write):
        path = write([["sku", "a"], [1, "=1+1"]])
        rewrite(path, sheet1=('<c r="B2"><f>', '<c r="B2" t="str"><f>'))
        assert read(path).cells == [{"sku": 1, "a": None}]

    @pytest.mark.parametrize(
        "cell",
        [
            '<c r="B2"><f>1+1</f></c>',
            '<c r="B2" s="1"><f t="shared" si="0"/><v></v></c>',
            '<c  s="1" r="B2" ><f/></c>',
            "<c r='B2'><f ca='1'>1+1</f><v/></c>",
        ],
    )
    def test_all_forms_are_recognized(self, tmp_path, cell):
        (tmp_path / "sheet.xml").write_text(
            f'<row r="2"><c r="A2"><v>1</v></c>{cell}<c r="C2"><f>1</f><v>1</v></c></row>'
        )
        with (tmp_path / "sheet.xml").open("rb") as file:
            assert xlsx_formulas.find_uncalculated(file) == {2: [1]}

    def test_they_are_found_across_parts_of_the_file(self, tmp_path, monkeypatch):
        monkeypatch.setattr(xlsx_formulas, "CHUNK_BYTES", 10)
        cells = "".join(
            f'<x:c r="AB{row}"><x:f>1</x:f><x:v></x:v></x:c><x:c><x:f>1</x:f></x:c>' for row in range(1, 30)
        )
        (tmp_path / "sheet.xml").write_text(cells)
        with (tmp_path / "sheet.xml").open("rb") as file:
            assert xlsx_formulas.find_uncalculated(file) == {row: [27] for row in range(1, 30)}

    def test_too_many_of_them_are_rejected(self, write, monkeypatch):
        monkeypatch.setattr(xlsx_formulas, "MAX_CELLS", 2)
        with pytest.raises(
            ValueError, match=r"a.xlsx is not a valid XLSX file: .* more than 2 formulas have no stored"
        ):
            read(write([["sku"], ["=1"], ["=2"], ["=3"]]))

    @pytest.mark.parametrize("code", ["#DIV/0!", "#N/A", "#REF!"])
    def test_an_error_as_result_fails_its_row(self, write, code):
        found = read(write([["sku", "a"], [1, code], [2, "#5"]]))
        assert found.problems == [f"a: the cell has no value but {code}; correct it in the file, or leave it empty", ""]
        assert found.cells == [{"sku": 1, "a": code}, {"sku": 2, "a": "#5"}]


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
SHARED = {
    "[Content_Types].xml": f"""<Types xmlns="{PACKAGE}/content-types">
        <Default Extension="xml" ContentType="application/xml"/>
        <Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/>
        <Override PartName="/xl/worksheets/sheet1.xml" ContentType="{TYPE}.worksheet+xml"/>
        <Override PartName="/xl/sharedStrings.xml" ContentType="{TYPE}.sharedStrings+xml"/></Types>""",
    "_rels/.rels": f"""<Relationships xmlns="{PACKAGE}/relationships">
        <Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>""",
    "xl/workbook.xml": f"""<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">
        <sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>""",
    "xl/_rels/workbook.xml.rels": f"""<Relationships xmlns="{PACKAGE}/relationships">
        <Relationship Id="r1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>
        <Relationship Id="r2" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>""",
    "xl/sharedStrings.xml": f"""<sst xmlns="{MAIN}"><si><t>sku</t></si>
        <si><r><t>Grö</t></r><r><t>ße</t></r></si></sst>""",
    "xl/worksheets/sheet1.xml": f"""<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row>
        <row r="2"><c r="A2" t="s"><v>1</v></c></row></sheetData></worksheet>""",
}
"""The parts of a file in which texts are shared, as Excel writes them."""


def test_shared_texts_are_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in SHARED.items():
            package.writestr(name, content)
    assert read(tmp_path / "a.xlsx").cells == [{"sku": "Größe"}]


def test_escaped_characters_are_characters(write):
    path = rewrite(write([["sku"], ["axb"]]), sheet1=("axb", "a_x000D_\nb _x005F_x000D_ _xyz_"))
    assert read(path).cells == [{"sku": "a\r\nb _x000D_ _xyz_"}]


def test_a_wrong_size_in_the_file_is_ignored(write):
    path = rewrite(write([["sku", "a"], [1, 2]]), sheet1=('<dimension ref="A1:B2" />', '<dimension ref="A1" />'))
    assert read(path).cells == [{"sku": 1, "a": 2}]


def test_missing_row_numbers_are_counted(write):
    path = rewrite(write([["sku"], [1], [2]]), sheet1=('<row r="3"><c r="A3"', '<row r="7"><c r="A7"'))
    assert read(path).lines == [2, 7]


class TestMalformed:
    """Files that are no XLSX, or could exhaust the machine."""

    @pytest.mark.parametrize("content", [b"", b"sku;a\n", b"PK\x03\x04" + b"x" * 100])
    def test_another_file_is_rejected(self, tmp_path, content):
        (tmp_path / "a.xlsx").write_bytes(content)
        with pytest.raises(ValueError, match=r"a.xlsx is not a valid XLSX file"):
            read(tmp_path / "a.xlsx")

    def test_an_encrypted_file_is_rejected(self, tmp_path):
        (tmp_path / "a.xlsx").write_bytes(b"\xd0\xcf\x11\xe0" + b"x" * 100)
        with pytest.raises(ValueError, match=r"a.xlsx is encrypted, or in an old format of Excel; save it as .xlsx"):
            read(tmp_path / "a.xlsx")

    def test_a_package_of_another_program_is_rejected(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as package:
            package.writestr("word/document.xml", "<a/>")
        with pytest.raises(ValueError, match=r"a.xlsx is not a valid XLSX file: KeyError"):
            read(tmp_path / "a.xlsx")

    def test_a_torn_sheet_is_rejected(self, write):
        path = rewrite(write([["sku"], [1], [2]]), sheet1=("</worksheet>", ""))
        with pytest.raises(ValueError, match=r"sheet 'Sheet' of .*a.xlsx is not a valid XLSX file: ParseError"):
            read(path)

    def test_a_row_number_beyond_the_format_is_rejected(self, write, monkeypatch):
        monkeypatch.setattr(xlsx, "MAX_ROWS", 1000)
        path = rewrite(write([["sku"], [1]]), sheet1=('<row r="2">', '<row r="99999999999">'))
        with pytest.raises(ValueError, match=r"sheet 'Sheet' of .*a.xlsx is not .* it has more than 1000 rows"):
            read(path)

    def test_a_package_that_is_too_large_unpacked_is_rejected(self, write, monkeypatch):
        monkeypatch.setattr(xlsx_package, "MAX_PACKAGE_BYTES", 1000)
        with pytest.raises(ValueError, match=r"a.xlsx has \d+ MB unpacked; save it as .csv"):
            read(write([["sku"]]))

    def test_a_part_that_is_too_large_for_memory_is_rejected(self, write, monkeypatch):
        monkeypatch.setattr(xlsx_package, "MAX_PART_BYTES", 20_000)
        assert len(read(write([["sku"], ["x" * 30_000]])).rows) == 1  # a sheet is read row by row
        path = write([["sku"], [1]])
        with zipfile.ZipFile(path, "a") as package:
            package.writestr("xl/media/image1.png", bytes(30_000))  # it is not read
        assert len(read(path).rows) == 1
        monkeypatch.setattr(xlsx_package, "MAX_PART_BYTES", 600)
        with pytest.raises(ValueError, match=r"xl/\w+/?\w*.xml of .*a.xlsx has 0 MB unpacked; save it as .csv"):
            read(write([["sku"]]))

    def test_a_part_that_is_larger_than_it_states_is_rejected(self, write):
        path = write([["sku"], ["x" * 5000]])
        with zipfile.ZipFile(path) as package:
            size = package.getinfo("xl/worksheets/sheet1.xml").file_size.to_bytes(4, "little")
        content = path.read_bytes()
        assert size in content
        path.write_bytes(content.replace(size, (100).to_bytes(4, "little")))
        with pytest.raises(ValueError, match=r"a.xlsx is not a valid XLSX file"):
            read(path)

    @pytest.mark.parametrize("part", ["sheet1", "workbook", "styles"])
    def test_declared_entities_are_rejected(self, write, part):
        path = rewrite(write([["sku"], ["x"]]), **{part: ("<", '<!DOCTYPE a [<!ENTITY b "c">]><')})
        with pytest.raises(ValueError, match=rf"{part}.xml of .*a.xlsx declares a document type"):
            read(path)


def test_the_limit_of_rows_is_that_of_the_format():
    assert xlsx.MAX_ROWS == 2**20


def test_the_extra_is_named_if_the_library_is_missing(write, monkeypatch):
    path = write([["sku"]])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(
        ValueError, match=r"XLSX files need the package openpyxl: install airflow-provider-self-hosted\[sync\]"
    ):
        read(path)

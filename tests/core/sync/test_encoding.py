"""The encoding of text files: recognized by a rule, or refused with the line and the argument."""

from __future__ import annotations

import logging

import pytest

from self_hosted.core.sync.readers import text
from tests.core.sync.read_source import read

LINE = f"0123456789;{'abcdefgh' * 25}\n"
MANY = 1_500  # lines that take more than one chunk


@pytest.fixture
def write(tmp_path):
    def write(content, name="a.csv"):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


def test_a_file_that_is_not_utf8_is_read_as_windows_1252_with_a_warning(write, caplog):
    content = f"sku;a\n{LINE * MANY}1;Größe ñ å € “x”\n".encode("cp1252")
    with caplog.at_level(logging.WARNING):
        found = read(write(content))
    assert found.cells[-1] == {"sku": "1", "a": "Größe ñ å € “x”"}
    assert f"Line {MANY + 2} of" in caplog.text
    assert "is not UTF-8; the file is read as Windows-1252 (give encoding if it is not)" in caplog.text


def test_utf8_is_read_without_a_warning(write, caplog):
    with caplog.at_level(logging.WARNING):
        assert read(write("sku;a\n1;Größe €\n".encode())).cells == [{"sku": "1", "a": "Größe €"}]
    assert not caplog.text


@pytest.mark.parametrize("byte", [0x81, 0x8D, 0x8F, 0x90, 0x9D])
def test_bytes_that_windows_1252_does_not_have_are_rejected_by_line(write, byte):
    content = f"sku;a\n{LINE * MANY}1;".encode() + b"\xfc" + bytes([byte]) + b"\n"
    with pytest.raises(
        ValueError,
        match=rf"line {MANY + 2} of .*a.csv has the byte 0x{byte:02x}, which is neither UTF-8 nor Windows-1252: "
        "give encoding, such as 'cp850'",
    ):
        read(write(content))
    assert read(write(content), encoding="cp437").rows[-1].cells["a"] is not None


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_wrong_byte_in_a_file_of_utf8_is_rejected_by_line(write, end):
    content = "sku;a\n1;Größe und Länge\n".encode() + LINE.encode() * MANY + b"2;Gr\xf6\xdfe\n"
    with pytest.raises(
        ValueError,
        match=rf"line {MANY + 3} of .*a.csv has the byte 0xf6, which is not UTF-8, but the rest is UTF-8: "
        "correct the line, or give encoding",
    ):
        read(write(content.replace(b"\n", end)))


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "utf-16"])
def test_a_wrong_byte_in_a_file_of_a_given_encoding_is_rejected_by_line(write, encoding):
    lines = f"sku;a\n{LINE * MANY}".encode(encoding)
    wrong = b"\x00\xdc\x00\xdc" if encoding == "utf-16" else b"\xe4x"
    with pytest.raises(ValueError, match=rf"line {MANY + 2} of .*a.csv has the byte 0x.., which is not {encoding}"):
        read(write(lines + wrong), encoding=encoding)


def test_a_torn_file_of_utf16_is_rejected_by_line(write):
    with pytest.raises(ValueError, match=r"line 3 of .*a.csv has the byte 0x.., which is not utf-16: give encoding"):
        read(write("sku;a\n1;2\n3;4\n".encode("utf-16")[:-3]))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_byte_order_mark_is_ambiguous(write, encoding):
    path = write("sku;a\n1;ä\n".encode(encoding))
    with pytest.raises(
        ValueError, match=rf"a.csv has NUL bytes and no byte order mark; give encoding, such as '{encoding}'"
    ):
        read(path)
    assert read(path, encoding=encoding).cells == [{"sku": "1", "a": "ä"}]


@pytest.mark.parametrize(
    ("encoding", "given"),
    [("utf-8-sig", "utf-8"), ("utf-8-sig", "utf8"), ("utf-16", "utf-16"), ("utf-16", "utf-16-le"), ("cp850", "cp850")],
)
def test_a_given_encoding_is_used_without_its_byte_order_mark(write, encoding, given):
    path = write("sku;a\n1;ä\n".encode(encoding))
    assert read(path, encoding=given).cells == [{"sku": "1", "a": "ä"}]


def test_a_given_encoding_that_contradicts_the_byte_order_mark_is_rejected(write):
    path = write("sku;a\n1;ä\n".encode("utf-8-sig"))
    with pytest.raises(
        ValueError, match="begins with the byte order mark of utf-8-sig, so encoding cannot be 'cp1252'"
    ):
        read(path, encoding="cp1252")


@pytest.mark.parametrize(
    ("magic", "label"), [(b"PK\x03\x04", "XLSX"), (b"PAR1", "Parquet"), (b"\xd0\xcf\x11\xe0", "an old Excel format")]
)
def test_a_file_of_another_format_is_recognized(write, magic, label):
    with pytest.raises(
        ValueError, match=f"is no text file: its content is {label}. Give source_format, or correct its name"
    ):
        read(write(magic + b"\x00" * 50))


def test_the_line_of_a_wrong_byte_is_that_of_the_file_not_of_a_chunk(write):
    path = write(b"x\n" * text.CHUNK_CHARACTERS + b"\xff\n")
    assert text.find_wrong_line(path, "utf-8") == text.CHUNK_CHARACTERS + 1

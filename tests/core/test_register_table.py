from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.csv_table import CellReader, CsvRow, RowMessage, parse_csv

pytestmark = pytest.mark.short

KNOWN = ("a", "b")


def table(data, **limits):
    return parse_csv(data, KNOWN, **limits)


@pytest.mark.parametrize(
    "data",
    [
        b"a,b\n1,2\n",
        b"\xef\xbb\xbfa,b\r\n1,2\r\n",
        b"a;b\r1;2",
        b' A , "B" \n1, 2 \n',
        b'"a","b"\n"1","2"\n',
        b"\n\na,b\n\n , \n1,2\n,\n\n",
    ],
)
def test_one_table_in_many_spellings(data):
    read = table(data)
    assert read.errors == ()
    assert read.columns == KNOWN
    assert [dict(line.cells) for line in read.rows] == [{"a": "1", "b": "2"}]


def test_lines_are_those_of_the_file_also_with_breaks_in_quotes():
    read = table(b'a,b\n\n1,2\n"x\ny",3\n5,6\n')
    assert [line.number for line in read.rows] == [3, 4, 6]
    assert [str(note) for note in read.errors] == [
        "line 4, column a: This holds a character that is not text (U+000A)."
    ]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "file: The file is empty."),
        (b" \n\n", "file: The file is empty."),
        (b"\xef\xbb\xbf", "file: The file is empty."),
        (b"a,b\n", "file: The file has no rows below its header."),
        (b"a,b\n1,\0\n", "file: This is not a text file. Save the table as “CSV UTF-8”."),
        ("a,b\n1,2".encode("utf-16"), "file: This is not a text file. Save the table as “CSV UTF-8”."),
        (b"a,b\n1,2\n\xff,4\n", "line 3: The text is not UTF-8. Save the table as “CSV UTF-8”."),
        (b"a,b\n1,2,3\n", "line 2: There are 3 cells, the header has 2."),
        (b"a,b\n1\n", "line 2: There are 1 cells, the header has 2."),
        (b"a,a,b\n1,2,3\n", "line 1, column a: This column occurs twice."),
        (b"a,b\n1,\x1b[31m\n", "line 2, column b: This holds a character that is not text (U+001B)."),
    ],
)
def test_a_bad_file_is_told_where_and_why(data, told):
    assert [str(note) for note in table(data).errors] == [told]


def test_quotes_that_cannot_be_read_end_the_reading():
    assert str(table(b'a,b\n1,2\n"x"y,2\n').errors[0]).startswith("line 3: The quotes or delimiters")
    assert str(table(b'a,b\n1,"2\n3,4').errors[0]).startswith("line 2: The quotes or delimiters")


def test_all_faults_come_at_once_and_sound_lines_are_kept():
    read = table(b"a,b\n1\n2,2\n3,3,3\n4,4\n")
    assert [note.line for note in read.errors] == [2, 4]
    assert [line.cells["a"] for line in read.rows] == ["2", "4"]


def test_empty_columns_of_a_spreadsheet_do_no_harm():
    read = table(b"a,b,,\n1,2,,\n")
    assert read.errors == ()
    assert read.rows[0].cells["b"] == "2"


def test_caps():
    assert str(table(b"a,b\n1,2\n", max_bytes=7).errors[0]) == "file: The file is larger than 7 bytes."
    assert table(b"a,b\n1,2\n", max_bytes=8).errors == ()
    assert str(table(b"a,b\n1,2\n3,4\n", max_rows=1).errors[0]) == "line 3: The file has more than 1 rows."
    assert table(b"a,b\n1,2\n", max_rows=1).errors == ()


@given(st.binary(max_size=200) | st.text('a,b;"\n\r1 \u2028', max_size=60).map(str.encode))
def test_no_bytes_crash_it(data):
    read = table(data)
    assert read.errors or read.rows


def cells(text):
    return CellReader(CsvRow(7, {"x": text}))


@pytest.mark.parametrize(
    "text",
    ["NaN", "inf", "1e3", "1,5", "1 000", "+1", ".5", "5.", "--1", "0x10", "40%", "١", "1" * 16, "1." + "0" * 11],
)
def test_a_number_is_plain(text):
    line = cells(text)
    assert line.number("x") is None
    assert "is not a number; write it as 1234.5." in line.errors[0].message


def test_numbers_keep_their_text():
    assert cells("-12.50").number("x") == Decimal("-12.50")
    assert cells("").number("x") is None
    assert cells("").errors == []


@pytest.mark.parametrize(
    "text", ["20211122", "2021-W47-1", "2021-13-01", "2021-02-29", "22.11.2021", "2021-1-1", "x" * 60]
)
def test_a_day_is_written_in_full(text):
    line = cells(text)
    assert line.day("x") is None
    assert "is not a date; write it as 2026-11-22." in line.errors[0].message


def test_days_words_and_needed_cells():
    assert cells("2024-02-29").day("x") == date(2024, 2, 29)
    assert cells("").day("x") is None
    assert cells("YES").choice("x", {"yes": 1}) == 1
    assert cells("").choice("x", {"yes": 1}) is None
    wrong = cells("no")
    assert wrong.choice("x", {"yes": 1}) is None
    assert str(wrong.errors[0]) == "line 7, column x: “no” is not one of yes."
    assert cells("abc").required("x") == "abc"
    for text, told in (("", "This must not be empty."), ("abc", "This is longer than 2 characters.")):
        line = cells(text)
        line.required("x", max_length=2)
        assert line.errors[0].message == told


def test_a_note_cannot_steer_the_terminal():
    assert str(RowMessage(1, "a\x1b[2J", "b\n")) == "line 1, column a\ufffd[2J: b\ufffd"

import csv
import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib.resources import files

import pytest

from app.organisations.resident_import.csv_format import OPTIONAL_COLUMNS, REQUIRED_COLUMNS, parse_resident_file
from app.reference.territory import district_error

pytestmark = pytest.mark.short

SAMPLE = files("app.demo") / "sample"
RESIDENT = {
    "resident_id": "R01",
    "legal_name_az": '"Nümunə-Boru" MMC',
    "legal_name_en": "Sample Pipe (fictional)",
    "legal_form": "MMC",
    "voen": "0010000101",
    "zone_code": "AGDAM-SP",
    "district": "Ağdam",
    "district_iso": "AZ-AGM",
    "economic_region": "QARABAG",
    "status": "resident",
    "registered_on": "2021-11-22",
    "incentive_until": "2031-11-22",
    "plot_ha": "4.0",
    "planned_investment_azn": "18000000",
    "planned_jobs": "150",
    "size_class": "medium",
    "foreign_share_pct": "49.5",
    "stage": "operating",
    "is_fictional": "true",
}
OTHER_VOEN = "0010000231"


def sheet(*rows, delimiter=",", encoding="utf-8"):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0].keys(), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return parse_resident_file(text.getvalue().encode(encoding))


def errors(*rows):
    return [str(note) for note in sheet(*rows).errors]


@pytest.mark.parametrize(("name", "rows"), [("residents.csv", 19), ("others.csv", 14)])
def test_the_sample_registers_are_clean(name, rows):
    read = parse_resident_file((SAMPLE / name).read_bytes())
    assert (len(read.rows), read.errors, read.warnings) == (rows, (), ())


def test_every_column_arrives():
    row = sheet(RESIDENT).rows[0]
    assert row.line == 2
    assert row.legal_name_az == '"Nümunə-Boru" MMC'
    assert (row.party_id, row.voen, row.park_code, row.status) == ("R01", "0010000101", "AGDAM-SP", "resident")
    assert (row.district, row.district_iso, row.economic_region) == ("Ağdam", "AZ-AGM", "QARABAG")
    assert (row.registered_on, row.incentive_until) == (date(2021, 11, 22), date(2031, 11, 22))
    assert (row.plot_ha, row.planned_investment_azn, row.planned_jobs) == (4, 18000000, 150)
    assert (row.size_class, row.foreign_share_pct, row.stage) == ("medium", Decimal("49.5"), "operating")
    assert row.is_fictional is True


def test_both_sets_of_columns_are_registers():
    residents = parse_resident_file((SAMPLE / "residents.csv").read_bytes()).rows
    others = parse_resident_file((SAMPLE / "others.csv").read_bytes()).rows
    assert residents[0].activity_en == "Welded steel pipes and box profiles"
    assert others[0].activity_en == "Ready-mixed concrete"
    assert residents[0].park_name_en == "Aghdam Industrial Park"
    assert {row.status for row in others} == {"resident", "non_resident", "none"}
    assert others[0].stage is None
    assert others[0].planned_jobs is None
    aghdara = next(row for row in others if row.district == "Ağdərə")
    assert (aghdara.district_iso, aghdara.park_code, aghdara.economic_region) == (None, None, "QARABAG")


def test_semicolon_and_byte_order_mark_change_nothing():
    assert sheet(RESIDENT, delimiter=";", encoding="utf-8-sig") == sheet(RESIDENT)


@pytest.mark.parametrize(
    ("column", "cell", "told"),
    [
        ("resident_id", "", "This must not be empty."),
        ("resident_id", "R" * 61, "This is longer than 60 characters."),
        ("legal_name_az", "", "This must not be empty."),
        ("legal_name_en", "x" * 251, "This is longer than 250 characters."),
        ("legal_form", "", "This must not be empty."),
        ("voen", "", "This must not be empty."),
        ("voen", "10000101", "A VÖEN has 10 digits, this has 8."),
        ("voen", "010000101", "A VÖEN has 10 digits, this has 9: perhaps a spreadsheet dropped a leading zero."),
        ("voen", "00100001O1", "A VÖEN consists of digits only."),
        ("voen", "0010000103", "The last digit of a VÖEN is 1 (legal entity) or 2 (natural person)."),
        ("status", "", "Enter one of: resident, non_resident, cancelled, none."),
        ("status", "guest", "“guest” is not one of resident, non_resident, cancelled, none."),
        ("registered_on", "22.11.2021", "“22.11.2021” is not a date; write it as 2026-11-22."),
        ("plot_ha", "NaN", "“NaN” is not a number; write it as 1234.5."),
        ("plot_ha", "-1", "This is less than 0."),
        ("plot_ha", "1.234", "This has more than 2 decimal places."),
        ("planned_investment_azn", "1e6", "“1e6” is not a number; write it as 1234.5."),
        ("planned_jobs", "1.5", "This has more than 0 decimal places."),
        ("foreign_share_pct", "100.1", "This is more than 100."),
        ("size_class", "huge", "“huge” is not one of micro, small, medium, large."),
        ("stage", "ready", "“ready” is not one of planned, construction, operating."),
        ("is_fictional", "maybe", "“maybe” is not one of true, false."),
    ],
)
def test_a_wrong_cell_is_named(column, cell, told):
    assert errors(RESIDENT | {column: cell}) == [f"line 2, column {column}: {told}"]


def test_all_faults_of_all_lines_are_named_and_sound_lines_kept():
    read = sheet(
        RESIDENT | {"voen": "1", "stage": "x"},
        RESIDENT | {"resident_id": "R02"},
        RESIDENT | {"resident_id": "R03", "plot_ha": "x"},
    )
    assert [(note.line, note.column) for note in read.errors] == [(2, "voen"), (2, "stage"), (4, "plot_ha")]
    assert [row.party_id for row in read.rows] == ["R02"]


def test_nobody_is_listed_twice():
    second = RESIDENT | {"resident_id": "R02", "zone_code": "ARAZ-VADISI"}
    assert errors(RESIDENT, second) == []  # one company may be in two parks
    assert errors(RESIDENT, second | {"resident_id": "R01"}) == ["line 3, column party_id: R01 is already on line 2."]
    assert errors(RESIDENT, second | {"zone_code": "agdam-sp"}) == [
        "line 3, column voen: The company 0010000101 is already on line 2 for the same park."
    ]


@pytest.mark.parametrize("column", REQUIRED_COLUMNS)
def test_a_needed_column_may_not_be_missing(column):
    row = {name: cell for name, cell in RESIDENT.items() if name != column}
    assert errors(row) == [f"line 1, column {column}: This column is missing."]


@pytest.mark.parametrize("column", sorted(set(OPTIONAL_COLUMNS) & RESIDENT.keys()))
def test_any_other_column_may_be_missing(column):
    assert errors({name: cell for name, cell in RESIDENT.items() if name != column}) == []


def test_there_is_one_column_of_ids():
    row = {name: cell for name, cell in RESIDENT.items() if name != "resident_id"}
    assert errors(row) == ["line 1, column party_id: This column is missing (resident_id will do as well)."]
    assert errors(RESIDENT | {"party_id": "R01"}) == [
        "line 1, column party_id: Only one of resident_id and party_id may be there."
    ]


def test_a_file_that_is_no_table_is_told_so():
    assert [str(note) for note in parse_resident_file(b"").errors] == ["file: The file is empty."]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"surprise": "1"}, "line 1, column surprise: Unknown column; it is ignored."),
        (
            {"voen": "0010000111"},
            "line 2, column voen: The check digit differs: confirm the number with the tax register (manual review).",
        ),
        ({"zone_code": "MOON-SP"}, "line 2, column zone_code: The park MOON-SP does not exist yet."),
        ({"zone_code": ""}, "line 2, column zone_code: The status is resident, but no park is named."),
        ({"district": "Bakı"}, "line 2, column economic_region: Bakı lies in BAKI, not in QARABAG."),
        ({"district": "Atlantis"}, f"line 2, column district: {district_error('AZ', 'Atlantis')}"),
        ({"district": ""}, "line 2, column district: The district is empty."),
        ({"economic_region": "MOON"}, "line 2, column economic_region: There is no economic region MOON."),
        ({"economic_region": ""}, "line 2, column economic_region: Empty; the district lies in QARABAG."),
        ({"district_iso": "AZ-AGS"}, "line 2, column district_iso: The code of Ağdam is AZ-AGM."),
        ({"district": "Ağdərə"}, "line 2, column district_iso: The code of Ağdərə is not yet assigned."),
    ],
)
def test_what_the_importer_should_look_at_is_a_remark(change, told):
    read = sheet(RESIDENT | change)
    assert read.errors == ()
    assert told in [str(note) for note in read.warnings]


def test_words_may_be_capitalised_and_an_empty_region_follows_the_district():
    row = sheet(RESIDENT | {"status": "Non_Resident", "economic_region": "", "zone_code": "agdam-sp"}).rows[0]
    assert (row.status, row.economic_region, row.park_code) == ("non_resident", "QARABAG", "AGDAM-SP")
    nowhere = sheet(RESIDENT | {"economic_region": "", "district": ""}).rows[0]
    assert nowhere == replace(nowhere, economic_region=None, district=None)
    assert sheet(RESIDENT | {"voen": "001 000 0101"}).rows[0].voen == "0010000101"
    assert sheet(RESIDENT | {"status": "none", "zone_code": "", "voen": OTHER_VOEN}).warnings == ()


def test_the_caps_are_parameters():
    data = (SAMPLE / "residents.csv").read_bytes()
    assert str(parse_resident_file(data, max_rows=18).errors[0]) == "line 20: The file has more than 18 rows."
    assert "larger than 100 bytes" in str(parse_resident_file(data, max_bytes=100).errors[0])

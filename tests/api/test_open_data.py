"""The whole register as a file: complete in small pieces, harmless in a spreadsheet, cheap to ask for again."""

import csv
import io
import json
from unittest.mock import patch

import anyio
import pytest

from app.api.public import bulk_export
from app.certificates.read_model import search_repository
from app.core.table_writer import encode_csv
from app.web import exports
from tests.api.test_more_marks import honey_of
from tests.factories import ok
from tests.helpers import refused

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]
CSV, JSON_LINES = "/v1/certificates.csv", "/v1/certificates.jsonl"
BOTH = pytest.mark.parametrize("path", [CSV, JSON_LINES])


@pytest.fixture(scope="module")
def numbers(shared_app):
    app = shared_app
    company = app.set_up_company(legal_name_en="=HYPERLINK(1) “Quoted”, with comma", legal_name_az="“Ağdam” MMC")
    names = [{"az": "@borular", "en": "+tubes; 1,5 mm"}, {"az": "Boru", "en": "-1+2", "ru": "Труба"}]
    numbers = [app.certify(company, company.add_product(names=each)) for each in names]
    return [*numbers, app.certify(company)]


def table(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_file_for_spreadsheets(shared_app, numbers):
    answer = shared_app.http.get(CSV)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="certificates-2026-11-22.csv"'
    assert answer.text.splitlines()[0] == ",".join(bulk_export.COLUMNS)
    rows = table(answer.text)
    assert [row["number"] for row in rows] == numbers  # oldest first
    first = ok(shared_app.http.get(f"/v1/certificates/{numbers[0]}"))
    assert rows[0] == {
        "number": numbers[0],
        "scheme": "MIK",
        "holder": "'=HYPERLINK(1) “Quoted”, with comma",
        "voen": first["holder"]["voen"],
        "product_en": "'+tubes; 1,5 mm",
        "product_az": "'@borular",
        "hs6": "730630",
        "gtin": "",
        "park": "AGDAM-SP",
        "district": "Ağdam",
        "origin_criterion": "CTH",
        "valid_from": first["valid_from"],
        "valid_until": first["valid_until"],
        "status": "active",
        "status_since": first["status_since"],
        "reason": "",
        "during_investigation": "",
        "holder_az": "“Ağdam” MMC",
        "country": "AZ",
    }
    assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row.values())


@pytest.mark.parametrize(
    ("cell", "sent"),
    [
        ("=1+1", "'=1+1"),
        ("＝1", "'＝1"),
        ("\tx", "'\tx"),
        ("Pipes;=HYPERLINK(1)", "Pipes;'=HYPERLINK(1)"),
        ('Pipes; "=1"', 'Pipes; "\'=1"'),
        ("Pipes\t@SUM(1)", "Pipes\t'@SUM(1)"),
        ("Pipes\r\n-1", "Pipes\r\n'-1"),
        ("tubes; 1,5 mm = 2", "tubes; 1,5 mm = 2"),
        ("A - B; C", "A - B; C"),
    ],
)
def test_no_cell_is_a_formula_whatever_separates_cells(cell, sent):
    """Where the settings say semicolon, a spreadsheet splits our lines at those inside of names."""
    line = encode_csv([["MIK-1", cell]]).decode()
    assert list(csv.reader(io.StringIO(line, newline=""))) == [["MIK-1", sent]]
    for separator in ";\t":
        for piece in line.removesuffix("\r\n").split(separator)[1:]:
            assert not piece.lstrip(' "').startswith(("=", "+", "-", "@"))


def test_excel_gets_its_byte_order_mark_when_it_asks(shared_app, numbers):
    marked, plain = shared_app.http.get(f"{CSV}?bom=true"), shared_app.http.get(CSV)
    assert marked.content == b"\xef\xbb\xbf" + plain.content
    assert marked.headers["ETag"] != plain.headers["ETag"]
    refused(shared_app.http.get(f"{CSV}?bom=perhaps"), 422)


def test_a_file_for_programs(shared_app, numbers):
    answer = shared_app.http.get(JSON_LINES)
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == [ok(shared_app.http.get(f"/v1/certificates/{number}")) for number in numbers]


@BOTH
def test_pieces_make_one_file(shared_app, numbers, path):
    whole = shared_app.http.get(path).content
    for at_once in (1, 2, len(numbers), len(numbers) + 1):
        with patch.object(bulk_export, "BATCH_SIZE", at_once):
            assert shared_app.http.get(path).content == whole


@BOTH
def test_each_piece_is_read_in_a_transaction_of_its_own(shared_app, numbers, path):
    """While a slow reader waits for the next piece, nothing is held."""
    open_sessions, most = [], []
    inner = shared_app.database.read_session

    def counted():
        session = inner()
        open_sessions.append(session)
        close = session.close
        session.close = lambda: (open_sessions.remove(session), close())
        most.append(len(open_sessions))
        return session

    with patch.object(bulk_export, "BATCH_SIZE", 1), patch.object(shared_app.database, "read_session", counted):
        assert shared_app.http.get(path).status_code == 200
    assert set(most) == {1} and len(most) == 2 + len(numbers)  # the tag, each certificate, and the end


@BOTH
def test_what_is_issued_meanwhile_is_for_the_next_file(app, path):
    company = app.set_up_company()
    first = app.certify(company)
    inner, later = search_repository.read_chunk, []

    def with_a_rival(session, *arguments):
        if not later:
            later.append(None)
            later.append(app.certify(company))
        return inner(session, *arguments)

    with patch.object(bulk_export.search_repository, "read_chunk", with_a_rival):
        before = app.http.get(path)
    assert first in before.text and later[1] not in before.text
    assert later[1] in app.http.get(path, headers={"If-None-Match": before.headers["ETag"]}).text


@BOTH
def test_unchanged_is_not_sent_again(app, path):
    empty = app.http.get(path)
    assert empty.status_code == 200 and len(empty.text.splitlines()) == (path == CSV)
    tags = {empty.headers["ETag"]}
    number = app.certify()
    for cause in (None, "hearing", "surveillance", "end"):
        if cause == "end":  # one of two causes ends: only the version and the reason change
            app.owner.act(f"/v1/certificates/{number}/reinstate", {"cause": "hearing"})
        elif cause:
            app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": cause})
        answer = app.http.get(path)
        tags.add(answer.headers["ETag"])
        again = app.http.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert len(tags) == 5
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["ETag"].startswith('W/"')
    app.clock.advance(days=2000)  # an expiry changes no line
    assert app.http.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_a_person_s_number_is_not_shown(app):
    household = app.household()
    app.certify(household, honey_of(household), scheme="URVA")
    assert table(app.http.get(CSV).text)[0]["voen"] == ""
    assert json.loads(app.http.get(JSON_LINES).text)["holder"]["voen"] is None


@BOTH
def test_any_web_page_may_read_it(shared_app, path):
    answer = shared_app.http.get(path, headers={"Origin": "https://portal.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_exports_have_threads_of_their_own():
    assert isinstance(exports.EXPORT_LIMITER, anyio.CapacityLimiter) and exports.EXPORT_LIMITER.total_tokens == 2


def test_the_clock_of_the_name_is_baku(app):
    app.clock.advance(hours=4)  # 21:00 UTC, the next day there
    assert "certificates-2026-11-23.csv" in app.http.get(CSV).headers["Content-Disposition"]

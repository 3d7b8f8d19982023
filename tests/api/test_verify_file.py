"""`POST /v1/verify/file`, as the stranger would use it: what we made is genuine, what somebody made of it is not."""

import io
from datetime import date

import pypdf
import pytest
import segno

from app.documents.qr_token import QrToken, sign_qr_token
from tests.factories import ok
from tests.helpers import refused

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]


def picture(text):
    out = io.BytesIO()
    segno.make_qr(text, error="m").save(out, kind="png", scale=6, border=4)
    return out.getvalue()


def send(app, data):
    by_body = app.anonymous.post("/v1/verify/file", content=data, headers={"Content-Type": "application/octet-stream"})
    by_form = app.http.post("/v1/verify/file", files={"file": ("x", data, "application/x")})
    assert (by_body.status_code, by_body.content) == (by_form.status_code, by_form.content)
    return by_body


@pytest.fixture
def number(shared_app):
    return shared_app.certify()


@pytest.fixture
def paper(shared_app, number):
    return shared_app.anonymous.get(f"/v1/certificates/{number}/certificate.pdf").content


def test_the_token_as_a_file(shared_app, number):
    token = shared_app.token(number)
    for text in (token, "> " + token[:500] + "\n> " + token[500:], f"{number}.jwt\n{token}"):
        answer = ok(send(shared_app, text.encode()))
        assert (answer["verdict"], answer["certificate"]["number"]) == ("valid", number)
        assert answer["file"] == {"kind": "text", "signature": None, "host": None, "stamp": None}
    assert ok(send(shared_app, token[:-9].encode()))["verdict"] == "unreadable"
    assert ok(send(shared_app, (token[:-9] + "AAAAAAAAA").encode()))["verdict"] == "forged"
    assert ok(send(shared_app, f"№ {number}.".encode()))["verdict"] == "valid"
    assert ok(send(shared_app, b"A letter about something else."))["verdict"] == "unreadable"


def test_the_paper_that_we_made(shared_app, number, paper):
    answer = ok(send(shared_app, paper))
    assert (answer["verdict"], answer["certificate"]["number"]) == ("valid", number)
    assert answer["file"] == {"kind": "pdf", "signature": "ours", "host": None, "stamp": None}


def test_a_paper_that_somebody_changed(shared_app, number, paper):
    at = paper.index(b"/MediaBox")
    changed = paper[:at] + b"/mediaBox" + paper[at + 9 :]
    answer = ok(send(shared_app, changed))
    assert (answer["verdict"], answer["file"]["signature"], answer["certificate"]) == ("forged", "broken", None)
    assert answer["checks"][0]["name"] == "changed"
    assert answer["register"]["certificate"]["number"] == number


def test_a_paper_without_our_signature(shared_app, number, paper):
    """What was printed anew may show anything: the credential alone was checked, and that is said."""
    writer, out = pypdf.PdfWriter(), io.BytesIO()
    writer.add_blank_page(200, 200)
    writer.add_attachment(f"{number}.jwt", shared_app.token(number).encode())
    writer.write(out)
    answer = ok(send(shared_app, out.getvalue()))
    assert (answer["verdict"], answer["file"]["signature"]) == ("valid", "none")
    bare = io.BytesIO()
    empty = pypdf.PdfWriter()
    empty.add_blank_page(200, 200)
    empty.write(bare)
    refused(send(shared_app, bare.getvalue()), 422, "unreadable-file")


def test_the_code_that_we_hand_out(shared_app, number):
    code = shared_app.anonymous.get(f"/v1/certificates/{number}/qr.png").content
    answer = ok(send(shared_app, code))
    assert (answer["verdict"], answer["file"]["stamp"]) == ("valid", "genuine")
    assert answer["certificate"]["number"] == number


def test_codes_that_somebody_made(shared_app, number):
    base = shared_app.settings.base_url
    told = ok(shared_app.anonymous.get(f"/v1/certificates/{number}"))
    said = {
        "number": number,
        "holder_name": told["holder"]["name"], "product_names": told["product"]["name"], "hs6": "999999",
        "valid_from": date.fromisoformat(told["valid_from"]),
        "valid_until": date.fromisoformat(told["valid_until"]), "list_id": 1, "index": 1,
    }  # fmt: skip
    other = sign_qr_token(QrToken.from_certificate(**said), shared_app.container.keys.active_signer())
    broken = other[:-6] + ("AAAAAA" if not other.endswith("AAAAAA") else "BBBBBB")
    for text, check, stamp, host in [
        (f"https://mik-az.example/v/{number}", "foreign", None, "mik-az.example"),
        (f"https://mik-az.example/v/{number}#{other}", "foreign", None, "mik-az.example"),
        (f"{base}/v/{number}#{other}", "other", "other", None),
        (f"{base}/v/{number}#{broken}", "forged", "forged", None),
    ]:
        answer = ok(send(shared_app, picture(text)))
        assert (answer["verdict"], answer["certificate"]) == ("forged", None)
        assert [each["name"] for each in answer["checks"]] == [check]
        assert (answer["file"]["stamp"], answer["file"]["host"]) == (stamp, host)
        assert (answer["register"]["verdict"], answer["register"]["certificate"]["number"]) == ("valid", number)
    assert (
        "This code leads to mik-az.example, which is not ours."
        in ok(send(shared_app, picture(f"https://mik-az.example/v/{number}")))["message"]
    )
    cut = ok(send(shared_app, picture(f"{base}/v/{number}#{other[:-9]}")))
    assert (cut["verdict"], cut["file"]["stamp"]) == ("valid", "cut")
    elsewhere = ok(send(shared_app, picture("https://e-afsa.example/abc")))
    assert (elsewhere["verdict"], elsewhere["register"]) == ("forged", None)


def test_no_such_file(shared_app):
    for data in (b"", bytes(range(256)), b"%PDF-1.7 nothing", b"PK\x03\x04"):
        refused(send(shared_app, data), 422, "unreadable-file")
    refused(shared_app.http.post("/v1/verify/file", data={"file": "x"}, files={"other": b"x"}), 422, "unreadable-file")
    damaged = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(shared_app.http.post("/v1/verify/file", content=b"--y", headers=damaged), 422)
    refused(send(shared_app, bytes(10_600_000)), 413)

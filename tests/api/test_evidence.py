"""Files laid before the reviewer: judged by content, frozen at submission, never opened by a browser."""

import errno
import hashlib
import io
import secrets
import zipfile
from unittest.mock import patch
from urllib.parse import unquote
from uuid import UUID

import pytest

from app.applications.model import Evidence  # past the service on purpose
from app.core.database import new_id
from tests.factories import PDF, in_state, ok
from tests.helpers import count, refused

pytestmark = pytest.mark.pg_sampled
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\0" * 40
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\0" * 40
HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


def zipped(*names):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return archive.getvalue()


XLSX = zipped("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml")
XLSM = zipped("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin")


@pytest.fixture(scope="module")
def company(shared_app):
    return shared_app.set_up_company()


@pytest.fixture
def draft(company):
    return company.draft()


def path_of(draft, evidence=None):
    return f"/v1/applications/{draft}/evidence" + (f"/{evidence['id']}" if evidence else "")


def raw(company, draft, disposition, content=PDF):
    """An upload with its `Content-Disposition` just as it stands."""
    body = b"--x\r\nContent-Disposition: form-data; " + disposition + b"\r\n\r\n" + content
    body += b'\r\n--x\r\nContent-Disposition: form-data; name="kind"\r\n\r\nother\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    return company.post(path_of(draft), content=body, headers=headers)


@pytest.mark.parametrize(
    ("content", "name", "media_type", "extension"),
    [
        (PDF, "statement.pdf", "application/pdf", ".pdf"),
        (PDF, "picture.png", "application/pdf", ".pdf"),
        (PDF, "page.html", "application/pdf", ".pdf"),
        (PNG, "photo.pdf", "image/png", ".png"),
        (JPEG, "photo", "image/jpeg", ".jpg"),
        (XLSX, "costs.xlsm", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"),
    ],
)
def test_a_file_is_what_its_content_says(company, draft, content, name, media_type, extension):
    made = ok(company.add_evidence(draft, content, name=name))
    assert made["media_type"] == media_type
    assert made["size"] == len(content)
    assert made["sha256"] == hashlib.sha256(content).hexdigest()
    answer = company.get(path_of(draft, made))
    assert answer.content == content
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-disposition"].lower().endswith(extension)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (HTML, "statement.pdf"),
        (SVG, "picture.png"),
        (b" " + PDF, "statement.pdf"),
        (b"MZ\x90\x00" + b"\0" * 100, "statement.pdf"),
        (b"\x7fELF" + b"\0" * 100, "statement.pdf"),
        (b"GIF89a" + b"\0" * 100, "picture.png"),
        (b"%PDF", "statement.pdf"),
        (b"\x89PNG\r\n\x1a\n", "picture.png"),
        (XLSM, "costs.xlsx"),
        (zipped("[Content_Types].xml", "word/document.xml"), "costs.xlsx"),
        (zipped("evil.exe"), "costs.xlsx"),
        (b"PK\x03\x04" + b"\0" * 100, "costs.xlsx"),
        (XLSX[:-10], "costs.xlsx"),
        (b"a,b\n1,2\n", "costs.csv"),
        (b"\0" * 1_000, "statement.pdf"),
    ],
)
def test_other_content_is_refused_whatever_its_name(company, draft, content, name):
    before = len(ok(company.get(path_of(draft)))["items"])
    refused(company.add_evidence(draft, content, name=name), 415, "unsupported-media-type")
    assert len(ok(company.get(path_of(draft)))["items"]) == before


def test_an_empty_file_is_refused(company, draft):
    refused(company.add_evidence(draft, b""), 422, "invalid")


def test_a_claimed_media_type_counts_for_nothing(company, draft):
    files = {"file": ("statement.pdf", HTML, "application/pdf")}
    refused(company.post(path_of(draft), files=files, data={"kind": "other"}), 415)
    made = ok(company.post(path_of(draft), files={"file": ("x", PDF, "text/html")}, data={"kind": "other"}))
    assert made["media_type"] == "application/pdf"


def test_the_same_file_twice_is_one(company, draft):
    first = ok(company.add_evidence(draft))
    assert ok(company.add_evidence(draft, name="another-name.pdf")) == first
    other_kind = ok(company.add_evidence(draft, kind="company-registration"))
    assert other_kind["id"] != first["id"]
    assert [each["id"] for each in ok(company.get(path_of(draft)))["items"]] == [first["id"], other_kind["id"]]


def test_what_it_is_about(company, draft):
    (product_id,) = company.application(draft)["product_ids"]
    made = ok(company.add_evidence(draft, kind="photo", product_id=product_id))
    assert (made["kind"], made["product_id"], made["product_ids"]) == ("photo", product_id, [product_id])
    permit = ok(company.add_evidence(draft, kind="permit", site_id=company.site_id))
    assert (permit["product_ids"], permit["site_id"]) == ([], company.site_id)
    whole = ok(company.add_evidence(draft, kind="other"))
    assert (whole["product_id"], whole["product_ids"], whole["site_id"]) == (None, [], None)
    for kind in ("", "horoscope", "Photo", "photo\0"):
        refused(company.add_evidence(draft, kind=kind), 422)
    elsewhere = company.add_product()
    document = refused(company.add_evidence(draft, kind="photo", product_id=elsewhere), 422)
    assert document["errors"] == [
        {"pointer": "/product_ids", "code": "unknown-product", "detail": "This product is not in the application."}
    ]
    refused(company.add_evidence(draft, kind="photo", product_id="no-id"), 404)


def test_a_document_is_about_several_products(company):
    one, other = company.add_product(), company.add_product()
    draft = company.draft(one, other)
    made = ok(company.add_evidence(draft, kind="photo", product_id=[other, one]))
    assert (made["product_id"], made["product_ids"]) == (None, sorted([one, other]))
    assert ok(company.add_evidence(draft, kind="photo", product_id=[one, other]))["id"] == made["id"]
    refused(company.add_evidence(draft, kind="photo", product_id=[one, one]), 422)


@pytest.mark.parametrize(
    ("kind", "about", "pointer", "words"),
    [
        ("photo", {}, "/product_ids", "is about products: name each"),
        ("cost-statement", {}, "/product_ids", "is about products: name each"),
        ("lot-report", {}, "/product_ids", "is about products: name each"),
        ("cost-statement", {"product_id", "site_id"}, "/site_id", "is about products: name no site"),
        ("permit", {}, "/site_id", "is about one site: name it"),
        ("capacity-statement", {}, "/site_id", "is about one site: name it"),
        ("permit", {"product_id", "site_id"}, "/product_ids", "is about a site: name no product"),
        ("company-registration", {"product_id"}, "/product_ids", "is about the whole company: name no product"),
        ("company-registration", {"site_id"}, "/site_id", "is about the whole company: name no site"),
        ("other", {"product_id", "site_id"}, "/site_id", "Name products or a site, not both"),
    ],
)
def test_a_kind_without_its_subject_is_refused_at_upload(company, draft, kind, about, pointer, words):
    (product_id,) = company.application(draft)["product_ids"]
    named = {"product_id": product_id, "site_id": company.site_id}
    document = refused(company.add_evidence(draft, kind=kind, **{name: named[name] for name in about}), 422)
    [error] = document["errors"]
    assert error["pointer"] == pointer
    assert words in error["detail"]


def test_a_site_of_another_company_is_no_subject(shared_app, company, draft):
    stranger = shared_app.set_up_company(evidence=False)
    document = refused(company.add_evidence(draft, kind="permit", site_id=stranger.site_id), 422)
    assert document["errors"] == [
        {"pointer": "/site_id", "code": "unknown-site", "detail": "The company has no such site."}
    ]


# Frozen and asked for


def test_a_draft_gives_and_takes(company, draft):
    made = ok(company.add_evidence(draft))
    assert company.delete(path_of(draft, made)).status_code == 204
    assert ok(company.get(path_of(draft)))["items"] == []
    refused(company.get(path_of(draft, made)), 404)
    refused(company.delete(path_of(draft, made)), 404)


@pytest.mark.parametrize(
    "state", ["submitted", "in_review", "recommended", "approved", "rejected", "withdrawn", "lapsed"]
)
def test_nothing_is_added_or_taken_while_the_house_looks(shared_app, company, state):
    case_id = in_state(shared_app, company, state)
    refused(company.add_evidence(case_id), 409, "application-frozen")
    assert ok(company.get(path_of(case_id)))["items"] == []


def test_when_asked_files_are_added_and_none_is_taken(shared_app, company):
    app = shared_app
    draft = company.draft()
    first = ok(company.add_evidence(draft))
    company.submit(draft)
    refused(company.delete(path_of(draft, first)), 409, "application-frozen")
    app.reviewer.act(f"/v1/applications/{draft}/claim")
    question = {"questions": [{"text": "Send the statement of costs."}]}
    app.reviewer.act(f"/v1/applications/{draft}/request-information", question)
    second = ok(company.add_evidence(draft, PDF + b"% asked for"))
    for each in (first, second):
        refused(company.delete(path_of(draft, each)), 409, "application-frozen")
    (waiting,) = company.application(draft)["questions"]
    company.declare(draft)
    company.act(f"/v1/applications/{draft}/respond", {"answers": [{"question_id": waiting["id"], "text": "Here."}]})
    refused(company.add_evidence(draft, PDF + b"% too late"), 409, "application-frozen")
    assert app.reviewer.get(path_of(draft, second)).content == PDF + b"% asked for"
    events = [each["event"] for each in ok(company.get(f"/v1/applications/{draft}/timeline"))["items"]]
    assert events.count("evidence.added") == 2


def test_evidence_belongs_to_the_dossier(app):
    """A file that appears between recommendation and approval: the dossier is another one."""
    company = app.set_up_company()
    case_id = in_state(app, company, "recommended")
    with app.database.session() as session:
        session.add(
            Evidence(
                id=new_id(),
                organisation_id=UUID(company.organisation_id),
                application_id=UUID(case_id),
                kind="other",
                file_name="x.pdf",
                media_type="application/pdf",
                size=1,
                sha256="0" * 64,
                uploaded_at=app.clock(),
                stated={},
                version=1,
            )
        )
        session.commit()
    refused(app.approver.post(f"/v1/applications/{case_id}/approve", version="now"), 409, "dossier-changed")
    assert count(app, "certificates") == 0


def test_who_reads_and_who_does_not(shared_app, company, draft):
    app = shared_app
    made = ok(company.add_evidence(draft))
    for caller in (company, app.reviewer, app.approver, app.registrar, app.owner, app.auditor):
        assert caller.get(path_of(draft, made)).content == PDF
    refused(app.inspector.get(path_of(draft, made)), 403)
    refused(app.anonymous.get(path_of(draft, made)), 401)
    stranger = app.set_up_company()
    refused(stranger.get(path_of(draft, made)), 404)
    refused(stranger.get(path_of(draft)), 404)
    refused(stranger.get(path_of(stranger.draft(), made)), 404)
    refused(stranger.delete(path_of(draft, made)), 404)
    refused(stranger.add_evidence(draft), 404)


def test_a_known_hash_gives_nothing(shared_app, company, draft):
    """Files are stored once for all, but nobody gets one by its hash, nor learns that it is there."""
    content = PDF + secrets.token_bytes(8)
    made = ok(company.add_evidence(draft, content))
    stranger = shared_app.set_up_company()
    own = ok(stranger.add_evidence(stranger.draft(), content))
    assert own["id"] != made["id"]
    refused(stranger.get(f"/v1/applications/{draft}/evidence/{made['sha256']}"), 404)


# Names


@pytest.mark.parametrize(
    "name",
    [
        'quote".pdf',
        "semi;colon.pdf",
        "back\\slash.pdf",
        "Hesabat – ə ğ ş.pdf",
        "汉字.pdf",
        "گزارش.pdf",
        "%41.pdf",
        "x'y.pdf",
        "-rf",
    ],
)
def test_names_come_back_whole_and_harmless(company, draft, name):
    disposition = 'name="file"; filename="{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"'))
    made = ok(raw(company, draft, disposition.encode()))
    header = company.get(path_of(draft, made)).headers["content-disposition"]
    assert header.isascii()
    kind, _, value = header.partition("; filename*=UTF-8''")
    assert kind == "attachment"
    assert set(value) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%._-~")
    assert unquote(value).removesuffix(".pdf") == made["file_name"].removesuffix(".pdf")


@pytest.mark.parametrize(
    "name",
    [b"../../../etc/passwd", b"..\\..\\boot.ini", b"/etc/passwd", b"C:\\x.pdf", b".", b"..", b"a/b.pdf", b"a/", b"/"],
)
def test_a_name_is_never_a_path(shared_app, company, draft, name):
    content = PDF + secrets.token_bytes(8)
    answer = raw(company, draft, b'name="file"; filename="' + name.replace(b"\\", b"\\\\") + b'"', content)
    made = ok(answer)
    folder = shared_app.settings.evidence_dir
    stored = [each for each in folder.rglob("*") if each.is_file() and each.read_bytes() == content]
    assert stored == [folder / made["sha256"][:2] / made["sha256"]]
    value = unquote(company.get(path_of(draft, made)).headers["content-disposition"].partition("''")[2])
    assert "/" not in value and "\\" not in value, value
    assert value.strip(".")


@pytest.mark.parametrize(
    "name",
    [
        b"x\x00.pdf",
        b"x\xe2\x80\xaefdp.exe",
        b"x\xed\xa0\x80.pdf",
        b"x\xff\xfe.pdf",
        b"x" * 300 + b".pdf",
        b"\x07bell.pdf",
        b"\xe2\x81\xa6isolate.pdf",
        b"   ",
    ],
)
def test_names_that_nobody_can_read_are_refused_or_mended(company, draft, name):
    answer = raw(company, draft, b'name="file"; filename="' + name + b'"')
    if answer.status_code != 201:
        refused(answer, answer.status_code)
        assert answer.status_code in {400, 422}
        return
    made = answer.json()["file_name"]
    assert made.isprintable() and 0 < len(made) <= 200


def test_a_name_cannot_add_a_header(company, draft):
    for name in (b"x.pdf%0d%0aX-Evil: 1", b'x.pdf"\r\nX-Evil: 1\r\nY: "', b"x\r\nX-Evil: 1"):
        answer = raw(company, draft, b'name="file"; filename="' + name + b'"')
        assert answer.status_code < 500
        if answer.status_code == 201:
            header = company.get(path_of(draft, answer.json())).headers
            assert "x-evil" not in header
            assert "\r" not in header["content-disposition"] and "\n" not in header["content-disposition"]


def test_a_form_without_a_name_for_its_file(company, draft):
    for disposition in (b'name="file"', b'name="file"; filename=""', b"filename=x.pdf", b'name="file"; filename'):
        answer = raw(company, draft, disposition)
        assert answer.status_code in {201, 400, 422}, answer.text


# On disk


def test_a_file_lies_under_its_hash_for_its_owner_only(shared_app, company, draft):
    content = PDF + secrets.token_bytes(8)
    made = ok(company.add_evidence(draft, content))
    path = shared_app.settings.evidence_dir / made["sha256"][:2] / made["sha256"]
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def files_of(app):
    return {each for each in app.settings.evidence_dir.rglob("*") if each.is_file()}


def test_a_killed_write_leaves_no_half_file(app):
    """The power goes while a file is written: neither a row nor a file stays, and it can be sent again."""
    company = app.set_up_company()
    draft = company.draft()
    before, laid = count(app, "evidence"), files_of(app)
    for step in ("fsync", "rename"):
        content = PDF + step.encode()

        def killed(*_args):
            raise OSError(errno.ENOSPC, "no space left")

        where = patch("app.applications.evidence.file_store.os.fsync", killed)
        if step == "rename":
            where = patch("pathlib.Path.rename", killed)
        with where:
            answer = company.add_evidence(draft, content)
        refused(answer, 507, "storage-full")
        assert files_of(app) == laid
        assert count(app, "evidence") == before
        made = ok(company.add_evidence(draft, content))
        assert company.get(path_of(draft, made)).content == content
        (app.settings.evidence_dir / made["sha256"][:2] / made["sha256"]).unlink()
        assert company.delete(path_of(draft, made)).status_code == 204


def test_a_lost_file_is_no_crash(app):
    company = app.set_up_company()
    draft = company.draft()
    made = ok(company.add_evidence(draft))
    (app.settings.evidence_dir / made["sha256"][:2] / made["sha256"]).unlink()
    answer = company.get(path_of(draft, made))
    refused(answer, 503)
    assert answer.headers["Retry-After"]
    ok(company.add_evidence(draft, kind="company-registration"))  # the same bytes heal it
    assert company.get(path_of(draft, made)).content == PDF


def test_a_download_can_be_resumed_and_not_tricked(company, draft):
    made = ok(company.add_evidence(draft))
    part = company.get(path_of(draft, made), headers={"Range": "bytes=0-3"})
    assert part.status_code == 206 and part.content == b"%PDF"
    for odd in (
        "bytes=9999-",
        "bytes=-0",
        "lines=1-2",
        "bytes=a-b",
        "bytes=0-1,2-3",
        "bytes=" + "0-1," * 5_000 + "0-1",
    ):
        answer = company.get(path_of(draft, made), headers={"Range": odd})
        assert answer.status_code < 500, odd
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_not_more_than_a_hundred(shared_app, company, draft):
    for i in range(100):
        ok(company.add_evidence(draft, PDF + str(i).encode()))
    refused(company.add_evidence(draft, PDF + b"one more"), 409, "too-many-files")
    ok(company.add_evidence(draft, PDF + b"7"))  # known

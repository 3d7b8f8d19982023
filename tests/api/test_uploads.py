"""Uploads stop nobody else: judged before the transaction, bounded, counted, and never half on the disk."""

import errno
import io
import os
import struct
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from unittest.mock import patch
from uuid import UUID

import pytest

from app.applications import application_repository
from app.applications.evidence import file_store
from app.applications.evidence.file_store import EvidenceFileStore, sniff_media_type
from app.applications.evidence.quotas import Quota, Quotas
from app.cli.admin import sweep
from app.core.database import Database
from app.worker import due_tasks
from tests.factories import PDF, ok
from tests.helpers import refused

REGISTER = b"party_id\n"


@pytest.fixture
def company(shared_app):
    return shared_app.set_up_company()


def on_disk(app):
    folder = app.settings.evidence_dir
    return sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file())


def pdf(text):
    return PDF + text.encode()


def test_others_write_while_a_file_is_judged(shared_app, company):
    """On SQLite one request writes: it was an upload for as long as hashing and the disk took."""
    judging, go_on = threading.Event(), threading.Event()
    stage = EvidenceFileStore.stage

    def slow(self, chunks):
        judging.set()
        assert go_on.wait(30)
        return stage(self, chunks)

    draft, other = company.draft(), shared_app.set_up_company()
    with patch.object(EvidenceFileStore, "stage", slow), ThreadPoolExecutor(2) as threads:
        upload = threads.submit(company.add_evidence, draft, pdf("slow"))
        assert judging.wait(30)
        assert threads.submit(other.add_product).result(timeout=10)
        go_on.set()
        ok(upload.result(timeout=30))


def test_what_is_refused_leaves_no_file(shared_app, company):
    draft, other = company.draft(), shared_app.set_up_company()
    before = on_disk(shared_app)
    refused(company.add_evidence(draft, pdf("a"), kind="no-such-kind"), 422)
    refused(company.add_evidence(draft, b"GIF89a" + b"\0" * 50), 415)
    refused(company.add_evidence(draft, b""), 422)
    refused(company.add_evidence(draft, pdf("b"), valid_until="never"), 422)
    refused(other.add_evidence(draft, pdf("c")), 404)
    refused(shared_app.approver.post(f"/v1/applications/{draft}/evidence", files={"file": ("x.pdf", pdf("d"))}), 403)
    company.act(f"/v1/applications/{draft}/withdraw")
    refused(company.add_evidence(draft, pdf("e")), 409)
    assert on_disk(shared_app) == before


def test_a_full_disk_is_507_wherever_it_is_met(shared_app, company):
    draft = company.draft()
    before = on_disk(shared_app)

    def full(*_args, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    for where in ("os.fsync", "pathlib.Path.rename", "tempfile.SpooledTemporaryFile.write"):
        with patch(where, full):
            answer = company.add_evidence(draft, pdf(where))
        refused(answer, 507, "storage-full")
        assert answer.headers["Retry-After"]
        assert on_disk(shared_app) == before
    assert ok(company.get(f"/v1/applications/{draft}/evidence"))["items"] == []


def test_an_organisation_stores_what_it_may(shared_app):
    claimant = shared_app.register()
    path = f"/v1/organisations/{claimant.organisation_id}/evidence"

    def add(text, caller=claimant):
        form = {"kind": "other"}
        return caller.post(path, files={"file": ("x.pdf", pdf(text))}, data=form)

    quotas = Quotas(confirmed=Quota(1_000_000, 4), claimant=Quota(3 * len(pdf("1")), 2))
    with shared_app.with_services(quotas=quotas):
        first = ok(add("1"))
        assert ok(add("1"))["id"] == first["id"]  # the same one is one
        refused(add("2" * len(pdf("1")) * 2), 409, "quota-exceeded")
        ok(add("2"))
        answer = add("3")
        refused(answer, 409, "quota-exceeded")
        assert (answer.json()["files"], answer.json()["max_files"]) == (2, 2)
        ok(add("4", shared_app.registrar))  # staff are never refused
        shared_app.confirm(claimant)
        ok(add("5"))
        refused(add("6"), 409, "quota-exceeded")


def test_two_at_once_do_not_overrun_the_quota(shared_app):
    """Each to another draft: what both have locked is the organisation."""
    company = shared_app.set_up_company()
    drafts = [company.draft(), company.draft()]
    with shared_app.database.read_session() as session:
        used, _ = application_repository.evidence_usage(session, UUID(company.organisation_id))
    quotas = Quotas(Quota(10**9, used + 1), Quota(10**9, used + 1))
    with shared_app.with_services(quotas=quotas), ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda draft: company.add_evidence(draft, pdf(draft)), drafts))
    assert sorted(answer.status_code for answer in answers) == [201, 409]


def test_the_sweep_removes_old_files_that_no_document_names(shared_app, company):
    files = EvidenceFileStore(shared_app.settings.evidence_dir, 10**6)
    named = ok(company.add_evidence(company.draft(), pdf("named")))["sha256"]
    old, young, sent_again = (files.stage([pdf(text)]) for text in ("old", "young", "again"))
    for draft in (old, young, sent_again):
        files.store(draft)
    left = files.stage([pdf("left by a process that was killed")]).path
    now = shared_app.clock()
    long_ago = (now - timedelta(days=2)).timestamp()
    for path in [*(files.path(each) for each in (named, old.file.sha256, sent_again.file.sha256)), left]:
        os.utime(path, (long_ago, long_ago))
    os.utime(files.path(young.file.sha256), (now.timestamp(),) * 2)

    def swept(**more):
        said = []
        assert sweep.run(shared_app.database, now, report=said.append, files=files, **more) == 0
        return [each for each in said if "files that no document" in each]

    assert swept(dry_run=True) == ["due: 3 files that no document names, older than a day: remove them"]

    def look_and_let_it_be_sent_again(*args):
        found = stray(*args)
        again = files.stage([pdf("again")])
        os.utime(again.path, (now.timestamp(),) * 2)
        files.store(again)
        return found

    stray = due_tasks.evidence_documents.list_orphan_files
    with patch.object(due_tasks.evidence_documents, "list_orphan_files", look_and_let_it_be_sent_again):
        assert swept(dry_run=False) == ["2 files that no document named are removed"]
    assert not left.exists() and not files.path(old.file.sha256).exists()
    for each in (named, young.file.sha256, sent_again.file.sha256):
        assert files.path(each).exists()
    assert swept(dry_run=False) == []


def test_the_register_is_read_before_the_transaction(shared_app):
    """A table of 20,000 lines takes a second, in which nobody else could write."""
    began, read = [], []

    def parsing(data, **more):
        read.append(time.monotonic())
        return parse(data, **more)

    from app.api.staff import residencies  # noqa: PLC0415 (patched below)

    parse = residencies.parse_resident_file
    session = Database.session

    def beginning(self):
        made = session(self)
        execute = made.execute

        def noted(*args, **more):
            began.append(time.monotonic())
            return execute(*args, **more)

        made.execute = noted
        return made

    with patch.object(residencies, "parse_resident_file", parsing), patch.object(Database, "session", beginning):
        answer = shared_app.registrar.post("/v1/register/imports", files={"file": ("r.csv", REGISTER)})
    refused(answer, 422, "register-invalid")
    assert read and all(each > read[0] for each in began)


# Workbooks


def workbook(*, entries=0, unpacked=None):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("[Content_Types].xml", "x")
        file.writestr("xl/workbook.xml", b"\0" * (unpacked or 1))
        for number in range(entries):
            file.writestr(f"{number}", "")
    return archive.getvalue()


def with_zip64(data):
    at = data.rfind(b"PK\x05\x06")
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    return data[:at] + locator + data[at:]


@pytest.mark.parametrize(
    ("data", "is_taken"),
    [
        (workbook(), True),
        (workbook(entries=1_000), True),
        (workbook(entries=5_000), False),
        (workbook(unpacked=257 << 20), False),
        (with_zip64(workbook()), False),
        (workbook() + b"more", False),
        (workbook()[:-4] + b"\xff\xff\xff\xff", False),
        (b"PK\x03\x04" + b"PK\x05\x06" * 1_000, False),
    ],
    ids=["small", "many parts", "too many parts", "a bomb", "zip64", "a tail", "a comment that is not there", "marks"],
)
def test_workbooks_are_opened_within_bounds(data, is_taken):
    with patch.object(file_store.zipfile, "ZipFile", wraps=zipfile.ZipFile) as opened:
        assert (sniff_media_type(io.BytesIO(data)) is not None) == is_taken
    if not is_taken and len(data) < 100_000:
        opened.assert_not_called()

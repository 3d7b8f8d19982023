"""Uploaded documents are scanned: an infected file is refused, and one without a clean scan is of no use yet."""

import os
import shutil
import socketserver
import struct
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager

import pytest

from app.applications.evidence import virus_scanner
from app.applications.evidence.file_store import ScanResult
from app.applications.evidence.virus_scanner import ClamdScanner, ScannerUnavailable
from app.applications.model import FileScan
from app.cli.admin import sweep
from tests.factories import ok
from tests.played import played

PDF = b"%PDF-1.7 a permit"
INFECTED = b"%PDF-1.7 MIK-TEST-SIGNATURE"


class Scanner:
    """A scanner that can be away."""

    def __init__(self):
        self.away = False

    def scan(self, path):
        if self.away:
            raise ScannerUnavailable("away")
        return ScanResult("Mik-Test" if b"MIK-TEST" in path.read_bytes() else None, "test 1")


@played
def company(app):
    return app.set_up_company()


@pytest.fixture
def scanner(app, company):
    """Switched on after the company brought its documents, which the sweep has scanned."""
    scanner = Scanner()
    app.database.attach_session_info({virus_scanner.SCANNER_KEY: scanner})
    sweep_now(app)
    with app.with_services(virus_scanner=scanner):
        yield scanner
    app.database.attach_session_info({virus_scanner.SCANNER_KEY: None})


def sweep_now(app):
    lines = []
    sweep.run(app.database, app.clock(), dry_run=False, report=lines.append, files=app.container.evidence_files)
    return lines


def test_an_infected_file_is_refused_with_its_name_and_leaves_nothing(app, company, scanner):
    answer = company.add_evidence(company.draft(), INFECTED)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "infected-file"
    assert "“Mik-Test”" in answer.json()["errors"][0]["detail"]
    folder = app.settings.evidence_dir
    assert not [path for path in folder.rglob("*") if path.is_file() and path.read_bytes() == INFECTED]


def test_a_clean_file_is_opened_and_submitted(company, scanner):
    case = company.draft()
    item = ok(company.add_evidence(case, PDF))
    assert company.get(f"/v1/evidence/{item['id']}/file").content == PDF
    company.submit(case)


def test_what_was_not_scanned_is_neither_opened_nor_confirmed_nor_submitted_until_the_sweep(app, company, scanner):
    scanner.away = True
    case = company.draft()
    company.prepare(case)
    item = ok(company.add_evidence(case, PDF, name="late.pdf"))
    company.declare(case)
    version = company.application(case)["version"]
    attempts = {
        "open": lambda: company.get(f"/v1/evidence/{item['id']}/file"),
        "open in the application": lambda: company.get(f"/v1/applications/{case}/evidence/{item['id']}"),
        "submit": lambda: company.post(f"/v1/applications/{case}/submit", version=version),
    }
    for attempt in attempts.values():
        answer = attempt()
        assert (answer.status_code, answer.json()["code"]) == (409, "evidence-not-scanned")
        assert item["id"] in answer.json()["documents"]
    assert not [line for line in sweep_now(app) if "scanned" in line]  # the scanner is still away
    scanner.away = False
    assert [line for line in sweep_now(app) if "scanned: clean" in line]
    assert attempts["open"]().status_code == 200
    assert attempts["submit"]().status_code == 200


def test_nobody_confirms_what_was_not_scanned(app, company, scanner):
    scanner.away = True
    item = company.upload("authority-to-sign", content=PDF, issued_on="2026-01-10", valid_until="2027-01-10")
    answer = app.registrar.post(f"/v1/evidence/{item['id']}/confirm", json={}, version=item["version"])
    assert answer.json()["code"] == "evidence-not-scanned"
    scanner.away = False
    sweep_now(app)
    answer = app.registrar.post(f"/v1/evidence/{item['id']}/confirm", json={}, version=item["version"])
    assert answer.json().get("code") != "evidence-not-scanned", answer.text


def test_a_file_found_infected_later_is_closed_and_on_record(app, company, scanner):
    case = company.draft()
    scanner.away = True
    item = ok(company.add_evidence(case, INFECTED, name="bad.pdf"))
    scanner.away = False
    assert [line for line in sweep_now(app) if "Mik-Test" in line]
    answer = company.get(f"/v1/evidence/{item['id']}/file")
    assert (answer.status_code, answer.json()["code"]) == (409, "evidence-infected")
    assert answer.json()["documents"] == [item["id"]]
    assert "bad.pdf" in answer.json()["detail"]
    assert company.delete(f"/v1/applications/{case}/evidence/{item['id']}").status_code == 204  # the way out


def test_two_uploads_of_the_same_content_at_once_keep_one_scan(app, scanner):
    def keep(session, name):
        virus_scanner.record_scan(session, "a" * 64, ScanResult(None, name), app.clock())
        session.flush()

    def keep_second():
        with app.database.session() as second:
            keep(second, "second")
            second.commit()

    with ThreadPoolExecutor(1) as thread, app.database.session() as first:
        keep(first, "first")
        later = thread.submit(keep_second)
        wait([later], timeout=0.2)  # it knows nothing of the first, which is not yet committed
        first.commit()
        later.result(10)
    with app.database.session() as session:
        assert session.get(FileScan, "a" * 64).scanner == "second"


def test_where_scanning_is_off_nothing_waits(company):
    item = ok(company.add_evidence(company.draft(), PDF))
    assert company.get(f"/v1/evidence/{item['id']}/file").status_code == 200


@contextmanager
def answering(answer):
    """Address of a scanner that gives this answer to every stream, and its version; None: it hangs up at once."""

    class Clamd(socketserver.StreamRequestHandler):
        def handle(self):
            if answer is None:
                return
            if self.rfile.read(len(b"zVERSION\0")) == b"zVERSION\0":
                self.wfile.write(b"ClamAV 1\0")
                return
            assert self.rfile.read(1) == b"\0"  # the end of "zINSTREAM"
            while (length := struct.unpack(">I", self.rfile.read(4))[0]) != 0:
                self.rfile.read(length)
            self.wfile.write(answer)

    with socketserver.TCPServer(("127.0.0.1", 0), Clamd) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"tcp://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("answer", [b"INSTREAM size limit exceeded. ERROR\0", b"", b"\xff\xfe", None, b"stream: OK?\0"])
def test_an_answer_that_does_not_say_so_is_no_scan(answer, tmp_path):
    (tmp_path / "file").write_bytes(PDF)
    with answering(answer) as address, pytest.raises(ScannerUnavailable):
        ClamdScanner(address).scan(tmp_path / "file")


def test_an_answer_that_says_so_is_a_scan(tmp_path):
    (tmp_path / "file").write_bytes(PDF)
    with answering(b"stream: OK\0") as address:
        assert ClamdScanner(address).scan(tmp_path / "file") == ScanResult(None, "ClamAV 1")


def test_nobody_there_is_no_scan(tmp_path):
    (tmp_path / "file").write_bytes(PDF)
    with pytest.raises(ScannerUnavailable):
        ClamdScanner(f"unix:{tmp_path}/none.ctl").scan(tmp_path / "file")
    assert virus_scanner.scan_upload(ClamdScanner(f"unix:{tmp_path}/none.ctl"), tmp_path / "file") is None


@pytest.fixture
def clamd(tmp_path):
    """Address of ClamAV's own daemon with one signature of ours."""
    program = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")
    if program is None:
        assert not os.environ.get("CI"), "CI needs clamd (Debian's clamav-daemon)"
        pytest.skip("no clamd here: install Debian's clamav-daemon")
    (tmp_path / "signatures").mkdir()
    (tmp_path / "signatures" / "test.ndb").write_text(f"Mik-Test:0:*:{b'MIK-TEST-SIGNATURE'.hex()}\n")
    address = tmp_path / "clamd.ctl"
    (tmp_path / "clamd.conf").write_text(
        f"LocalSocket {address}\nDatabaseDirectory {tmp_path}/signatures\nForeground yes\nStreamMaxLength 1M\n"
    )
    with subprocess.Popen([program, "-c", tmp_path / "clamd.conf"], stdout=subprocess.DEVNULL) as daemon:
        for _ in range(200):
            if address.exists():
                break
            time.sleep(0.05)
        yield f"unix:{address}"
        daemon.terminate()


def test_clamav_tells_clean_from_infected_from_too_large(clamd, tmp_path):
    scanner = ClamdScanner(clamd)
    for name, content in {"clean": PDF, "infected": INFECTED, "large": b"%PDF" + bytes(3 << 20)}.items():
        (tmp_path / name).write_bytes(content)
    assert scanner.scan(tmp_path / "clean").signature is None
    assert scanner.scan(tmp_path / "infected").signature == "Mik-Test.UNOFFICIAL"
    assert scanner.scan(tmp_path / "clean").scanner.startswith("ClamAV")
    with pytest.raises(ScannerUnavailable):
        scanner.scan(tmp_path / "large")

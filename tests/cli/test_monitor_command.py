"""`mik monitor` over real sockets: what it prints, and how it ends."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from app.cli import app as mik
from app.cli import monitor as command

pytestmark = pytest.mark.pg_sampled


@contextmanager
def relay(app, changes):
    """The address of a relay to the service; `changes` maps a path to another body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer = app.http.get(self.path, headers={"accept": self.headers["accept"]})
            body = changes.get(self.path, answer.content)
            self.send_response(answer.status_code)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_round_over_sockets(shared_app, monkeypatch, tmp_path):
    monkeypatch.setattr(command, "utc_now", shared_app.clock)
    number, changes = shared_app.certify(), {}

    def run(url, *words):
        return CliRunner().invoke(mik, ["monitor", url, "--folder", str(tmp_path / "m"), "--once", *words])

    with relay(shared_app, changes) as url:
        refused = run(url)
        assert (refused.exit_code, "--vkey" in refused.stderr) == (2, True)
        first = run(url, "--pin", "--watch-holder", "sample")
        assert first.exit_code == 0, first.output
        assert "trusted from now on:" in first.stdout
        assert f"new: {number}" in first.stdout
        assert "nothing contradicts" in first.stdout
        changes[f"/v1/verify/{number}"] = b'{"verdict": "revoked"}'
        found = run(url, "--json", "--second-vantage", url)
        report = json.loads(found.stdout)
        assert (found.exit_code, report["exit_code"]) == (1, 1)
        (finding,) = report["findings"]
        assert (finding["kind"], finding["subject"]) == ("answer-differs", number)
        assert (tmp_path / "m" / "evidence" / finding["evidence"]).exists()
        assert "evidence/answer-differs" in run(url).stdout
        assert run(url, "--policy", str(tmp_path / "none")).exit_code == 2
        (tmp_path / "policy").write_text("quorum")
        assert run(url, "--policy", str(tmp_path / "policy")).exit_code == 2
    away = run(url)
    assert (away.exit_code, "not checked" in away.stdout) == (2, True)

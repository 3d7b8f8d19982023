"""An index that has a higher version of everything changes nothing: the lock is installed, as it stands."""

import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from packaging.utils import canonicalize_name

from tests.install.helpers import DEVELOPMENT, PROJECT, RUNTIME, bare_environment, fresh_copy, pins

HIGHER = "9999.0"
LIST = """
import json
from importlib import metadata
print(json.dumps([[each.name, each.version] for each in metadata.distributions()]))
"""


@pytest.mark.long
def test_a_fresh_installation_has_the_locked_versions_though_the_index_has_higher_ones(tmp_path):
    locked = pins(RUNTIME, DEVELOPMENT)
    with index_of_higher_versions(locked) as (address, asked):
        no_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY", ""), "127.0.0.1"]))
        environment = bare_environment(PIP_EXTRA_INDEX_URL=address, NO_PROXY=no_proxy, no_proxy=no_proxy)
        command = ["make", ".venv/development", f"PYTHON={sys.executable}"]
        made = subprocess.run(
            command, cwd=fresh_copy(tmp_path), env=environment, capture_output=True, text=True, check=False
        )
        assert made.returncode == 0, made.stdout + made.stderr
        python = tmp_path / ".venv" / "bin" / "python"
        here = {name: pin.version for name, pin in locked.items() if pin.holds()}
        assert asked >= here.keys(), "the bait was not seen"
        listed = json.loads(subprocess.run([python, "-c", LIST], capture_output=True, check=True).stdout)
        installed = {canonicalize_name(name): version for name, version in listed}
        assert installed.pop("pip") != HIGHER
        assert installed.pop(PROJECT)
        assert installed == here
        assert taken_without_lock("coverage", python, environment) == HIGHER, "the bait would not have been taken"


def taken_without_lock(name, python, environment):
    command = [python, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps"]
    run = subprocess.run([*command, "--report", "-", name], env=environment, capture_output=True, check=True)
    return json.loads(run.stdout)["install"][0]["metadata"]["version"]


@contextmanager
def index_of_higher_versions(names):
    """A package index on this machine (PEP 503); `asked` are the names that somebody looked for."""
    asked = set()
    files = {wheel_name(name): wheel(name) for name in names}

    class Index(BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.strip("/").rpartition("/")[2]
            if name in files:
                self.answer(files[name], "application/zip")
            elif name in names:
                asked.add(name)
                self.answer(f'<a href="/{wheel_name(name)}">{wheel_name(name)}</a>'.encode(), "text/html")
            else:
                self.send_error(404)

        def answer(self, body, kind):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple/", asked
    finally:
        server.shutdown()
        server.server_close()


def wheel_name(name):
    return f"{name.replace('-', '_')}-{HIGHER}-py3-none-any.whl"


def wheel(name):
    folder = f"{name.replace('-', '_')}-{HIGHER}.dist-info"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {HIGHER}\n")
        archive.writestr(f"{folder}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{folder}/RECORD", f"{folder}/METADATA,,\n{folder}/WHEEL,,\n{folder}/RECORD,,\n")
    return out.getvalue()


@pytest.mark.parametrize("name", ["coverage", "typing-extensions"])
def test_the_bait_is_a_wheel_that_pip_would_install(name, tmp_path):
    with index_of_higher_versions({name}) as (address, _):
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path]
        run = subprocess.run(
            [*command, "--index-url", address, name],
            env=bare_environment(NO_PROXY="127.0.0.1", no_proxy="127.0.0.1"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
    assert [each.name for each in tmp_path.glob("*.dist-info")] == [f"{name.replace('-', '_')}-{HIGHER}.dist-info"]

"""The image, as far as it can be checked without a container: what it is made of, and its steps played in a folder."""

import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from tests.install.helpers import ROOT, bare_environment

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
INSTRUCTIONS = [
    tuple(line.split(maxsplit=1))
    for line in re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE)).splitlines()
    if line.strip()
]
LOCKED = re.search(r"^LOCKED := (.+)$", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)[1]
TESTED = re.search(r'^PYTHONS="(.+)"$', (ROOT / ".ci" / "run").read_text("utf-8"), flags=re.MULTILINE)[1].split()


def stages():
    """The instructions of each stage, in order; those before the first FROM belong to none."""
    found = []
    for word, rest in INSTRUCTIONS:
        if word == "FROM":
            found.append([])
        if found:
            found[-1].append((word, rest))
    return found


def told(stage, word):
    return [rest for each, rest in stage if each == word]


def environment_of(stage):
    return dict(pair.split("=", 1) for rest in told(stage, "ENV") for pair in rest.split())


def test_every_stage_stands_on_one_release_of_a_tested_python():
    (base,) = [rest.removeprefix("BASE=") for word, rest in INSTRUCTIONS if word == "ARG"]
    found = re.fullmatch(r"python:(3\.\d+)\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?", base)
    assert found, f"{base} does not name one release"
    assert found[1] in TESTED
    assert [told(stage, "FROM") for stage in stages()] == [["${BASE} AS build"], ["${BASE}"]]


def test_the_lock_is_installed_as_the_makefile_installs_it():
    assert {"--no-deps", "--require-hashes"} <= set(LOCKED.split())
    build, final = stages()
    pip = [rest.removeprefix(".venv/bin/python -m pip ") for rest in told(build, "RUN") if " pip " in rest]
    assert pip == [
        f"{LOCKED} -r requirements.lock",
        "install --quiet --no-deps --no-build-isolation --editable .",
        "check",
    ]
    assert not [rest for rest in told(final, "RUN") if "pip" in rest or "apt" in rest]


def test_it_runs_in_production_and_not_as_root():
    final = stages()[-1]
    assert environment_of(final)["MIK_PROFILE"] == "production"
    assert told(final, "USER") == ["mik"]
    assert "demo" not in " ".join(told(final, "CMD"))


@pytest.mark.long
def test_its_steps_make_a_service_that_refuses_to_start_without_settings_and_plays_the_demo_on_demand(tmp_path):
    build, final = stages()
    folder = tmp_path / "srv"
    folder.mkdir()
    for rest in told(build, "COPY"):
        *sources, target = rest.split()
        for source in sources:
            copy(ROOT / source, folder / target)
    search = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    for step in told(build, "RUN"):
        run = subprocess.run(
            ["sh", "-c", step],
            cwd=folder,
            env=bare_environment(PATH=search),
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, f"{step}: {run.stdout}{run.stderr}"

    settings = environment_of(final) | {
        "PATH": f"{folder}/.venv/bin:{search}", "HOME": str(tmp_path), "MIK_DATA_DIR": str(tmp_path / "data"),
    }  # fmt: skip
    (command,) = told(final, "CMD")
    command = re.findall(r'"([^"]+)"', command)
    (tmp_path / "data").mkdir(mode=0o700)
    refused = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "MIK_BASE_URL is not https" in refused.stderr
    assert list((tmp_path / "data").iterdir()) == []

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    demo = settings | {"MIK_PROFILE": "demo", "MIK_BASE_URL": f"http://localhost:{port}"}
    server = subprocess.Popen([*command, "--port", str(port)], cwd=folder, env=demo, stderr=subprocess.DEVNULL)
    try:
        assert ready(server, port).json() == {"status": "ok"}
    finally:
        server.terminate()
        server.wait(60)


def copy(source, target):
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def ready(server, port):
    until = time.monotonic() + 120
    while server.poll() is None and time.monotonic() < until:
        try:
            return httpx2.get(f"http://127.0.0.1:{port}/health/ready", trust_env=False)
        except httpx2.TransportError:
            time.sleep(0.2)
    pytest.fail("it did not start")

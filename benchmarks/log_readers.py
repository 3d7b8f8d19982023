"""Read a whole log, each reader in a process of its own: the archive bundle, and a monitor's first read."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx

from app.cli.admin.export import export_bundle
from app.core.dates import utc_now
from app.monitor.evidence import MonitorFinding
from app.monitor.log_follower import LogFollower, fetch_checkpoint
from app.monitor.public_service import TIMEOUT_S, PublicService
from app.monitor.state import MonitorState
from app.transparency.signed_note import parse_vkey
from benchmarks.datasets import Dataset
from benchmarks.servers import ROOT, Server


@dataclass(frozen=True)
class Reading:
    processor: float
    """Seconds of the reader alone."""
    memory: float
    """MiB at most."""
    size: int
    """Bytes written."""


def archive_bundle(dataset: Dataset, folder: Path) -> Reading:
    """Measure `mik admin export-bundle`."""
    archive = folder / "bundle.tar"
    processor, memory = _spent(["bundle", str(archive)], dataset.environment)
    return Reading(processor, memory, archive.stat().st_size)


def monitor(server: Server, folder: Path) -> Reading:
    """Measure how a monitor reads the log of a server for the first time and proves its root."""
    with tempfile.TemporaryDirectory(dir=folder) as state:
        processor, memory = _spent(["follow", state, f"http://127.0.0.1:{server.port}"], {})
        return Reading(processor, memory, sum(each.stat().st_size for each in Path(state).iterdir()))


def follow(folder: Path, url: str) -> None:
    """Read the log as a monitor does; raises RuntimeError where it is not as it was signed."""
    findings: list[MonitorFinding] = []
    with httpx.Client(timeout=TIMEOUT_S) as http:
        service, state = PublicService(url, http, utc_now), MonitorState(folder)
        verifier = parse_vkey(service.get("/log/vkey").text.strip())
        follower = LogFollower(service, state, verifier, findings.append)
        if not follower.follow(fetch_checkpoint(service, verifier)) or findings:
            raise RuntimeError(f"the log contradicts itself: {findings}")
        state.close()


def _spent(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Run `main` in a process of its own; return its processor seconds, imports included, and its memory in MiB."""
    command = [sys.executable, "-m", "benchmarks.log_readers", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, check=True, text=True
    )
    processor, memory = done.stdout.splitlines()[-1].split()
    return float(processor), float(memory)


def main(act: str, path: Path, *url: str) -> None:
    """Make the bundle or follow the log, and print what it took."""
    if act == "bundle":
        export_bundle(path)
    else:
        follow(path, *url)
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    print(time.process_time(), int(peak.split()[1]) / 1024)  # noqa: T201 (read by `_spent`)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])

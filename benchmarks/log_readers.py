"""Read a whole log, each reader in a process of its own: the archive bundle, and a monitor's first read."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx

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
    command = ["-m", "app.cli", "admin", "export-bundle", str(archive)]
    processor, memory = _spent(command, dataset.environment)
    return Reading(processor, memory, archive.stat().st_size)


def monitor(server: Server, folder: Path) -> Reading:
    """Measure how a monitor reads the log of a server for the first time and proves its root."""
    with tempfile.TemporaryDirectory(dir=folder) as state:
        processor, memory = _spent(["-m", "benchmarks.log_readers", f"http://127.0.0.1:{server.port}", state], {})
        return Reading(processor, memory, sum(each.stat().st_size for each in Path(state).iterdir()))


def follow(url: str, folder: Path) -> None:
    """Read the log as a monitor does; raises RuntimeError where it is not as it was signed."""
    findings: list[MonitorFinding] = []
    with httpx.Client(timeout=TIMEOUT_S) as http:
        service, state = PublicService(url, http, utc_now), MonitorState(folder)
        verifier = parse_vkey(service.get("/log/vkey").text.strip())
        follower = LogFollower(service, state, verifier, findings.append)
        if not follower.follow(fetch_checkpoint(service, verifier)) or findings:
            raise RuntimeError(f"the log contradicts itself: {findings}")
        state.close()


def _spent(command: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Run Python and return its processor seconds and its memory in MiB."""
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    follow(sys.argv[1], Path(sys.argv[2]))

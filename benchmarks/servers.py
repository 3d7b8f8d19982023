"""Start server processes on free ports as `mik serve` starts its workers, and always stop them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load

ROOT = Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 60


@dataclass(frozen=True)
class Server:
    name: str
    port: int
    pid: int
    started_in: float
    """Seconds from the start to the first response."""

    def cpu(self) -> float:
        """Return the processor seconds of all threads and workers so far."""
        return sum(_cpu_of(pid) for pid in (self.pid, *_children(self.pid)))

    def memory(self) -> float:
        """Return the MiB that one worker does not share with others: neither programs nor database pages."""
        pids = _children(self.pid) or [self.pid]
        return sum(_resident(pid) for pid in pids) / len(pids)


@contextmanager
def serving(
    name: str, app: str, environment: Mapping[str, str], folder: Path, *, ready: str, workers: int = 1
) -> Iterator[Server]:
    """Run a server. `app`: `module:name` of an ASGI application, or `module:name()` of a factory."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", app.removesuffix("()"), "--port", str(port), "--workers", str(workers)]
    command += ["--no-access-log", "--log-level", "warning", "--no-server-header", "--loop", "uvloop"]
    command += ["--http", "httptools", *(["--factory"] if app.endswith("()") else [])]
    with running(name, command, environment, folder, port=port, ready=ready) as server:
        yield server


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    *,
    port: int,
    ready: str,
    cwd: Path = ROOT,
) -> Iterator[Server]:
    """Run a server from its first 200 at `ready` to the end of the block; `folder` gets its log."""
    begun = time.perf_counter()
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=cwd, env={**_clean(), **environment}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(process, port, ready, folder / f"{name}.log")
        yield Server(name, port, process.pid, time.perf_counter() - begun)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # a process group of its own
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _clean() -> dict[str, str]:
    """Return the environment without settings of the service."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MIK_")}


def _wait(process: subprocess.Popen[bytes], port: int, ready: str, log: Path) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if load.once(port, load.get(ready))[0] == 200:
                return
        except (OSError, IndexError):
            time.sleep(0.02)
    raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")


def _children(pid: int) -> list[int]:
    """Return the worker processes, without the resource tracker, which does nothing."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [
        int(child) for child in text.split() if "resource_tracker" not in Path(f"/proc/{child}/cmdline").read_text()
    ]


_PROCESS_CLOCK = 2
"""clock_getcpuclockid(3): clock of the whole process, as the scheduler counts it."""


def _cpu_of(pid: int) -> float:
    """Return the processor time with nanosecond resolution, threads that ended included."""
    return time.clock_gettime(~pid << 3 | _PROCESS_CLOCK)


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0

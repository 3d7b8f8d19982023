"""Measure `mik admin export-files`: `python -m benchmarks.static_files [NUMBER]`; the folder is made and deleted."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.datasets import create_dataset

_MIB = 1024 * 1024


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as name:
        dataset = create_dataset(Path(name) / "data", count, lambda _text: None)
        folder = Path(name) / "files"
        command = [sys.executable, "-m", "app.cli", "admin", "export-files", str(folder)]
        for what in ("first run", "second run"):
            begun = time.perf_counter()
            subprocess.run(command, env={**os.environ, **dataset.environment}, check=True)
            seconds = time.perf_counter() - begun
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            _report(f"{count} certificates, {what}: {seconds:.1f} s, at most {peak:.0f} MiB of memory")
        files = [path.stat() for path in folder.rglob("*") if path.is_file()]
        size, disk = sum(each.st_size for each in files), sum(each.st_blocks * 512 for each in files)
        _report(f"{len(files)} files, {size / _MIB:.1f} MiB, {disk / _MIB:.1f} MiB on the disk")


def _report(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

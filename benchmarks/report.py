"""Format the measurements as a page."""

import importlib.metadata
import os
import platform
import sqlite3
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LIBRARIES = ("uvicorn", "uvloop", "httptools", "starlette", "fastapi", "sqlalchemy", "psycopg", "cryptography")
RATIOS = (
    "Ratios are processor time of the base for one request by that of the service: 1.00 would be as cheap as answering "
    "without reading the request."
)


@dataclass(frozen=True)
class Row:
    case: str
    measured: str
    limit: str = ""
    reached: float | None = None
    holds: bool | None = None
    """None where the row has no limit."""


def page(rows: Iterable[Row], *, day: str, how: str) -> str:
    lines = [
        "# Results of `make bench`",
        "",
        f"{day}. {how}",
        "",
        _machine(),
        "",
        RATIOS,
        "",
        "| case | measured | must reach | reached | |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        reached = "" if row.reached is None else f"{row.reached:.2f}"
        mark = {True: "yes", False: "**no**", None: ""}[row.holds]
        lines.append(f"| {row.case} | {row.measured} | {row.limit} | {reached} | {mark} |")
    return "\n".join(lines) + "\n"


def count_lines(paths: Iterable[Path]) -> int:
    """Count the lines of files, and of the modules of folders, that are neither blank nor only a comment."""
    files = [file for path in paths for file in (sorted(path.glob("*.py")) if path.is_dir() else [path])]
    lines = [line.strip() for file in files for line in file.read_text("utf-8").splitlines()]
    return sum(bool(line) and not line.startswith("#") for line in lines)


def _machine() -> str:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    return (
        f"Machine: {_processor()}, {os.cpu_count()} processors, {_memory()} GiB, Linux {platform.release()}. "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {ssl.OPENSSL_VERSION}; {versions}."
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f}"

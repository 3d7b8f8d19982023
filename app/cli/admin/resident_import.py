"""Implement `mik admin import-residents`: import a file of the resident register."""

import hashlib
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.certificates import residency_cascade
from app.cli.common import fail, handle_errors, load_settings, write_session
from app.core.actor import SYSTEM
from app.core.dates import utc_now
from app.organisations.resident_import.csv_format import parse_resident_file
from app.organisations.resident_import.resident_imports import ImportFile


def import_residents(
    file: Annotated[Path, typer.Argument(help="CSV file of the resident register.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would happen; change nothing.")] = False,
) -> None:
    """Import a file of the resident register.

    Imports all lines or none. An ended residency suspends its certificates, which are listed. Ends with 2 if a line is
    wrong.
    """
    settings = load_settings()
    try:
        data = file.read_bytes()
    except OSError as why:
        fail(f"{file} cannot be read: {why.strerror}.")
    sheet = parse_resident_file(data, max_bytes=settings.evidence_max_bytes)
    register = ImportFile(sheet, file.name, hashlib.sha256(data).hexdigest())
    with handle_errors(), write_session(settings) as session:
        report = residency_cascade.import_resident_register(session, SYSTEM, register, dry_run=dry_run, now=utc_now())
        if dry_run:
            session.rollback()
    _show(report)
    if any(line["errors"] for line in report["lines"]) or report.get("errors"):
        raise typer.Exit(2)


def _show(report: dict[str, Any]) -> None:
    console = Console(soft_wrap=False, highlight=False)
    table = Table("line", "VÖEN", "action", "notes", title="would happen" if report["dry_run"] else "imported")
    for line in report["lines"]:
        notes = [_words(note) for note in [*line["errors"], *line["remarks"]]]
        table.add_row(str(line["line"]), escape(line["voen"] or "–"), line["action"], escape("; ".join(notes)))
    console.print(table)
    for note in report.get("errors", []):
        console.print(escape(_words(note)), style="red")
    for hit in report["certificates"]:
        console.print(f"certificate {hit['number']}: {hit['action']}")
    console.print(", ".join(f"{count} {action}" for action, count in report["totals"].items() if count))


def _words(note: Any) -> str:
    if not isinstance(note, dict):
        return str(note)
    column = f"{note['column']}: " if note.get("column") else ""
    return f"{column}{note.get('message') or note.get('detail')}"

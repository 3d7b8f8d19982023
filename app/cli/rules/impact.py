"""Implement `mik rules impact`: compare other rules on certificates in force and open cases of a mark."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from app.applications.assessment import ruleset_impact
from app.applications.assessment.ruleset_impact import ComparedRulesets, JsonLine
from app.cli.common import handle_errors, load_settings, open_database
from app.cli.rules.case_runner import scheme_of
from app.core.database import Database
from app.core.dates import baku_day, utc_now
from app.core.errors import Invalid
from app.schemes import publishing
from app.schemes.ruleset import Ruleset
from app.schemes.scheme_loader import load_schemes


def impact(
    scheme: Annotated[str, typer.Option(help="Code of the mark, such as MIK.")],
    file: Annotated[Path | None, typer.Option(help="Scheme file with the other rules, published or not.")] = None,
    version: Annotated[str | None, typer.Option(help="Published version, such as 2027.1.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON Lines, as the API sends them.")] = False,
) -> None:
    """Name the certificates and open cases that other rules would assess differently.

    Compares the version in force with a scheme file or with another published version. Without --file and --version
    the other version is the scheme file that comes with the service. Nothing is changed. Ends with 0, and with 2
    when an option is wrong or nothing can be assessed by the version.
    """
    with handle_errors(), open_database(load_settings()) as database:
        pieces = ruleset_impact.stream_report(
            database.read_session, compared(database, scheme, file, version), baku_day(utc_now())
        )
        lines = (line for piece in pieces for line in piece)
        if as_json:
            for line in lines:
                # bytes: JSON is UTF-8, whatever the encoding of the terminal
                typer.echo(json.dumps(line, ensure_ascii=False).encode())
        else:
            show(lines)


def compared(database: Database, scheme: str, file: Path | None, version: str | None) -> ComparedRulesets:
    code = scheme.strip().upper()
    if file is not None and version is not None:
        raise Invalid("Give --file or --version, not both.")
    with database.read_session() as session:
        if version is not None:
            return ruleset_impact.load_rulesets(session, code, version)
        return ComparedRulesets(publishing.current_scheme(session, code).ruleset, ruleset_of(code, file))


def ruleset_of(code: str, file: Path | None) -> Ruleset:
    """Return the rules of the file, or those that ship with the service."""
    if file is None:
        shipped = load_schemes().get(code)
        if shipped is None:
            raise Invalid(f"No scheme file of {code} comes with the service: give --file or --version.")
        return shipped.ruleset
    found = scheme_of(file)
    if found.code != code:
        raise Invalid(f"{file} is the scheme file of {found.code}, not of {code}.")
    return found.ruleset


def show(lines: Iterable[JsonLine]) -> None:
    """Print the comparison for people, line by line as it is computed."""
    console = Console(soft_wrap=True, highlight=False)
    for line in lines:
        for text in render_line(line):
            console.print(escape(text))


def render_line(line: JsonLine) -> Iterator[str]:
    if line["type"] == "impact":
        now, then = line["now"]["version"], line["then"]["version"]
        yield f"{line['scheme']}: rules {now} in force, compared with {then}, as of {line['as_of']}"
    elif line["type"] == "changed":
        names = line["product"]["names"]
        name = names.get("en") or next(iter(names.values()), "")
        yield f"{line['subject']} {line['id']}, {line['holder']}, {name}: {line['before']} → {line['after']}"
        for rule in line["rules"]:
            yield f"  {rule['rule']}: {describe(rule['before'])} → {describe(rule['after'])}"
    else:
        for each in line["counts"]:
            yield f"{each['count']} × {each['subject']}: {each['before']} → {each['after']}"
        yield f"{line['judged']} assessed, {line['changed']} changed"


def describe(answer: JsonLine | None) -> str:
    return "no such rule" if answer is None else f"{answer['outcome']} ({answer['reason']})"

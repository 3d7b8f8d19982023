"""Implement `mik rules test`: run a table of cases against a scheme file, published or a draft."""

import json
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.cli.common import handle_errors
from app.cli.rules.case_table import CaseResult, Report, RuleCase, meant_for, outcome_counts, read_cases, run_cases
from app.core.errors import Invalid
from app.core.text.normalize import fold_alphanumeric
from app.reference.territory import load_territory
from app.schemes.ruleset import Ruleset, Scheme
from app.schemes.scheme_loader import COMMON_FILE, parse_common, parse_scheme

DIFFERENT = 1
MAX_BYTES = 5 * 2**20


def run_table(
    mark: Annotated[Path, typer.Argument(help="Scheme file of the mark (TOML).")],
    cases: Annotated[Path, typer.Argument(help="Table of cases (TOML): facts, and what each rule has to answer.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Assess the cases of a file by the scheme file of a mark.

    Lists every answer that differs from the expected one, and the branches of rules that no case reached. Ends with 0
    when every case is answered as expected, with 1 when some differ, and with 2 when a file is wrong.
    """
    with handle_errors():
        scheme = scheme_of(mark)
        table = read_cases(read(cases), str(cases))
        mine = meant_for(table, scheme.code)
        if not mine:
            raise Invalid(
                f"{cases}: no case of this table is for {scheme.code}; give cases `scheme = “{scheme.code}”`."
            )
        report = run_cases(scheme.ruleset, mine)
    skipped = [case for case in table if case not in mine]
    if as_json:
        # bytes: JSON is UTF-8, whatever the encoding of the terminal
        typer.echo(json.dumps(as_object(report, scheme.ruleset, skipped), ensure_ascii=False).encode())
    else:
        show(report, scheme.ruleset, skipped)
    if report.failed:
        raise typer.Exit(DIFFERENT)


def scheme_of(path: Path) -> Scheme:
    """Load the scheme of the file. Raises `Invalid` for every error in it, unknown places included."""
    common = parse_common((files("app.schemes") / "marks" / COMMON_FILE).read_text("utf-8"))
    scheme = parse_scheme(read(path), common, str(path))
    if unknown := sorted(unknown_places(scheme.ruleset)):
        raise Invalid(
            f"{path}: unknown places in the territory sets: {', '.join(unknown)}. "
            "A place is the code of an economic region or a municipality, or the name of a district."
        )
    return scheme


def unknown_places(ruleset: Ruleset) -> Iterator[str]:
    places = load_territory()
    named = {fold_alphanumeric(district.name) for district in places.districts}
    for each in {place for members in ruleset.territory_sets.values() for place in members}:
        if each not in places.regions and each not in places.municipalities and fold_alphanumeric(each) not in named:
            yield each


def read(path: Path) -> str:
    """Read the text of a file. Raises `Invalid` when it cannot be read as text."""
    try:
        if path.is_dir():
            raise Invalid(f"{path} is a folder; name a file in it.")
        if path.stat().st_size > MAX_BYTES:
            raise Invalid(f"{path} has more than {MAX_BYTES // 2**20} MB: it is no table written by a person.")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror or error}. Check the name and the rights.") from error
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is no text in UTF-8: save it as a TOML file in UTF-8.") from error


def as_object(report: Report, ruleset: Ruleset, skipped: Sequence[RuleCase]) -> dict[str, Any]:
    counts = outcome_counts(report)
    return {
        "scheme": ruleset.scheme,
        "ruleset": ruleset.version,
        "cases": [
            {"id": result.case.id, "ok": not result.wrong, "differs": list(result.wrong)} for result in report.results
        ],
        "counts": {
            "cases": len(report.results),
            "ok": len(report.results) - len(report.failed),
            "wrong": len(report.failed),
            "skipped": len(skipped),
            "outcomes": {outcome.value: count for outcome, count in sorted(counts.items())},
        },
        "unreached": {rule: list(cases) for rule, cases in report.unreached.items()},
    }


def show(report: Report, ruleset: Ruleset, skipped: Sequence[RuleCase]) -> None:
    table = Table(title=f"{ruleset.scheme}, rules {ruleset.version}", expand=True)
    table.add_column("Case", ratio=2)
    table.add_column("Answer", no_wrap=True)
    table.add_column("What differs", ratio=6)
    for result in report.results:
        table.add_row(escape(result.case.id), answer(result), escape("\n".join(result.wrong) or result.case.given))
    console = Console()
    console.print(table)
    console.print(
        f"{len(report.results)} cases: {len(report.results) - len(report.failed)} ok, {len(report.failed)} wrong."
    )
    if skipped:
        console.print(f"{len(skipped)} cases are for other marks and were skipped.")
    unreached = Table(title="Branches that no case reached", expand=True)
    unreached.add_column("Rule", no_wrap=True)
    unreached.add_column("Cases", ratio=6)
    for rule, cases in report.unreached.items():
        unreached.add_row(escape(rule), escape(", ".join(cases)))
    console.print(unreached if report.unreached else "Every branch of every rule was reached.")


def answer(result: CaseResult) -> str:
    return "[red]wrong[/]" if result.wrong else "[green]ok[/]"

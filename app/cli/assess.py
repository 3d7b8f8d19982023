"""Implement `mik assess`: assess products from files by published rules, without service and database."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.core.csv_table import MAX_BYTES, RowMessage
from app.core.dates import baku_day, utc_now
from app.organisations.resident_import.csv_format import ResidentRow, parse_resident_file
from app.products.csv_format import ProductRow, parse_products
from app.schemes.evaluator import Assessment, evaluate
from app.schemes.hashing import to_jsonable
from app.schemes.outcome import Outcome
from app.schemes.ruleset import Ruleset
from app.schemes.scheme_loader import load_schemes

REFUSED = 2
COLOURS = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.MANUAL: "yellow", Outcome.INCOMPLETE: "magenta"}
OPEN_OUTCOMES = (Outcome.FAIL, Outcome.INCOMPLETE, Outcome.MANUAL)

AssessedProduct = tuple[ProductRow, Assessment]


def assess(
    scheme: Annotated[str, typer.Option(help="Code of the mark, such as MIK or MIA.")],
    register: Annotated[list[Path], typer.Option(help="CSV file of the register; may be given more than once.")],
    products: Annotated[Path, typer.Option(help="CSV file of the products.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per product, one on each line.")
    ] = False,
) -> None:
    """Assess products from files by the rules of a mark, with reasons.

    Needs neither service nor database. Ends with 0 when everything was assessed, whatever the outcomes, and with 2 when
    a file or an option is wrong.
    """
    ruleset = ruleset_of(scheme)
    companies = read_registers(register)
    sheet = parse_products(read(products), companies, baku_day(utc_now()))
    report(products, sheet.warnings)
    if sheet.errors:
        fail_with(f"{products}: {note}" for note in sheet.errors)
    assessed = [(line, evaluate(ruleset, line.facts)) for line in sheet.products]
    if as_json:
        for line, assessment in assessed:
            # bytes: JSON is UTF-8, whatever the encoding of the terminal
            typer.echo(json.dumps(as_object(line, assessment), ensure_ascii=False).encode())
    else:
        show(assessed, ruleset)


def ruleset_of(code: str) -> Ruleset:
    schemes = load_schemes()
    found = schemes.get(code.strip().upper())
    if found is None:
        fail_with([f"There is no mark “{code}”. There are: {', '.join(schemes)}."])
    return found.ruleset


def read_registers(paths: Sequence[Path]) -> Mapping[str, ResidentRow]:
    """Read the resident files: company id → row. A company may be in one file only."""
    faults: list[str] = []
    companies: dict[str, ResidentRow] = {}
    places: dict[tuple[str, str | None], str] = {}
    for path in paths:
        sheet = parse_resident_file(read(path))
        report(path, sheet.warnings)
        faults.extend(f"{path}: {note}" for note in sheet.errors)
        ids, members = set(companies), set(places)
        for row in sheet.rows:
            membership = (row.voen, row.park_code)
            if row.party_id in ids:
                faults.append(f"{path}: line {row.line}: {row.party_id} is already in another register file.")
            elif membership in members:
                faults.append(f"{path}: line {row.line}: the company {row.voen} is already in {places[membership]}.")
            companies[row.party_id] = row
            places[membership] = str(path)
    if faults:
        fail_with(faults)
    return companies


def read(path: Path) -> bytes:
    """Read the file, at most one byte more than the maximum."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        fail_with([f"{path}: cannot be read ({error.strerror})."])


def report(path: Path, remarks: Iterable[RowMessage]) -> None:
    for note in remarks:
        typer.echo(f"{path}: {note} (remark)", err=True)


def fail_with(faults: Iterable[str]) -> NoReturn:
    for fault in faults:
        typer.echo(fault, err=True)
    raise typer.Exit(REFUSED)


def as_object(line: ProductRow, assessment: Assessment) -> dict[str, object]:
    """Return the assessment for programs: decimals as text, every rule, those included that files cannot feed."""
    origin = assessment.origin
    return {
        "product_id": line.product_id,
        "outcome": assessment.outcome.value,
        "scheme": assessment.scheme,
        "ruleset": assessment.ruleset_version,
        "origin": {
            "criterion": origin.criterion and origin.criterion.value if origin else None,
            "rvc_pct": None if origin is None or origin.rvc_pct is None else str(origin.rvc_pct),
        },
        "rules": [
            {
                "id": finding.rule,
                "outcome": finding.outcome.value,
                "reason": finding.reason,
                "values": to_jsonable(finding.values),
            }
            for finding in assessment.findings
        ],
    }


def show(assessed: Sequence[AssessedProduct], ruleset: Ruleset) -> None:
    """Print one row per product with the reasons of every outcome other than pass."""
    table = Table(title=f"{ruleset.scheme}, rules {ruleset.version}", show_lines=True, expand=True)
    table.add_column("Product and owner", ratio=2)
    table.add_column("Outcome", no_wrap=True)
    table.add_column("Reasons", ratio=5)
    for line, assessment in assessed:
        name = line.facts.product.name_en or line.facts.product.name_az or ""
        table.add_row(
            escape(f"{line.product_id} {name}\n{line.owner.party_id} {line.owner.legal_name_en}"),
            f"{with_colour(assessment.outcome)}\n{origin_in_words(assessment)}",
            "\n".join(
                f"{with_colour(finding.outcome)}: {escape(finding.reason)}"
                for finding in assessment.findings_with(*OPEN_OUTCOMES)
            ),
        )
    console = Console()
    console.print(table)
    counts = {outcome: sum(each.outcome is outcome for _, each in assessed) for outcome in COLOURS}
    console.print(", ".join(f"{count} {with_colour(outcome)}" for outcome, count in counts.items() if count))
    skipped = sorted({f.rule for _, each in assessed for f in each.findings_with(Outcome.NOT_ASSESSED)})
    if skipped:
        console.print(f"Not assessed, because files do not contain the facts: {', '.join(skipped)}.")


def with_colour(outcome: Outcome) -> str:
    return f"[{COLOURS.get(outcome, 'dim')}]{outcome.value}[/]"


def origin_in_words(assessment: Assessment) -> str:
    origin = assessment.origin
    if origin is None or origin.criterion is None:
        return "–"
    return f"{origin.criterion.value} {origin.rvc_pct} %"

"""Implement `mik apply`: assess a product from a file, or apply for its certificate at a service."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from app.cli.common import fail, handle_errors, stderr
from app.cli.company.application_file import ApplicationFile, Fault, FileRejected, read_application_file
from app.cli.company.dry_run import assess_file, load_rules
from app.cli.company.session_file import SessionFile, SessionUnusable
from app.cli.company.submission import FieldsRefused, NoCompany, Submission
from app.core.dates import baku_day, utc_now
from app.schemes.evidence_kinds import Supplier, load_evidence_kinds
from app.schemes.hashing import to_jsonable
from made_in_karabakh import ApiError, Client, KeptSession, MikClientError, SignInAgain

NOT_READY = 1
REFUSED = 2
COLOURS = {"pass": "green", "fail": "red", "manual": "yellow", "incomplete": "magenta"}

Rules = list[Mapping[str, Any]]
"""Findings as the API gives them: `rule`, `outcome`, `reason`, `remedy`."""


def apply(
    file: Annotated[Path, typer.Argument(help="YAML or JSON file of one product.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only assess, by the rules of this release, without a service.")
    ] = False,
    declare: Annotated[
        bool, typer.Option("--declare", help="Declare that all is true and complete, without being asked.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the assessment as one JSON object.")] = False,
) -> None:
    """Apply for a certificate from a file.

    Enters site and product, uploads the documents and submits, at the service and for the company of `mik login`. What
    is there already stays: a run that was cut off is completed by the next one. Names every fault by file, line and
    field.

    Ends with 0 when it is submitted or the dry run found nothing to do, with 1 when something is missing or a rule is
    not met, and with 2 when the file is wrong or the service refuses.
    """
    try:
        content = read_application_file(file, baku_day(utc_now()))
    except FileRejected as why:
        _fail_with(file, why.faults)
    if dry_run:
        _assess(content, as_json=as_json)
    else:
        _apply(content, is_declared=declare, as_json=as_json)


def _assess(file: ApplicationFile, *, as_json: bool) -> None:
    with handle_errors():
        ruleset = load_rules(file.scheme)
    assessment = assess_file(file, ruleset, baku_day(utc_now()))
    rules: Rules = [
        {
            "rule": each.rule,
            "outcome": each.outcome.value,
            "reason": each.reason,
            "remedy": each.remedy and each.remedy._asdict(),
            "values": to_jsonable(each.values),
        }
        for each in assessment.findings
    ]
    _show(file, ruleset.version, assessment.outcome.value, rules, as_json=as_json)
    if any(each["outcome"] == "fail" for each in rules) or list(_to_supply(file, rules)):
        raise typer.Exit(NOT_READY)


def _apply(file: ApplicationFile, *, is_declared: bool, as_json: bool) -> None:
    store = SessionFile()
    try:
        saved = store.read()
    except SessionUnusable as why:
        fail(str(why))
    with Client(saved.url, KeptSession(store)) as mik:
        try:
            _submit(Submission(mik, file, _report), file, is_declared=is_declared, as_json=as_json)
        except FieldsRefused as why:
            _fail_with(file.path, why.faults)
        except NoCompany:
            fail(f"{saved.email} acts for no company at {saved.url}.")
        except SignInAgain as why:
            fail(f"{why} Run `mik login`.")
        except ApiError as why:
            for criterion in why.criteria:
                stderr.print(f"{criterion.get('rule')}: {criterion.get('reason')}", markup=False)
            fail(f"{saved.url} refuses: {why.detail} ({why.code})")
        except MikClientError as why:
            fail(f"{why} Run the command again: it goes on where this run ended.")


def _submit(steps: Submission, file: ApplicationFile, *, is_declared: bool, as_json: bool) -> None:
    application = steps.found()
    if application is not None and application["state"] != "draft":
        _report(f"{application['number']} is {application['state']} already; its file is not read again.")
        return
    product = steps.store()
    assessment = steps.assess(product["id"])
    rules: Rules = [dict(each) for each in assessment["rules"]]
    _show(file, assessment["ruleset_version"], assessment["outcome"], rules, as_json=as_json)
    application = application or steps.draft(product["id"])
    if any(each["outcome"] == "fail" for each in rules) or list(_to_supply(file, rules)):
        _report(f"{application['number']} stays a draft: see above what is missing or not met.")
        raise typer.Exit(NOT_READY)
    if not steps.declare(application["id"], lambda text: is_declared or typer.confirm(f"{text}\nDo you declare this?")):
        _report(f"{application['number']} stays a draft, because it is not declared.")
        raise typer.Exit(NOT_READY)
    submitted = steps.submit(application)
    _report(f"Submitted {submitted['number']}.")


def _show(file: ApplicationFile, version: str, outcome: str, rules: Rules, *, as_json: bool) -> None:
    """Print every rule with its reason, then what the company has to supply, by line."""
    if as_json:
        shown = {"scheme": file.scheme, "ruleset": version, "outcome": outcome, "rules": rules}
        typer.echo(json.dumps(shown, ensure_ascii=False).encode())
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{file.reference} by the rules of {file.scheme}, {version}: {outcome}", markup=False)
    for each in rules:
        console.print(f"  {each['outcome']:<14} ", style=COLOURS.get(each["outcome"], "dim"), end="")
        console.print(f"{each['rule']}  {each['reason']}", markup=False)
    for fault in _to_supply(file, rules):
        console.print(f"{file.path}:{fault.line}: {fault.pointer}: {fault.detail}", markup=False)


def _to_supply(file: ApplicationFile, rules: Rules) -> Iterator[Fault]:
    """Yield each field and kind of document that the company has to add. What staff look up is not the company's, nor
    is the confirmation of a document that is in the file.
    """
    present, kinds = {each.kind for each in file.documents}, load_evidence_kinds()
    named: set[str] = set()
    for each in rules:
        remedy = each.get("remedy")
        if each["outcome"] != "incomplete" or not remedy or remedy["by_staff"]:
            continue
        if (field := remedy["field"]) and field.startswith("/"):
            pointer = field.replace("/site/", "/", 1) if field.startswith("/site/") else field
            place = f"/site{pointer}" if pointer != field else f"/product{field}"
            yield Fault(file.line_of(place), place, each["reason"])
        for kind in (remedy["evidence"], *remedy["also"]):
            if kind and kind not in present | named and Supplier.APPLICANT in kinds[kind].supplied_by:
                named.add(kind)
                yield Fault(file.line_of("/documents"), "/documents", f"{kind} is missing. {each['reason']}")


def _report(text: str) -> None:
    stderr.print(f"· {text}", markup=False)


def _fail_with(path: Path, faults: Iterable[Fault]) -> NoReturn:
    for each in faults:
        stderr.print(f"{path}:{each.line}: {each.pointer or '/'}: {each.detail}", style="red", markup=False)
    raise typer.Exit(REFUSED)

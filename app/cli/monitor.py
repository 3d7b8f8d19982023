"""Implement `mik monitor`: watch a service by its public addresses alone, and keep evidence of contradictions."""

import json
import time
from pathlib import Path
from typing import Annotated

import httpx2 as httpx
import typer
from rich.console import Console

from app.cli.common import fail, read_policy
from app.core.dates import utc_now
from app.monitor.monitor import Monitor, MonitorOptions, MonitorRefused, RoundReport
from app.monitor.public_service import TIMEOUT_S, PublicService, Unreachable


def monitor(
    url: Annotated[str, typer.Argument(metavar="URL", help="Address of the service, such as https://verify.example.")],
    folder: Annotated[
        Path, typer.Option(help="Folder of the monitor: what it has read, and evidence. One for each service.")
    ] = Path("monitor"),
    vkey: Annotated[
        str | None, typer.Option(help="Key of the log from a source that you trust; at the first run.")
    ] = None,
    pin: Annotated[
        bool, typer.Option("--pin", help="Trust the key that the service shows at the first run, and keep it.")
    ] = False,
    watch_holder: Annotated[
        list[str] | None,
        typer.Option(help="List new certificates of holders with this name; may be repeated."),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Policy file: witnesses that must have seen the log (C2SP tlog-policy).")
    ] = None,
    second_vantage: Annotated[
        str | None, typer.Option(help="Another way to the same service: address of a mirror, or of a relay elsewhere.")
    ] = None,
    recheck: Annotated[
        int, typer.Option(min=0, help="Certificates of earlier rounds that each round examines again.")
    ] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each round.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Run one round and end, such as for cron.")] = False,
    interval: Annotated[int, typer.Option(min=1, help="Seconds between two rounds without --once.")] = 300,
) -> None:
    """Watch a service by its public addresses alone.

    Reads every new entry of the log and compares tokens, register, answers, keys and status lists with it. Needs no
    account and no database. Each contradiction is kept with both sides in FOLDER/evidence. With --once ends with 0 if
    nothing contradicts, with 1 if something does, with 2 if something could not be checked.
    """
    options = MonitorOptions(vkey, pin, tuple(watch_holder or ()), read_policy(policy), recheck)
    with httpx.Client(timeout=TIMEOUT_S) as http:
        service = PublicService(url, http, utc_now)
        second = PublicService(second_vantage, http, utc_now) if second_vantage else None
        try:
            opened = Monitor(folder, service, utc_now, options, second)
        except OSError as why:
            fail(f"{folder} cannot be used: {why.strerror}.")
        try:
            while True:
                code = _run(opened, as_json=as_json)
                if once:
                    raise typer.Exit(code)
                time.sleep(interval)
        except MonitorRefused as why:
            fail(str(why))
        finally:
            opened.close()


def _run(opened: Monitor, *, as_json: bool) -> int:
    """Run one round, print it, and return its exit code."""
    try:
        report = opened.run_round()
    except Unreachable as why:
        report = opened.report
        report.unchecked.append(str(why))
    if as_json:
        typer.echo(json.dumps(report.to_dict(), ensure_ascii=False))
    else:
        _show(report)
    return report.exit_code


def _show(report: RoundReport) -> None:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(f"{report.url}: {report.size} entries, {report.examined} certificates examined")
    if report.pinned is not None:
        console.print(f"  trusted from now on: {report.pinned}", style="bold yellow")
    for finding in report.findings:
        console.print(f"  {finding.kind} {finding.subject}: {finding.detail}", style="bold red")
        console.print(f"    evidence/{finding.id}.json")
    for each in report.watched:
        console.print(f"  new: {each['number']} {each['holder']}, {each['product']}, from {each['valid_from']}")
    for text in report.unchecked:
        console.print(f"  not checked: {text}", style="yellow")
    if report.waiting:
        console.print(f"  {report.waiting} wait for the next round", style="yellow")
    if not report.findings and not report.unchecked:
        console.print("  nothing contradicts", style="green")

"""`mik verify`: a number or a token, against the register or against a key file."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from app import jws, keys, schema
from app.cli.frame import in_words, load_settings, stop
from app.db import Database
from app.ledger import service as ledger
from app.verification.answer import as_members
from app.verification.checks import Verdict
from app.verification.desk import VerificationDesk
from app.verification.store import certificate_store
from app.web.deps import utc_now

NOT_GOOD = 1
COLOURS = {Verdict.VALID: "green", Verdict.SUSPENDED: "yellow", Verdict.NOT_YET_VALID: "yellow"}


def verify(
    what: Annotated[str, typer.Argument(metavar="NUMBER|TOKEN", help="Certificate number, or the signed token.")],
    jwks: Annotated[
        Path | None, typer.Option(help="Check a token's signature by these keys, without a database.")
    ] = None,
) -> None:
    """Check a certificate. Ends with 0 if it is good, with 1 if it is not, with 2 if it could not be checked."""
    token = what.strip()
    if jwks is not None:
        _by_keys(token, jwks)
        return
    settings = load_settings()
    with in_words():
        database = Database(settings.sqlalchemy_url)
        try:
            if not schema.migrated(database):
                stop("There is no register here: MIK_DATABASE_URL or MIK_DATA_DIR should name the service's database.")
            with database.read_session() as session:
                ring = keys.KeyRing.of(ledger.known_keys(session).values())
        finally:
            database.dispose()
        store = certificate_store(settings.sqlalchemy_url)
        desk = VerificationDesk(store, lambda: ring, utc_now, settings.base_url)
        judgement = desk.by_token_now(token) if token.count(".") == 2 else desk.by_number_now(what)
    _show(as_members(judgement, settings.base_url))
    if judgement.verdict is not Verdict.VALID:
        raise typer.Exit(NOT_GOOD)


def _by_keys(token: str, path: Path) -> None:
    """Only what a key can tell. Whether the certificate was revoked since is not known here, and is said so."""
    console = Console(highlight=False, soft_wrap=True)
    try:
        ring = keys.read_jwks(path.read_bytes())
    except OSError as why:
        stop(f"{path} cannot be read: {why.strerror}.")
    except jws.UnusableKey as why:
        stop(f"{path}: {why.message}")
    try:
        verified = jws.verify(token, typ=jws.CREDENTIAL, keys=ring)
    except jws.Refused as why:
        console.print("forged", style="bold red")
        console.print(f"{why.message} No key of the file signed this text.")
        raise typer.Exit(NOT_GOOD) from None
    console.print("signature valid, status not checked", style="bold yellow")
    console.print("Ask the register by the number to know whether it is still good.")
    console.print(escape(json.dumps(verified.payload, ensure_ascii=False, indent=2, default=str)))


def _show(answer: dict[str, Any]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    verdict = Verdict(answer["verdict"])
    console.print(verdict.value.replace("_", " "), style=f"bold {COLOURS.get(verdict, 'red')}")
    console.print(escape(answer["message"]))
    if certificate := answer["certificate"]:
        names = certificate["product"]["name"]
        for label, text in (
            ("number", certificate["number"]),
            ("mark", certificate["scheme"]["name"]),
            ("holder", certificate["holder"]["name"]),
            ("product", f"{names.get('en') or next(iter(names.values()))} (HS {certificate['product']['hs6']})"),
            ("place", ", ".join(filter(None, [certificate["site"]["park"], certificate["site"]["district"]]))),
            ("valid", f"{certificate['valid_from']} to {certificate['valid_until']}"),
        ):
            console.print(f"  {label:8}{escape(text)}")
    for check in answer["checks"]:
        sign = "[green]✓[/]" if check["passed"] else "[red]✗[/]"
        console.print(f"  {sign} {check['name']}: {escape(check['detail'])}")
    if answer["as_of"]:
        console.print(f"  as of {answer['as_of']}")

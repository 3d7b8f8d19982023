"""Implement `mik verify`: verify numbers and tokens by the database, a key file or a bundle."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from app import database_schema
from app.certificates import certificate_number
from app.cli.common import REFUSED, fail, handle_errors, load_settings, read_policy, stderr
from app.commit_pipeline import open_database
from app.core.crypto import jwk, jws, keyring
from app.core.dates import format_utc, utc_now
from app.core.errors import NotFound
from app.core.settings import Settings
from app.signing import issuer_identity
from app.signing.log_signer import LogKeyFile, open_verified_log
from app.transparency.signed_note import NoteRejected, parse_vkey
from app.transparency.witness import cosigned
from app.transparency.witness_client import load_policy
from app.transparency.witness_policy import WitnessPolicy
from app.verification import static_files
from app.verification.evaluation import ProvenRecords, evaluate_items
from app.verification.offline import evaluate_offline
from app.verification.offline_bundle import BundleArchive, read_vkey
from app.verification.request_parser import VerifyItem
from app.verification.response import to_dict
from app.verification.token_text import extract_token
from app.verification.trusted_logs import LogTrust, default_state_file
from app.verification.verdict import MESSAGES, Verdict, VerificationResult

NOT_GOOD = 1
LONGEST_SHOWN = 60
COLOURS = {
    Verdict.VALID: "green",
    Verdict.SUSPENDED: "yellow",
    Verdict.NOT_YET_VALID: "yellow",
    Verdict.UNREADABLE: "yellow",
}


def verify(
    what: Annotated[
        str,
        typer.Argument(
            metavar="NUMBER|TOKEN|-", help="Certificate number or signed token; “-” reads one from each line."
        ),
    ],
    jwks: Annotated[Path | None, typer.Option(help="Check only a token's signature, by the keys of this file.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Check a token by a bundle, without a network.")] = False,
    bundle: Annotated[
        Path | None, typer.Option(help="Archive that `mik admin export-bundle` wrote; with --offline.")
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option(help="Folder of static files, or a copy of two of them: check a number by them, with --jwks."),
    ] = None,
    vkey: Annotated[
        str | None, typer.Option(help="Key of the log from a source that you trust; with --bundle or --files.")
    ] = None,
    thumbprint: Annotated[
        str | None, typer.Option(help="Thumbprint of the key of the log instead: SHA-256 of it in hex.")
    ] = None,
    pin: Annotated[
        bool, typer.Option("--pin", help="Trust the key that the archive names at its first use, and keep it.")
    ] = False,
    state: Annotated[
        Path | None, typer.Option(help="File of pinned keys and seen logs. Default: ~/.local/state/mik/logs.json.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Policy file: witnesses that must have seen the log; with --bundle.")
    ] = None,
    max_age: Annotated[
        int,
        typer.Option(min=1, help="Hours after which a checkpoint of a bundle, or a range, determines nothing."),
    ] = 96,
) -> None:
    """Check certificates by number or token, online or offline.

    Reads the database of the service; with --jwks a key file, with --offline a bundle, with --files static files. Ends
    with 0 if all are valid, with 1 if not, with 2 if they could not be checked.
    """
    if files is not None:
        if jwks is None or offline or bundle is not None:
            fail("Give --files FOLDER with --jwks FILE: the keys of the issuer, from a source that you trust.")
        _by_files(what.strip(), files, _read_jwks(jwks), vkey, timedelta(hours=max_age))
        return
    if offline or bundle is not None:
        if bundle is None or not offline or jwks is not None:
            fail("Give --offline and --bundle ARCHIVE together, without --jwks.")
        trust = LogTrust(state or default_state_file(), vkey, thumbprint, pin=pin)
        _by_bundle(what.strip(), bundle, trust, read_policy(policy), timedelta(hours=max_age))
        return
    if jwks is not None:
        _by_keys(what.strip(), jwks)
        return
    queries = [line.strip() for line in sys.stdin if line.strip()] if what == "-" else [what]
    settings = load_settings()
    with handle_errors():
        results = _evaluate(settings, [_query(text) for text in queries])
    if what == "-":
        _list(queries, results)
    else:
        answer = to_dict(results[0], settings.base_url)
        _show(answer)
        with handle_errors():
            _show_witnesses(settings, answer["certificate"])
    if any(judgement.verdict is not Verdict.VALID for judgement in results):
        raise typer.Exit(NOT_GOOD)


def _query(text: str) -> VerifyItem:
    """Return the query: a number has fewer than two full stops, and is short."""
    is_number = text.count(".") < 2 and len(text) <= certificate_number.MAX_INPUT_CHARS
    return VerifyItem("number" if is_number else "token", text)


def _evaluate(settings: Settings, items: Sequence[VerifyItem]) -> list[VerificationResult]:
    """Evaluate by token and log, with the present keys."""
    database = open_database(settings.sqlalchemy_url)
    try:
        if not database_schema.is_migrated(database):
            fail("There is no database here: MIK_DATABASE_URL or MIK_DATA_DIR should name the service's database.")
        log = open_verified_log(database, LogKeyFile(settings.log_key), None)
        with database.read_session() as session:
            ring = keyring.KeyRing.from_keys(issuer_identity.load_keys(session, log).values())
        return evaluate_items(ProvenRecords(database, log), items, ring, utc_now())
    finally:
        database.dispose()


def _list(queries: Sequence[str], results: Sequence[VerificationResult]) -> None:
    """Print a line for each: verdict and query (of a token its end, which differs)."""
    console = Console(highlight=False, soft_wrap=True)
    for text, judgement in zip(queries, results, strict=True):
        shown = text if len(text) <= LONGEST_SHOWN else "…" + text[-LONGEST_SHOWN:]
        style = COLOURS.get(judgement.verdict, "red")
        console.print(f"[{style}]{judgement.verdict.value:14}[/]{escape(shown)}")


def _by_keys(text: str, path: Path) -> None:
    """Check what a key can show, and state that a later revocation was not checked."""
    console = Console(highlight=False, soft_wrap=True)
    ring = _read_jwks(path)
    token = extract_token(text)
    if token is None:
        console.print("unreadable", style="bold yellow")
        console.print(MESSAGES[Verdict.UNREADABLE])
        raise typer.Exit(NOT_GOOD)
    try:
        verified = jws.verify(token, typ=jws.TYP_CREDENTIAL, keys=ring)
    except jws.TokenRejected as why:
        if why.reason is jws.RejectionReason.KID:
            console.print("cannot be checked without a network", style="bold yellow")
            console.print("The file does not hold the key that this text names.")
            raise typer.Exit(REFUSED) from None
        console.print("forged", style="bold red")
        console.print(f"{why.message} No key of the file signed this text.")
        raise typer.Exit(NOT_GOOD) from None
    console.print("signature valid, status not checked", style="bold yellow")
    console.print("Verify the number online to learn whether the certificate is still valid.")
    console.print(escape(json.dumps(verified.payload, ensure_ascii=False, indent=2, default=str)))


def _read_jwks(path: Path) -> Mapping[str, jws.PublicKey]:
    try:
        return jwk.parse_jwks(path.read_bytes())
    except OSError as why:
        fail(f"{path} cannot be read: {why.strerror}.")
    except jws.UnusableKey as why:
        fail(f"{path}: {why.message}")


def _by_files(text: str, folder: Path, keys: Mapping[str, jws.PublicKey], vkey: str | None, max_age: timedelta) -> None:
    """Verify a number by its static file and the signed range; exit with 2 where they prove nothing."""
    number = certificate_number.to_display_form(text)
    if number is None:
        fail("With --files, give the number of a certificate.")
    try:
        body = (folder / static_files.answer_path(number)).read_bytes()
        token = (folder / static_files.range_path(static_files.range_of(number))).read_text("ascii")
        log = parse_vkey(vkey.strip()) if vkey is not None else None
    except (OSError, UnicodeDecodeError, NoteRejected) as why:
        fail(f"The files of {number} cannot be checked: {why}")
    with handle_errors():
        verdict, signed = static_files.verify_answer(number, body, token, keys, utc_now(), log, max_age)
    _show(json.loads(body))
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"  signed at {format_utc(signed.issued_at)}, good until {format_utc(signed.good_until)}")
    if verdict is not Verdict.VALID:
        raise typer.Exit(NOT_GOOD)


def _by_bundle(token: str, path: Path, trust: LogTrust, policy: WitnessPolicy | None, max_age: timedelta) -> None:
    """Verify by a bundle and print the moment of its data; exit with 2 when nothing can be determined."""
    if _query(token).kind == "number":
        fail("A number can only be verified online. Offline, give the signed token.")
    with handle_errors():
        seen = trust.require(read_vkey(path))
        if policy is not None and not policy.covers(parse_vkey(seen.vkey)):
            fail("The policy is of another log than the bundle.")
        archive = BundleArchive(path, seen).load()
        answer = evaluate_offline(token, archive.sources(policy), utc_now(), max_age)
        notes = trust.remember(archive, utc_now())
    console = Console(highlight=False, soft_wrap=True)
    for note in notes:
        stderr.print(note, style="yellow", markup=False)
    style = "yellow" if answer.verdict is None else COLOURS.get(answer.verdict, "red")
    console.print(answer.headline, style=f"bold {style}")
    if (certified := answer.certified) is not None:
        names = certified.product_names
        _facts(
            console,
            ("number", certified.number),
            ("mark", certified.scheme_name),
            ("holder", _holder(certified.holder_name, certified.holder_name_az, certified.voen)),
            ("product", f"{names.get('en') or next(iter(names.values()))} (HS {certified.hs6})"),
            ("place", _place(certified.park_code, certified.district, certified.country)),
            ("valid", f"{certified.valid_from} to {certified.valid_until}"),
        )
    for check in answer.checks:
        sign = "[green]✓[/]" if check.passed else "[red]✗[/]"
        console.print(f"  {sign} {check.name}: {escape(check.detail)}")
    if answer.verdict is not Verdict.VALID:
        raise typer.Exit(REFUSED if answer.verdict is None else NOT_GOOD)


def _holder(name: str, name_az: str | None, voen: str | None) -> str:
    names = " / ".join(dict.fromkeys(filter(None, [name_az, name])))
    return f"{names} (VÖEN {voen})" if voen else names


def _place(*parts: str | None) -> str:
    return ", ".join(filter(None, parts))


def _facts(console: Console, *facts: tuple[str, str]) -> None:
    for label, text in facts:
        console.print(f"  {label:8}{escape(text)}")


def _show_witnesses(settings: Settings, certificate: dict[str, Any] | None) -> None:
    """Print which witnesses have seen the issue in the public log; nothing without a policy."""
    policy = load_policy(settings.witness_policy)
    if certificate is None or policy is None:
        return
    database = open_database(settings.sqlalchemy_url)
    try:
        with database.read_session() as session:
            log = LogKeyFile(settings.log_key)(session).verifier
            _, judged = cosigned.judge_issue(session, certificate["number"], policy, log, utc_now())
    except NotFound:
        return  # the check of the log has said so
    finally:
        database.dispose()
    if judged is not None:
        Console(highlight=False, soft_wrap=True).print(f"  public log: {judged.text}")


def _show(answer: dict[str, Any]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    verdict = Verdict(answer["verdict"])
    console.print(verdict.value.replace("_", " "), style=f"bold {COLOURS.get(verdict, 'red')}")
    console.print(escape(answer["message"]))
    if certificate := answer["certificate"]:
        names = certificate["product"]["name"]
        _facts(
            console,
            ("number", certificate["number"]),
            ("mark", certificate["scheme"]["name"]),
            ("holder", _holder(*(certificate["holder"][name] for name in ("name", "name_az", "voen")))),
            ("product", f"{names.get('en') or next(iter(names.values()))} (HS {certificate['product']['hs6']})"),
            ("place", _place(certificate["site"]["park"], certificate["site"]["district"], certificate["country"])),
            ("valid", f"{certificate['valid_from']} to {certificate['valid_until']}"),
        )
    for check in answer["checks"]:
        sign = "[green]✓[/]" if check["passed"] else "[red]✗[/]"
        console.print(f"  {sign} {check['name']}: {escape(check['detail'])}")
    if answer["as_of"]:
        console.print(f"  as of {answer['as_of']}")

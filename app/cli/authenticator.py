"""Implement `mik authenticator`: confirm decisions with a key in a file, in the format of WebAuthn.

No command here reads the database: a person runs them on their own machine.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from app.auth.credentials.relying_party import RelyingParty
from app.auth.credentials.software_authenticator import SoftwareAuthenticator
from app.auth.credentials.staff_credentials import registration_document
from app.auth.users import normalize_email
from app.cli.common import fail, handle_errors, stderr
from app.core import strict_json
from app.core.canonical_json import digest

KeyFile = Annotated[Path, typer.Option("--file", help="File of the private key (PEM, mode 600).")]
ServiceAddress = Annotated[
    str,
    typer.Option("--url", envvar="MIK_BASE_URL", help="Address of the service, as people reach it."),
]


def create(file: KeyFile) -> None:
    """Make a key in a new file.

    Only you can read it. Whoever has the file confirms decisions in your name once it is registered.
    """
    if file.exists():
        fail(f"{file} exists already; name another file.")
    with handle_errors():
        made = SoftwareAuthenticator.create(file)
    typer.echo(f"{file} holds a new key; its credential id is {made.credential_id}.")


def register(
    file: KeyFile,
    account: Annotated[str, typer.Option(help="E-mail address with which you sign in.")],
    url: ServiceAddress,
) -> None:
    """Print the registration of a key.

    It is JSON: send it as `registration` to POST /v1/me/credentials; an owner confirms it. For the first owners:
    `mik admin users authenticator`.
    """
    authenticator = _load(file)
    registration = authenticator.register(registration_document(normalize_email(account)), _party(url))
    typer.echo(json.dumps(registration, indent=2))


def sign(
    file: KeyFile,
    document: Annotated[
        Path, typer.Option(help="File with the refusal `confirmation-required`, or with its member `document`.")
    ],
    url: ServiceAddress,
) -> None:
    """Print the header that confirms a decision.

    The header is Mik-Confirmation. What is confirmed is shown first, on the error output: read it.
    """
    content = _read_document(document)
    for name, value in content.items():
        stderr.print(f"{name}: {value if isinstance(value, str) else json.dumps(value)}", markup=False)
    stderr.print(f"sha256: {digest(content)}", markup=False)
    typer.echo(_load(file).confirmation_header(content, _party(url)))


def _load(file: Path) -> SoftwareAuthenticator:
    with handle_errors():
        try:
            return SoftwareAuthenticator.load(file)
        except FileNotFoundError:
            fail(f"There is no file {file}: make one with `mik authenticator create --file {file}`.")


def _party(url: str) -> RelyingParty:
    party = RelyingParty.of(url.rstrip("/"))
    if not party.id:
        fail(f"“{url}” is no address such as https://verify.example.az.")
    return party


def _read_document(path: Path) -> dict[str, Any]:
    try:
        content = strict_json.loads(path.read_bytes())
    except (OSError, ValueError) as why:
        fail(f"{path} cannot be read as JSON: {why}")
    if not isinstance(content, dict):
        fail(f"{path} does not hold a document.")
    if content.get("code") != "confirmation-required":
        return content
    document = content.get("document")
    if not isinstance(document, dict) or content.get("sha256") != digest(document):
        fail(f"The document in {path} does not have the hash that the service names: do not confirm it.")
    return document

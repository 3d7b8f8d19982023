"""Implement `mik demo`: run the demo scenario over HTTP against a running service, and print the results."""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated

import httpx2 as httpx
import pyotp
import typer
from rich.console import Console

from app.auth import demo_staff
from app.auth.credentials import mfa
from app.auth.credentials.relying_party import RelyingParty
from app.auth.credentials.software_authenticator import SoftwareAuthenticator
from app.cli.admin import mail
from app.cli.common import fail, load_settings, stderr
from app.core.dates import baku_day, utc_now
from app.core.settings import Profile, Settings
from app.demo import scenario, scenario_data
from app.demo.api_client import Json, NoService, wait_until_ready
from app.demo.context import DemoContext
from app.demo.report import as_object, show
from made_in_karabakh import ApiError, MikClientError

TIMEOUT = 30.0
"""Seconds for one response; password hashing is slow by design, and a small machine does one at a time."""
MAIL_TIMEOUT_S = 30.0
"""Seconds to wait for a message."""
CODES_TO_TRY = 4
"""More rejections mean that the secret is wrong, not that its codes were used."""


def demo(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Play the main journey against a running service.

    Registers companies, applies, assesses, decides, certifies and verifies at MIK_BASE_URL, with invented data, in the
    demo profile only. A second run adds nothing; an interrupted run is completed by the next. Ends with 2 if the
    service cannot be reached or refuses a step.
    """
    settings = load_settings()
    if settings.profile is not Profile.DEMO:
        fail("`mik demo` invents companies and certificates: it plays in the demo profile only (MIK_PROFILE=demo).")
    began = time.monotonic()
    # The accounts are stored on this machine, so the service runs here too: no proxy is used.
    with httpx.Client(base_url=settings.base_url, timeout=TIMEOUT, trust_env=False) as http:
        try:
            wait_until_ready(http, settings.base_url)
            _refuse_without_accounts(settings)
            context = DemoContext(
                http,
                password_for=partial(_password, settings),
                codes_for=partial(_codes, settings),
                mailed_code_for=partial(_mailed_code, settings),
                confirmer_for=partial(_confirmer, settings),
                report=_report,
                today=baku_day(utc_now()),
            )
            played = scenario.run(context)
        except NoService as why:
            fail(str(why))
        except ApiError as why:
            fail(f"The service refused a step of the demo: {why.detail} ({why.status} {why.code})")
        except MikClientError as why:
            fail(f"The service stopped answering ({why}). Run `mik demo` again: it goes on where this run ended.")
    _report(f"Played in {time.monotonic() - began:.1f} seconds.")
    shown = as_object(settings.base_url, demo_staff.load_passwords(settings.data_dir), played)
    if as_json:
        typer.echo(
            json.dumps(shown, ensure_ascii=False, indent=2).encode()
        )  # bytes: UTF-8, whatever the encoding of the terminal
    else:
        show(Console(highlight=False), shown)


def _report(text: str) -> None:
    stderr.print(f"· {text}", markup=False)


def _password(settings: Settings, email: str) -> str:
    """Return the password of a demo account; a new one is stored before the account is created."""
    known = demo_staff.load_passwords(settings.data_dir)
    return (
        known.get(email) or demo_staff.save_accounts(settings.data_dir, {email: demo_staff.generate_password()})[email]
    )


def _mailed_code(settings: Settings, email: str) -> str:
    """Return the newest one-time code in the demo's mail files; waits until the service has written it."""
    until = time.monotonic() + MAIL_TIMEOUT_S
    while (found := mail.newest(settings, email, with_code=True)) is None:
        if time.monotonic() >= until:
            raise NoService(
                f"No message to {email} came to {settings.mail_dir}. The demo reads its mail there: start the service "
                "without MIK_SMTP_URL, with the same MIK_DATA_DIR, and not with MIK_MAIL_SECONDS=0."
            )
        time.sleep(mail.BETWEEN_LOOKS)
    return mail.code_in(found)


def _codes(settings: Settings, email: str) -> Iterator[str]:
    """Yield authenticator codes of a member of staff, from the present one; waits when they are too far ahead."""
    secret = demo_staff.load_totp_secrets(settings.data_dir).get(email)
    if secret is None:
        return
    authenticator = pyotp.TOTP(secret, interval=mfa.STEP_SECONDS)
    first = int(time.time()) // mfa.STEP_SECONDS
    for step in range(first, first + CODES_TO_TRY):
        time.sleep(max(0.0, (step - mfa.MAX_DRIFT_STEPS) * mfa.STEP_SECONDS - time.time()))
        yield authenticator.generate_otp(step)


def _confirmer(settings: Settings, email: str) -> Callable[[Json], str] | None:
    """Return what signs decisions with the key file of a member of staff."""
    path = demo_staff.authenticator_file(settings.data_dir, email)
    if not path.exists():
        return None
    return partial(SoftwareAuthenticator.load(path).confirmation_header, party=RelyingParty.of(settings.base_url))


def _refuse_without_accounts(settings: Settings) -> None:
    path = settings.data_dir / demo_staff.ACCOUNTS_FILE
    if not demo_staff.load_passwords(settings.data_dir).keys() >= set(scenario_data.STAFF):
        raise NoService(
            f"There are no staff accounts in {path}. The service writes them at its first start: "
            "run `mik serve` in the demo profile and with the same MIK_DATA_DIR."
        )

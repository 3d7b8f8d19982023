"""Implement `mik login` and `mik logout`: a person's session for the commands that call a service."""

from typing import Annotated

import typer

from app.cli.common import fail
from app.cli.company.session_file import SavedSession, SessionFile, SessionUnusable, address_error
from made_in_karabakh import ApiError, Client, KeptSession, MikClientError, Password

TIMEOUT_S = 30.0


def login(
    email: Annotated[str, typer.Argument(help="E-mail address of your account.")],
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, help="Asked for; do not give it here, where others see it.")
    ],
    url: Annotated[str, typer.Option(envvar="MIK_BASE_URL", help="Address of the service.")] = "http://localhost:8000",
) -> None:
    """Sign in to a service as a person of a company.

    `mik apply` acts for this person. Keeps tokens, never the password, in a file that only you can read:
    mik/session.json in the folder of your settings. The session ends after 30 days, with `mik logout`, and where it is
    used from a copy of the file. Ends with 2 if the service cannot be reached or refuses.
    """
    if fault := address_error(url):
        fail(fault)
    with Client(url, Password(email, password), timeout=TIMEOUT_S) as mik:
        try:
            tokens = mik.sign_in()
            me = mik.account.get_me()
        except ApiError as why:
            fail(f"{url} refuses: {why.detail}")
        except MikClientError as why:
            fail(f"{url} cannot be reached: {why}")
    store = SessionFile()
    with store.exclusive():
        store.begin(SavedSession(url, email, tokens))
    company = me["organisation"]
    acts_for = f", for {company['legal_name_en']}" if company else ""
    typer.echo(f"Signed in to {url} as {me['name']}{acts_for}.")


def logout() -> None:
    """Sign out of the service, here and there.

    Ends the session of `mik login`. Ends with 2 if nobody is signed in, or if the service cannot be reached.
    """
    store = SessionFile()
    try:
        saved = store.read()
    except SessionUnusable as why:
        store.remove()
        fail(str(why))
    with Client(saved.url, KeptSession(store), timeout=TIMEOUT_S) as mik:
        try:
            mik.sign_in()
            mik.sign_out()
        except MikClientError as why:
            store.remove()
            fail(f"The session is forgotten here, but {saved.url} could not end it: {why}")
    store.remove()
    typer.echo(f"Signed out of {saved.url}.")

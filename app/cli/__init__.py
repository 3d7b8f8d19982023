"""Define the `mik` command: its commands and the module of each."""

import os
from importlib.metadata import version
from typing import Annotated, Any

import typer

from app.cli.lazy import LazyCommand, LazyGroup, group

COMMANDS = (
    LazyCommand("serve", "app.cli.serve:serve", "Serve the API and the pages."),
    LazyCommand("worker", "app.cli.worker:worker", "Run background jobs, apart from the service."),
    LazyCommand("demo", "app.cli.demo:demo", "Play the main journey against a running service."),
    LazyCommand("login", "app.cli.company.login:login", "Sign in to a service as a person of a company."),
    LazyCommand("logout", "app.cli.company.login:logout", "Sign out of the service, here and there."),
    LazyCommand("apply", "app.cli.company.apply:apply", "Apply for a certificate from a file."),
    LazyCommand("verify", "app.cli.verify:verify", "Check certificates by number or token, online or offline."),
    LazyCommand("assess", "app.cli.assess:assess", "Assess products from files by the rules of a mark, with reasons."),
    group(
        "rules",
        "Test the rules of a mark on cases, and show the effect of a change.",
        LazyCommand(
            "test", "app.cli.rules.case_runner:run_table", "Assess the cases of a file by the scheme file of a mark."
        ),
        LazyCommand(
            "impact",
            "app.cli.rules.impact:impact",
            "Name the certificates and open cases that other rules would assess differently.",
        ),
    ),
    LazyCommand(
        "doctor",
        "app.cli.doctor:doctor",
        "Check configuration, public log, audit chain, status lists, decisions, rights and jobs.",
    ),
    group(
        "keys",
        "Make, activate and retire the keys that sign certificates.",
        LazyCommand("list", "app.cli.keys:list_keys", "List every key with its state and its number of certificates."),
        LazyCommand("show", "app.cli.keys:show", "Show the history of one key and every certificate that it signed."),
        LazyCommand("next", "app.cli.keys:next_key", "Make a new key and publish it."),
        LazyCommand(
            "activate",
            "app.cli.keys:activate",
            "Let the published key sign from now on, without the two owners, in an emergency.",
        ),
        LazyCommand("retire", "app.cli.keys:retire", "Retire the active key without activating another one."),
        LazyCommand("compromise", "app.cli.keys:compromise", "Declare that others may hold the key."),
        LazyCommand(
            "reissue",
            "app.cli.reissue:reissue_certificates",
            "Sign the certificates anew that the compromise of a key took.",
        ),
    ),
    LazyCommand("monitor", "app.cli.monitor:monitor", "Watch a service by its public addresses alone."),
    group(
        "authenticator",
        "Confirm decisions of staff with a key in a file.",
        LazyCommand("create", "app.cli.authenticator:create", "Make a key in a new file."),
        LazyCommand("register", "app.cli.authenticator:register", "Print the registration of a key."),
        LazyCommand("sign", "app.cli.authenticator:sign", "Print the header that confirms a decision."),
    ),
    group(
        "witness",
        "Run a witness of public logs, for parties that the certification body does not control.",
        LazyCommand("serve", "app.cli.witness.serve:serve", "Cosign checkpoints of logs that only grow."),
    ),
    group(
        "sandbox",
        "Reset the sandbox for API clients.",
        LazyCommand(
            "reset", "app.cli.sandbox:reset", "Delete everything of the sandbox and prepare an empty one with new keys."
        ),
    ),
    group(
        "admin",
        "Operate the service: database, staff, residents, mail, issuance, exports.",
        LazyCommand("migrate", "app.cli.admin.database:migrate", "Bring the database to this version of the service."),
        LazyCommand(
            "rights",
            "app.cli.admin.rights:rights",
            "Print the SQL that gives a database role exactly what the service needs.",
        ),
        LazyCommand("sweep", "app.cli.admin.sweep:sweep", "Do now what the background jobs do when it falls due."),
        LazyCommand(
            "import-residents",
            "app.cli.admin.resident_import:import_residents",
            "Import a file of the resident register.",
        ),
        LazyCommand(
            "export-bundle", "app.cli.admin.export:export_bundle", "Write an archive for checks without a network."
        ),
        LazyCommand(
            "export-files", "app.cli.admin.export:export_files", "Write all answers as signed files for a web server."
        ),
        LazyCommand("export-log", "app.cli.admin.export:export_log", "Write the public log as plain files."),
        group(
            "users",
            "Create staff and reset passwords.",
            LazyCommand("create", "app.cli.admin.users:create", "Create a member of staff."),
            LazyCommand(
                "authenticator",
                "app.cli.admin.users:authenticator",
                "Register the authenticator of a member of staff.",
            ),
            LazyCommand("reset", "app.cli.admin.users:reset", "Print a one-time token that sets a password."),
        ),
        group(
            "mail",
            "List, show and send messages to users.",
            LazyCommand("list", "app.cli.admin.mail:list_messages", "List the messages that wait or were written."),
            LazyCommand("show", "app.cli.admin.mail:show", "Show a message that was written to a file."),
            LazyCommand("send", "app.cli.admin.mail:send", "Send every message that is due now."),
        ),
        group(
            "issuance",
            "Pause and resume the issue of certificates.",
            LazyCommand(
                "pause", "app.cli.admin.issuance:pause", "Pause the issue of certificates until it is resumed."
            ),
            LazyCommand("resume", "app.cli.admin.issuance:resume", "Resume the issue of certificates."),
        ),
    ),
)


class _Mik(LazyGroup):
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**{**attributes, "commands": COMMANDS})


app = typer.Typer(name="mik", cls=_Mik, no_args_is_help=True, pretty_exceptions_enable=False)


def _print_version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(f"mik {version('made-in-karabakh')}")
        raise typer.Exit


@app.callback()
def about(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Run and operate the certification of where goods are made.

    Ends with 0 on success, and with 2 if a command could not do its work.
    """


def main() -> None:
    os.umask(0o077)  # keys, database and evidence are readable by the service only, whatever the umask of the shell
    app()

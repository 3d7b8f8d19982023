"""The `mik` command."""

import os
from typing import Annotated

import typer

from app.cli import (
    assess,
    audit,
    bundle,
    check,
    demo,
    issuance,
    keys,
    log,
    mail,
    people,
    register,
    rules,
    rules_impact,
    serve,
    status_lists,
    sweep,
    verify,
)
from app.core.version import VERSION

app = typer.Typer(
    name="mik",
    help="Certification of where goods are made: serve, demo, assess, verify, import.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"mik {VERSION}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the command itself; those of each sub-command are in its own help."""


users = typer.Typer(help="Staff accounts.", no_args_is_help=True)
registers = typer.Typer(help="The resident register.", no_args_is_help=True)
app.add_typer(users, name="users")
app.add_typer(registers, name="register")
history = typer.Typer(help="The audit chain.", no_args_is_help=True)
app.add_typer(history, name="audit")

logs = typer.Typer(help="The public transparency log.", no_args_is_help=True)
app.add_typer(logs, name="log")
signing = typer.Typer(help="The keys that sign certificates.", no_args_is_help=True)
issuing = typer.Typer(help="Pause and resume issuing.", no_args_is_help=True)
app.add_typer(signing, name="keys")
app.add_typer(issuing, name="issuance")

lists = typer.Typer(help="The published status lists.", no_args_is_help=True)
app.add_typer(lists, name="status-lists")

mails = typer.Typer(help="Messages to people.", no_args_is_help=True)
app.add_typer(mails, name="mail")

rule_tables = typer.Typer(
    help="The rules of a mark: try them on cases, see what a change would do.", no_args_is_help=True
)
app.add_typer(rule_tables, name="rules")

app.command("serve")(serve.serve)
app.command("migrate")(serve.migrate)
app.command("demo")(demo.demo)
app.command("check")(check.check)
app.command("assess")(assess.assess)
app.command("verify")(verify.verify)
app.command("bundle")(bundle.bundle)
app.command("sweep")(sweep.sweep)
history.command("check")(audit.check)
history.command("rights")(audit.rights)
logs.command("check")(log.check)
logs.command("export")(log.export)
lists.command("check")(status_lists.check)
signing.command("list")(keys.list_keys)
signing.command("show")(keys.show)
signing.command("next")(keys.next_key)
signing.command("activate")(keys.activate)
signing.command("retire")(keys.retire)
signing.command("compromise")(keys.compromise)
issuing.command("pause")(issuance.pause)
issuing.command("resume")(issuance.resume)
users.command("create")(people.create)
users.command("reset")(people.reset)
mails.command("list")(mail.list_messages)
mails.command("show")(mail.show)
mails.command("send")(mail.send)
registers.command("import")(register.import_file)
rule_tables.callback()(rules.about)
rule_tables.command("test")(rules.run_table)
rule_tables.command("impact")(rules_impact.impact)


def main() -> None:
    os.umask(0o077)  # keys, database and evidence are for the service alone, whatever the shell is set to
    app()

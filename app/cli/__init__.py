"""The `mik` command."""

import typer

from app.cli import assess, demo, people, register, serve, verify

app = typer.Typer(
    name="mik",
    help="Certification of where goods are made: serve, demo, assess, verify, import.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
users = typer.Typer(help="People who may come in.", no_args_is_help=True)
registers = typer.Typer(help="The register of residents.", no_args_is_help=True)
app.add_typer(users, name="users")
app.add_typer(registers, name="register")

app.command("serve")(serve.serve)
app.command("migrate")(serve.migrate)
app.command("demo")(demo.demo)
app.command("assess")(assess.assess)
app.command("verify")(verify.verify)
users.command("create")(people.create)
registers.command("import")(register.import_file)


def main() -> None:
    app()

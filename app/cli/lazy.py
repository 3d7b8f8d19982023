"""Commands that are imported when they are run, so that `--help`, `--version` and completion import nothing heavy."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


class LazyCommand(TyperCommand):
    """The name and the help of a command, and where its function is: `module:function`."""

    def __init__(self, name: str, target: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self.target = target

    def load(self) -> Any:
        """Import the module and return the command with its options and its whole help."""
        module, _, function = self.target.partition(":")
        single = typer.Typer(add_completion=False, rich_markup_mode="markdown")  # joins the lines of a paragraph
        single.command(self.name)(getattr(import_module(module), function))
        return typer.main.get_command(single)


class LazyGroup(TyperGroup):
    """A group that lists commands without importing them, and imports the one that is run or completed."""

    def __init__(self, *, commands: Iterable[TyperCommand | TyperGroup] = (), **attributes: Any) -> None:
        super().__init__(commands=list(commands), **attributes)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, LazyCommand) else command, rest


def group(name: str, summary: str, *commands: TyperCommand | TyperGroup) -> LazyGroup:
    return LazyGroup(name=name, help=summary, no_args_is_help=True, commands=commands)

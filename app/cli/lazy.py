"""Import commands when they run, so that `--help`, `--version` and completion stay fast."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


class LazyCommand(TyperCommand):
    """Hold name, help and location (`module:function`) of a command."""

    def __init__(self, name: str, target: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self.target = target

    def load(self) -> Any:
        """Import the module and return the command with its options and complete help."""
        module, _, function = self.target.partition(":")
        single = typer.Typer(add_completion=False, rich_markup_mode="markdown")  # joins lines of a paragraph
        single.command(self.name)(getattr(import_module(module), function))
        return typer.main.get_command(single)


class LazyGroup(TyperGroup):
    """List commands without importing them; import only the one that is run or completed."""

    def __init__(self, *, commands: Iterable[TyperCommand | TyperGroup] = (), **attributes: Any) -> None:
        super().__init__(commands=list(commands), **attributes)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, LazyCommand) else command, rest


def group(name: str, summary: str, *commands: TyperCommand | TyperGroup) -> LazyGroup:
    return LazyGroup(name=name, help=summary, no_args_is_help=True, commands=commands)

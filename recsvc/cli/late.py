"""A group whose commands are imported when they are asked for: most need little of what all of them need together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

import click

HELP_WIDTH = 60  # characters


@dataclass(frozen=True, slots=True)
class Late:
    """Module of a command, which is called there as it is here, and its help in a line."""

    module: str
    help: str


class LateGroup(click.Group):
    """Knows its commands by name, and lists them without importing any.

    Parameters
    ----------
    late
        Commands by name, in the order they are listed in, before those that are imported already.
    """

    def __init__(self, *, late: Mapping[str, Late], **others: object) -> None:
        super().__init__(**others)  # type: ignore[arg-type]  # whatever click takes
        self.late = late

    def list_commands(self, context: click.Context) -> list[str]:
        """Names, in their order."""
        return [*self.late, *super().list_commands(context)]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import a command; None when there is none of that name."""
        if name not in self.late:
            return super().get_command(context, name)
        command: click.Command = getattr(import_module(self.late[name].module), name)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        others = ((name, command.get_short_help_str(HELP_WIDTH)) for name, command in sorted(self.commands.items()))
        with formatter.section("Commands"):
            formatter.write_dl([*((name, one.help) for name, one in self.late.items()), *others])

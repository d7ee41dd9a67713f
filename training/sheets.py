"""A table for people, made once and shown twice: on the terminal and in the page."""

from __future__ import annotations

from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Sheet:
    """Cells as text, escaped by whoever shows them.

    Attributes
    ----------
    headings : length n_columns
    rows : each of length n_columns
    words : positions of the columns that hold words and not figures
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = (0,)

    @property
    def is_words(self) -> tuple[bool, ...]:
        """Of each column, whether it holds words."""
        return tuple(position in self.words for position in range(len(self.headings)))


def terminal_table(sheet: Sheet) -> Table:
    """The table as `rich` prints it."""
    table = Table(title=escape(sheet.title))
    for heading, is_words in zip(sheet.headings, sheet.is_words, strict=True):
        table.add_column(escape(heading), justify="left" if is_words else "right")
    for row in sheet.rows:
        table.add_row(*map(escape, row))
    return table

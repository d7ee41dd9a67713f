"""What a filter says, as a tree, and how it is written again: `str` of it reads as the same tree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "text", "path", "number", "yes or no", "text or number"]
KEYWORDS = ("AND", "OR", "NOT", "IN")
PLAIN = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Value:
    """Something a column is compared with, as it was written; a number of a text column is its digits."""

    text: str
    is_number: bool = False

    @property
    def number(self) -> float:
        """The number; only where it is one."""
        return float(self.text)

    def __str__(self) -> str:
        return self.text if self.is_number else '"' + self.text.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class Condition:
    """One column against some values; `is` needs none, `..` two, `in` one or more, the others one."""

    column: str
    operator: Literal["=", "!=", "<", "<=", ">", ">=", "..", "in", "is"]
    values: tuple[Value, ...] = ()

    def __str__(self) -> str:
        is_word = PLAIN.fullmatch(self.column) and self.column.upper() not in KEYWORDS
        column = self.column if is_word else f"`{self.column}`"
        if self.operator == "is":
            return column
        if self.operator == "in":
            return f"{column} IN ({', '.join(map(str, self.values))})"
        if self.operator == "..":
            return f"{column} {self.values[0]}..{self.values[1]}"
        return f"{column} {self.operator} {self.values[0]}"


@dataclass(frozen=True, slots=True)
class Not:
    """What does not fulfil something."""

    inner: Expression

    def __str__(self) -> str:
        return f"NOT {_in_brackets(self.inner)}"


@dataclass(frozen=True, slots=True)
class Every:
    """What fulfils each of two or more things."""

    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        return " AND ".join(map(_in_brackets, self.parts))


@dataclass(frozen=True, slots=True)
class Some:
    """What fulfils at least one of two or more things."""

    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        return " OR ".join(str(one) if isinstance(one, Every) else _in_brackets(one) for one in self.parts)


Expression = Condition | Not | Every | Some


def _in_brackets(one: Expression) -> str:
    return f"({one})" if isinstance(one, Every | Some) else str(one)

"""The language of filters: conditions on the columns of items, small enough to print on a card.

    filter = part { OR part }                        AND binds closer than OR
    part   = term { AND term }
    term   = NOT term | ( filter ) | test
    test   = column = value                          also != < <= > >=
           | column from..to                         both ends count
           | column [NOT] IN ( value { , value } )
           | column                                  alone, where it says yes or no
    column = word | `any name`
    value  = number | "text" | 'text'                a quotation mark within is written twice

This module turns text into an `Expression`; what one means is in `recsvc.serving.filters`. Whatever
is handed in, the answer is an expression or a `FilterError`: length and nesting are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from recsvc.domain.conditions import KEYWORDS, Condition, Every, Expression, Kind, Not, Some, Value
from recsvc.errors import FilterError

MAX_LENGTH = 4_000
MAX_DEPTH = 20
ORDERED = ("<", "<=", ">", ">=")
TOKEN = re.compile(
    r"(?P<number>-?[0-9]+(?:\.[0-9]+)?(?!\w))"
    r"|(?P<text>\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*')"
    r"|(?P<symbol>!=|<=|>=|\.\.|[=<>(),])"
    r"|(?P<column>`[^`]+`)"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<end>\Z)"
)
BLANK = re.compile(r"\s*")


def parse_filter(text: str, columns: Mapping[str, Kind] | None = None) -> Expression:
    """Read a filter.

    Parameters
    ----------
    text
        At most `MAX_LENGTH` characters.
    columns
        What may be named, and of which kind; None leaves that to be checked later.

    Raises
    ------
    FilterError
        With the first character that is wrong, what was expected there, and the columns there are.

    Examples
    --------
    >>> str(parse_filter("price 5..20 and not brand in ('Acme', 'Oak')"))
    'price 5..20 AND NOT brand IN ("Acme", "Oak")'
    """
    parser = _Parser(text, columns)
    found = parser.either(0)
    parser.expect("end", "", "AND, OR or the end")
    return found


class _Parser:
    """Recursive descent; `self.kind` and `self.token` are what comes next, `self.start` where."""

    def __init__(self, text: str, columns: Mapping[str, Kind] | None) -> None:
        self.text, self.columns = text, columns
        self.start = self.stop = 0
        self.kind = self.token = ""
        if len(text) > MAX_LENGTH:
            raise self.error(f"at most {MAX_LENGTH:,} characters", MAX_LENGTH)
        unwritable = next((place for place, one in enumerate(text) if "\ud800" <= one <= "\udfff"), None)
        if unwritable is not None:
            raise self.error("characters that can be written as UTF-8", unwritable)
        self.advance()

    def error(self, expected: str, start: int | None = None) -> FilterError:
        known = f"columns: {', '.join(sorted(self.columns))}" if self.columns else ""
        return FilterError(self.text, (self.start if start is None else start) + 1, expected, known)

    def advance(self) -> str:
        """Step over one token, and return it."""
        token = self.token
        blank = BLANK.match(self.text, self.stop)
        self.start = blank.end() if blank else self.stop
        found = TOKEN.match(self.text, self.start)
        if found is None or found.lastgroup is None:
            raise self.error("a column, a number, a text in quotation marks, or a sign of the language")
        self.kind, self.token, self.stop = found.lastgroup, found[0], found.end()
        if self.kind == "word" and self.token.upper() in KEYWORDS:
            self.kind, self.token = "keyword", self.token.upper()
        return token

    def sees(self, kind: str, *tokens: str) -> bool:
        return self.kind == kind and self.token in tokens

    def expect(self, kind: str, token: str, expected: str) -> None:
        if not self.sees(kind, token):
            raise self.error(expected)
        if kind != "end":
            self.advance()

    def either(self, depth: int) -> Expression:
        parts = [self.both(depth)]
        while self.sees("keyword", "OR"):
            self.advance()
            parts.append(self.both(depth))
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def both(self, depth: int) -> Expression:
        parts = [self.term(depth)]
        while self.sees("keyword", "AND"):
            self.advance()
            parts.append(self.term(depth))
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def term(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise self.error(f"at most {MAX_DEPTH} brackets and NOTs within each other")
        if self.sees("keyword", "NOT"):
            self.advance()
            return Not(self.term(depth + 1))
        if self.sees("symbol", "("):
            self.advance()
            inner = self.either(depth + 1)
            self.expect("symbol", ")", "AND, OR or )")
            return inner
        return self.test()

    def test(self) -> Expression:
        if self.kind not in ("word", "column"):
            raise self.error("a column, NOT or (")
        column = self.token.strip("`")
        if self.columns is not None and column not in self.columns:
            raise self.error("a column")
        kind = self.columns[column] if self.columns is not None else None
        self.advance()
        if kind == "yes or no":
            return Condition(column, "is")
        if self.sees("symbol", "=", "!=", *ORDERED):
            return self.compared(column, kind)
        if self.sees("keyword", "NOT", "IN"):
            return self.listed(column, kind)
        if self.kind == "number":
            return self.between(column, kind)
        if kind is None:
            return Condition(column, "is")
        raise self.error("=, !=, <, <=, >, >=, IN or a range such as 10..50")

    def compared(self, column: str, kind: Kind | None) -> Expression:
        start, operator = self.start, self.advance()
        if operator in ORDERED and kind in ("id", "text", "path"):
            raise self.error("=, != or IN: this column holds text", start)
        number = operator in ORDERED or kind == "number"
        return Condition(column, operator, (self.value(number=number),))  # type: ignore[arg-type]  # one of the symbols seen

    def listed(self, column: str, kind: Kind | None) -> Expression:
        is_not = self.sees("keyword", "NOT")
        if is_not:
            self.advance()
        self.expect("keyword", "IN", "IN")
        self.expect("symbol", "(", "(")
        values = [self.value(number=kind == "number")]
        while self.sees("symbol", ","):
            self.advance()
            values.append(self.value(number=kind == "number"))
        self.expect("symbol", ")", ", or )")
        found = Condition(column, "in", tuple(values))
        return Not(found) if is_not else found

    def between(self, column: str, kind: Kind | None) -> Expression:
        if kind in ("id", "text", "path"):
            raise self.error("=, != or IN: this column holds text")
        low = self.value(number=True)
        self.expect("symbol", "..", "..")
        return Condition(column, "..", (low, self.value(number=True)))

    def value(self, *, number: bool) -> Value:
        if self.kind == "number":
            return Value(self.advance(), is_number=True)
        if number or self.kind != "text":
            raise self.error("a number" if number else 'a number, or a text in quotation marks such as "Wine"')
        token = self.advance()
        return Value(token[1:-1].replace(token[0] * 2, token[0]))

"""What a retailer wants of every slate, whoever it is for: rules of one line each, and how hard they act.

    rule = pin PLACE where filter        the best allowed item that fulfils it stands at PLACE
         | boost BY where filter         items that fulfil it rank higher
         | bury BY where filter          items that fulfil it rank lower
         | block where filter            items that fulfil it are not shown

A boost adds ln(BY) standard deviations of the customer's own scores, a bury takes as much away: scores compare within
one customer only, so a factor means the same for everybody, two factors multiply, and 1 would change nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from recsvc.domain.conditions import Kind
from recsvc.domain.filter_language import parse_filter
from recsvc.errors import FilterError

Action = Literal["pin", "boost", "bury", "block"]
MAX_PLACE = 100
MAX_FACTOR = 1_000.0
RULE = re.compile(r"\s*(?P<action>[a-z]+)(?:\s+(?P<amount>[0-9]+(?:\.[0-9]+)?))?\s+where\s", re.IGNORECASE)
FORMS = "pin PLACE where, boost BY where, bury BY where, or block where"


@dataclass(frozen=True, slots=True)
class BusinessRule:
    """One rule; `amount` is the place of a pin, the factor of a boost or bury, 0 of a block."""

    action: Action
    amount: float
    where: str

    def __str__(self) -> str:
        return f"{self.action} where {self.where}" if self.action == "block" else self._with_amount()

    def _with_amount(self) -> str:
        return f"{self.action} {self.amount:g} where {self.where}"

    def lift(self) -> float:
        """Standard deviations that a boost adds; negative for a bury."""
        return math.log(self.amount) if self.action == "boost" else -math.log(self.amount)


@dataclass(frozen=True, slots=True)
class StandingRules:
    """What holds for every slate of a bundle.

    Attributes
    ----------
    rules : as they are written
    category_cap : at least 1, or None
        At most so many items of a category, two levels deep, in a slate.
    """

    rules: tuple[str, ...] = ()
    category_cap: int | None = None

    @property
    def says_something(self) -> bool:
        """Whether any slate could be another for it."""
        return bool(self.rules) or self.category_cap is not None

    def to_json(self) -> dict[str, Any]:
        """As `rules.json` holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> StandingRules:
        """Read what `to_json` wrote."""
        return cls(**{**content, "rules": tuple(content["rules"])})


def parse_rule(text: str, columns: Mapping[str, Kind] | None = None) -> BusinessRule:
    """Read a rule, and check its filter as `parse_filter` does.

    Raises
    ------
    FilterError

    Examples
    --------
    >>> str(parse_rule('Boost 2.0 where brand = "Acme"'))
    'boost 2 where brand = "Acme"'
    """
    head = RULE.match(text)
    action = head["action"].lower() if head else ""
    if head is None or action not in ("pin", "boost", "bury", "block"):
        raise FilterError(text, 1, FORMS, what="rule")
    amount = _amount(action, head["amount"])
    if amount is None:
        raise FilterError(text, head.end("action") + 1, AMOUNTS[action], what="rule")
    try:
        where = parse_filter(text[head.end() :], columns)
    except FilterError as error:
        raise FilterError(text, head.end() + error.position, error.expected, error.fix, "rule") from None
    return BusinessRule(action, amount, str(where))  # type: ignore[arg-type]  # one of the four above


def _amount(action: str, written: str | None) -> float | None:
    """Amount of a rule; None where it is missing, too many, or out of range."""
    if action == "block" or written is None:
        return 0.0 if action == "block" and written is None else None
    amount = float(written)
    if action == "pin":
        return amount if amount.is_integer() and 1 <= amount <= MAX_PLACE else None
    return amount if 1 < amount <= MAX_FACTOR else None


AMOUNTS = {
    "pin": f"a whole place from 1 to {MAX_PLACE}",
    "boost": f"a factor above 1, at most {MAX_FACTOR:g}",
    "bury": f"a factor above 1, at most {MAX_FACTOR:g}",
    "block": "where, and no number",
}

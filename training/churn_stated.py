"""Why customers say they left: their own words, or the retailer's codes, counted as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from recsvc.domain.arrays import Counts, Days
from training.tables import Prepared

MOST_NAMED = 10
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Statements:
    """Feedback of kind `churn_reason`, as columns of length n_statements.

    Attributes
    ----------
    customer_row : row of the customer
    day : days since 1970-01-01
    text : the retailer's own words
    """

    customer_row: Counts
    day: Days
    text: Sequence[str]

    def before(self, as_of_day: int) -> list[tuple[int, str]]:
        """Customer row and words of each statement made before a day, with case and outer spaces gone; no blanks."""
        rows = zip(self.customer_row.tolist(), self.day.tolist(), self.text, strict=True)
        said = ((row, text.strip().casefold()) for row, day, text in rows if day < as_of_day)
        return [(row, text) for row, text in said if text]


def statements_of(prepared: Prepared) -> Statements | None:
    """What customers said before `as_of`; None where there is no such feedback."""
    if prepared.churn_reasons is None:
        return None
    told = prepared.churn_reasons.to_pyarrow()
    return Statements(told["customer_row"].to_numpy(), told["day"].to_numpy(), told["text"].to_pylist())


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many customers of a segment have a reason."""

    segment: str
    reason: str
    customers: int


def count_stated(said: Sequence[tuple[int, str]], segment: Sequence[str]) -> tuple[ReasonCount, ...]:
    """Customers by segment and reason: the ten reasons most customers name, and the rest as `other`.

    A customer who names a reason twice counts once for it.

    Parameters
    ----------
    said
        Customer row and words, as `Statements.before` returns them.
    segment : by customer row

    Examples
    --------
    >>> count_stated([(0, "too dear"), (0, "too dear"), (1, "moved")], ["lapsed", "lapsed"])[0]
    ReasonCount(segment='lapsed', reason='moved', customers=1)
    """
    named = Counter(text for _, text in set(said))
    most = {text for text, _ in sorted(named.items(), key=lambda one: (-one[1], one[0]))[:MOST_NAMED]}
    grouped = {(row, text if text in most else OTHER) for row, text in said}
    counted = Counter((segment[row], text) for row, text in grouped)
    return tuple(ReasonCount(*cell, customers) for cell, customers in sorted(counted.items()))

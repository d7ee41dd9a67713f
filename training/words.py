"""Figures as people say them."""

from __future__ import annotations

from dataclasses import dataclass

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Money:
    """How amounts are written; shops that named no currency see bare numbers."""

    currency: str | None

    def __call__(self, amount: float) -> str:
        """Write an amount without its minor units.

        Examples
        --------
        >>> Money("GBP")(1234.56), Money(None)(2_345_678)
        ('GBP 1,235', '2.35 million')
        """
        shown = f"{amount / MILLION:,.2f} million" if abs(amount) >= MILLION else f"{amount:,.0f}"
        return f"{self.currency} {shown}" if self.currency else shown


def percent(share: float) -> str:
    """Write a share; above 0 it is never 0, below 1 never 100.

    Examples
    --------
    >>> percent(0.4567), percent(0.001), percent(0.999), percent(1.0)
    ('46 %', 'under 1 %', 'over 99 %', '100 %')
    """
    if 0 < share < 0.005:
        return "under 1 %"
    return "over 99 %" if 0.995 <= share < 1 else f"{share:.0%}".replace("%", " %")


def counted(n: int, one: str, many: str = "") -> str:
    """Write a number with its noun.

    Examples
    --------
    >>> counted(1, "customer"), counted(2469, "customer"), counted(2, "of it is", "of them are")
    ('1 customer', '2,469 customers', '2 of them are')
    """
    return f"{n:,} {one if n == 1 else many or f'{one}s'}"

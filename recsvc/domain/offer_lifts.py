"""What offers were seen to do where lots chose them, and how far that outweighs what somebody stated."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

PRIOR_ERROR: Final = 0.5  # of a stated lift, as a share of it: two of three lie within a half of what is stated
LEAST_PRIOR: Final = 0.005


@dataclass(frozen=True, slots=True)
class OfferLift:
    """One offer's lift, measured.

    Attributes
    ----------
    lift : of customers who would stay away over the horizon, the share it brought back
    error : standard error of it, above 0
    customers : who got it by lot
    """

    lift: float
    error: float
    customers: int

    def with_stated(self, stated: float) -> float:
        """Lift to plan by: the mean of what is stated and what was measured, each by its precision; 0 to 1.

        Examples
        --------
        >>> few, many = OfferLift(0.02, 0.05, 150), OfferLift(0.02, 0.005, 15_000)
        >>> round(few.with_stated(0.08), 3), round(many.with_stated(0.08), 3)
        (0.057, 0.021)
        """
        doubt = max(PRIOR_ERROR * stated, LEAST_PRIOR) ** 2
        weight = doubt / (doubt + self.error**2)
        return min(max(stated + weight * (self.lift - stated), 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Counted:
    """Of one campaign: how many got an offer by lot and returned, and the same of those held out."""

    customers: int
    returned: int
    held_out: int
    held_out_returned: int


def measured(campaigns: list[Counted]) -> OfferLift | None:
    """Lift of one offer over several campaigns, each weighing as many as got it; None where nobody can be compared.

    Shares get one more who returned and one who did not, so that no share is known to be 0.

    Examples
    --------
    >>> found = measured([Counted(1_000, 150, 1_000, 100)])
    >>> round(found.lift, 3), round(found.error, 3), found.customers
    (0.056, 0.016, 1000)
    """
    some = [one for one in campaigns if one.customers and one.held_out]
    total = sum(one.customers for one in some)
    if not total:
        return None
    difference = variance = away = 0.0
    for one in some:
        weight = one.customers / total
        with_it, without = one.returned / one.customers, one.held_out_returned / one.held_out
        difference += weight * (with_it - without)
        away += weight * (1 - without)
        variance += weight**2 * (
            _variance(one.returned, one.customers) + _variance(one.held_out_returned, one.held_out)
        )
    if away <= 0:
        return None
    return OfferLift(max(difference / away, -1.0), sqrt(variance) / away, total)


def _variance(returned: int, customers: int) -> float:
    share = (returned + 1) / (customers + 2)
    return share * (1 - share) / customers

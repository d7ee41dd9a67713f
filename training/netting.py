r"""Returns, set against the purchases they undo.

Each return takes units off the most recent earlier purchases of the same item by the same customer. Walking the lines
of a (customer, item) backwards in time, with :math:`x` = units returned or minus units bought and
:math:`C_t = \sum_{s \le t} x_s`, the units still to be taken off after line :math:`t` are

.. math:: D_t = C_t - \min(0, \min_{s \le t} C_s)

(a queue's reflection at zero). A purchase loses :math:`D_{t-1} - D_t` units; what is left at the end of the walk was
returned without ever having been bought, as far as the data goes. At one moment, a purchase comes before a return.
"""

from __future__ import annotations

import ibis
from ibis.expr.types import Table

PAIR = ("customer_key", "item_key")


def net_returns(lines: Table) -> Table:
    """Lines of pairs that have a return, with what the netting did to each.

    Parameters
    ----------
    lines
        Columns customer_key, item_key, ordered_at, source_row, is_return, quantity above 0, amount.

    Returns
    -------
    The same lines with `left`: of a purchase the units the customer kept, of a return the units no purchase was found
    for; DECIMAL, in [0, quantity].
    """
    backwards = [lines.ordered_at.desc(), lines.is_return.desc(), lines.source_row.desc()]
    walk = ibis.window(group_by=PAIR, order_by=backwards, preceding=None, following=0)
    onwards = ibis.window(group_by=PAIR, order_by=backwards, preceding=0, following=None)
    signed = lines.is_return.ifelse(lines.quantity, -lines.quantity)
    summed = lines.mutate(running=signed.sum().over(walk))
    lowest = ibis.least(summed.running.min().over(walk), 0)
    open_units = summed.mutate(outstanding=summed.running - lowest)
    before = open_units.outstanding.lag(1).over(ibis.window(group_by=PAIR, order_by=backwards)).fill_null(0)
    stepped = open_units.mutate(before=before, never_below=open_units.outstanding.min().over(onwards))
    kept = stepped.quantity - (stepped.before - stepped.outstanding)
    unmatched = ibis.greatest(stepped.never_below - stepped.before, 0)
    return stepped.mutate(left=stepped.is_return.ifelse(unmatched, kept)).drop(
        "running", "outstanding", "before", "never_below"
    )


def pairs_with_returns(lines: Table) -> Table:
    """The (customer_key, item_key) that netting has to look at."""
    return lines.filter(lines.is_return).select(*PAIR).distinct()

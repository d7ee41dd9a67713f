"""What a retailer could do without us; every table shows these beside the recommender."""

from __future__ import annotations

import numpy as np

from recsvc.domain.arrays import Counts, Floats, Rows


def p_topfreq(bought: Rows, order_days: Counts, trending: Rows) -> Rows:
    """Own items by number of order-days, ties by what is popular now, then what is popular and never bought.

    Parameters
    ----------
    bought, order_days : shape (n_bought,)
        Item rows ever bought, and on how many days each.
    trending : shape (n_catalogue,)
        Every catalogue row, most recent buyers first.

    References
    ----------
    Li et al. (2023), A Next Basket Recommendation Reality Check, ACM TOIS 41(4)
    """
    place = np.empty(len(trending), np.int64)
    place[trending] = np.arange(len(trending))
    inside = bought < len(trending)
    own, times = bought[inside], order_days[inside]
    own = own[np.lexsort((place[own], -times))]
    return np.concatenate([own, trending[~np.isin(trending, bought)]])


def als_alone(affinity: Floats, depth: int) -> Rows:
    """The `depth` items of highest affinity, best first, bought before or not; ties by item row.

    Parameters
    ----------
    affinity : shape (n_catalogue,)
    """
    depth = min(depth, len(affinity))
    best = np.flatnonzero(affinity >= np.partition(affinity, -depth)[-depth])  # with all that tie for the last place
    return best[np.lexsort((best, -affinity[best]))][:depth].astype(np.int32)

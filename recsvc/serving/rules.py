"""What a request may not show: the rules of one question, and the items they leave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsvc.domain.arrays import Mask
from recsvc.domain.items import ItemTable
from recsvc.serving.masks import CATEGORY_SEPARATOR


@dataclass(frozen=True, slots=True)
class Rules:
    """The part of a `Query` that does not depend on the customer.

    Not `standing`, what the retailer wants of every slate is left out: the bare ranking, to learn from and to compare.
    """

    k: int = 10
    exclude: frozenset[str] = frozenset()
    exclude_purchased: bool = False
    categories: tuple[str, ...] = ()
    explore_slots: int | None = None
    where: str | None = None
    rules: tuple[str, ...] = ()
    category_cap: int | None = None
    standing: bool = True


def allowed_items(
    catalogue: pa.Table, items: ItemTable, rules: Rules, on_sale: Mask | None = None
) -> tuple[Mask, tuple[str, ...]]:
    """Which catalogue rows may be shown, shape (n_catalogue,), and the names of the rules that were applied.

    Parameters
    ----------
    on_sale : shape (n_items,)
        What is on sale by now, whatever the catalogue says; None when nobody says.
    """
    allowed, applied = available_items(catalogue, items.n_catalogue)
    if applied and on_sale is not None:
        allowed |= on_sale[: items.n_catalogue]
        applied = not allowed.all()
    names = ["availability"] if applied else []
    excluded = items.ids.known_rows(rules.exclude)
    if len(excluded):
        allowed[excluded[excluded < items.n_catalogue]] = False
        names.append("exclude")
    if rules.categories:
        allowed &= in_categories(catalogue, rules.categories)[: items.n_catalogue]
        names.append("category")
    if rules.exclude_purchased:
        names.append("exclude_purchased")
    return allowed, tuple(names)


def available_items(catalogue: pa.Table, n_catalogue: int) -> tuple[Mask, bool]:
    """Which catalogue rows are on sale, and whether the retailer said so at all; unknown counts as available."""
    if "available" not in catalogue.column_names:
        return np.ones(n_catalogue, bool), False
    known = pc.fill_null(catalogue["available"], True).to_numpy()[:n_catalogue]
    return known.astype(bool), not known.all()


def in_categories(catalogue: pa.Table, categories: tuple[str, ...]) -> Mask:
    """Which rows lie in, or below, one of the category paths; shape (n_items,)."""
    inside = np.zeros(len(catalogue), bool)
    if "category" not in catalogue.column_names:
        return inside
    paths = catalogue["category"]
    for category in categories:
        below = pc.or_(pc.equal(paths, category), pc.starts_with(paths, category + CATEGORY_SEPARATOR))
        inside |= pc.fill_null(below, False).to_numpy().astype(bool)
    return inside

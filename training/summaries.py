"""The aggregations, written once as Ibis expressions: customers, items, and the lines of the customer record.

They run unchanged on any Ibis backend: sums are of integers or DECIMAL, so no order of adding changes them, and every
result says how it is ordered. Undecayed and uncapped: what is computed *from* the record lives in `recsvc.domain`.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
from ibis import _
from ibis.expr.types import Table

from recsvc.serving.filters import ATTRIBUTE
from training.config_recipe import CatalogueConfig

WEEK_DAYS, QUARTER_DAYS = 7, 90
WINDOW_COUNTS = ("n_recent_buyers", "n_previous_buyers", "n_week_buyers", "n_quarter_buyers")
BUYER_COUNTS = ("n_buyers", "n_order_days", "n_repeat_buyers", *WINDOW_COUNTS)
SALES = ("units", "first_day", "last_day", "last_price", "price_before", "price_lately")
MEASURES = ("item_row", "item_key", "item_id", "in_catalogue", *BUYER_COUNTS, *SALES)
PRICES = ("price", "unit_cost", "stock")
DESCRIPTIONS = ("title", "category", "brand", *PRICES, "available", "available_from", "url", "image_url")


def daily_lines(lines: Table) -> Table:
    """Clean lines added up by customer (null where unknown), item and day."""
    return lines.group_by("customer_key", "item_key", "is_product", "day").agg(
        quantity=lines.quantity.sum(), amount=lines.amount.sum().cast("int64")
    )


def customers(daily: Table, names: Table) -> Table:
    """Customers who bought a product: customer_row (int32, in order of customer_id), customer_key, customer_id."""
    bought = daily.filter(daily.is_product, daily.customer_key.notnull()).select("customer_key").distinct()
    return _numbered(names.semi_join(bought, "customer_key"), "customer_row", ["customer_key"]).order_by("customer_row")


@dataclass(frozen=True, slots=True)
class Windows:
    """When buyers count as recent: from `as_of_day` (exclusive, days since 1970-01-01) back."""

    as_of_day: int
    recent_days: int

    def spans(self) -> dict[str, tuple[int, int]]:
        """First day, and the day after the last, of each of `WINDOW_COUNTS`."""
        end, recent = self.as_of_day, self.as_of_day - self.recent_days
        starts = (recent, recent - self.recent_days, end - WEEK_DAYS, end - QUARTER_DAYS)
        ends = (end, recent, end, end)
        return dict(zip(WINDOW_COUNTS, zip(starts, ends, strict=True), strict=True))


def items(daily: Table, latest: Table, names: Table, config: CatalogueConfig, windows: Windows) -> Table:
    """Products that were bought, catalogue first, each part in order of item_id.

    Parameters
    ----------
    daily
        Result of `daily_lines`.
    latest
        Result of `prices`.
    names
        `products.Products.names`.
    windows
        For the `WINDOW_COUNTS`.

    Returns
    -------
    item_row (int32), item_key, item_id, in_catalogue, the `BUYER_COUNTS`, units, first_day, last_day, last_price,
    price_before and price_lately (minor units), then whatever of `DESCRIPTIONS` is known, and attributes.
    """
    products = daily.filter(daily.is_product)
    sold = products.group_by("item_key").agg(
        units=products.quantity.sum().cast("float64"),
        first_day=products.day.min(),
        last_day=products.day.max(),
    )
    counted = _left(sold, _buyers(products, windows), "item_key")
    known = counted.mutate(**{name: counted[name].fill_null(0) for name in BUYER_COUNTS})
    popular = _numbered(known, "place", [ibis.desc("n_buyers"), "item_key"])
    chosen = (popular.n_buyers >= config.min_buyers) & (popular.place < config.max_items)
    marked = popular.mutate(in_catalogue=chosen).drop("place")
    rows = _left(_numbered(marked, "item_row", [ibis.desc("in_catalogue"), "item_key"]), latest, "item_key")
    named = _named(rows, names)
    attributes = [name for name in named.columns if name.startswith(ATTRIBUTE)]
    known_of = [name for name in (*DESCRIPTIONS, *attributes) if name in named.columns]
    return named.select(*MEASURES, *known_of).order_by("item_row")


def _buyers(products: Table, windows: Windows) -> Table:
    """How many customers bought each item: ever, on two days or more, in each window; and on how many customer-days."""
    named = products.filter(products.customer_key.notnull())
    within = {
        name: ((named.day >= start) & (named.day < end)).any().cast("int64")
        for name, (start, end) in windows.spans().items()
    }
    pairs = named.group_by("item_key", "customer_key").agg(days=named.count(), **within)
    return pairs.group_by("item_key").agg(
        n_buyers=pairs.count(),
        n_order_days=pairs.days.sum().cast("int64"),
        n_repeat_buyers=(pairs.days >= 2).cast("int64").sum().cast("int64"),
        **{name: pairs[name].sum().cast("int64") for name in WINDOW_COUNTS},
    )


def prices(lines: Table, windows: Windows) -> Table:
    """Result of `latest_lines`, and the median unit price of the recent days and of the quarter before them.

    Where nothing was sold the last price stands in: no price is known to have moved.
    """
    latest, products = latest_lines(lines), lines.filter(lines.is_product)
    end, begin = windows.as_of_day, windows.as_of_day - windows.recent_days
    unit_price, day = products.amount.cast("float64") / products.quantity.cast("float64"), products.day
    medians = products.group_by("item_key").agg(
        before=unit_price.median(where=(day >= begin - QUARTER_DAYS) & (day < begin)),
        lately=unit_price.median(where=(day >= begin) & (day < end)),
    )
    known = _left(latest, medians, "item_key")
    typical = {f"price_{name}": known[name].round().cast("int64") for name in ("before", "lately")}
    filled = {name: ibis.coalesce(value, known.last_price) for name, value in typical.items()}
    return known.mutate(**filled).drop("before", "lately")


def latest_lines(lines: Table) -> Table:
    """Per product the unit price, in minor units, and the title of its last line.

    Of several at one moment the highest price and the last title in order of text, whatever the order of rows.
    """
    products = lines.filter(lines.is_product)
    last = products.group_by("item_key").agg(ordered_at=products.ordered_at.max())
    newest = products.semi_join(last, ["item_key", "ordered_at"])
    unit_price = newest.amount.cast("float64") / newest.quantity.cast("float64")
    title = {"title": newest.title.strip().max()} if "title" in lines.columns else {}
    return newest.group_by("item_key").agg(last_price=unit_price.max().round().cast("int64"), **title)


def record_lines(daily: Table, customer_rows: Table, item_rows: Table) -> Table:
    """Lines of the customer record: customer_row, day, item_row (null for services), quantity, amount; in that order.

    A day on which a customer bought services only is no order-day and is left out; on an order-day, the services bought
    with the products are one line without an item.
    """
    owned = daily.inner_join(customer_rows.select("customer_key", "customer_row"), "customer_key")
    bought = owned.filter(owned.is_product)
    products = bought.inner_join(item_rows.select("item_key", "item_row"), "item_key")
    extras = owned.filter(~owned.is_product).semi_join(bought, ["customer_row", "day"])
    services = extras.group_by("customer_row", "day").agg(
        item_row=ibis.null("int32"), quantity=extras.quantity.sum(), amount=extras.amount.sum().cast("int64")
    )
    columns = {"quantity": _.quantity.cast("float64"), "amount": _.amount}
    both = [part.select("customer_row", "day", "item_row", **columns) for part in (products, services)]
    return in_record_order(ibis.union(*both))


def in_record_order(records: Table) -> Table:
    """Record lines by customer, day and item; services first."""
    return records.order_by("customer_row", "day", ibis.asc("item_row", nulls_first=True))


def _named(rows: Table, names: Table) -> Table:
    """Names and attributes beside the rows; a title of the table of products goes before the last one on a line."""
    joined = rows.inner_join(names, "item_key", rname="{name}_listed")
    if "title_listed" not in joined.columns:
        return joined
    return joined.mutate(title=ibis.coalesce(joined.title_listed, joined.title))


def _numbered(table: Table, name: str, order: list[str | ibis.Value]) -> Table:
    return table.mutate(**{name: ibis.row_number().over(order_by=order).cast("int32")})


def _left(left: Table, right: Table, key: str) -> Table:
    """Left join on a key of the same name, which is kept once."""
    return left.left_join(right, key).drop(f"{key}_right")

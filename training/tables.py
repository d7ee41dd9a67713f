"""The way in, whole: a config becomes typed tables once, and those become the tables of any `as_of`.

with open_session(config) as session:
    tables = load_tables(session, config)
    raise_on_stop(tables.findings)
    prepared = prepare(tables, as_of_day)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import ibis
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr.types import Table

from recsvc.bundle.reader import SENSITIVE_ITEMS, without_personalisation
from recsvc.domain.ids import digest_of
from recsvc.domain.shelf import without_sensitive
from recsvc.errors import DataError
from training import summaries
from training.cleaning import CleaningReport, clean
from training.columns import day_of
from training.config import TrainingConfig
from training.erased import without_erased
from training.habits import acts_of_contacts, acts_of_orders, daily_acts
from training.item_table import type_items
from training.live_events import read_live, with_live_purchases
from training.optional_tables import OptionalTables, read_optional
from training.orders import type_orders
from training.products import Products, at_level, name_products
from training.rules import FlaggedOrders, flag_orders
from training.session import Session, engine_errors_as_data_errors
from training.sources import read_raw
from training.touchpoints import order_touches, touchpoints_of
from training.validate import Finding, raise_on_stop, validate_items, validate_orders, whole_ids

RECORD_BATCH = 1_000_000  # lines
PATTERN_HINT = "patterns are RE2: no look-around; check orders.return_order_pattern and services.item_id_pattern"


@dataclass(frozen=True, slots=True)
class Tables:
    """What was read, typed and flagged; any `as_of` is cut from it.

    `findings` is what is wrong with the data; `acts` are as `habits.daily_acts` returns them.
    """

    session: Session
    config: TrainingConfig
    orders: FlaggedOrders
    products: Products
    optional: OptionalTables
    acts: Table
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything training needs to know of the time before `as_of_day`.

    Attributes
    ----------
    customer_ids : length n_customers
        By customer row.
    items : n_items rows, by item row
        Columns as `summaries.items` returns them; the catalogue comes first.
    lines
        Every purchase, those of unknown customers too, as `CleanOrders.lines`; stays in the engine.
    record_lines
        As `summaries.record_lines` returns them; stays in the engine.
    n_lines, first_day, last_day
        Of `record_lines`.
    touchpoints
        As `touchpoints.touchpoints_of` returns them; stay in the engine.
    acts
        customer_row, hour, channel: what `habits.habit_table` counts.
    churn_reasons
        customer_row, day, text; in that order. None where there is no feedback.
    attributes
        Columns as `customer_attributes.attributes_of` returns them, in order of customer_id. Undated, so never a
        feature; None where there is no table of customers.
    promotions
        item_row, starts_day, ends_day, discount of those that began; in that order. None where there is no table.
    lots
        customer_id, campaign_id, day, held_out, offer_by_lot (null where not by lot): of each customer and campaign,
        the first message before `as_of_day`. None where no campaign is named.
    """

    session: Session
    as_of_day: int
    customer_ids: tuple[str, ...]
    items: pa.Table
    lines: Table
    record_lines: Table
    n_lines: int
    first_day: int
    last_day: int
    report: CleaningReport
    touchpoints: Table
    acts: Table
    churn_reasons: Table | None = None
    attributes: pa.Table | None = None
    promotions: pa.Table | None = None
    lots: pa.Table | None = None

    @property
    def n_catalogue(self) -> int:
        """How many items may be recommended; theirs are the first rows."""
        return int(pc.sum(self.items["in_catalogue"]).as_py() or 0)

    def item_ids_digest(self) -> str:
        """Digest of the item ids in order of row, to tie factors to."""
        return digest_of(self.items["item_id"].to_pylist())

    def unprofiled(self) -> frozenset[str]:
        """Customers who want no personalisation."""
        return without_personalisation(self.attributes)

    def record_batches(self, size: int = RECORD_BATCH) -> Iterator[pa.RecordBatch]:
        """Stream `record_lines`, in their order, at most `size` lines at a time."""
        yield from self.session.stream(self.record_lines, size)

    def touchpoint_batches(self, size: int = RECORD_BATCH) -> Iterator[pa.RecordBatch]:
        """Stream `touchpoints` likewise."""
        yield from self.session.stream(self.touchpoints, size)


def load_tables(session: Session, config: TrainingConfig) -> Tables:
    """Read, type and check the tables of a config: the only pass over the user's files.

    Raises
    ------
    ConfigError, DataError
        A table cannot be read, or what is in it cannot be trained on.
    """
    tables = read_tables(session, config)
    raise_on_stop(tables.findings)
    return tables


def read_tables(session: Session, config: TrainingConfig) -> Tables:
    """Like `load_tables`, but rows that cannot be used do not raise: they are in `findings`."""
    raw_orders = read_raw(session, "orders", config.orders)
    typed = type_orders(session, raw_orders, config.orders, config.timezone)
    findings = validate_orders(raw_orders, typed, config.orders)
    described, live = None, read_live(session, config)
    if config.items:
        raw_items = read_raw(session, "items", config.items)
        described = type_items(session, raw_items, config)
        findings += validate_items(raw_items, config.items)
    with engine_errors_as_data_errors("orders", PATTERN_HINT):
        lines = whole_ids(typed)
        together = with_live_purchases(session, lines, live) if live else lines
        orders = flag_orders(session, without_erased(session, together, config), described, config)
    session.drop(typed)
    products = name_products(session, orders.items, described, config.item_level)
    optional = read_optional(session, config, orders, live)
    acts = session.store("acts", daily_acts(_all_acts(orders, optional), config.timezone))
    return Tables(session, config, orders, products, optional, acts, (*findings, *optional.findings))


def prepare(tables: Tables, as_of_day: int) -> Prepared:
    """Cut, clean, net and summarise, as a person would have on the morning of `as_of_day`.

    Raises
    ------
    DataError
        No customer bought a product before that day.
    """
    session, config = tables.session, tables.config
    cleaned = clean(session, tables.orders.lines, as_of_day)
    lines = at_level(cleaned.lines, tables.products.levels)
    daily = session.store("daily", summaries.daily_lines(lines))
    customers = session.store("customers", summaries.customers(daily, tables.orders.customers))
    windows = summaries.Windows(as_of_day, config.ranking.recent_days)
    names = tables.products.names
    items = session.store(
        "items", summaries.items(daily, summaries.prices(lines, windows), names, config.catalogue, windows)
    )
    records = session.store("records", summaries.record_lines(daily, customers, items))
    session.drop(daily)
    span = records.aggregate(n=records.count(), first=records.day.min(), last=records.day.max()).to_pyarrow()
    n_lines, first_day, last_day = span.to_pylist()[0].values()
    if not n_lines:
        raise nothing_left(cleaned.report)
    return Prepared(
        session=session,
        as_of_day=as_of_day,
        customer_ids=tuple(customers.order_by("customer_row").to_pyarrow()["customer_id"].to_pylist()),
        items=_with_sensitive(items.drop("item_key").order_by("item_row").to_pyarrow(), config),
        lines=lines,
        record_lines=summaries.in_record_order(records),
        n_lines=n_lines,
        first_day=first_day,
        last_day=last_day,
        report=cleaned.report,
        touchpoints=_touchpoints(tables, customers, as_of_day),
        acts=_before(tables.acts, customers, as_of_day).select("customer_row", "hour", "channel"),
        churn_reasons=_churn_reasons(tables.optional, customers, as_of_day),
        attributes=_attributes(tables.optional, customers),
        promotions=_promotions(tables, items, as_of_day),
        lots=_lots(tables.optional, customers, as_of_day),
    )


def _with_sensitive(items: pa.Table, config: TrainingConfig) -> pa.Table:
    """Items with a column of which are of a sensitive category; where there are categories."""
    if "category" not in items.column_names:
        return items
    paths = items["category"].to_pylist()
    told = without_sensitive(paths, config.items.sensitive_categories if config.items else ())
    flags = [path is not None and kept is None for path, kept in zip(paths, told, strict=True)]
    return items.append_column(SENSITIVE_ITEMS, pa.array(flags, pa.bool_()))


def _all_acts(orders: FlaggedOrders, optional: OptionalTables) -> Table:
    bought = acts_of_orders(orders.lines)
    if optional.contacts is None:
        return bought
    return bought.union(acts_of_contacts(optional.contacts, orders.customers))


def _before(rows: Table, customers: Table, as_of_day: int) -> Table:
    """Rows of customers on record that lie before a day."""
    return rows.filter(rows.day < as_of_day).inner_join(customers.drop("customer_id"), "customer_key")


def _touchpoints(tables: Tables, customers: Table, as_of_day: int) -> Table:
    orders = tables.orders.lines
    past = orders.filter(orders.dropped_by.isnull(), orders.day < as_of_day)
    parts = [order_touches(past)]
    if tables.optional.touches is not None:
        parts.append(tables.optional.touches.filter(tables.optional.touches.day < as_of_day))
    return touchpoints_of(parts, customers)


def _churn_reasons(optional: OptionalTables, customers: Table, as_of_day: int) -> Table | None:
    if optional.churn_reasons is None:
        return None
    told = _before(optional.churn_reasons, customers, as_of_day)
    return told.order_by("customer_row", "day", "source_row").select("customer_row", "day", "text")


def _attributes(optional: OptionalTables, customers: Table) -> pa.Table | None:
    if optional.attributes is None:
        return None
    listed = optional.attributes.semi_join(customers, "customer_key")
    return listed.drop("customer_key").order_by("customer_id").to_pyarrow()


def _promotions(tables: Tables, items: Table, as_of_day: int) -> pa.Table | None:
    promotions = tables.optional.promotions
    if promotions is None:
        return None
    began = promotions.filter(promotions.starts_day < as_of_day).mutate(is_product=True)
    leveled = at_level(began, tables.products.levels).inner_join(items.select("item_key", "item_row"), "item_key")
    columns = ("item_row", "starts_day", "ends_day", "discount")
    return leveled.select(*columns).distinct().order_by(*columns).to_pyarrow()


def _lots(optional: OptionalTables, customers: Table, as_of_day: int) -> pa.Table | None:
    contacts = optional.contacts
    if contacts is None or "campaign_id" not in contacts.columns:
        return None
    named = contacts.filter(contacts.campaign_id.notnull()).mutate(day=day_of(contacts.sent_at))
    if "offer_by_lot" not in named.columns:
        named = named.mutate(offer_by_lot=ibis.null("string"))
    known = named.filter(named.day < as_of_day).semi_join(customers, "customer_id")
    found = known.group_by("customer_id", "campaign_id").agg(
        day=known.day.min(), held_out=known.held_out.any(), offer_by_lot=known.offer_by_lot.max()
    )
    return found.order_by("campaign_id", "customer_id").to_pyarrow()


def nothing_left(report: CleaningReport) -> DataError:
    """Error that says where all the order lines went."""
    gone = ", ".join(f"{count.rows} {count.rule}" for count in report.dropped if count.rows)
    problem = f"no customer bought a product before as_of; of {report.rows_read} lines: {gone or 'none dropped'}"
    return DataError("orders", problem, "check as_of, services and cleaning in the config")

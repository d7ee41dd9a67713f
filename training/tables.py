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

from recsvc.domain.ids import digest_of
from recsvc.errors import DataError
from training import summaries
from training.cleaning import CleaningReport, clean
from training.config import TrainingConfig
from training.item_table import type_items
from training.orders import type_orders
from training.rules import flag_orders
from training.session import Session
from training.sources import read_raw

RECORD_BATCH = 1_000_000  # lines


@dataclass(frozen=True, slots=True)
class Tables:
    """What was read, typed and flagged; any `as_of` is cut from it.

    `orders` is the result of `rules.flag_orders`, `items` of `item_table.type_items`.
    """

    session: Session
    config: TrainingConfig
    orders: Table
    items: Table | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything training needs to know of the time before `as_of_day`.

    Attributes
    ----------
    customer_ids : length n_customers
        By customer row.
    items : n_items rows, by item row
        Columns as `summaries.items` returns them; the catalogue comes first.
    record_lines
        As `summaries.record_lines` returns them; stays in the engine.
    n_lines, first_day, last_day
        Of `record_lines`.
    """

    session: Session
    as_of_day: int
    customer_ids: tuple[str, ...]
    items: pa.Table
    record_lines: Table
    n_lines: int
    first_day: int
    last_day: int
    report: CleaningReport

    @property
    def n_catalogue(self) -> int:
        """How many items may be recommended; theirs are the first rows."""
        return int(pc.sum(self.items["in_catalogue"]).as_py() or 0)

    def item_ids_digest(self) -> str:
        """Digest of the item ids in order of row, to tie factors to."""
        return digest_of(self.items["item_id"].to_pylist())

    def record_batches(self, size: int = RECORD_BATCH) -> Iterator[pa.RecordBatch]:
        """Stream `record_lines`, in their order, at most `size` lines at a time."""
        yield from self.session.stream(self.record_lines, size)


def load_tables(session: Session, config: TrainingConfig) -> Tables:
    """Read and type the tables of a config; the only pass over the user's files.

    Raises
    ------
    ConfigError, DataError
        A table cannot be read at all. Rows that cannot be used do not raise: they are in `findings`.
    """
    raw_orders = read_raw(session, "orders", config.orders)
    items = type_items(session, read_raw(session, "items", config.items), config) if config.items else None
    typed = type_orders(session, raw_orders, config.orders)
    orders = flag_orders(session, typed, items, config)
    session.drop(typed)
    return Tables(session, config, orders, items)


def prepare(tables: Tables, as_of_day: int) -> Prepared:
    """Cut, clean, net and summarise, as a person would have on the morning of `as_of_day`.

    Raises
    ------
    DataError
        No customer bought a product before that day.
    """
    session, config = tables.session, tables.config
    cleaned = clean(session, tables.orders, as_of_day)
    lines = _at_item_level(cleaned.lines, tables)
    daily = session.store("daily", summaries.daily_lines(lines))
    customers = session.store("customers", summaries.customers(daily))
    recent_from, latest = as_of_day - config.ranking.recent_days, summaries.latest_lines(lines)
    items = session.store("items", summaries.items(daily, latest, _described(tables), config.catalogue, recent_from))
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
        items=items.order_by("item_row").to_pyarrow(),
        record_lines=summaries.in_record_order(records),
        n_lines=n_lines,
        first_day=first_day,
        last_day=last_day,
        report=cleaned.report,
    )


def nothing_left(report: CleaningReport) -> DataError:
    """Error that says where all the order lines went."""
    gone = ", ".join(f"{count.rows} {count.rule}" for count in report.dropped if count.rows)
    problem = f"no customer bought a product before as_of; of {report.rows_read} lines: {gone or 'none dropped'}"
    return DataError("orders", problem, "check as_of, services and cleaning in the config")


def _at_item_level(lines: Table, tables: Tables) -> Table:
    """Lines whose products are named by the level the user recommends at."""
    if tables.config.item_level is None or tables.items is None:
        return lines
    levels = tables.items.filter(tables.items.level.notnull()).select("item_id", "level")
    joined = lines.left_join(levels, "item_id").drop("item_id_right")
    return joined.mutate(item_id=ibis.ifelse(joined.is_product, joined.level, joined.item_id)).drop("level")


def _described(tables: Tables) -> Table | None:
    """Attributes by item; at a coarser level its name, and the category most of its items have."""
    items = tables.items
    if items is None or tables.config.item_level is None:
        return items.drop("is_service", "level") if items is not None else None
    leveled = items.filter(items.level.notnull())
    by = ["level", "category"] if "category" in items.columns else ["level"]
    sizes = leveled.group_by(by).agg(size=leveled.count())
    best = ibis.row_number().over(group_by="level", order_by=[ibis.desc("size"), *by])
    first = sizes.mutate(place=best).filter(lambda table: table.place == 0)
    return first.mutate(item_id=first.level, title=first.level).drop("level", "size", "place")

"""At which hour and on which channel customers act, counted in the engine: orders, opens and clicks.

A moment of exactly midnight is a date without a time of day, and says nothing of an hour.
"""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr.types import Table

from recsvc.domain.arrays import Counts
from recsvc.domain.habits import Habit, preferred
from training.columns import day_of, local_time
from training.session import Session

HOURS = 24
MAX_CHANNELS = 32  # the most used; more are no channels
CHUNK = 100_000  # customers whose counts are held at once
ACT = ("customer_key", "at", "channel")
NO_CHANNEL = ibis.null("string")


def acts_of_orders(orders: Table) -> Table:
    """Purchases: customer_key, at, channel (null where it is not known)."""
    bought = orders.filter(orders.dropped_by.isnull(), ~orders.is_return, orders.customer_key.notnull())
    return _acts(bought, "ordered_at")


def acts_of_contacts(contacts: Table, customers: Table) -> Table:
    """Opens and clicks; columns as `acts_of_orders` returns them, no rows where neither is dated."""
    known = contacts.inner_join(customers, "customer_id")
    parts = [_acts(known, name) for name in ("opened_at", "clicked_at") if name in known.columns]
    return ibis.union(*parts) if len(parts) > 1 else (parts or [_acts(known, "sent_at").limit(0)])[0]


def daily_acts(acts: Table, zone: str) -> Table:
    """Different acts of a day: customer_key, day, hour (wall clock in a zone, null where unknown), channel."""
    once = acts.distinct()
    local = local_time(once["at"], zone)
    hour = (local.time() == ibis.time("00:00:00")).ifelse(ibis.null("int8"), local.hour().cast("int8"))
    timed = once.select("customer_key", "channel", day=day_of(once["at"]), hour=hour)
    return timed.filter(timed.hour.notnull() | timed.channel.notnull()).distinct()


def habit_table(session: Session, acts: Table, n_customers: int) -> pa.Table:
    """What each customer prefers, by customer row: best_hour (int8) and best_channel (text), null where unknown.

    Parameters
    ----------
    acts
        Cut at `as_of`: customer_row, hour, channel.
    """
    hours = [str(hour) for hour in range(HOURS)]
    hour, timed = _preferred(session, acts.mutate(choice=acts.hour.cast("string")), hours, n_customers)
    names = _channels(acts)
    channel, told = _preferred(session, acts.mutate(choice=acts.channel), names, n_customers)
    return pa.table(
        {
            "best_hour": pa.array(hour.astype(np.int8), mask=~timed),
            "best_channel": pa.array(names, pa.string()).take(pa.array(channel, mask=~told)),
        }
    )


def with_habits(customers: pa.Table, customer_ids: tuple[str, ...], habits: pa.Table) -> pa.Table:
    """Table of customers with what each prefers, whatever its order."""
    rows = pc.index_in(customers["customer_id"], pa.array(customer_ids))
    for name in habits.column_names:
        customers = customers.append_column(name, habits[name].take(rows))
    return customers


def known_habits(customer_ids: tuple[str, ...], habits: pa.Table) -> Iterator[tuple[str, Habit]]:
    """Customers of whom something is known, and what."""
    first = 0
    for batch in habits.to_batches(max_chunksize=CHUNK):
        some = customer_ids[first : first + batch.num_rows]
        for customer_id, hour, channel in zip(some, *(column.to_pylist() for column in batch.columns), strict=True):
            if hour is not None or channel is not None:
                yield customer_id, Habit(hour, channel)
        first += batch.num_rows


def _acts(rows: Table, at: str) -> Table:
    dated = rows.filter(rows[at].notnull())
    channel = dated.channel if "channel" in dated.columns else NO_CHANNEL
    return dated.select("customer_key", at=dated[at], channel=channel)


def _channels(acts: Table) -> list[str]:
    """Names of the most used channels, in order of name."""
    used = acts.filter(acts.channel.notnull()).group_by("channel").agg(n=ibis._.count())
    most = used.order_by(ibis.desc("n"), "channel").limit(MAX_CHANNELS)
    return sorted(most.to_pyarrow()["channel"].to_pylist())


def _preferred(session: Session, acts: Table, choices: list[str], n_customers: int) -> tuple[Counts, Counts]:
    """Position of each customer's choice, and whether they ever made one; customers a chunk at a time."""
    if not choices:
        return np.zeros(n_customers, np.int64), np.zeros(n_customers, bool)
    counted = acts.filter(acts.choice.isin(choices)).group_by("customer_row", "choice").agg(n=ibis._.count())
    counts = session.store("habits", counted)
    total = counts.group_by("choice").agg(n=counts.n.sum()).to_pyarrow()
    usual = _dense(total, np.zeros(len(total), np.int64), choices, 1)[0].astype(np.float64)
    found = []
    for first in range(0, n_customers, CHUNK):
        n = min(CHUNK, n_customers - first)
        rows = counts.filter(counts.customer_row.between(first, first + n - 1)).to_pyarrow()
        chunk = _dense(rows, rows["customer_row"].to_numpy() - first, choices, n)
        found.append(preferred(chunk, usual / max(usual.sum(), 1.0)))
    session.drop(counts)
    return np.concatenate([choice for choice, _ in found]), np.concatenate([known for _, known in found])


def _dense(counted: pa.Table, rows: Counts, choices: list[str], n_rows: int) -> Counts:
    dense = np.zeros((n_rows, len(choices)), np.int64)
    dense[rows, pc.index_in(counted["choice"], pa.array(choices)).to_numpy()] = counted["n"].to_numpy()
    return dense

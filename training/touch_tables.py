"""The typed tables of contacts, events and feedback: read once, with what is wrong with each row as a bit mask.

What cannot be read is left out and counted; a table nobody needs stops no run. Every table has source_row (from 0),
customer_id and problems; moments are UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import ibis
from ibis.expr.types import BooleanColumn, Column, StringColumn, Table

from training.columns import flag, minor_units, moment, number, text
from training.config import TrainingConfig
from training.config_tables import ContactsConfig, EventKind, EventsConfig, FeedbackConfig, FeedbackKind
from training.orders import Check, needed, problems_of
from training.session import Session, engine_errors_as_data_errors
from training.sources import RawTable

NPS_RANGE = (0.0, 10.0)
SCORED, OPTIONALLY_SCORED = ("nps", "csat"), ("review", "social")
BEGINNING = ibis.timestamp("1970-01-01")
NO_CUSTOMER = Check(1, "customer_id", "no customer", "fill it in")
CONTACT_CHECKS = (
    NO_CUSTOMER,
    Check(2, "sent_at", "not a date and time", "use ISO dates, or set contacts.sent_at_format"),
    Check(4, "sent_at", "a date before 1970", "correct it"),
    Check(8, "opened_at", "not a date and time", "use ISO dates, or set contacts.sent_at_format"),
    Check(16, "clicked_at", "not a date and time", "use ISO dates, or set contacts.sent_at_format"),
)
EVENT_CHECKS = (
    NO_CUSTOMER,
    Check(2, "occurred_at", "not a date and time", "use ISO dates, or set events.occurred_at_format"),
    Check(4, "occurred_at", "a date before 1970", "correct it"),
    Check(8, "kind", "no known kind", f"write {', '.join(get_args(EventKind))}, or name yours in events.kinds"),
)
FEEDBACK_CHECKS = (
    NO_CUSTOMER,
    Check(2, "occurred_at", "not a date and time", "use ISO dates, or set feedback.occurred_at_format"),
    Check(4, "occurred_at", "a date before 1970", "correct it"),
    Check(8, "kind", "no known kind", f"write {', '.join(get_args(FeedbackKind))}, or name yours in feedback.kinds"),
    Check(16, "score", "no score within its range", "NPS is 0 to 10; of other scores set feedback.score_range"),
)


def type_contacts(session: Session, raw: RawTable, config: TrainingConfig) -> Table:
    """Columns sent_at, held_out, and of the others in `ContactColumns` those that the user has.

    Raises
    ------
    DataError
        A needed column is missing, or the file is damaged.
    """
    source = config.contacts or ContactsConfig()
    names = source.columns
    found = needed(raw, names, ("customer_id", "sent_at"))
    rows = raw.table.mutate(source_row=ibis.row_number())
    columns = _who(rows, source) | {
        "sent_at": moment(rows, names.sent_at, source, config.timezone, source.sent_at_format)
    }
    wrong = _undated(columns["sent_at"])
    for bit, name in ((8, "opened_at"), (16, "clicked_at")):
        if name in found:
            columns[name] = moment(rows, getattr(names, name), source, config.timezone, source.sent_at_format)
            wrong[bit] = text(rows, getattr(names, name), source).notnull() & columns[name].isnull()
    columns |= {
        name: text(rows, getattr(names, name), source)
        for name in ("channel", "campaign_id", "offer_by_lot")
        if name in found
    }
    if "cost" in found:
        columns["cost"] = minor_units(number(rows, names.cost, source, 4))
    held_out = flag(rows, names.held_out, source) if "held_out" in found else ibis.null("boolean")
    columns["held_out"] = held_out.fill_null(False)
    return _stored(session, raw, rows, columns, wrong)


def type_events(session: Session, raw: RawTable, config: TrainingConfig) -> Table:
    """Columns occurred_at and kind, and item_id where the user has it; as in `type_contacts`."""
    source = config.events or EventsConfig()
    found = needed(raw, source.columns, ("customer_id", "kind", "occurred_at"))
    rows = raw.table.mutate(source_row=ibis.row_number())
    at = moment(rows, source.columns.occurred_at, source, config.timezone, source.occurred_at_format)
    kind = _kind(text(rows, source.columns.kind, source), get_args(EventKind), source.kinds)
    wrong = _undated(at) | {8: kind.isnull()}
    columns = {**_who(rows, source), "occurred_at": at, "kind": kind}
    if "item_id" in found:
        columns["item_id"] = text(rows, source.columns.item_id, source)
    return _stored(session, raw, rows, columns, wrong)


def type_feedback(session: Session, raw: RawTable, config: TrainingConfig) -> Table:
    """Columns occurred_at, kind, text, and score: NPS as it is, others from 0 (worst) to 1; as in `type_contacts`."""
    source = config.feedback or FeedbackConfig()
    names = source.columns
    found = needed(raw, names, ("customer_id", "kind", "occurred_at"))
    rows = raw.table.mutate(source_row=ibis.row_number())
    at = moment(rows, names.occurred_at, source, config.timezone, source.occurred_at_format)
    kind = _kind(text(rows, names.kind, source), get_args(FeedbackKind), source.kinds)
    given = number(rows, names.score, source, 4).cast("float64") if "score" in found else ibis.null("float64")
    worst, best = source.score_range
    is_nps = kind == "nps"
    score = is_nps.ifelse(given, (given - worst) / (best - worst))
    inside = score.between(0.0, is_nps.ifelse(NPS_RANGE[1], 1.0))
    bad = (kind.isin(SCORED) & ~inside.fill_null(False)) | (kind.isin(OPTIONALLY_SCORED) & ~inside.fill_null(True))
    said = text(rows, names.text, source) if "text" in found else ibis.null("string")
    columns = {**_who(rows, source), "occurred_at": at, "kind": kind, "score": score, "text": said}
    return _stored(session, raw, rows, columns, _undated(at) | {8: kind.isnull(), 16: bad.fill_null(False)})


def _who(rows: Table, config: ContactsConfig | EventsConfig | FeedbackConfig) -> dict[str, Column]:
    return {"source_row": rows.source_row, "customer_id": text(rows, config.columns.customer_id, config)}


def _undated(at: Column) -> dict[int, BooleanColumn]:
    return {2: at.isnull(), 4: (at < BEGINNING).fill_null(False)}


def _kind(theirs: StringColumn, ours: tuple[str, ...], named: Mapping[str, str]) -> StringColumn:
    """Our name of a kind, null where nobody said what it is."""
    meaning = {name: name for name in ours} | dict(named)
    said = theirs.strip()
    return ibis.cases(*((said == name, kind) for name, kind in meaning.items()))


def _stored(
    session: Session, raw: RawTable, rows: Table, columns: dict[str, Column], wrong: dict[int, BooleanColumn]
) -> Table:
    wrong[1] = columns["customer_id"].isnull()
    with engine_errors_as_data_errors(raw.where, "mend that line or export the file again"):
        return session.store(f"{raw.name}_typed", rows.select(**columns, problems=problems_of(wrong)))

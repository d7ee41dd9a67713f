"""What is wrong with the data, in the user's own column names: how often, where first, for example what, and the fix.

Counting is one pass over the typed lines; rows and examples are looked up only for what is wrong. A problem that would
falsify everything stops the run, before anything is replaced; the rest is a warning and a count in the report.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import ibis
from ibis.expr.types import Table

from recsvc.domain.documents import Section
from recsvc.errors import DataError
from training.columns import text
from training.config_data import ItemsConfig, OrdersConfig
from training.orders import CHECKS, Check, present
from training.sources import RawTable

ROWS_SHOWN = 5
LONGEST_EXAMPLE = 60
IDS = ("customer_id", "item_id")
FLOAT_ID = r"^\d+\.0$"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a table.

    Attributes
    ----------
    table, column
        As the user calls them; `column` is empty where the whole table is meant.
    count
        Rows it concerns.
    rows
        Numbers of the first of them, as a spreadsheet shows them: the header of a text file is row 1. They run on
        through the files of a glob, whose further headers do not count.
    examples
        Values found there.
    severity
        `stop`: nothing is trained. `warn`: the rows are left out or mended, and counted.
    """

    table: str
    column: str
    problem: str
    count: int
    fix: str
    severity: Literal["stop", "warn"]
    rows: tuple[int, ...] = ()
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}; {self.fix}"

    @property
    def where(self) -> str:
        """Table and column."""
        return f"{self.table}, column {self.column!r}" if self.column else self.table

    @property
    def sentence(self) -> str:
        """What is wrong, how often, and where first."""
        places = f", first in row {', '.join(map(str, self.rows))}" if self.rows else ""
        values = f" (such as {', '.join(map(repr, self.examples))})" if self.examples else ""
        return f"{self.problem} in {self.count} row{'s' if self.count != 1 else ''}{places}{values}"


def raise_on_stop(findings: Iterable[Finding]) -> None:
    """Raise the first finding that stops a run, and say how many more there are.

    Raises
    ------
    DataError
        If any finding has severity `stop`.
    """
    stops = [finding for finding in findings if finding.severity == "stop"]
    if stops:
        more = f"; {len(stops) - 1} more: run `recsvc-train validate`" if len(stops) > 1 else ""
        raise DataError(stops[0].where, stops[0].sentence, f"{stops[0].fix}{more}")


def validate_orders(raw: RawTable, typed: Table, config: OrdersConfig) -> list[Finding]:
    """Everything that is wrong with the order lines.

    Parameters
    ----------
    typed
        Result of `orders.type_orders` on `raw`.
    """
    counts = _counted(typed, CHECKS)
    if not counts["rows"]:
        return [Finding(raw.where, "", "there is no order line", 0, "export it again", "stop")]
    found = [_unusable(raw, typed, config, check, counts[f"problem_{check.bit}"]) for check in CHECKS]
    found += [_float_ids(raw, config, name, counts) for name in float_ids(typed, counts)]
    if not counts["with_customer_id"]:
        fix = "map orders.columns.customer_id to the column that says who bought"
        found.append(Finding(raw.where, config.columns.customer_id, "no customer", counts["rows"], fix, "stop"))
    if counts.get("first_currency") != counts.get("last_currency"):
        found.append(_mixed_currencies(raw, typed, config))
    return [finding for finding in found if finding.count]


def float_ids(typed: Table, counts: dict[str, int] | None = None) -> list[str]:
    """Ids that came through a spreadsheet as numbers: every single one ends in .0."""
    counted = counts or _counted(typed, ())
    return [name for name in IDS if counted.get(f"with_{name}") and counted[f"with_{name}"] == counted[f"float_{name}"]]


def whole_ids(typed: Table) -> Table:
    """Rows whose ids lost the .0 of a spreadsheet, where every id of the column has it."""
    return typed.mutate(**{name: typed[name].re_replace(r"\.0$", "") for name in float_ids(typed)})


def validate_optional(raw: RawTable, typed: Table, columns: Section, checks: Sequence[Check]) -> list[Finding]:
    """Everything that is wrong with a table nobody needs; none of it stops a run.

    Parameters
    ----------
    typed
        With `problems`, in the bits of `checks`.
    columns
        What the config calls the columns.
    """
    counts = _counted(typed, checks)
    if not counts["rows"]:
        return [Finding(raw.where, "", "there is no row", 0, f"export it again, or leave [{raw.name}] out", "warn")]
    found = []
    for check in checks:
        column, fix = str(getattr(columns, check.field)), f"{check.fix}; the rows are left out"
        finding = Finding(raw.where, column, check.problem, counts[f"problem_{check.bit}"], fix, "warn")
        found.append(_with_places(raw, typed, check.bit, finding))
    return [finding for finding in found if finding.count]


def validate_items(raw: RawTable, config: ItemsConfig) -> list[Finding]:
    """Everything that is wrong with the products; none of it stops a run."""
    item_id = text(raw.table, config.columns.item_id, config)
    counted = raw.table.aggregate(
        rows=raw.table.count(), ids=item_id.count(), distinct=item_id.nunique(), blank=item_id.isnull().sum()
    )
    (counts,) = counted.to_pyarrow().to_pylist()
    column = config.columns.item_id
    if not counts["rows"]:
        return [Finding(raw.where, "", "there is no item", 0, "export it again, or leave [items] out", "stop")]
    missing = Finding(raw.where, column, "no item", counts["blank"], "fill it in; the rows are left out", "warn")
    twice = counts["ids"] - counts["distinct"]
    repeated = Finding(raw.where, column, "an item listed before", twice, "keep one; the first row counts", "warn")
    return [finding for finding in (missing, repeated) if finding.count]


def _counted(typed: Table, checks: Sequence[Check]) -> dict[str, int]:
    """All counts in one pass."""
    measures = {"rows": typed.count()}
    for check in checks:
        measures[f"problem_{check.bit}"] = ((typed.problems & check.bit) != 0).sum().fill_null(0)
    for name in (one for one in IDS if one in typed.columns):
        measures[f"with_{name}"] = typed[name].count()
        measures[f"float_{name}"] = typed[name].re_search(FLOAT_ID).sum().fill_null(0)
    if "currency" in typed.columns:
        measures |= {"first_currency": typed.currency.min(), "last_currency": typed.currency.max()}
    (counts,) = typed.aggregate(**measures).to_pyarrow().to_pylist()
    return dict(counts)


def _unusable(raw: RawTable, typed: Table, config: OrdersConfig, check: Check, count: int) -> Finding:
    column = _users_column(raw, config, check.field)
    severity: Literal["stop", "warn"] = "stop" if config.bad_rows == "stop" else "warn"
    fix = f'{check.fix}; or set orders.bad_rows = "skip" to leave such rows out' if severity == "stop" else check.fix
    return _with_places(raw, typed, check.bit, Finding(raw.where, column, check.problem, count, fix, severity))


def _with_places(raw: RawTable, typed: Table, bit: int, finding: Finding) -> Finding:
    """The same with the first rows it concerns, and what stands there."""
    if not finding.count:
        return finding
    marked = typed.filter((typed.problems & bit) != 0).order_by("source_row").limit(ROWS_SHOWN)
    rows = marked.select("source_row").to_pyarrow()["source_row"].to_pylist()
    shown = tuple(row + raw.first_row for row in rows)
    return replace(finding, rows=shown, examples=_examples(raw, finding.column, rows))


def _users_column(raw: RawTable, config: OrdersConfig, field: str) -> str:
    if field != "amount":
        return str(getattr(config.columns, field))
    return config.columns.line_total if "line_total" in present(raw, config.columns) else config.columns.unit_price


def _examples(raw: RawTable, column: str, rows: list[int]) -> tuple[str, ...]:
    """Different values of a raw column in the given rows, shortened; none where there is no such column."""
    if column not in raw.table.columns:
        return ()
    numbered = raw.table.select(value=raw.table[column].cast("string"), source_row=ibis.row_number())
    found = numbered.filter(numbered.source_row.isin(rows)).order_by("source_row").to_pyarrow()["value"].to_pylist()
    return tuple(dict.fromkeys(value[:LONGEST_EXAMPLE] for value in found if value))[:3]


def _float_ids(raw: RawTable, config: OrdersConfig, field: str, counts: dict[str, int]) -> Finding:
    column = str(getattr(config.columns, field))
    problem = "an id that went through a number (it ends in .0)"
    return Finding(raw.where, column, problem, counts[f"with_{field}"], "export ids as text; the .0 is dropped", "warn")


def _mixed_currencies(raw: RawTable, typed: Table, config: OrdersConfig) -> Finding:
    sizes = typed.filter(typed.currency.notnull()).group_by("currency").agg(rows=ibis._.count())
    found = sizes.order_by(ibis.desc("rows"), "currency").limit(ROWS_SHOWN).to_pyarrow().to_pylist()
    others = sum(one["rows"] for one in found[1:])
    examples = tuple(f"{one['currency']} in {one['rows']} rows" for one in found)
    fix = "convert the amounts to one currency, or train on one currency at a time"
    problem = "money in another currency than the rest"
    return Finding(raw.where, config.columns.currency, problem, others, fix, "stop", (), examples)

"""A small shop to write down in a test: order lines in, the tables of a cut-off out."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from training.config import TrainingConfig, load_config
from training.session import open_session
from training.tables import Prepared, load_tables, prepare

HEADER = ("order_id", "customer_id", "item_id", "ordered_at", "quantity", "unit_price")
EPOCH = date(1970, 1, 1)
LATER = "2030-01-01"


def day(text: str) -> int:
    return (date.fromisoformat(text) - EPOCH).days


def write_csv(path: Path, rows: Sequence[Sequence[object]], header: Sequence[str] = HEADER) -> Path:
    with path.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([header, *rows])
    return path


def config_of(folder: Path, toml: str = "", **overrides: Any) -> TrainingConfig:
    file = folder / "shop.toml"
    defaults = '[orders]\npath = "orders*.csv"\n' if "[orders]" not in toml else ""
    file.write_text(toml + "\n" + defaults, encoding="utf-8")
    return load_config(file, {key.replace("__", "."): value for key, value in overrides.items()})


@contextmanager
def prepared(config: TrainingConfig, as_of: str = LATER) -> Iterator[Prepared]:
    with open_session(config) as session:
        yield prepare(load_tables(session, config), day(as_of))


def prepare_rows(
    folder: Path, rows: Sequence[Sequence[object]], as_of: str = LATER, toml: str = ""
) -> Mapping[str, Any]:
    """What is known before `as_of`, as plain Python: ids, items, record lines by id, counts by rule."""
    write_csv(folder / "orders.csv", rows)
    with prepared(config_of(folder, toml), as_of) as found:
        return plain(found)


def plain(found: Prepared) -> dict[str, Any]:
    items = found.items.to_pylist()
    lines = found.record_lines.to_pyarrow().to_pylist()
    report = found.report
    return {
        "customers": list(found.customer_ids),
        "items": {item["item_id"]: item for item in items},
        "lines": [
            (
                found.customer_ids[line["customer_row"]],
                line["day"],
                None if line["item_row"] is None else items[line["item_row"]]["item_id"],
                line["quantity"],
                line["amount"],
            )
            for line in lines
        ],
        "report": report,
        "rows": {count.rule: count.rows for count in (*report.dropped, *report.notes) if count.rows},
    }

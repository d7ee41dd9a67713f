"""Files of campaigns: reports as a page, a table or JSON; the key of a webhook, and what it would not take."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import orjson
import pyarrow as pa

from recsvc.bundle.store import replace_file
from recsvc.campaigns.outcomes import Window
from recsvc.campaigns.report import Part, Report
from recsvc.campaigns.report_page import render
from recsvc.cli.files import write_tables
from recsvc.errors import DataError
from recsvc.store.campaigns import Launch

MIN_SECRET = 16  # bytes
SCHEMA = pa.schema(
    [
        ("campaign_id", pa.string()),
        ("by", pa.string()),
        ("name", pa.string()),
        ("contacted", pa.int64()),
        ("contacted_returned", pa.int64()),
        ("held_out", pa.int64()),
        ("held_out_returned", pa.int64()),
        ("lift", pa.float64()),
        ("lift_low", pa.float64()),
        ("lift_high", pa.float64()),
    ]
)


def write_report(path: Path, launch: Launch, report: Report, window: Window, currency: str | None) -> None:
    """Write a report in the kind of file that the ending names.

    Raises
    ------
    DataError
        If the ending is not one we write, or the folder cannot be written to.
    """
    if path.suffix == ".csv":
        everybody = Part("all", "all", "everybody", report.contacted, report.held_out, report.lift)
        rows = [_row(launch, part) for part in (everybody, *report.parts)]
        write_tables(path, SCHEMA, [pa.Table.from_pylist(rows, SCHEMA)])
        return
    if path.suffix not in (".html", ".json"):
        raise DataError(str(path), "is a kind of file we do not write", "end it in .html, .csv or .json")
    json = orjson.dumps(asdict(report), option=orjson.OPT_INDENT_2).decode() if path.suffix == ".json" else None
    try:
        replace_file(path, json or render(launch, report, window, currency))
    except OSError as error:
        raise DataError(str(path), f"cannot be written ({error.strerror})", "name another place") from error


def read_secret(path: Path) -> bytes:
    """Key of the signature, without the white space around it.

    Raises
    ------
    DataError
        If the file cannot be read, or holds fewer than 16 bytes.
    """
    fix = "write one: python -c 'import secrets; print(secrets.token_hex(32))' > hook.key"
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise DataError(str(path), f"cannot be read ({error.strerror})", fix) from error
    if len(secret) < MIN_SECRET:
        raise DataError(str(path), f"holds fewer than {MIN_SECRET} bytes", fix)
    return secret


def append_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Add rows to a file of JSON lines that only its owner may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        file.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _row(launch: Launch, part: Part) -> dict[str, object]:
    control, lift = part.held_out, part.lift
    return {
        "campaign_id": launch.name,
        "by": part.by,
        "name": part.name,
        "contacted": part.contacted.customers,
        "contacted_returned": part.contacted.returned,
        "held_out": control and control.customers,
        "held_out_returned": control and control.returned,
        "lift": lift and lift.value,
        "lift_low": lift and lift.low,
        "lift_high": lift and lift.high,
    }

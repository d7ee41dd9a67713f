"""What most commands share: their options, and JSON on standard output."""

from __future__ import annotations

import click
import orjson

with_artifacts = click.option("--artifacts", metavar="FOLDER", help="Folder of the bundles [RECSVC_ARTIFACTS].")
as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


def write_json(value: object) -> None:
    """Write a value to standard output as readable JSON."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))

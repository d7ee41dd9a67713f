"""Entry point of the script `recsvc`: on a machine without OpenMP it says so, instead of failing at an import."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

NO_OPENMP = "error: the system's OpenMP library libgomp.so.1 is missing; install it with: apt-get install libgomp1"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program, or exit 2."""
    try:
        from recsvc.cli.main import main as program

        program(arguments)
    except OSError as error:  # what LightGBM lets the loader say
        if "libgomp" not in str(error):
            raise
        click.echo(NO_OPENMP, err=True)
        sys.exit(2)

"""The program `recsvc-train`: thin; every command is one call into the packages."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

NEEDED = ("implicit", "ibis", "duckdb")
MISSING = "error: recsvc-train needs the training extra; install it with: pip install 'recsvc[train]'"
NO_OPENMP = "error: the system's OpenMP library libgomp.so.1 is missing; install it with: apt-get install libgomp1"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program; without the training extra, say how to get it and exit 2."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read at import: who waits leaves the processor to others
    try:
        from training.commands import program
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in NEEDED:
            raise
        click.echo(MISSING, err=True)
        sys.exit(2)
    except (ImportError, OSError) as error:
        if "libgomp" not in str(error):
            raise
        click.echo(NO_OPENMP, err=True)
        sys.exit(2)
    program(arguments)

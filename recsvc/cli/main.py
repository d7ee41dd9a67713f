"""The program `recsvc`: wires the command groups, and turns errors into one line and an exit code.

Exit codes: 0 success, 2 the caller's mistake (what, where, how to mend), 1 ours.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
from threadpoolctl import threadpool_limits

from recsvc.cli.batch import batch
from recsvc.cli.bundles import bundles
from recsvc.cli.campaign import campaign
from recsvc.cli.coupons import coupons
from recsvc.cli.customers import customers
from recsvc.cli.events import events
from recsvc.cli.keys import keys
from recsvc.cli.observability import observability
from recsvc.cli.privacy import privacy
from recsvc.cli.recommend import recommend
from recsvc.cli.serve import serve
from recsvc.errors import RecsvcError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Win-back recommendations: serve them, look at them, write them to files."""


for command in (serve, recommend, batch, customers, campaign, coupons, bundles, keys, events, privacy, observability):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program; the entry point of the installed script."""
    run(cli, arguments)


def run(program: click.Group, arguments: Sequence[str] | None) -> None:
    """Run a click program the way both our programs end: one line on standard error, and a stable exit code."""
    try:
        with threadpool_limits(1):  # native threads cost more than they give on matrices this small
            program.main(arguments, standalone_mode=False)
    except RecsvcError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)

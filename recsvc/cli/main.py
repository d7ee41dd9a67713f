"""The program `recsvc`: wires the command groups, and turns errors into one line and an exit code.

Exit codes: 0 success, 2 the caller's mistake (what, where, how to mend), 1 ours.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
from threadpoolctl import threadpool_limits

from recsvc.cli.late import Late, LateGroup
from recsvc.errors import RecsvcError

COMMANDS = {
    "serve": Late("recsvc.cli.serve", "Serve recommendations over HTTP until told to stop."),
    "recommend": Late("recsvc.cli.recommend", "Recommend products to one customer, with the reasons."),
    "batch": Late("recsvc.cli.batch", "Write slates for a file of customers, one row an item."),
    "customers": Late("recsvc.cli.customers", "Write one row a customer: state, value, risk, taste."),
    "campaign": Late("recsvc.cli.campaign", "Plan, launch, export and measure win-back campaigns."),
    "coupons": Late("recsvc.cli.coupons", "Pools of coupon codes: each goes to one customer."),
    "kpi": Late("recsvc.cli.kpi", "Show how the shop keeps its customers."),
    "bundles": Late("recsvc.cli.bundles", "List, check, activate and remove trained bundles."),
    "keys": Late("recsvc.cli.keys", "Make, list and revoke API keys."),
    "events": Late("recsvc.cli.events", "Export live events for the next training, or import them."),
    "privacy": Late("recsvc.cli.privacy", "Show what is held about a person, or erase it."),
    "observability": Late("recsvc.cli.observability", "Print where the Grafana dashboard and the alert rules are."),
}


@click.group(cls=LateGroup, late=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def cli(context: click.Context) -> None:
    """Win-back recommendations: serve them, look at them, write them to files."""
    # The command is imported by now; native threads cost more than they give on matrices this small.
    context.with_resource(threadpool_limits(1))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program: what is wrong is one line on standard error, and a stable exit code."""
    try:
        cli.main(arguments, standalone_mode=False)
    except RecsvcError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)

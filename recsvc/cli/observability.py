"""`recsvc observability`: where the dashboard and the alert rules lie."""

from __future__ import annotations

import click

from recsvc.observability import ALERTS, DASHBOARD


@click.command(epilog="Example: recsvc observability")
def observability() -> None:
    """Print the paths of the Grafana dashboard to import and the Prometheus alert rules to load."""
    click.echo(f"dashboard {DASHBOARD}")
    click.echo(f"alerts    {ALERTS}")

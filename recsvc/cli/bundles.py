"""`recsvc bundles`: what is there, what is live, and changing that."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from recsvc.bundle.remote import RemoteBundles
from recsvc.bundle.store import BundleFolder
from recsvc.cli.options import as_json, with_artifacts, write_json
from recsvc.cli.stores import bundle_store


@click.group()
def bundles() -> None:
    """List, check, activate and remove trained bundles."""


@bundles.command("list", epilog="Example: recsvc bundles list --json")
@with_artifacts
@as_json
def list_bundles(artifacts: str | None, as_json: bool) -> None:
    """List the bundles, oldest first."""
    store = bundle_store(artifacts)
    live = store.current_id()
    rows = [_summary(bundle, live) for bundle in store.bundles()]
    if as_json:
        write_json(rows)
        return
    table = Table()
    for heading in rows[0] if rows else ["no bundle yet: run `recsvc-train fit`"]:
        table.add_column(heading, no_wrap=heading == "bundle_id")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)


@bundles.command(epilog="Example: recsvc bundles show 20180101-0123456789ab")
@click.argument("bundle_id", required=False)
@with_artifacts
def show(bundle_id: str | None, artifacts: str | None) -> None:
    """Show the manifest of a bundle, the live one when none is named."""
    store = bundle_store(artifacts)
    bundle = store.get(bundle_id) if bundle_id else store.current()
    write_json(bundle.manifest.model_dump(mode="json"))


@bundles.command(epilog="Example: recsvc bundles verify")
@click.argument("bundle_id", required=False)
@with_artifacts
def verify(bundle_id: str | None, artifacts: str | None) -> None:
    """Compare every file of a bundle with its digest."""
    store = bundle_store(artifacts)
    checked = store.verify(bundle_id or store.current().manifest.bundle_id)
    click.echo(f"{checked.manifest.bundle_id} is whole: {len(checked.manifest.files)} files")


@bundles.command(epilog="Example: recsvc bundles activate 20180101-0123456789ab")
@click.argument("bundle_id")
@with_artifacts
def activate(bundle_id: str, artifacts: str | None) -> None:
    """Verify a bundle and make it live; running services take it up within a second."""
    click.echo(f"live: {bundle_store(artifacts).activate(bundle_id).manifest.bundle_id}")


@bundles.command(epilog="Example: recsvc bundles publish 20180101-0123456789ab --to s3://bucket/bundles")
@click.argument("bundle_id")
@click.option("--to", "url", required=True, help="Where services look (RECSVC_ARTIFACTS), as fsspec writes it.")
@with_artifacts
def publish(bundle_id: str, url: str, artifacts: str | None) -> None:
    """Copy a bundle to an object store and make it live there, whatever was published meanwhile."""
    remote = RemoteBundles(url)
    publication = remote.publish(bundle_store(artifacts).verify(bundle_id), remote.latest().number)
    click.echo(f"live at {url}: {bundle_id}, publication {publication.number}")


@bundles.command(epilog="Example: recsvc bundles rollback")
@with_artifacts
def rollback(artifacts: str | None) -> None:
    """Make the bundle live that was live before."""
    click.echo(f"live: {bundle_store(artifacts).rollback().manifest.bundle_id}")


@bundles.command(epilog="Example: recsvc bundles prune --keep 3")
@click.option("--keep", default=3, show_default=True, type=click.IntRange(1), help="How many that were ever live stay.")
@with_artifacts
def prune(keep: int, artifacts: str | None) -> None:
    """Delete old bundles; the live one always stays."""
    for bundle_id in bundle_store(artifacts).prune(keep):
        click.echo(f"deleted {bundle_id}")


def _summary(bundle: BundleFolder, live: str | None) -> dict[str, object]:
    manifest = bundle.manifest
    return {
        "bundle_id": manifest.bundle_id,
        "live": manifest.bundle_id == live,
        "as_of": f"{manifest.as_of:%Y-%m-%d}",
        "created_at": f"{manifest.created_at:%Y-%m-%d %H:%M:%S}",
        "customers": manifest.shapes.customers,
        "catalogue": manifest.shapes.catalogue,
        "gate": "forced" if manifest.verdict.forced else "passed" if manifest.verdict.passed else "refused",
    }

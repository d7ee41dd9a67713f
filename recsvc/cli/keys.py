"""`recsvc keys`: make, list and revoke API keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import click

from recsvc.cli.options import as_json, with_artifacts, write_json
from recsvc.settings import load_settings
from recsvc.store.engine import open_store
from recsvc.store.keys import SCOPES, ApiKey, KeyStore


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command(epilog="Example: recsvc keys create --name storefront --scope read")
@click.option("--name", required=True, help="Who will use it.")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES), help="May be repeated.")
@with_artifacts
@as_json
def create(name: str, scopes: tuple[str, ...], artifacts: str | None, as_json: bool) -> None:
    """Make a key and show it, this once: only its hash is kept."""
    plaintext, key = _store(artifacts).create(name, scopes, created_at=datetime.now(UTC))
    if as_json:
        write_json({"key": plaintext, **_shown(key)})
        return
    click.echo(plaintext)
    click.echo(f"id {key.key_id}; it cannot be shown again", err=True)


@keys.command("list", epilog="Example: recsvc keys list --json")
@with_artifacts
@as_json
def list_keys(artifacts: str | None, as_json: bool) -> None:
    """List the keys ever made, without their secrets."""
    stored = _store(artifacts).list()
    if as_json:
        write_json([_shown(key) for key in stored])
        return
    for key in stored:
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "works"
        scopes = ",".join(sorted(key.scopes))
        click.echo(f"{key.key_id}  {key.created_at:%Y-%m-%d}  {state:18}  {scopes:10}  {key.name}")


@keys.command(epilog="Example: recsvc keys revoke 0123456789ab")
@click.argument("key_id")
@with_artifacts
def revoke(key_id: str, artifacts: str | None) -> None:
    """End a key; running services refuse it within five seconds."""
    _store(artifacts).revoke(key_id, revoked_at=datetime.now(UTC))
    click.echo(f"revoked {key_id}")


def _store(artifacts: str | None) -> KeyStore:
    return KeyStore(open_store(load_settings(artifacts=artifacts).live_store_url))


def _shown(key: ApiKey) -> Mapping[str, object]:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }

"""`recsvc campaign`: plan, launch, look at, export, close and report on win-back campaigns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import track

from recsvc.campaigns.campaign_file import campaign_of, load_campaign, with_measured_lifts
from recsvc.campaigns.exporting import PRESETS, Gate, Preset, schema_of, tables, without_formulas
from recsvc.campaigns.gathering import contact_facts, gather
from recsvc.campaigns.history import CONTACTS, contact_tables
from recsvc.campaigns.launching import Stores, expected_json, launch, parts_of
from recsvc.campaigns.planning import Plan, plan
from recsvc.campaigns.pushing import Pusher
from recsvc.campaigns.reporting import measure_window, report_of
from recsvc.campaigns.webhook import post, target_of
from recsvc.cli.campaign_files import append_rows, read_secret, write_report
from recsvc.cli.campaign_tables import show_campaigns, show_plan, show_report
from recsvc.cli.files import write_tables
from recsvc.cli.opening import live_recommender
from recsvc.cli.options import as_json, with_artifacts, write_json
from recsvc.cli.stores import live_engine
from recsvc.errors import ConfigError
from recsvc.serving.recommender import Recommender
from recsvc.serving.uplift import read_offer_lifts
from recsvc.settings import load_settings
from recsvc.store.campaigns import CampaignStore, Launch
from recsvc.store.coupons import CouponStore
from recsvc.store.events import EventStore

Command = TypeVar("Command", bound=Callable[..., None])


def _with_file(command: Command) -> Command:
    return click.argument("file", type=click.Path(path_type=Path))(command)


@click.group()
def campaign() -> None:
    """Win-back campaigns: whom to contact, with which offer, where and when, and whether it worked."""


@campaign.command("plan", epilog="Example: recsvc campaign plan spring.toml")
@_with_file
@with_artifacts
@as_json
def plan_campaign(file: Path, artifacts: str | None, as_json: bool) -> None:
    """Show whom the campaign in FILE would contact and what to expect of it. Nothing is stored or sent."""
    made, recommender = _planned(file, artifacts)
    if as_json:
        write_json(expected_json(made))
    else:
        show_plan(made, recommender.bundle)


@campaign.command("launch", epilog="Example: recsvc campaign launch spring.toml")
@_with_file
@with_artifacts
@as_json
def launch_campaign(file: Path, artifacts: str | None, as_json: bool) -> None:
    """Carry the plan out: draw lots and codes, make everybody's slate, store it all. Sending is for `export`."""
    made, recommender = _planned(file, artifacts)
    engine, now = live_engine(artifacts), datetime.now(UTC)
    console = Console(stderr=True)
    parts = track(parts_of(made), "slates", console=console, disable=not console.is_terminal)
    stores = Stores(CampaignStore(engine), CouponStore(engine))
    launched = launch(made, recommender, stores, parts, now=now)
    if as_json:
        write_json({"name": launched.name, **expected_json(made)})
        return
    expected = made.expected
    click.echo(f"launched {launched.name}: {expected.contacted} to contact, {expected.held_out} held out")
    used = {offer.coupons for offer in made.campaign.offers}
    for pool in stores.coupons.pools():
        if pool.name in used and pool.left < expected.contacted:
            click.echo(f"coupon pool {pool.name} has {pool.left} codes left: add some before the next one", err=True)


@campaign.command("show", epilog="Example: recsvc campaign show spring-2026")
@click.argument("name", required=False)
@with_artifacts
@as_json
def show(name: str | None, artifacts: str | None, as_json: bool) -> None:
    """List launched campaigns, or one with what was expected of it."""
    store = CampaignStore(live_engine(artifacts))
    found = store.all() if name is None else [store.get(name)]
    if as_json:
        write_json([asdict(one) for one in found])
    else:
        show_campaigns(found, now=datetime.now(UTC), whole=name is not None)


@campaign.command("export", epilog="Example: recsvc campaign export spring-2026 --channel email --out spring.csv")
@click.argument("name")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write: .csv, .jsonl or .parquet.")
@click.option("--channel", help="Only messages on this channel.")
@click.option("--preset", type=click.Choice(PRESETS), default="plain", help="Name columns as a tool imports them.")
@with_artifacts
def export(name: str, out: Path, channel: str | None, preset: Preset, artifacts: str | None) -> None:
    """Write one row a customer to contact; who unsubscribed, complained or bought since the launch is left out."""
    store = CampaignStore(live_engine(artifacts))
    launched = _sendable(store, name)
    campaign, gate = campaign_of(launched), _gate(store, launched, channel)
    made = tables(launched, store.members(name), gate, preset)
    if out.suffix == ".csv":
        made = map(without_formulas, made)
    rows = write_tables(out, schema_of(campaign, preset), made)
    click.echo(f"wrote {rows} messages to {out}")
    _tell_left_out(gate)


@campaign.command(
    "push", epilog="Example: recsvc campaign push spring --url https://mail.example/hook --secret hook.key"
)
@click.argument("name")
@click.option("--url", required=True, help="Where to; its host must be in RECSVC_WEBHOOK_HOSTS.")
@click.option("--secret", required=True, type=click.Path(path_type=Path), help="File with the key of the signature.")
@click.option("--channel", help="Only messages on this channel.")
@click.option("--dead-letters", type=click.Path(path_type=Path), default=Path("dead-letters.jsonl"), show_default=True)
@with_artifacts
def push(name: str, url: str, secret: Path, channel: str | None, dead_letters: Path, artifacts: str | None) -> None:
    """Send messages to a webhook, signed; what it took before is not sent again, what it refuses is kept in a file."""
    target = target_of(url, load_settings(artifacts=artifacts).webhook_hosts.replace(" ", "").split(","))
    store = CampaignStore(live_engine(artifacts))
    launched = _sendable(store, name)
    gate = _gate(store, launched, channel)
    pusher = Pusher(
        store=store,
        secret=read_secret(secret),
        send=partial(post, target),
        pause=time.sleep,
        clock=partial(datetime.now, UTC),
        keep=partial(append_rows, dead_letters),
    )
    result = pusher.push(launched, gate)
    click.echo(f"taken {result.taken}, taken before {result.before}, failed {result.failed}")
    _tell_left_out(gate)
    if result.failed:
        raise click.ClickException(
            f"the last refusal was {result.said}; the messages are in {dead_letters}: push again"
        )


@campaign.command("history", epilog="Example: recsvc campaign history --out contacts.parquet")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write: .parquet, .csv or .jsonl.")
@with_artifacts
def history(out: Path, artifacts: str | None) -> None:
    """Write who was contacted and who was held out, as a table of contacts: the next training learns from it."""
    store = CampaignStore(live_engine(artifacts))
    rows = write_tables(out, CONTACTS, contact_tables(store))
    click.echo(f"wrote {rows} contacts and hold-outs to {out}")


@campaign.command("close", epilog="Example: recsvc campaign close spring-2026")
@click.argument("name")
@with_artifacts
def close(name: str, artifacts: str | None) -> None:
    """End a campaign: it is shown and exported no longer, and still reported on."""
    store = CampaignStore(live_engine(artifacts))
    store.get(name)
    store.close(name, at=datetime.now(UTC))
    click.echo(f"closed {name}")


@campaign.command("report", epilog="Example: recsvc campaign report spring-2026")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="File to write besides: .html, .csv or .json.")
@with_artifacts
@as_json
def report(name: str, out: Path | None, artifacts: str | None, as_json: bool) -> None:
    """Say what a campaign brought about: contacted against held out, as assigned."""
    recommender, engine = live_recommender(artifacts), live_engine(artifacts)
    store, now = CampaignStore(engine), datetime.now(UTC)
    launched = store.get(name)
    found = report_of(launched, recommender.bundle, recommender.live, store.members(name), EventStore(engine), now)
    if out is not None:
        window = measure_window(launched, recommender.bundle, now)
        write_report(out, launched, found, window, recommender.bundle.manifest.currency)
    if as_json:
        write_json(asdict(found))
    else:
        show_report(launched, found, recommender.bundle.manifest.currency)


def _sendable(store: CampaignStore, name: str) -> Launch:
    """Launched campaign that may still be sent."""
    launched = store.get(name)
    if launched.closed_at is not None:
        raise click.ClickException(f"campaign {name} was closed: nothing of it may be sent any more")
    return launched


def _gate(store: CampaignStore, launched: Launch, channel: str | None) -> Gate:
    """Leaves out whoever did something since the launch that speaks against a message."""
    since, campaign = launched.launched_at or launched.begun_at, campaign_of(launched)
    if channel is not None and channel not in campaign.channels:
        raise ConfigError("channel", f"{launched.name} has no {channel}", f"it has {', '.join(campaign.channels)}")
    return Gate(contact_facts(EventStore(store.engine), store, campaign, since, since), channel)


def _tell_left_out(gate: Gate) -> None:
    for reason, count in sorted(gate.left_out.items()):
        click.echo(f"left out, {reason.replace('_', ' ')}: {count}", err=True)


def _planned(file: Path, artifacts: str | None) -> tuple[Plan, Recommender]:
    recommender, engine = live_recommender(artifacts), live_engine(artifacts)
    asked = with_measured_lifts(load_campaign(file), read_offer_lifts(recommender.bundle))
    facts = contact_facts(EventStore(engine), CampaignStore(engine), asked, recommender.as_of)
    holdout = load_settings(artifacts=artifacts).global_holdout
    found = gather(recommender.bundle, recommender.live, asked, facts, holdout)
    return plan(asked, found, recommender.bundle.models.economics.margin), recommender

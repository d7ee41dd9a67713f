"""Training learns from lots what contacts add, says since when, and plans go by it; too little teaches nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from recsvc.bundle.reader import Bundle, open_bundle
from recsvc.campaigns.campaign_file import Campaign, with_measured_lifts
from recsvc.campaigns.economics import Prospects, economics
from recsvc.campaigns.gathering import ContactFacts, gather
from recsvc.campaigns.history import contact_tables
from recsvc.domain.documents import checked
from recsvc.serving.live_data import NoLiveData
from recsvc.serving.uplift import read_learned, uplift_of
from recsvc.store.campaigns import CampaignStore, Launch, Member
from recsvc.store.engine import open_store
from tests.campaigns.conftest import BASIC
from tests.trained import Trained, train, write_shop
from training.contact_lots import learn_from_contacts, offer_lifts
from training.synth import SynthSize
from training.synth_effects import LATELY_DAYS, OFTEN, RARELY, SILENT_DAYS
from training.transactions import RECIPES

SHOP = SynthSize(customers=2_000, items=40, lines=45_000, seed=3, campaigns=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lots")


@pytest.fixture(scope="module")
def shop(folder: Path) -> Trained:
    return train(write_shop(folder, SHOP), folder / "artifacts")


@pytest.fixture(scope="module")
def bundle(shop: Trained) -> Bundle:
    return open_bundle(shop.store.current())


def test_the_truth_written_beside_a_shop_is_what_its_lots_show(folder: Path, shop: Trained) -> None:
    read = {
        name: pd.concat(map(pd.read_parquet, sorted((folder / name).glob("*.parquet"))))
        for name in ("orders", "contacts", "truth")
    }
    bought = read["orders"][read["orders"].quantity > 0].astype({"customer_id": str})
    lots = read["contacts"].merge(read["truth"], on=["customer_id", "campaign_id"])

    found = []
    for (kind, _), some in lots.groupby(["kind", "campaign_id"]):
        at = some.sent_at.iloc[0]
        within = bought[(bought.ordered_at >= at) & (bought.ordered_at < at + pd.Timedelta(days=60))]
        back = some.customer_id.isin(within.customer_id)
        lift = back[~some.held_out].mean() - back[some.held_out].mean()
        found.append((kind, len(some), lift, some.uplift.mean()))
    table = pd.DataFrame(found, columns=["kind", "n", "lift", "uplift"])
    for _, rows in table.groupby("kind"):
        shown, truth = (np.average(rows[name], weights=rows.n) for name in ("lift", "uplift"))
        assert shown == pytest.approx(truth, abs=0.035)


def test_what_contacts_add_is_learned_and_told(bundle: Bundle, shop: Trained) -> None:
    learned = read_learned(bundle)

    assert learned is not None
    assert (learned.campaigns, learned.first_on, learned.last_on) == (10, "2024-08-28", "2025-10-07")
    assert learned.qini[learned.model.learner] > 0.005
    assert "learned from" in learned.in_words()

    everybody = bundle.customer_table.to_pandas()
    histories, _ = bundle.customers.get_many(everybody.customer_id.tolist())
    uplift = uplift_of(learned.model, histories, bundle)
    silent = everybody.days_since_last_purchase
    persuadable = (everybody.orders >= OFTEN) & silent.between(SILENT_DAYS, LATELY_DAYS)
    dogs = (everybody.orders <= RARELY) & (silent >= SILENT_DAYS)
    assert uplift[persuadable].mean() > 0.12
    assert uplift[dogs].mean() < 0.0


def test_a_plan_contacts_whom_it_changes(bundle: Bundle) -> None:
    campaign = checked(Campaign, {**BASIC, "audience": "days_since_last_purchase >= 30"}, "a campaign")

    found = gather(bundle, NoLiveData(), campaign, ContactFacts(), 0.0)

    uplift = found.prospects.uplift
    assert uplift is not None
    table = economics(found.prospects, campaign, margin=0.5)
    assert (table.profit[uplift < 0] < 0).all()  # nobody is paid to stay away
    changed = table.extra_returns[uplift > 0].sum(axis=0)
    assert changed[1] > changed[0] > 0  # offers differ as the file says


def test_uplift_never_takes_a_chance_out_of_its_bounds() -> None:
    campaign = checked(Campaign, BASIC, "a campaign")
    two = np.ones(2)
    prospects = Prospects(np.array([0.9, 0.1]), two, two, two, uplift=np.array([0.8, -0.9]))

    found = economics(prospects, campaign, margin=0.5)

    assert ((found.returns >= 0) & (found.returns <= 1)).all()


def test_an_offer_drawn_by_lot_is_seen_to_do_what_contacts_do(folder: Path, bundle: Bundle) -> None:
    """Here all contacts do the same, so two offers given by lot have one lift: that of the lots' truth."""
    read = {
        name: pd.concat(map(pd.read_parquet, sorted((folder / name).glob("*.parquet"))))
        for name in ("contacts", "truth")
    }
    lots = read["contacts"].merge(read["truth"], on=["customer_id", "campaign_id"])
    dice = np.random.default_rng(1).random(len(lots))
    offer = np.where(lots.held_out | (dice < 0.2), None, np.where(dice < 0.6, "ten", "reminder"))
    day = (lots.sent_at - pd.Timestamp(0)).dt.days
    contacts = pa.Table.from_pandas(lots.assign(day=day, offer_by_lot=offer), preserve_index=False)
    everybody = bundle.customer_table["customer_id"].to_pylist()
    histories, _ = bundle.customers.get_many(everybody)

    found = offer_lifts(histories, contacts, 60, bundle.items.as_of_day)

    assert set(found) == {"ten", "reminder"}
    for lift in found.values():
        assert lift.customers > 1_000
        assert abs(lift.lift - lots.uplift.mean() / 0.75) < 4 * lift.error + 0.02
    campaign = with_measured_lifts(checked(Campaign, BASIC, "a campaign"), found)
    stated = {offer["name"]: offer["lift"] for offer in BASIC["offers"]}  # type: ignore[attr-defined, index]
    for one in campaign.offers:
        low, high = sorted([stated[one.name], found[one.name].lift])
        assert low <= one.lift <= max(high, 0)


@pytest.mark.parametrize("held_out", [[False] * 40, [True] * 40])
def test_campaigns_without_two_arms_teach_nothing(bundle: Bundle, held_out: list[bool]) -> None:
    ids = bundle.customer_table["customer_id"].slice(0, 40).to_pylist()
    histories, _ = bundle.customers.get_many(ids)
    day = bundle.items.as_of_day
    contacts = pa.table({"customer_id": ids, "campaign_id": ["K"] * 40, "day": [day - 100] * 40, "held_out": held_out})

    assert learn_from_contacts(histories, contacts, bundle.models.thresholds, 60, day, RECIPES["mbg_nbd"]) is None


def test_a_shop_without_lots_has_learned_nothing(trained: Trained) -> None:
    assert read_learned(open_bundle(trained.store.current())) is None


def test_launched_campaigns_are_a_table_of_contacts(tmp_path: Path) -> None:
    campaign = checked(Campaign, BASIC, "a campaign")
    at = datetime(2026, 1, 5, tzinfo=UTC)
    engine = open_store(f"sqlite:///{tmp_path / 'live.sqlite'}")
    store = CampaignStore(engine)
    store.begin(Launch("spring", "b", {"campaign": campaign.model_dump(mode="json")}, at, at, at))
    store.add(
        "spring",
        [
            Member("7", "contacted", "high_lost", "ten", "sms", at, "s"),
            Member("8", "held_out", "high_lost", "ten"),
            Member("9", "explored", "high_lost", "ten", "email", at, "t"),
        ],
    )
    store.launch("spring", at=at)

    rows = pa.concat_tables(contact_tables(store)).to_pylist()
    engine.dispose()

    names = ("customer_id", "channel", "cost", "held_out", "offer_by_lot")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("7", "sms", 0.05, False, None),
        ("8", None, 0.0, True, None),
        ("9", "email", 0.02, False, "ten"),
    ]
    assert {row["sent_at"] for row in rows} == {at.isoformat()}

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from recsvc.campaigns.campaign_file import Campaign
from recsvc.campaigns.exporting import Gate, schema_of, tables, without_formulas
from recsvc.campaigns.gathering import ContactFacts, contact_facts, gather
from recsvc.campaigns.launching import Stores, launch, parts_of
from recsvc.campaigns.messages import SMS
from recsvc.campaigns.planning import HELD_OUT, Plan, plan
from recsvc.cli.files import write_tables
from recsvc.errors import ConfigError
from recsvc.serving.live_data import NoLiveData
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Query
from recsvc.store.campaigns import CampaignStore, Member
from recsvc.store.coupons import CouponStore, PoolExhausted
from recsvc.store.events import Event, EventStore

NOW = datetime(2026, 1, 4, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=3)


@pytest.fixture
def stores(engine: sa.Engine) -> Stores:
    return Stores(CampaignStore(engine), CouponStore(engine))


@pytest.fixture
def made(recommender: Recommender, campaign_with: Callable[..., Campaign]) -> Plan:
    campaign = campaign_with(audience="win_back_rank <= 60")
    return plan(campaign, gather(recommender.bundle, NoLiveData(), campaign, ContactFacts(), 0.1), margin=0.5)


@pytest.fixture
def launched(made: Plan, recommender: Recommender, stores: Stores) -> list[Member]:
    stores.coupons.generate("spring10", 100)
    launch(made, recommender, stores, parts_of(made), now=NOW)
    return members_of(stores)


def members_of(stores: Stores, name: str = "spring") -> list[Member]:
    return [member for part in stores.campaigns.members(name) for member in part]


def test_everybody_chosen_is_stored_with_their_arm_and_who_is_held_out_without_a_message(
    made: Plan, launched: list[Member]
) -> None:
    assert len(launched) == len(made.rows)
    arms = Counter(member.arm for member in launched)
    assert arms["held_out"] == int((made.arm == HELD_OUT).sum()) > 0
    for member in launched:
        assert (member.slate_id is None) == (member.arm == "held_out") == ("products" not in member.details)


def test_a_message_holds_the_slate_of_its_customer_and_an_offer_for_its_products(
    launched: list[Member], recommender: Recommender
) -> None:
    member = next(one for one in launched if one.offer == "ten" and one.slate_id)

    slate = recommender.recommend(Query(member.customer_id, k=5), now=NOW)

    shown = [one["item_id"] for one in member.details["products"]]
    assert shown == [item.item_id for item in slate.items]
    assert member.details["offer"]["eligible_item_ids"] == shown
    assert member.details["offer"]["valid_until"] == "2026-02-04"
    assert member.details["offer"]["code"] in member.details["text"]
    assert len(member.details["text"]) <= SMS
    assert all(one["reason"] and one["block"] for one in member.details["products"])


def test_each_code_goes_to_one_customer(launched: list[Member]) -> None:
    codes = [one.details["offer"]["code"] for one in launched if one.slate_id and one.offer == "ten"]

    assert None not in codes
    assert len(set(codes)) == len(codes) > 10


def test_without_enough_codes_nothing_is_launched(made: Plan, recommender: Recommender, stores: Stores) -> None:
    stores.coupons.generate("spring10", 3)

    with pytest.raises(PoolExhausted, match="has 3 codes left"):
        launch(made, recommender, stores, parts_of(made), now=NOW)

    assert stores.campaigns.all() == []
    assert stores.coupons.left("spring10") == 3


def test_a_launch_that_was_cut_off_has_happened_to_nobody_and_can_be_repeated(
    made: Plan, recommender: Recommender, stores: Stores, campaign_with: Callable[..., Campaign]
) -> None:
    stores.coupons.generate("spring10", 60)
    whole = len(made.rows)

    def cut_off() -> object:
        yield parts_of(made)[0][: whole // 2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        launch(made, recommender, stores, cut_off(), now=NOW)  # type: ignore[arg-type]
    seen = stores.campaigns.active_of([made.candidates.customer_ids[0].as_py()], now=LATER)
    launch(made, recommender, stores, parts_of(made), now=NOW)

    assert seen == {}
    assert len(members_of(stores)) == whole
    assert stores.coupons.left("spring10") == 60 - sum(
        one.offer == "ten" and one.slate_id is not None for one in members_of(stores)
    )


def test_a_name_is_used_once(made: Plan, recommender: Recommender, stores: Stores, launched: list[Member]) -> None:
    with pytest.raises(ConfigError, match="launched before"):
        launch(made, recommender, stores, parts_of(made), now=NOW)

    assert members_of(stores) == launched


def test_the_storefront_finds_members_while_the_campaign_runs(launched: list[Member], stores: Stores) -> None:
    contacted = next(one for one in launched if one.slate_id)
    held_out = next(one for one in launched if not one.slate_id)
    asked = [contacted.customer_id, held_out.customer_id]

    found = stores.campaigns.active_of(asked, now=LATER)
    assert {one: member for one, (_, member) in found.items()} == {
        contacted.customer_id: contacted,
        held_out.customer_id: held_out,
    }
    assert stores.campaigns.active_of(asked, now=NOW) == {}
    assert stores.campaigns.active_of(asked, now=LATER + timedelta(days=60)) == {}
    stores.campaigns.close("spring", at=LATER)
    assert stores.campaigns.active_of(asked, now=LATER) == {}


def test_the_next_campaign_shows_other_products_and_heeds_the_cap(
    launched: list[Member],
    recommender: Recommender,
    stores: Stores,
    engine: sa.Engine,
    campaign_with: Callable[..., Campaign],
) -> None:
    soon = campaign_with(name="again", starts_on="2026-01-07", audience="win_back_rank <= 60", contact=CAP_OF_ONE)
    later = campaign_with(name="again", starts_on="2026-02-07", audience="win_back_rank <= 60", contact=CAP_OF_ONE)
    facts = [contact_facts(EventStore(engine), stores.campaigns, one, NOW) for one in (soon, later)]

    too_soon = gather(recommender.bundle, NoLiveData(), soon, facts[0], 0.1).reach.counts()
    again = plan(later, gather(recommender.bundle, NoLiveData(), later, facts[1], 0.1), margin=0.5)
    stores.coupons.generate("spring10", 100)
    launch(again, recommender, stores, parts_of(again), now=NOW + timedelta(days=33))

    contacted = {one.customer_id: one for one in launched if one.slate_id}
    assert too_soon["contact_cap"] == len(contacted)
    both = [one for one in members_of(stores, "again") if one.slate_id and one.customer_id in contacted]
    assert both
    changed = [one for one in both if one.details["products"] != contacted[one.customer_id].details["products"]]
    assert len(changed) > len(both) / 2
    codes = [member.details["offer"]["code"] for member in (*launched, *both) if "offer" in member.details]
    assert len(set(filter(None, codes))) == len(list(filter(None, codes)))


CAP_OF_ONE = {"cap": 1, "consent_when_unknown": True}


def exported(
    stores: Stores, since: ContactFacts, path: Path, channel: str | None = None
) -> tuple[list[dict[str, str]], Gate]:
    launched = stores.campaigns.get("spring")
    campaign = Campaign.model_validate(launched.document["campaign"])
    gate = Gate(since, channel)
    found = tables(launched, stores.campaigns.members("spring"), gate, "plain")
    write_tables(path, schema_of(campaign, "plain"), map(without_formulas, found))
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file)), gate


def test_an_export_holds_a_row_for_everybody_contacted_and_is_the_same_again(
    launched: list[Member], stores: Stores, tmp_path: Path
) -> None:
    rows, gate = exported(stores, ContactFacts(), tmp_path / "first.csv")
    exported(stores, ContactFacts(), tmp_path / "second.csv")

    contacted = [one for one in launched if one.slate_id]
    assert [row["customer_id"] for row in rows] == [one.customer_id for one in contacted]
    assert [row["message_id"] for row in rows] == [one.slate_id for one in contacted]
    assert rows[0]["product_1_title"] == contacted[0].details["products"][0]["title"]
    assert gate.left_out == {"held_out": len(launched) - len(contacted)}
    assert (tmp_path / "first.csv").read_bytes() == (tmp_path / "second.csv").read_bytes()


def test_who_unsubscribed_complained_or_bought_since_is_not_sent_anything(
    launched: list[Member], stores: Stores, engine: sa.Engine, tmp_path: Path, campaign_with: Callable[..., Campaign]
) -> None:
    gone, angry, back, *others = [one.customer_id for one in launched if one.slate_id]
    EventStore(engine).add(
        [
            Event("1", gone, "unsubscribe", LATER, details={"channel": "email"}),
            Event("2", angry, "feedback", LATER, details={"topic": "complaint"}),
            Event("3", back, "purchase", LATER, "I0000001", {"price": 3.0}),
        ],
        received_at=LATER,
    )
    facts = contact_facts(EventStore(engine), stores.campaigns, campaign_with(), NOW, NOW)

    rows, gate = exported(stores, facts, tmp_path / "out.csv")

    assert [row["customer_id"] for row in rows] == others
    assert {name: gate.left_out[name] for name in ("unsubscribed", "complained", "bought_since")} == {
        "unsubscribed": 1,
        "complained": 1,
        "bought_since": 1,
    }


def test_text_that_a_spreadsheet_would_run_is_defused_in_csv() -> None:
    import pyarrow as pa

    table = pa.table({"customer_id": ["+44 7"], "product_1_title": ["=HYPERLINK(1)"], "product_1_price": [-1.0]})

    assert without_formulas(table).to_pylist() == [
        {"customer_id": "+44 7", "product_1_title": "'=HYPERLINK(1)", "product_1_price": -1.0}
    ]


@pytest.mark.parametrize("preset", ["mailchimp", "klaviyo", "braze"])
def test_presets_name_each_column_once(preset: str, campaign_with: Callable[..., Campaign]) -> None:
    names = schema_of(campaign_with(products=20), preset).names  # type: ignore[arg-type]

    assert len(set(names)) == len(names)
    assert preset != "mailchimp" or all(len(name) <= 10 and name.isalnum() for name in names)

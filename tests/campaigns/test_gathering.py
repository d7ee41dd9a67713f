from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa

from recsvc.bundle.reader import Bundle
from recsvc.campaigns.campaign_file import Campaign
from recsvc.campaigns.contact import REASONS
from recsvc.campaigns.gathering import ContactFacts, contact_facts, gather
from recsvc.domain.touchpoints import KINDS, Touchpoints
from recsvc.errors import FilterError
from recsvc.serving.live_data import NoLiveData
from recsvc.serving.live_source import LiveSource
from recsvc.serving.recommender import Recommender
from recsvc.store.campaigns import CampaignStore
from recsvc.store.erasures import ErasureStore
from recsvc.store.events import Event, EventStore

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def with_attributes(bundle: Bundle, **columns: pa.Array) -> Bundle:
    """The bundle with something said of its first customers on the win-back list."""
    n = len(next(iter(columns.values())))
    said = pa.table({"customer_id": bundle.customer_table["customer_id"].slice(0, n), **columns})
    changed = dataclasses.replace(bundle)
    changed.__dict__["attributes"] = said
    return changed


def reasons(bundle: Bundle, campaign: Campaign, facts: ContactFacts | None = None, holdout: float = 0.0) -> list[str]:
    """Why each customer of the audience may not be contacted; `reachable` for the others."""
    found = gather(bundle, NoLiveData(), campaign, facts or ContactFacts(), holdout).reach
    return ["reachable" if ok else REASONS[why] for ok, why in zip(found.reachable, found.reason.tolist(), strict=True)]


def test_figures_are_those_of_the_bundle(recommender: Recommender, campaign_with: Callable[..., Campaign]) -> None:
    table = recommender.bundle.customer_table

    found = gather(recommender.bundle, NoLiveData(), campaign_with(audience='state = "lapsed"'), ContactFacts(), 0.0)

    wanted = table.filter(pa.compute.equal(table["state"], "lapsed"))
    assert found.customer_ids.to_pylist() == wanted["customer_id"].to_pylist()
    worth = found.prospects.value * found.prospects.returns
    assert worth == pytest.approx(wanted["expected_value_of_contact"].to_numpy(), rel=1e-6)


def test_an_audience_that_names_no_column_is_refused_with_those_there_are(
    recommender: Recommender, campaign_with: Callable[..., Campaign]
) -> None:
    with pytest.raises(FilterError, match="a column"):
        gather(recommender.bundle, NoLiveData(), campaign_with(audience="stage = 1"), ContactFacts(), 0.0)


def test_consent_is_needed_unless_the_sender_checks_it(
    recommender: Recommender, campaign_with: Callable[..., Campaign]
) -> None:
    bundle = with_attributes(
        recommender.bundle,
        consent_email=pa.array([True, False, None]),
        consent_sms=pa.array([False, False, None]),
        personalisation=pa.array([True, True, True]),
    )

    strict = reasons(bundle, campaign_with(contact={}, audience="win_back_rank <= 3"))
    lenient = reasons(bundle, campaign_with(audience="win_back_rank <= 3"))

    assert strict == ["reachable", "no_consent", "no_consent"]
    assert lenient == ["reachable", "no_consent", "reachable"]


def test_who_wants_no_personalisation_is_on_no_list(
    recommender: Recommender, campaign_with: Callable[..., Campaign]
) -> None:
    bundle = with_attributes(recommender.bundle, personalisation=pa.array([False, True]))

    assert reasons(bundle, campaign_with(audience="win_back_rank <= 2")) == ["personalisation_off", "reachable"]


def test_the_global_holdout_is_the_same_for_every_campaign_of_a_year(
    recommender: Recommender, campaign_with: Callable[..., Campaign]
) -> None:
    spring = reasons(recommender.bundle, campaign_with(), holdout=0.3)
    autumn = reasons(recommender.bundle, campaign_with(name="autumn", starts_on="2026-10-01"), holdout=0.3)
    next_year = reasons(recommender.bundle, campaign_with(starts_on="2027-01-05"), holdout=0.3)

    assert spring == autumn != next_year
    assert 0.2 < spring.count("held_out") / len(spring) < 0.4


def test_what_the_live_store_knows_counts(
    recommender: Recommender, campaign_with: Callable[..., Campaign], engine: sa.Engine
) -> None:
    ids = recommender.bundle.customer_table["customer_id"].slice(0, 4).to_pylist()
    first, second, third, fourth = ids
    EventStore(engine).add(
        [
            Event("1", first, "unsubscribe", NOW, details={"channel": "all"}),
            Event("2", second, "unsubscribe", NOW, details={"channel": "email"}),
            Event("3", third, "feedback", NOW, details={"topic": "complaint", "text": "late"}),
            Event("5", fourth, "purchase", NOW, "I0000001", {"price": 3.0}),
            Event("4", second, "feedback", NOW, details={"topic": "nps", "score": 9.0}),
        ],
        received_at=NOW,
    )
    campaign = campaign_with(audience="win_back_rank <= 4")

    facts = contact_facts(EventStore(engine), CampaignStore(engine), campaign, recommender.as_of)
    found = gather(recommender.bundle, NoLiveData(), campaign, facts, 0.0)

    assert reasons(recommender.bundle, campaign, facts) == ["unsubscribed", "reachable", "cooling_off", "is_back"]
    assert found.reach.channel[1] == 1  # by SMS, since the other channel is closed


def test_complaints_and_contacts_of_the_records_count(
    recommender: Recommender, campaign_with: Callable[..., Campaign], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = recommender.bundle
    day = bundle.items.as_of_day
    kinds = [KINDS.index(kind) for kind in ("complaint", "contact", "contact")]
    touched = Touchpoints(
        np.array([0, 1, 2, 3]),
        np.array([day - 2, day - 1, day - 300], np.int32),
        np.array(kinds, np.int8),
        np.array([1, 2, 2], np.float32),
    )
    read = bundle.customers.get_many

    def with_touchpoints(ids: list[str]) -> object:
        histories, known = read(ids)
        return dataclasses.replace(histories, touchpoints=touched), known

    monkeypatch.setattr(bundle.customers, "get_many", with_touchpoints)
    campaign = campaign_with(audience="win_back_rank <= 3", starts_on="2026-01-01")

    assert reasons(bundle, campaign) == ["cooling_off", "contact_cap", "reachable"]


def test_nobody_who_was_erased_is_in_an_audience(
    recommender: Recommender, campaign_with: Callable[..., Campaign], engine: sa.Engine
) -> None:
    first, second = recommender.bundle.customer_table["customer_id"].slice(0, 2).to_pylist()
    ErasureStore(engine).erase(first, at=NOW)
    source = LiveSource(engine)

    live = source.of_bundle(recommender.bundle)
    found = gather(recommender.bundle, live, campaign_with(audience="win_back_rank <= 2"), ContactFacts(), 0.0)
    source.close()

    assert found.customer_ids.to_pylist() == [second]

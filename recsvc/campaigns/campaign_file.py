"""A campaign as a retailer writes it down: a TOML file, read and checked. Nothing here looks at customers."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, NonNegativeFloat, PositiveFloat, PositiveInt, StringConstraints

from recsvc.campaigns.contact import ContactRules
from recsvc.domain.documents import Section, checked
from recsvc.domain.offer_lifts import OfferLift
from recsvc.errors import ConfigError
from recsvc.store.campaigns import Launch

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Share = Annotated[float, Field(ge=0, le=1)]
BelowOne = Annotated[float, Field(ge=0, lt=1)]


class Offer(Section):
    """Something a customer is offered, and what it is believed to do; no cost at all is a plain reminder."""

    name: Name
    lift: Share
    """Of customers who would stay away over the horizon, the share it brings back: the response curve."""
    discount: BelowOne = 0.0
    """Share taken off the order with which they return."""
    cost: NonNegativeFloat = 0.0
    """Currency units for each who returns with it: points, postage, a fixed sum."""
    text: Annotated[str, Field(max_length=100)] = ""
    """What customers are told of it; made of the discount where it is empty."""
    coupons: Name | None = None
    """Pool of the codes that go with it; none where it needs no code."""
    valid_days: PositiveInt = 30
    """How long a code can be used, from `starts_on`."""


def _one_name_each(offers: Sequence[Offer]) -> Sequence[Offer]:
    names = [offer.name for offer in offers]
    if len(set(names)) < len(names):
        raise ValueError("two offers bear the same name")
    return offers


class Campaign(Section):
    """Everything a campaign is told."""

    name: Name
    """Its id, from the plan to the report."""
    starts_on: date
    budget: PositiveFloat
    """Currency units that contacts and offers may be expected to cost."""
    offers: Annotated[tuple[Offer, ...], Field(min_length=1), AfterValidator(_one_name_each)]
    channels: Annotated[dict[Name, NonNegativeFloat], Field(min_length=1)]
    """Cost of one message by channel, in currency units."""
    audience: str = 'state IN ("lapsed", "lost")'
    """A filter over the columns of `recsvc customers`."""
    holdout: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Share of those chosen who are not contacted, so that it can be told what the campaign did."""
    explore: Share = 0.1
    """Share of those contacted whose offer is drawn by lot, so that the next campaign knows more."""
    individual_offers: bool = False
    """Whether everybody has an offer of their own; else one for everybody of a layer."""
    margin_floor: Share = 0.0
    """Share of an order's value that must remain as margin after the offer."""
    max_cost: NonNegativeFloat | None = None
    """Most that an offer may cost for one customer, in currency units."""
    contact: ContactRules = ContactRules()
    """When somebody may be contacted."""
    products: Annotated[int, Field(ge=1, le=20)] = 5
    """How many products a message shows."""
    measure_days: PositiveInt | None = None
    """Days after `starts_on` in which a return counts; the bundle's horizon when not given."""

    @property
    def begins_at(self) -> datetime:
        """Midnight UTC at which it begins."""
        return datetime.combine(self.starts_on, time(), UTC)


def campaign_of(launch: Launch) -> Campaign:
    """The campaign's file as it was when it was launched."""
    return Campaign.model_validate(launch.document["campaign"])


def with_measured_lifts(campaign: Campaign, measured: Mapping[str, OfferLift]) -> Campaign:
    """The campaign with each offer's lift drawn towards what an offer of that name was seen to do."""
    offers = tuple(
        offer.model_copy(update={"lift": measured[offer.name].with_stated(offer.lift)})
        if offer.name in measured
        else offer
        for offer in campaign.offers
    )
    return campaign.model_copy(update={"offers": offers})


def load_campaign(path: Path) -> Campaign:
    """Read a campaign's file.

    Raises
    ------
    ConfigError
        It cannot be read, a key is unknown (the nearest one is named), or a value is out of range.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(
            str(path), f"cannot be read ({error.strerror})", "name the TOML file of a campaign"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"is not TOML: {error}", "mend the line it names") from error
    return checked(Campaign, document, "a campaign")

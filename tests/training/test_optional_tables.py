"""Customers, contacts, events, feedback and promotions: from files to what a bundle of a day may know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from recsvc.domain.touchpoints import KINDS
from recsvc.errors import DataError
from tests.training.shop import HEADER, config_of, day, prepared, write_csv
from training.session import open_session
from training.tables import Prepared, read_tables
from training.validate import Finding

ORDERS = [[n, customer, "tea", "2020-01-01 10:30", 2, "4.00"] for n, customer in enumerate(("ann", "bob", "cid"))]
EVENTS = ("customer_id", "kind", "occurred_at")
FEEDBACK = ("customer_id", "occurred_at", "kind", "score", "text")
CONTACTS = ("customer_id", "channel", "sent_at", "opened_at", "clicked_at", "held_out")
Touch = tuple[str, int, str, float]


def shop(folder: Path, tables: dict[str, tuple[Sequence[str], Sequence[Sequence[object]]]], toml: str = "") -> Any:
    """Config of a shop with orders and the given tables."""
    write_csv(folder / "orders.csv", ORDERS)
    sections = toml
    for name, (header, rows) in tables.items():
        write_csv(folder / f"{name}.csv", rows, header)
        sections = sections if f"[{name}]" in sections else f'{sections}\n[{name}]\npath = "{name}.csv"\n'
    return config_of(folder, "[catalogue]\nmin_buyers = 1\n" + sections)


def touches_of(found: Prepared) -> list[Touch]:
    rows = found.touchpoints.to_pyarrow().to_pylist()
    return [(found.customer_ids[row["customer_row"]], row["day"], KINDS[row["kind"]], row["value"]) for row in rows]


def touches(folder: Path, name: str, header: Sequence[str], rows: Sequence[Sequence[object]], toml: str = "") -> Any:
    with prepared(shop(folder, {name: (header, rows)}, toml)) as found:
        return touches_of(found)


def findings(config: Any) -> dict[str, Finding]:
    with open_session(config) as session:
        return {f"{one.column}: {one.problem}": one for one in read_tables(session, config).findings}


def test_orders_alone_have_no_touchpoints(tmp_path: Path) -> None:
    with prepared(shop(tmp_path, {})) as found:
        assert touches_of(found) == []
        assert (found.attributes, found.promotions, found.churn_reasons) == (None, None, None)


def test_events_of_a_day_are_counted_by_kind(tmp_path: Path) -> None:
    rows = [
        ("bob", "view", "2020-01-03 08:00"),
        ("ann", "cart", "2020-01-03 09:00"),
        ("ann", "view", "2020-01-03 09:00"),
        ("ann", "view", "2020-01-03 23:00"),
        ("ann", "page", "2020-01-02"),
        ("eve", "view", "2020-01-02"),
    ]

    found = touches(tmp_path, "events", EVENTS, rows, '[events]\npath = "events.csv"\n[events.kinds]\npage = "view"')

    assert found == [
        ("ann", day("2020-01-02"), "view", 1.0),
        ("ann", day("2020-01-03"), "view", 2.0),
        ("ann", day("2020-01-03"), "cart", 1.0),
        ("bob", day("2020-01-03"), "view", 1.0),
    ]


def test_scores_are_means_of_the_day_on_scales_of_our_own(tmp_path: Path) -> None:
    rows = [
        ("ann", "2020-01-03", "nps", 9, ""),
        ("ann", "2020-01-03", "nps", 4, ""),
        ("ann", "2020-01-04", "csat", 7, ""),
        ("ann", "2020-01-04", "review", 1, "bad"),
        ("ann", "2020-01-04", "complaint", "", ""),
        ("ann", "2020-01-04", "complaint", "", ""),
    ]

    found = touches(tmp_path, "feedback", FEEDBACK, rows, '[feedback]\npath = "feedback.csv"\nscore_range = [1.0, 7.0]')

    assert found == [
        ("ann", day("2020-01-03"), "nps", 6.5),
        ("ann", day("2020-01-04"), "csat", 1.0),
        ("ann", day("2020-01-04"), "complaint", 2.0),
        ("ann", day("2020-01-04"), "sentiment", -1.0),
    ]


def test_texts_without_a_score_are_read_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def sentiment(texts: Sequence[str]) -> list[float]:
        read.extend(texts)
        return [-0.25 if "slow" in text else 7.0 for text in texts]

    monkeypatch.setattr("training.text_sentiment.sentiment", sentiment)
    rows = [
        ("ann", "2020-01-03", "complaint", "", "slow"),
        ("ann", "2020-01-03", "social", "", "slow too"),
        ("bob", "2020-01-03", "review", "", "lovely"),
        ("bob", "2020-01-04", "review", 5, "not read: it has a score"),
        ("bob", "2020-01-05", "churn_reason", "", "not read: it is a reason"),
    ]

    found = touches(tmp_path, "feedback", FEEDBACK, rows)

    assert sorted(read) == ["lovely", "slow", "slow too"]
    assert [touch for touch in found if touch[2] == "sentiment"] == [
        ("ann", day("2020-01-03"), "sentiment", -0.25),
        ("bob", day("2020-01-03"), "sentiment", 1.0),
        ("bob", day("2020-01-04"), "sentiment", 1.0),
    ]


def test_a_contact_its_opening_and_its_click_each_have_their_day(tmp_path: Path) -> None:
    rows = [
        ("ann", "email", "2020-01-03 08:00", "2020-01-04 09:00", "2020-01-06", ""),
        ("ann", "email", "2020-01-03 18:00", "", "", "false"),
        ("bob", "sms", "2020-01-03", "", "", "true"),
    ]

    assert touches(tmp_path, "contacts", CONTACTS, rows) == [
        ("ann", day("2020-01-03"), "contact", 2.0),
        ("ann", day("2020-01-04"), "open", 1.0),
        ("ann", day("2020-01-06"), "click", 1.0),
    ]


def test_nothing_on_or_after_as_of_is_known(tmp_path: Path) -> None:
    tables: Any = {
        "contacts": (CONTACTS, [("ann", "email", "2020-01-09", "2020-01-10 00:00", "2020-01-11", "")]),
        "events": (EVENTS, [("ann", "view", "2020-01-09 23:59"), ("ann", "view", "2020-01-10")]),
        "feedback": (
            FEEDBACK,
            [("ann", "2020-01-10", "nps", 1, ""), ("ann", "2020-01-10", "churn_reason", "", "price")],
        ),
        "promotions": (("item_id", "starts_at", "ends_at"), [("tea", "2020-01-10", "2020-01-20")]),
    }

    with prepared(shop(tmp_path, tables), "2020-01-10") as found:
        assert touches_of(found) == [
            ("ann", day("2020-01-09"), "view", 1.0),
            ("ann", day("2020-01-09"), "contact", 1.0),
        ]
        assert found.churn_reasons is not None
        assert found.churn_reasons.to_pyarrow().num_rows == 0
        assert found.promotions is not None
        assert found.promotions.num_rows == 0


def test_returns_and_discounts_come_from_the_order_lines_on_their_own_days(tmp_path: Path) -> None:
    lines = [
        [1, "ann", "tea", "2020-01-01", 2, "4.00", "0.50", "0.25"],
        [2, "ann", "tea", "2020-01-05", -1, "-4.00", "", ""],
        [3, "ann", "cup", "2020-01-05", 1, "9.00", "-1.00", ""],
        [4, "ann", "post", "2020-01-05", -1, "-3.00", "2.00", ""],
        [5, "bob", "tea", "2020-01-05", 1, "4.00", "", "what"],
    ]
    write_csv(tmp_path / "orders.csv", lines, (*HEADER[:5], "line_total", "card", "coupon"))
    toml = '[orders]\npath = "orders.csv"\n[orders.columns]\ndiscount = ["card", "coupon"]\n'
    toml += '[services]\nitem_id_pattern = "post"\n[catalogue]\nmin_buyers = 1'

    with prepared(config_of(tmp_path, toml)) as found:
        assert touches_of(found) == [
            ("ann", day("2020-01-01"), "discount", 0.75),
            ("ann", day("2020-01-05"), "return", 4.0),
            ("ann", day("2020-01-05"), "discount", 1.0),
        ]
    with prepared(config_of(tmp_path, toml), "2020-01-05") as earlier:
        assert touches_of(earlier) == [("ann", day("2020-01-01"), "discount", 0.75)]


def test_a_discount_said_beside_a_line_does_not_make_it_another_line(tmp_path: Path) -> None:
    lines = [[1, "ann", "tea", "2020-01-01", 1, "4.00", discount] for discount in ("0.10", "0.20")]
    write_csv(tmp_path / "orders.csv", lines, (*HEADER[:5], "line_total", "discount"))

    with prepared(config_of(tmp_path)) as found:
        assert {count.rule: count.rows for count in found.report.dropped}["exact_duplicate"] == 1


def test_reasons_for_leaving_keep_their_words(tmp_path: Path) -> None:
    rows = [("bob", "2020-02-01", "churn_reason", "", "too dear"), ("ann", "2020-03-01", "churn_reason", "", "slow")]

    with prepared(shop(tmp_path, {"feedback": (FEEDBACK, rows)})) as found:
        assert found.churn_reasons is not None
        assert found.churn_reasons.to_pyarrow().to_pylist() == [
            {"customer_row": 0, "day": day("2020-03-01"), "text": "slow"},
            {"customer_row": 1, "day": day("2020-02-01"), "text": "too dear"},
        ]


def test_customers_keep_consent_and_the_attributes_that_are_asked_for(tmp_path: Path) -> None:
    header = ("customer_id", "personalisation", "timezone", "consent_email", "Text me", "tier", "name")
    rows = [
        ("cid", "no", "Europe/Paris", "yes", "0", "gold", "not ours to know"),
        ("ann", "true", "Mars/Crater", "", "maybe", "", "nor this"),
        ("ann", "false", "", "", "", "", ""),
        ("eve", "true", "", "", "", "", ""),
    ]
    toml = '[customers]\npath = "customers.csv"\nattributes = ["tier"]\n[customers.consent]\nsms = "Text me"'

    with prepared(shop(tmp_path, {"customers": (header, rows)}, toml)) as found:
        assert found.attributes is not None
        listed = found.attributes.to_pylist()

    assert listed == [
        {
            "customer_id": "ann",
            "personalisation": True,
            "timezone": None,
            "consent_email": None,
            "consent_sms": None,
            "attribute_tier": None,
        },
        {
            "customer_id": "cid",
            "personalisation": False,
            "timezone": "Europe/Paris",
            "consent_email": True,
            "consent_sms": False,
            "attribute_tier": "gold",
        },
    ]


def test_promotions_are_of_item_rows(tmp_path: Path) -> None:
    header = ("item_id", "starts_at", "ends_at", "discount")
    rows = [("tea", "2020-02-01", "2020-02-07", "0.2"), ("cup", "2020-02-01", "2020-02-07", "")]

    with prepared(shop(tmp_path, {"promotions": (header, rows)})) as found:
        assert found.promotions is not None
        assert found.promotions.to_pylist() == [
            {"item_row": 0, "starts_day": day("2020-02-01"), "ends_day": day("2020-02-07"), "discount": 0.2}
        ]


BAD: list[tuple[str, Sequence[str], Sequence[object], str]] = [
    ("events", EVENTS, ("", "view", "2020-01-02"), "customer_id: no customer"),
    ("events", EVENTS, ("ann", "stare", "2020-01-02"), "kind: no known kind"),
    ("events", EVENTS, ("ann", "view", "yesterday"), "occurred_at: not a date and time"),
    ("events", EVENTS, ("ann", "view", "1960-01-01"), "occurred_at: a date before 1970"),
    ("feedback", FEEDBACK, ("ann", "2020-01-02", "nps", 11, ""), "score: no score within its range"),
    ("feedback", FEEDBACK, ("ann", "2020-01-02", "csat", "", ""), "score: no score within its range"),
    ("feedback", FEEDBACK, ("ann", "2020-01-02", "review", 9, ""), "score: no score within its range"),
    ("contacts", CONTACTS, ("ann", "sms", "2020-01-02", "soon", "", ""), "opened_at: not a date and time"),
    ("contacts", CONTACTS, ("ann", "sms", "2020-01-02", "", "soon", ""), "clicked_at: not a date and time"),
]


@pytest.mark.parametrize(("name", "header", "row", "problem"), BAD, ids=[f"{one[0]}-{one[3]}" for one in BAD])
def test_a_row_that_cannot_be_used_is_named_left_out_and_stops_nothing(
    name: str, header: Sequence[str], row: Sequence[object], problem: str, tmp_path: Path
) -> None:
    good = {"events": ("bob", "view", "2020-01-02"), "feedback": ("bob", "2020-01-02", "nps", 9, "")}
    rows = [good.get(name, ("bob", "sms", "2020-01-02", "", "", "")), row]
    config = shop(tmp_path, {name: (header, rows)})

    (found,) = findings(config).values()

    assert f"{found.column}: {found.problem}" == problem
    assert (found.severity, found.count, found.rows) == ("warn", 1, (3,))
    with prepared(config) as read:
        assert [touch[0] for touch in touches_of(read)] == ["bob"]


def test_what_is_wrong_with_customers_and_promotions_is_said(tmp_path: Path) -> None:
    tables: Any = {
        "customers": (
            ("customer_id", "timezone", "personalisation"),
            [("ann", "Mars", "yes"), ("ann", "", ""), ("", "", ""), ("bob", "", "perhaps")],
        ),
        "promotions": (
            ("item_id", "starts_at", "ends_at", "discount"),
            [("tea", "2020-01-01", "2019-12-31", ""), ("tea", "2020-01-01", "2020-01-02", "20"), ("", "x", "x", "")],
        ),
    }

    found = findings(shop(tmp_path, tables))

    assert {name: (one.count, one.rows[0]) for name, one in found.items()} == {
        "customer_id: no customer": (1, 4),
        "customer_id: a customer listed before": (1, 3),
        "timezone: no IANA time zone such as Europe/London": (1, 2),
        "personalisation: neither yes nor no": (1, 5),
        "item_id: no item": (1, 4),
        "starts_at: not a date and time": (1, 4),
        "ends_at: not a date, or one before its start": (2, 2),
        "discount: not a share between 0 and 1": (1, 3),
    }
    assert {one.severity for one in found.values()} == {"warn"}


def test_ids_of_nobody_in_the_orders_are_noticed(tmp_path: Path) -> None:
    found = findings(shop(tmp_path, {"events": (EVENTS, [("CUST-ann", "view", "2020-01-02")])}))

    assert found["customer_id: an id that is not in the orders"].count == 1


def test_ids_that_went_through_a_spreadsheet_still_match(tmp_path: Path) -> None:
    write_csv(tmp_path / "orders.csv", [[1, 7, "tea", "2020-01-01", 1, 1]])
    write_csv(tmp_path / "events.csv", [("7.0", "view", "2020-01-02")], EVENTS)

    with prepared(config_of(tmp_path, '[orders]\npath = "orders.csv"\n[events]\npath = "events.csv"')) as found:
        assert touches_of(found) == [("7", day("2020-01-02"), "view", 1.0)]


def test_every_column_of_the_contract_can_be_mapped(tmp_path: Path) -> None:
    events = (("customer_id", "sku", "kind", "occurred_at"), [("ann", "cup", "view", "2020-01-02")])
    contacts = ((*CONTACTS, "campaign", "euros"), [("ann", "sms", "2020-01-02", "", "", "", "spring", "0.05")])
    toml = '[events]\npath = "events.csv"\n[events.columns]\nitem_id = "sku"\n'
    toml += '[contacts]\npath = "contacts.csv"\n[contacts.columns]\ncampaign_id = "campaign"\ncost = "euros"\n'
    config = shop(tmp_path, {"events": events, "contacts": contacts}, toml)

    with open_session(config) as session:
        read = read_tables(session, config)
        assert read.optional.contacts is not None
        (contact,) = read.optional.contacts.to_pyarrow().to_pylist()

    assert (contact["campaign_id"], contact["cost"]) == ("spring", 5)
    assert read.findings == ()


def test_an_empty_table_is_a_warning(tmp_path: Path) -> None:
    (found,) = findings(shop(tmp_path, {"events": (EVENTS, [])})).values()

    assert (found.problem, found.severity) == ("there is no row", "warn")


def test_a_column_that_is_not_there_is_named_with_its_key(tmp_path: Path) -> None:
    config = shop(tmp_path, {"events": (("customer_id", "type", "occurred_at"), [("ann", "view", "2020-01-02")])})

    with (
        open_session(config) as session,
        pytest.raises(DataError, match=r"no column 'kind'; .*set events\.columns\.kind"),
    ):
        read_tables(session, config)


def test_rows_in_another_order_give_the_same_touchpoints(tmp_path: Path) -> None:
    rows = [(f"{'ann' if n % 3 else 'bob'}", f"2020-01-{1 + n % 9:02d}", "nps", n % 11, "") for n in range(200)]

    forwards = touches(tmp_path, "feedback", FEEDBACK, rows)

    assert touches(tmp_path, "feedback", FEEDBACK, rows[::-1]) == forwards

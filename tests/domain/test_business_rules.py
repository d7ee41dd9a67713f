from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.business_rules import BusinessRule, StandingRules, parse_rule
from recsvc.errors import FilterError


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("pin 1 where new", BusinessRule("pin", 1, "new")),
        ("  BOOST 2.50\n where  price<3", BusinessRule("boost", 2.5, "price < 3")),
        ("bury 3 where a or b", BusinessRule("bury", 3, "a OR b")),
        ("block where stock = 0", BusinessRule("block", 0, "stock = 0")),
    ],
)
def test_a_rule_is_read_and_written_again(text: str, rule: BusinessRule) -> None:
    assert parse_rule(text) == rule
    assert parse_rule(str(rule)) == rule


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("", 1, "pin PLACE where"),
        ("hide where new", 1, "block where"),
        ("boost where new", 6, "a factor above 1"),
        ("boost 1 where new", 6, "a factor above 1"),
        ("bury 1001 where new", 5, "at most 1000"),
        ("pin 1.5 where new", 4, "a whole place from 1 to 100"),
        ("pin 101 where new", 4, "a whole place from 1 to 100"),
        ("block 2 where new", 6, "no number"),
        ("block where price <", 20, "a number"),
        ("pin 1 where", 1, "pin PLACE where"),
    ],
)
def test_a_wrong_rule_is_named_with_the_place_in_the_whole_rule(text: str, position: int, expected: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_rule(text)

    assert (caught.value.position, caught.value.what) == (position, "rule")
    assert expected in caught.value.expected


def read_or_refused(text: str) -> BusinessRule | FilterError:
    try:
        return parse_rule(text)
    except FilterError as error:
        return error


@given(text=st.text(max_size=40) | st.text(max_size=20).map("boost 2 where ".__add__))
def test_whatever_is_handed_in_the_answer_is_a_rule_or_our_error(text: str) -> None:
    found = read_or_refused(text)

    if isinstance(found, FilterError):
        assert 1 <= found.position <= len(text) + 1
    else:
        assert read_or_refused(str(found)) == found


def test_a_bury_takes_away_what_the_same_boost_gives_and_factors_multiply() -> None:
    double, triple = BusinessRule("boost", 2, "a"), BusinessRule("boost", 3, "a")

    assert BusinessRule("bury", 2, "a").lift() == -double.lift()
    assert double.lift() + triple.lift() == pytest.approx(math.log(6))


def test_standing_rules_survive_their_file() -> None:
    rules = StandingRules(("block where a",), 2)

    assert StandingRules.from_json(rules.to_json()) == rules
    assert rules.says_something
    assert not StandingRules().says_something

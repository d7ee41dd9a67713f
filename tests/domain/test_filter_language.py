from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.conditions import KEYWORDS, Condition, Every, Expression, Kind, Not, Some, Value
from recsvc.domain.filter_language import MAX_DEPTH, MAX_LENGTH, ORDERED, parse_filter
from recsvc.errors import FilterError

COLUMNS: dict[str, Kind] = {
    "item_id": "id",
    "brand": "text",
    "category": "path",
    "price": "number",
    "available": "yes or no",
    "pack size": "text or number",
}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(Value)
numbers = st.from_regex(r"-?[0-9]{1,6}(\.[0-9]{1,3})?", fullmatch=True).map(lambda digits: Value(digits, True))
columns = st.from_regex(r"[^\W\d]\w{0,8}", fullmatch=True) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="`"), min_size=1, max_size=8
)
conditions = st.one_of(
    st.builds(Condition, columns, st.just("is")),
    st.builds(Condition, columns, st.sampled_from(["=", "!="]), st.tuples(texts | numbers)),
    st.builds(Condition, columns, st.sampled_from(ORDERED), st.tuples(numbers)),
    st.builds(Condition, columns, st.just(".."), st.tuples(numbers, numbers)),
    st.builds(Condition, columns, st.just("in"), st.lists(texts | numbers, min_size=1, max_size=3).map(tuple)),
)


def _larger(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(Not, inner) | st.builds(Every, parts) | st.builds(Some, parts)


expressions = st.recursive(conditions, _larger, max_leaves=8)


@given(expression=expressions)
def test_what_is_written_reads_as_the_same(expression: Expression) -> None:
    written = str(expression)

    assert parse_filter(written) == expression


def read_or_refused(text: str) -> Expression | FilterError:
    try:
        return parse_filter(text, COLUMNS)
    except FilterError as error:
        return error


TOKENS = [*KEYWORDS, *COLUMNS, "`pack size`", "(", ")", ",", "=", "!=", "<", "..", "1", "2.5", '"a"', "'b'", "`", '"']
tokens = st.lists(st.sampled_from(TOKENS), max_size=12).map(" ".join)


@given(text=st.text(max_size=60) | tokens)
def test_whatever_is_handed_in_the_answer_is_an_expression_or_our_error(text: str) -> None:
    found = read_or_refused(text)

    if isinstance(found, FilterError):
        assert 1 <= found.position <= len(text) + 1
        assert "columns: available, brand" in str(found)
    else:
        assert read_or_refused(str(found)) == found


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a AND b OR c AND d", "a AND b OR c AND d"),
        ("a AND (b OR c)", "a AND (b OR c)"),
        ("not not a or b", "NOT NOT a OR b"),
        ("NOT a AND b", "NOT a AND b"),
        ("NOT (a AND b)", "NOT (a AND b)"),
        ("price 10..50", "price 10..50"),
        ("price -1.5 .. 2", "price -1.5..2"),
        ('x not in (1,\'it\'\'s\',"say ""so""")', 'NOT x IN (1, "it\'s", "say ""so""")'),
        ("`in`=007", "`in` = 007"),
        ("größe >= 38", "größe >= 38"),
    ],
)
def test_a_filter_is_written_in_one_way(text: str, meaning: str) -> None:
    assert str(parse_filter(text)) == meaning


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("", 1, "a column, NOT or ("),
        ("colour = 1", 1, "a column"),
        ("price < cheap", 9, "a number"),
        ('price = "3"', 9, "a number"),
        ("brand < 3", 7, "this column holds text"),
        ("brand 1..3", 7, "this column holds text"),
        ("brand = Oak", 9, "quotation marks"),
        ("price 5 10", 9, ".."),
        ("price", 6, "10..50"),
        ("price < 5 brand", 11, "AND, OR or the end"),
        ("available = 1", 11, "AND, OR or the end"),
        ("(price < 5", 11, "AND, OR or )"),
        ("price IN 5", 10, "("),
        ("price IN (5", 12, ", or )"),
        ("price NOT 5", 11, "IN"),
        ('brand = "Oak', 9, "a text in quotation marks"),
        ("price < 5; brand", 10, "a sign of the language"),
        ("price = 20abc", 9, "a number"),
        ("brand = '\ud800'", 10, "UTF-8"),
        ("(" * (MAX_DEPTH + 1) + "price<5", MAX_DEPTH + 2, "brackets"),
        ("NOT " * 900, 4 * (MAX_DEPTH + 1) + 1, "NOTs"),
        ("price < " + "1" * MAX_LENGTH, MAX_LENGTH + 1, "4,000 characters"),
    ],
)
def test_an_error_names_the_place_what_was_expected_and_the_columns(text: str, position: int, expected: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text, COLUMNS)

    assert caught.value.position == position
    assert expected in caught.value.expected
    assert str(caught.value).endswith("columns: available, brand, category, item_id, pack size, price")


def test_nesting_up_to_the_limit_and_any_number_of_parts_are_read() -> None:
    deep = "(" * MAX_DEPTH + "price < 5" + ")" * MAX_DEPTH
    wide = " OR ".join(["price < 5"] * 300)

    assert str(parse_filter(deep, COLUMNS)) == "price < 5"
    assert str(parse_filter(wide, COLUMNS)) == wide

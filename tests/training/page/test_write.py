"""The page of a training: everything is on it, nothing is fetched, and nothing from the data becomes markup."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from recsvc.bundle.manifest import Verdict
from recsvc.bundle.reader import Bundle, open_bundle
from recsvc.serving.recommender import Recommender
from tests.trained import Trained, train
from tests.training.page.reading import Page, read
from training.page.headline import NOT_CAUSAL
from training.page.write import content, render, write_page

SECTIONS = ["headline", "layers", "people", "trust", "recommendations", "reasons", "drift", "value", "data"]
SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(2)>"
END = date(2024, 7, 1)
HOSTILE = """
horizon_days = 60
currency = "<b>"
[orders]
path = "orders.csv"
[items]
path = "items.csv"
[als]
factors = 4
iterations = 2
"""


@pytest.fixture(scope="module")
def bundle(trained: Trained) -> Bundle:
    return open_bundle(trained.store.current())


@pytest.fixture(scope="module")
def html(bundle: Bundle, trained: Trained) -> str:
    return render(content(bundle, trained.outcome))


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return read(html)


def with_column(bundle: Bundle, name: str, values: list[str | None]) -> Bundle:
    """The same bundle, whose customer table says something else in one column."""
    other, table = replace(bundle), bundle.customer_table
    column = table.column_names.index(name)
    vars(other)["customer_table"] = table.set_column(column, name, pa.array(values, pa.string()))
    return other


def test_every_section_is_there_in_order_and_named_in_the_navigation(page: Page) -> None:
    assert [one.attributes["id"] for one in page.all("section")] == SECTIONS
    links = [one.attributes["href"] for one in page.all("a")]
    assert links == [f"#{name}" for name in SECTIONS[1:]]


def test_the_page_fetches_nothing_and_runs_nothing(page: Page) -> None:
    assert page.all("script") == page.all("img") == page.all("iframe") == []
    fetched = [one.attributes.get(name) for one in page.elements for name in ("src", "href") if name in one.attributes]
    assert all(str(address).startswith(("#", "data:")) for address in fetched)
    assert "url(" not in page.style
    assert "@import" not in page.style


def test_the_headline_counts_customers_and_says_what_it_is_not(page: Page, trained: Trained) -> None:
    assert f"{trained.outcome.manifest.shapes.customers:,}" in page.text
    assert NOT_CAUSAL in page.text
    assert "The gate let this bundle pass, and it is live." in page.text
    assert "Leave a random tenth" in page.text


def test_the_first_table_holds_high_value_customers_who_lapsed_most_at_stake_first(
    bundle: Bundle, trained: Trained
) -> None:
    table = bundle.customer_table.to_pandas()
    urgent = table[table.layer.isin(["high_lapsed", "high_lost"])]

    found = content(bundle, trained.outcome)

    wanted = urgent.sort_values(["value_at_stake", "win_back_rank"], ascending=[False, True]).customer_id.tolist()
    assert [one.customer_id for one in found["win_back"]] == wanted[:10]
    assert [one.rank for one in found["win_back"]] == list(range(1, 11))
    assert all(one.products for one in found["win_back"])
    assert f"Win back the {len(urgent)} customers of high value" in found["headline"].first_steps[0]
    warned = table[table.early_warning_rank.notna()]
    assert f"Ask the {len(warned)} high-value customers of the early-warning list" in found["headline"].first_steps[2]
    assert warned.win_back_rank.isna().all()  # so that no two steps speak of the same customer


def test_the_second_table_goes_on_with_the_others_of_the_list(bundle: Bundle, trained: Trained) -> None:
    table = bundle.customer_table.to_pandas()
    others = table[table.win_back_rank.notna() & ~table.layer.isin(["high_lapsed", "high_lost"])]

    found = content(bundle, trained.outcome)["others"]

    assert [one.customer_id for one in found] == others.sort_values("win_back_rank").customer_id.tolist()[:10]


def test_figures_and_titles_are_readable(bundle: Bundle, trained: Trained, page: Page) -> None:
    found = content(bundle, trained.outcome)

    for person in (*found["win_back"], *found["others"]):
        row = bundle.customer_table.filter(pc.equal(bundle.customer_table["customer_id"], person.customer_id))
        assert person.returns == f"{100 * row['probability_of_return'][0].as_py():.1f} %"
        assert len(set(person.products)) == len(person.products) <= 3
        assert all(len(title) <= 40 and not title.isupper() for title in person.products)
    assert "in the next 365 days, discounted" in page.text
    assert "only services were bought" in page.text


def test_every_picture_is_told_in_words_and_every_table_has_headings(page: Page) -> None:
    pictures = [one for one in page.all("svg") if one.attributes.get("role") == "img"]
    ids = page.ids()

    assert len(pictures) >= 4
    assert all(set(str(one.attributes["aria-labelledby"]).split()) <= set(ids) for one in pictures)
    assert len(ids) == len(set(ids))
    assert len(page.all("caption")) == len(page.all("table")) == len(page.all("thead"))
    assert all(one.attributes.get("scope") for one in page.all("th"))


def test_what_the_terminal_prints_of_the_back_test_is_on_the_page(page: Page, trained: Trained) -> None:
    row = next(row for row in trained.outcome.rows if (row.group, row.method, row.split) == ("all", "ranking", "all"))

    assert f"{row.estimate.mean:.3f} [{row.estimate.low:.3f}, {row.estimate.high:.3f}]" in page.text
    assert (
        "P(return) means what it says" in page.text
        or "the season moved everybody" in page.text
        or "off by" in page.text
    )


def test_the_same_training_gives_the_same_page(bundle: Bundle, html: str, trained: Trained) -> None:
    assert render(content(bundle, trained.outcome)) == html


def test_people_come_with_the_facts_that_the_service_gives(bundle: Bundle, trained: Trained) -> None:
    recommender = Recommender(bundle)

    found = content(bundle, trained.outcome)

    for person in (*found["win_back"], *found["early_warning"]):
        facts = recommender.customer(person.customer_id, now=recommender.as_of).why
        assert person.why[: len(facts)] == tuple(fact.text for fact in facts)
        assert len(facts) == 3


def test_a_likely_reason_is_named_beside_the_facts(bundle: Bundle, trained: Trained) -> None:
    second = content(bundle, trained.outcome)["win_back"][1].customer_id
    ids = bundle.customer_table["customer_id"].to_pylist()

    other = with_column(bundle, "likely_reason", ["price_rise" if one == second else None for one in ids])
    found = content(other, trained.outcome)["win_back"]

    assert [person.why[3:] for person in found[:3]] == [(), ("perhaps: prices rose",), ()]


def test_a_gate_that_refused_is_quoted(bundle: Bundle, trained: Trained) -> None:
    verdict = Verdict(passed=False, reasons=(f"too bad {SCRIPT}",))
    manifest = trained.outcome.manifest.model_copy(update={"verdict": verdict})

    shown = render(content(bundle, replace(trained.outcome, manifest=manifest, published=False)))

    assert "The gate refused this bundle, and it is not live: too bad" in shown
    assert SCRIPT not in shown


def test_without_a_past_to_test_on_the_page_says_so(bundle: Bundle, trained: Trained) -> None:
    page = read(render(content(bundle, replace(trained.outcome, rows=(), targeting=None))))

    assert "nothing could be tested on the past" in page.text
    assert "There is too little history to test the list on the past." in page.text


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A shop whose every name is markup, some of whose customers went silent."""
    folder = tmp_path_factory.mktemp("hostile")
    rows = [
        (
            f"c{who}{IMAGE}",
            f"i{(who + turn + extra) % 5}",
            END - timedelta(days=14 * turn + who + 60 * (who % 2)),
            1,
            who + 1,
        )
        for who in range(12)
        for turn in range(13)
        for extra in (0, 2)
    ]
    lines = [",".join(map(str, (number, *row))) for number, row in enumerate(rows)]
    header = "order_id,customer_id,item_id,ordered_at,quantity,unit_price"
    (folder / "orders.csv").write_text("\n".join([header, *lines]))
    items = "\n".join(f"i{number},{number} {SCRIPT},{SCRIPT} > {number}" for number in range(5))
    (folder / "items.csv").write_text(f"item_id,title,category\n{items}")
    (folder / "shop.toml").write_text(HOSTILE)
    return train(folder / "shop.toml", folder / "artifacts", as_of=END.isoformat())


def test_nothing_from_the_data_becomes_markup(hostile: Trained) -> None:
    path = write_page(hostile.store, hostile.outcome)

    html = path.read_text(encoding="utf-8")
    page = read(html)
    assert SCRIPT in page.text
    assert IMAGE in page.text
    assert page.all("script") == page.all("img") == page.all("b") == []
    assert SCRIPT not in html


def test_the_page_lies_beside_the_bundle_with_what_moved_as_json(hostile: Trained) -> None:
    path = write_page(hostile.store, hostile.outcome)

    assert path == hostile.artifacts / "reports" / f"{hostile.bundle_id}.html"
    assert orjson.loads(path.with_suffix(".drift.json").read_bytes())["reason"] == "nothing was live before"
    assert hostile.store.verify(hostile.bundle_id)
    assert [one.manifest.bundle_id for one in hostile.store.bundles()] == [hostile.bundle_id]

"""`recsvc recommend` and `recsvc customers`."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from recsvc.api.outbound import RecommendationReply
from recsvc.cli.main import main
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Query
from recsvc.store.engine import open_store
from recsvc.store.events import Event, EventStore
from tests.running import run
from tests.trained import NOW, Trained


def test_recommend_as_json_is_the_slate(
    trained: Trained, recommender: Recommender, everybody: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("recommend", everybody[0], "--k", 4, "--json", "--artifacts", trained.artifacts)

    ended = run(capsys, main, *arguments)

    slate, answer = recommender.recommend(Query(everybody[0], k=4), now=NOW), json.loads(ended.out)
    assert ended.code == 0
    assert (answer["bundle_id"], answer["strategy"]) == (trained.bundle_id, "personal")
    assert [(one["item_id"], one["score"]) for one in answer["items"]] == [(i.item_id, i.score) for i in slate.items]
    assert all(reason["evidence"] for one in answer["items"] for reason in one["reasons"])


def test_recommend_knows_what_was_bought_since_the_bundle(
    trained: Trained,
    everybody: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = f"sqlite:///{tmp_path / 'live.sqlite'}"
    monkeypatch.setenv("RECSVC_STORE_URL", url)
    arguments = ("recommend", everybody[0], "--k", 3, "--json", "--artifacts", trained.artifacts)
    before = json.loads(run(capsys, main, *arguments).out)
    new = next(one["item_id"] for one in before["items"])
    engine = open_store(url)
    bought = Event("e1", everybody[0], "purchase", NOW, new, {"price": 2.5})

    EventStore(engine).add([bought], received_at=NOW)
    after = json.loads(run(capsys, main, *arguments).out)
    engine.dispose()

    assert after["customer"]["orders"] == before["customer"]["orders"] + 1


def test_recommend_explains_sources_and_features(
    trained: Trained, recommender: Recommender, everybody: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("recommend", everybody[0], "--k", 2, "--explain", "--artifacts", trained.artifacts)

    printed, answered = run(capsys, main, *arguments), run(capsys, main, *arguments, "--json")

    expected = recommender.recommend(Query(everybody[0], k=2, explain=True), now=NOW).items
    reply = RecommendationReply.model_validate_json(answered.out)
    for item, written in zip(expected, reply.items, strict=True):
        assert item.explanation is not None
        assert written.explanation is not None
        assert written.explanation.sources == list(item.explanation.sources)
        strongest = written.explanation.features[0]
        assert (strongest.feature, strongest.contribution) == (
            item.explanation.features[0].feature,
            item.explanation.features[0].contribution,
        )
        assert f"{strongest.contribution:+.2f}" in printed.out
    assert "own_history" in printed.out


def test_recommend_prints_a_table_with_titles_and_reasons(
    trained: Trained, recommender: Recommender, everybody: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    ended = run(capsys, main, "recommend", everybody[0], "--k", 1, "--artifacts", trained.artifacts)

    first = recommender.recommend(Query(everybody[0], k=1), now=NOW).items[0]
    assert ended.code == 0
    assert first.item_id in ended.out
    assert str(recommender.item(first.item_id).title).split()[0] in ended.out


def test_wishes_of_the_command_line_are_those_of_a_question(
    trained: Trained, recommender: Recommender, everybody: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    where, rule = "price < 6 AND days_on_sale > 1", 'block where category = "Kitchen"'
    wishes = ("--where", where, "--rule", rule, "--category-cap", 3)

    as_json = run(capsys, main, "recommend", everybody[0], *wishes, "--json", "--artifacts", trained.artifacts)
    as_table = run(capsys, main, "recommend", everybody[0], *wishes, "--artifacts", trained.artifacts)

    slate = recommender.recommend(Query(everybody[0], where=where, rules=(rule,), category_cap=3), now=NOW)
    answer = json.loads(as_json.out)
    assert [one["item_id"] for one in answer["items"]] == [one.item_id for one in slate.items]
    assert answer["filters_applied"] == list(slate.filters_applied)
    assert rule in " ".join(as_table.out.split())


@pytest.mark.parametrize("wishes", [("--where", "price <"), ("--rule", "boost where price < 1")])
def test_a_filter_that_cannot_be_read_is_one_clear_line(
    trained: Trained, capsys: pytest.CaptureFixture[str], wishes: tuple[str, str]
) -> None:
    ended = run(capsys, main, "recommend", "1", *wishes, "--artifacts", trained.artifacts)

    assert ended.code == 2
    assert ", character " in ended.one_line_error()


def test_a_stranger_is_shown_what_is_popular(trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    ended = run(capsys, main, "recommend", "nobody", "--json", "--artifacts", trained.artifacts)

    assert json.loads(ended.out)["strategy"] == "popular"
    assert json.loads(ended.out)["customer"] is None


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl"])
def test_customers_are_written_with_every_figure_the_win_back_list_first(
    trained: Trained, recommender: Recommender, tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    out = tmp_path / f"customers{ending}"

    assert run(capsys, main, "customers", "--out", out, "--artifacts", trained.artifacts).code == 0

    table = recommender.bundle.customer_table
    if ending == ".parquet":
        written = pq.read_table(out)
        assert written["customer_id"].equals(table["customer_id"])
        assert written["spend"].to_pylist() == pytest.approx(table["spend"].to_pylist())
        return
    text = out.read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines())) if ending == ".csv" else [*map(json.loads, text.splitlines())]
    assert [row["customer_id"] for row in rows] == table["customer_id"].to_pylist()
    assert str(rows[0]["win_back_rank"]) == "1"
    added = {"layer_label", "what_to_do", "why_1", "why_2", "why_3"}
    assert set(rows[0]) == {*table.column_names, *added}
    assert list(rows[0])[:6] == [
        "customer_id",
        "win_back_rank",
        "early_warning_rank",
        "state",
        "state_since",
        "segment",
    ]


def test_everybody_on_a_list_has_three_facts_in_words_and_nobody_else(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "customers.parquet"

    run(capsys, main, "customers", "--out", out, "--artifacts", trained.artifacts)

    for row in pq.read_table(out).to_pylist():
        is_listed = row["win_back_rank"] is not None or row["early_warning_rank"] is not None
        facts = {row[name] for name in ("why_1", "why_2", "why_3")}
        assert len(facts - {None}) == (3 if is_listed else 0)
        assert row["what_to_do"].endswith(".")


def test_an_unknown_setting_in_the_environment_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECSVC_ARTIFACT", "x")

    ended = run(capsys, main, "recommend", "1")

    assert ended.code == 2
    assert "RECSVC_ARTIFACTS" in ended.one_line_error()

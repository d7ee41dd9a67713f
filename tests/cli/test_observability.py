"""The shipped dashboard and alert rules, against the metrics of a real service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from recsvc.cli.main import main
from recsvc.observability import ALERTS, DASHBOARD
from tests.gunicorn_process import Running
from tests.promql import is_balanced, unknown_words
from tests.running import run

RULE = {"alert", "expr", "for", "labels", "annotations"}


def rules() -> list[dict[str, object]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, object]]:
    return list(json.loads(DASHBOARD.read_text())["panels"])


def expressions() -> Iterator[str]:
    yield from (str(rule["expr"]) for rule in rules())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])  # type: ignore[attr-defined]
    yield from (
        one["query"] for one in json.loads(DASHBOARD.read_text())["templating"]["list"] if one["type"] == "query"
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    running = Running(tmp_path_factory.mktemp("observed"))
    running.wait()
    running.get("/v1/customers/a/recommendations?k=1")
    yield running.get("/metrics").decode()
    running.kill()


def test_every_metric_and_label_they_name_is_on_the_page_of_a_service(page: str) -> None:
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    known = {sample.name for sample in samples} | {label for sample in samples for label in sample.labels}

    unknown = {expression: words for expression in expressions() if (words := unknown_words(expression, known))}

    assert unknown == {}


def test_a_word_that_is_nothing_is_found() -> None:
    assert unknown_words('sum by (kind) (rate(recsvc_typo_total{code="x"}[5m]))', {"kind"}) == {
        "recsvc_typo_total",
        "code",
    }


def test_every_metric_of_ours_is_on_the_dashboard(page: str) -> None:
    families = {family.name for family in text_string_to_metric_families(page)}
    shown = DASHBOARD.read_text()

    assert {name for name in families if name not in shown} == set()


@pytest.mark.parametrize("expression", tuple(expressions()))
def test_brackets_are_balanced(expression: str) -> None:
    assert is_balanced(expression)


def test_every_rule_has_what_prometheus_and_the_one_on_call_need() -> None:
    names = [rule["alert"] for rule in rules()]

    assert len(names) == len(set(names))
    for rule in rules():
        assert set(rule) == RULE
        assert re.fullmatch(r"\d+[smh]", str(rule["for"]))
        assert rule["labels"]["severity"] in {"page", "ticket"}  # type: ignore[index]
        assert set(rule["annotations"]) == {"summary", "action"}  # type: ignore[call-overload]


def test_no_panel_of_the_dashboard_lies_on_another() -> None:
    squares = [
        (x, y)
        for panel in panels()
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])  # type: ignore[index]
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])  # type: ignore[index]
    ]

    assert len(squares) == len(set(squares))
    assert max(x for x, _ in squares) < 24
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_the_command_prints_where_they_lie(capsys: pytest.CaptureFixture[str]) -> None:
    ended = run(capsys, main, "observability")

    paths = [Path(line.split(maxsplit=1)[1]) for line in ended.out.splitlines()]
    assert [path.name for path in paths] == ["dashboard.json", "alerts.yml"]
    assert all(path.is_file() for path in paths)

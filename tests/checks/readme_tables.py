"""Tables of the README that come from elsewhere: the config from its models, the features from their code, the evidence
from what `make evidence` wrote.

    .venv/bin/python -m tests.checks.readme_tables [artifacts/evidence-NAME.json ...]

Rewrites README.md between its markers. A contract test fails when the first three are out of date.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

from recsvc.domain.blend_features import BLEND_FEATURES
from recsvc.domain.customer_features import FEATURES as CUSTOMER_FEATURES
from recsvc.domain.customer_features import CustomerFeature
from recsvc.domain.detail_features import DETAIL_FEATURES
from recsvc.domain.feature import Feature
from training.backtest import METHODS
from training.config import TrainingConfig
from training.report import COLUMNS

README = Path(__file__).parents[2] / "README.md"
RECIPE = ("catalogue", "als", "value", "lapse", "ranking", "ranker", "backtest", "engine")
NAMES = {"complete_journey": "Complete Journey, single products", "online_retail": "Online Retail 2009-2010"}
GROUPS = {"all": "all who returned", "lapsed": "lapsed", "lapsed_high_value": "lapsed & high value"}
Cells = dict[tuple[str, ...], Any]  # Any: JSON rows of `recsvc-train backtest --json`


def config_table() -> str:
    """Every setting of how to train, with its default."""
    rows = ["| key | default | means |", "|---|---|---|"]
    for section in RECIPE:
        model: type[BaseModel] = type(getattr(TrainingConfig(), section))
        for name, field in model.model_fields.items():
            rows.append(f"| `{section}.{name}` | {_shown(field.default)} | {_one_line(field.description)} |")
    return "\n".join(rows)


def feature_table(features: Sequence[Feature[Any] | CustomerFeature]) -> str:
    """Every feature of the ranking, or of customers."""
    rows = [f"| `{feature.name}` | {feature.meaning} |" for feature in features]
    return "\n".join(["| feature | meaning |", "|---|---|", *rows])


def evidence_tables(files: tuple[Path, ...]) -> str:
    """Back-test tables, one a file and group."""
    return "\n\n".join(table for path in sorted(files) for table in _evidence(path))


def replaced(text: str, name: str, table: str) -> str:
    """Put a table between its markers."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    return re.sub(f"{begin}.*?{end}", lambda _: f"{begin}\n{table}\n{end}", text, flags=re.DOTALL)


@click.command()
@click.argument("evidence", nargs=-1, type=click.Path(path_type=Path, exists=True))
def main(evidence: tuple[Path, ...]) -> None:
    """Rewrite the tables of README.md."""
    text = replaced(README.read_text("utf-8"), "config", config_table())
    text = replaced(text, "features", feature_table(BLEND_FEATURES))
    text = replaced(text, "tree features", feature_table(DETAIL_FEATURES))
    text = replaced(text, "customer features", feature_table(CUSTOMER_FEATURES))
    if evidence:
        text = replaced(text, "evidence", evidence_tables(evidence))
    README.write_text(text, "utf-8")


def _evidence(path: Path) -> Iterator[str]:
    rows = json.loads(path.read_bytes())["ranking"]
    cells: Cells = {(row["group"], row["method"], row["split"], row["metric"]): row for row in rows}
    title = NAMES[path.stem.removeprefix("evidence-")]
    for group, meaning in GROUPS.items():
        n = cells[group, "ranking", "all", "ndcg@10"]["n"]
        head = (
            f"| {title}: {meaning}, n = {n:,} | NDCG@10 | recall@10 | hit@10 | NDCG@10, new items | hit@10, new items |"
        )
        lines = [f"| {method.replace('_', ' ')} | {_estimates(cells, group, method)} |" for method in METHODS]
        paired = cells[group, "ranking - p_topfreq", "all", "ndcg@10"]["estimate"]
        difference = (
            f"Ranking minus P-TopFreq, paired: {paired['mean']:+.4f} ({paired['low']:+.4f} to {paired['high']:+.4f})."
        )
        yield "\n".join([head, "|---|---|---|---|---|---|", *lines, "", difference])


def _estimates(cells: Cells, group: str, method: str) -> str:
    found = [cells[group, method, split, metric]["estimate"] for split, metric in COLUMNS]
    return " | ".join(f"{one['mean']:.3f} [{one['low']:.3f}, {one['high']:.3f}]" for one in found)


def _shown(default: object) -> str:
    return "" if default is None or default == () else f"`{default}`"


def _one_line(description: str | None) -> str:
    return " ".join((description or "").split())


if __name__ == "__main__":
    main()

"""The files of a bundle, written into a staged folder: every name and format a bundle has, from this side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from recsvc.bundle.reader import (
    ATTRIBUTES,
    FACTORS,
    GRAM,
    INDEX,
    ITEMS,
    LAPSE,
    NEIGHBOUR_PARTS,
    RANKER,
    RETURN_MODEL,
    RULES,
    TREES,
    VALUE,
    neighbour_file,
)
from recsvc.domain.arrays import AnyArray, Factors
from recsvc.domain.neighbours import Neighbours
from recsvc.domain.profiles import CustomerModels
from training.als import gram_matrix
from training.config_recipe import RankingConfig
from training.index import write_index
from training.ranker import RankerFit
from training.tables import Prepared


def write_catalogue(folder: Path, prepared: Prepared, statistics: dict[str, AnyArray]) -> None:
    """Write items with their statistics, and what the retailer says of customers."""
    items = prepared.items
    for name, values in statistics.items():
        items = items.append_column(name, pa.array(values))
    pq.write_table(items, folder / ITEMS)
    if prepared.attributes is not None:
        pq.write_table(prepared.attributes, folder / ATTRIBUTES)


def write_taste(folder: Path, factors: Factors) -> None:
    """Write item factors, what fold-in needs of them, and their index."""
    np.save(folder / FACTORS, factors, allow_pickle=False)
    np.save(folder / GRAM, gram_matrix(factors), allow_pickle=False)
    write_index(factors, folder / INDEX)


def write_customer_models(folder: Path, models: CustomerModels) -> None:
    """Write value, clock and the order of the win-back list."""
    write_json(folder / VALUE, models.value_json())
    write_json(folder / LAPSE, models.lapse_json())
    write_json(folder / RETURN_MODEL, models.targeting.to_json())


def write_neighbours(folder: Path, name: str, neighbours: Neighbours) -> None:
    """Write one file per array, to be mapped."""
    for part in NEIGHBOUR_PARTS:
        np.save(folder / neighbour_file(name, part), getattr(neighbours, part), allow_pickle=False)


def write_ranker(folder: Path, found: RankerFit) -> None:
    """Write, or replace, the ranker of a staged folder."""
    write_json(folder / RANKER, {**found.blend.to_json(), **found.ranked_by.to_json()})
    if found.trees is not None:
        (folder / TREES).write_text(found.trees, "utf-8")


def write_standing_rules(folder: Path, config: RankingConfig) -> None:
    """Write what the retailer wants of every slate."""
    write_json(folder / RULES, config.standing().to_json())


def write_json(path: Path, content: object) -> None:
    """Write readable JSON with sorted keys."""
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))

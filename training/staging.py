"""One training at one cut-off: from what was read to a folder that a `Recommender` can be opened on.

Two passes over the customers: the first writes their records and keeps the few numbers the value and lapse fits need;
the second, over the records just written, builds what depends on those fits. Neither holds more than a batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp

from recsvc.bundle.customers import CustomersWriter
from recsvc.bundle.manifest import FoldInConvention
from recsvc.bundle.reader import (
    ATTRIBUTES,
    CUSTOMER_TABLE,
    CUSTOMERS,
    FACTORS,
    GRAM,
    INDEX,
    ITEMS,
    LAPSE,
    RANKER,
    RETURN_MODEL,
    VALUE,
    fold_in_params,
    read_categories,
    read_shelf,
)
from recsvc.domain.arrays import Counts, Factors
from recsvc.domain.blending import LinearBlend
from recsvc.domain.history import Histories
from recsvc.domain.lapse import LapseThresholds, lapsed_after_days
from recsvc.domain.preferences import preferences
from recsvc.domain.profiles import CustomerModels, Economics, expected_orders, profiles
from recsvc.domain.rfm import Rfm, gaps
from recsvc.domain.segments import spend_per_active_year
from recsvc.errors import DataError
from training.als import fit_item_factors, gram_matrix
from training.churn_market import build_market
from training.churn_reasons import ChurnEvidence, ChurnReasons, no_churn_reasons, with_reasons
from training.churn_stated import statements_of
from training.churn_troubles import troubles_of
from training.comeback import comeback_buyers, is_comeback
from training.config import TrainingConfig
from training.config_recipe import AlsConfig
from training.customer_table import CustomerTable
from training.habits import habit_table, known_habits, with_habits
from training.index import write_index
from training.interactions import user_items, weighted
from training.intervals import sampled
from training.lapse import fit_category_clocks, fit_lapse
from training.maximum_likelihood import Diagnostics
from training.model_choice import Choice, choose_transactions
from training.past_windows import sample_records
from training.progress import Progress
from training.ranker import prior_blend
from training.records import Fingerprint, Summaries, stream_histories, with_touchpoints, write_records
from training.split import Past, joined_past, past_of
from training.standing import fit_layer_rule
from training.tables import Prepared
from training.targeting_choice import TargetingFit, fit_targeting, no_targeting
from training.transactions import RECIPES
from training.value import fit_high_value_rule, fit_value


@dataclass(frozen=True, slots=True)
class CustomerFit:
    """The customer models, how they were come by, and a bounded sample of who they were fitted on."""

    models: CustomerModels
    choice: Choice
    diagnostics: tuple[Diagnostics, ...]
    sample: Rfm
    n_customers: int


@dataclass(frozen=True, slots=True)
class Staged:
    """A folder that lacks only its manifest, what it was made from, and what later steps need of all customers."""

    folder: Path
    prepared: Prepared
    past: Past
    customer_fit: CustomerFit
    targeting: TargetingFit
    churn_reasons: ChurnReasons
    fingerprint: str


@dataclass(frozen=True, slots=True)
class SecondPass:
    """What the records say once the customer models are known."""

    matrix: sp.csr_matrix
    n_comeback_buyers: Counts
    past: Past
    customers: CustomerTable
    churn_reasons: ChurnReasons


def stage(
    prepared: Prepared,
    config: TrainingConfig,
    folder: Path,
    progress: Progress,
    *,
    targeted: bool = True,
    explained: bool = True,
) -> Staged:
    """Fit everything but the blend on what was read, and write it into `folder` with the prior blend.

    Not `targeted`, BTYD orders the win-back list; not `explained`, nobody has a likely reason to have left: for replays
    in which nobody looks at it.
    """
    check_catalogue(prepared)
    n_customers, fingerprint = len(prepared.customer_ids), Fingerprint()
    with CustomersWriter(folder / CUSTOMERS, n_customers, prepared.n_lines) as records:
        with progress.step("customer records"):
            histories = stream_histories(fingerprint.of(prepared.record_batches()), prepared.customer_ids)
            touchpoints = fingerprint.of(prepared.touchpoint_batches(), "touchpoint_")
            together = with_touchpoints(histories, touchpoints)
            summaries = write_records(together, records, prepared.as_of_day, config.horizon_days)
            habits = habit_table(prepared.session, prepared.acts, n_customers)
            records.write_habits(known_habits(prepared.customer_ids, habits))
        with progress.step("value and lapse"):
            fitted = _with_category_clocks(fit_customer_models(summaries, config), records, prepared.items)
        with progress.step("return model"):
            targeting = _targeting(records, fitted.models, prepared.as_of_day) if targeted else no_targeting()
            fitted = replace(fitted, models=replace(fitted.models, targeting=targeting.targeting))
        with progress.step("profiles and interactions"):
            found = _second_pass(records.batches(), fitted.models, prepared, config, explained=explained)
            records.write_win_back_ranks(found.customers.win_back_ids())
            records.write_early_warning_ranks(found.customers.early_warning_ids())
            fitted = replace(fitted, models=replace(fitted.models, standing=found.customers.standing()))
    with progress.step("taste (ALS)") as done:
        factors = fit_item_factors(found.matrix, config.als, config.engine.threads, done)
    with progress.step("files"):
        _write_files(folder, prepared, found, fitted.models, factors)
        _write_customers(folder, prepared, found, fitted.models, habits)
        write_blend(folder, prior_blend())
    return Staged(folder, prepared, found.past, fitted, targeting, found.churn_reasons, fingerprint.hexdigest())


def check_catalogue(prepared: Prepared) -> None:
    """Refuse data in which no product has enough buyers.

    Raises
    ------
    DataError
    """
    if not prepared.n_catalogue:
        most = max(prepared.items["n_buyers"].to_pylist())
        problem = f"no product has enough buyers to be recommended: the most any has is {most}"
        raise DataError("orders", problem, "lower catalogue.min_buyers, or bring more history")


def fit_customer_models(summaries: Summaries, config: TrainingConfig) -> CustomerFit:
    """Choose and fit value, fit the clock and the line of high value; BTYD orders the list until another is chosen."""
    choice = choose_transactions(summaries.holdout, config.horizon_days)
    value, lapse = fit_value(summaries.rfm, RECIPES[choice.model]), fit_lapse(summaries.gaps)
    thresholds = LapseThresholds(config.lapse.due, config.lapse.late, config.lapse.lapsed, config.lapse.lost)
    active = lapsed_after_days(lapse.params, thresholds, summaries.gaps)
    spend = spend_per_active_year(value.models, summaries.rfm, active)
    high_value = fit_high_value_rule(spend, config.lapse.high_value_share)
    models = CustomerModels(
        value=value.models,
        lapse=lapse.params,
        thresholds=thresholds,
        high_value=high_value,
        economics=Economics(
            horizon_days=config.horizon_days,
            clv_horizon_days=config.value.horizon_days,
            margin=config.value.margin,
            discount_rate=config.value.discount_rate,
        ),
        targeting=no_targeting().targeting,
        layers=fit_layer_rule(spend, high_value, config.lapse.win_back_churn),
    )
    diagnostics = (*value.diagnostics, lapse.diagnostics)
    return CustomerFit(models, choice, diagnostics, sampled(summaries.rfm), len(summaries.rfm))


def fold_in_convention(config: AlsConfig) -> FoldInConvention:
    """How serving must fold in what these settings fit."""
    return FoldInConvention(
        alpha=config.alpha,
        regularization=config.regularization,
        half_life_days=config.half_life_days,
        max_count=config.max_count,
    )


def write_blend(folder: Path, blend: LinearBlend) -> None:
    """Write, or replace, the ranker of a staged folder."""
    write_json(folder / RANKER, blend.to_json())


def write_json(path: Path, content: object) -> None:
    """Write readable JSON with sorted keys."""
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))


def _with_category_clocks(fitted: CustomerFit, records: CustomersWriter, items: pa.Table) -> CustomerFit:
    if "category" not in items.column_names:
        return fitted
    categories = read_categories(items)
    clocks = fit_category_clocks(sample_records(records.batches()), categories)
    return replace(fitted, models=replace(fitted.models, category_clocks=clocks))


def _targeting(records: CustomersWriter, models: CustomerModels, as_of_day: int) -> TargetingFit:
    horizon_days = models.economics.horizon_days
    return fit_targeting(sample_records(records.batches()), models.thresholds, horizon_days, as_of_day)


def _second_pass(
    batches: Iterator[Histories],
    models: CustomerModels,
    prepared: Prepared,
    config: TrainingConfig,
    *,
    explained: bool,
) -> SecondPass:
    convention = fold_in_params(fold_in_convention(config.als))
    comebacks = np.zeros(len(prepared.items), np.int64)
    day, shelf = prepared.as_of_day, read_shelf(prepared.items)
    matrices, pasts, customers = [], [], CustomerTable(models.targeting.ordering, shelf.names)
    churn = ChurnEvidence(build_market(prepared)) if explained else None
    for histories in batches:
        figures = profiles(histories, models, day)
        matrix = user_items(histories, day, prepared.n_catalogue, convention)
        matrices.append(weighted(matrix, figures.has_lapsed() & figures.high_value, config.als.winback_weight))
        returned = is_comeback(histories, models.lapse, models.thresholds)
        comebacks += comeback_buyers(histories, returned, len(comebacks))
        pasts.append(past_of(histories, day))
        expected = expected_orders(histories, figures, models, day)
        customers.add(histories.customer_ids, figures, expected, preferences(histories, shelf))
        if churn:
            limit_days = lapsed_after_days(models.lapse, models.thresholds, gaps(histories))
            churn.add(histories, figures, limit_days, troubles_of(histories.touchpoints))
    matrix = sp.vstack(matrices, format="csr")
    ids = prepared.customer_ids
    reasons = churn.reasons(ids, statements_of(prepared)) if churn else no_churn_reasons(len(ids))
    return SecondPass(matrix, comebacks, joined_past(pasts), customers, reasons)


def _write_files(folder: Path, prepared: Prepared, found: SecondPass, models: CustomerModels, factors: Factors) -> None:
    comebacks = pa.array(found.n_comeback_buyers)
    pq.write_table(prepared.items.append_column("n_comeback_buyers", comebacks), folder / ITEMS)
    if prepared.attributes is not None:
        pq.write_table(prepared.attributes, folder / ATTRIBUTES)
    np.save(folder / FACTORS, factors, allow_pickle=False)
    np.save(folder / GRAM, gram_matrix(factors), allow_pickle=False)
    write_index(factors, folder / INDEX)
    write_json(folder / VALUE, models.value_json())
    write_json(folder / LAPSE, models.lapse_json())
    write_json(folder / RETURN_MODEL, models.targeting.to_json())


def _write_customers(
    folder: Path, prepared: Prepared, found: SecondPass, models: CustomerModels, habits: pa.Table
) -> None:
    ids = prepared.customer_ids
    explained = with_reasons(found.customers.to_arrow(models.standing), ids, found.churn_reasons.likely_reason)
    pq.write_table(with_habits(explained, ids, habits), folder / CUSTOMER_TABLE)

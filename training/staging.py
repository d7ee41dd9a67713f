"""One training at one cut-off: from what was read to a folder that a `Recommender` can be opened on.

Two passes over the customers: the first writes their records and keeps the few numbers the value and lapse fits need;
the second, over the records just written, builds what depends on those fits. Neither holds more than a batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp

from recsvc.bundle.customers import CustomersWriter
from recsvc.bundle.manifest import FoldInConvention
from recsvc.bundle.reader import (
    BOUGHT_TOGETHER,
    CUSTOMER_TABLE,
    CUSTOMERS,
    LIKED_TOGETHER,
    fold_in_params,
    read_categories,
    read_shelf,
)
from recsvc.domain.arrays import AnyArray
from recsvc.domain.history import Histories
from recsvc.domain.lapse import LapseThresholds, lapsed_after_days
from recsvc.domain.preferences import preferences
from recsvc.domain.profiles import CustomerModels, Economics, expected_orders, profiles
from recsvc.domain.rfm import Rfm, gaps
from recsvc.domain.segments import spend_per_active_year
from recsvc.errors import DataError
from recsvc.serving.uplift import Learned, OfferLifts, write_learned
from training.als import fit_item_factors
from training.churn_market import build_market
from training.churn_reasons import ChurnEvidence, ChurnReasons, no_churn_reasons, with_reasons
from training.churn_stated import statements_of
from training.churn_troubles import troubles_of
from training.comeback import is_comeback
from training.config import TrainingConfig
from training.config_recipe import AlsConfig
from training.contact_lots import learn_from_contacts, offer_lifts
from training.customer_table import CustomerTable
from training.habits import habit_table, known_habits, with_habits
from training.interactions import user_items, weighted
from training.intervals import sampled
from training.item_statistics import ItemStatistics, category_columns, promotion_ends
from training.lapse import fit_category_clocks, fit_lapse
from training.maximum_likelihood import Diagnostics
from training.model_choice import Choice, choose_transactions
from training.neighbours import NeighbourSample, bought_together, liked_together
from training.past_windows import sample_records
from training.progress import Progress
from training.ranker import RankerFit, no_ranker
from training.records import Fingerprint, Summaries, stream_histories, with_touchpoints, write_records
from training.split import Past, joined_past, past_of
from training.staged_files import (
    write_catalogue,
    write_customer_models,
    write_neighbours,
    write_ranker,
    write_standing_rules,
    write_taste,
)
from training.standing import fit_layer_rule
from training.standing_rules import check_rules
from training.tables import Prepared
from training.targeting_choice import TargetingFit, fit_targeting, no_targeting
from training.transactions import RECIPES
from training.value import fit_high_value_rule, fit_value

NO_LOTS: Final[tuple[Learned | None, OfferLifts]] = (None, {})


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
    ranker: RankerFit


@dataclass(frozen=True, slots=True)
class SecondPass:
    """What the records say once the customer models are known."""

    matrix: sp.csr_matrix
    statistics: ItemStatistics
    sample: NeighbourSample
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
    """Fit everything but the ranker on what was read, and write it into `folder` with a stand-in.

    Not `targeted`, BTYD orders the win-back list; not `explained`, nobody has a likely reason to have left: for replays
    in which nobody looks at it.
    """
    check_catalogue(prepared)
    check_rules(prepared, config.ranking)
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
            targeting = _targeting(records, fitted, prepared.as_of_day) if targeted else no_targeting()
            fitted = replace(fitted, models=replace(fitted.models, targeting=targeting.targeting))
        with progress.step("what contacts add"):
            lots = _lots(records, fitted, prepared) if targeted and explained else NO_LOTS
        with progress.step("profiles and interactions"):
            found = _second_pass(records.batches(), fitted.models, prepared, config, explained=explained)
            records.write_win_back_ranks(found.customers.win_back_ids())
            records.write_early_warning_ranks(found.customers.early_warning_ids())
            fitted = replace(fitted, models=replace(fitted.models, standing=found.customers.standing()))
    with progress.step("taste (ALS)") as done:
        factors = fit_item_factors(found.matrix, config.als, config.engine.threads, done)
    with progress.step("items that go together"):
        _write_what_goes_together(folder, found.sample, prepared.as_of_day, config)
    with progress.step("files"):
        write_catalogue(folder, prepared, _item_statistics(prepared, found.statistics))
        write_taste(folder, factors)
        write_customer_models(folder, fitted.models)
        _write_customers(folder, prepared, found, fitted.models, habits)
        write_ranker(folder, no_ranker())
        write_standing_rules(folder, config.ranking)
        write_learned(folder, *lots)
    reasons, digest = found.churn_reasons, fingerprint.hexdigest()
    return Staged(folder, prepared, found.past, fitted, targeting, reasons, digest, no_ranker())


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
        half_life_days=config.half_life,
        max_count=config.max_count,
    )


def _with_category_clocks(fitted: CustomerFit, records: CustomersWriter, items: pa.Table) -> CustomerFit:
    if "category" not in items.column_names:
        return fitted
    categories = read_categories(items)
    clocks = fit_category_clocks(sample_records(records.batches()), categories)
    return replace(fitted, models=replace(fitted.models, category_clocks=clocks))


def _lots(records: CustomersWriter, fitted: CustomerFit, prepared: Prepared) -> tuple[Learned | None, OfferLifts]:
    """What contacts and offers add; nothing without lots that can tell."""
    if prepared.lots is None or not len(prepared.lots):
        return NO_LOTS
    sample, recipe = sample_records(records.batches()), RECIPES[fitted.choice.model]
    thresholds, horizon_days = fitted.models.thresholds, fitted.models.economics.horizon_days
    day = prepared.as_of_day
    learned = learn_from_contacts(sample, prepared.lots, thresholds, horizon_days, day, recipe)
    return learned, offer_lifts(sample, prepared.lots, horizon_days, day)


def _targeting(records: CustomersWriter, fitted: CustomerFit, as_of_day: int) -> TargetingFit:
    sample, recipe = sample_records(records.batches()), RECIPES[fitted.choice.model]
    horizon_days = fitted.models.economics.horizon_days
    return fit_targeting(sample, fitted.models.thresholds, horizon_days, as_of_day, recipe)


def _second_pass(
    batches: Iterator[Histories],
    models: CustomerModels,
    prepared: Prepared,
    config: TrainingConfig,
    *,
    explained: bool,
) -> SecondPass:
    convention = fold_in_params(fold_in_convention(config.als))
    day, shelf = prepared.as_of_day, read_shelf(prepared.items)
    statistics = ItemStatistics(len(prepared.items))
    sample = NeighbourSample(prepared.n_lines, prepared.n_catalogue, config.als.random_state)
    matrices, pasts, customers = [], [], CustomerTable(models.targeting.ordering, shelf.names, prepared.unprofiled())
    churn = ChurnEvidence(build_market(prepared)) if explained else None
    for histories in batches:
        figures = profiles(histories, models, day)
        matrix = user_items(histories, day, prepared.n_catalogue, convention)
        matrices.append(weighted(matrix, figures.has_lapsed() & figures.high_value, config.als.winback_weight))
        statistics.add(histories, is_comeback(histories, models.lapse, models.thresholds))
        sample.add(histories)
        pasts.append(past_of(histories, day))
        expected = expected_orders(histories, figures, models, day)
        customers.add(histories.customer_ids, figures, expected, preferences(histories, shelf))
        if churn:
            limit_days = lapsed_after_days(models.lapse, models.thresholds, gaps(histories))
            churn.add(histories, figures, limit_days, troubles_of(histories.touchpoints))
    matrix = sp.vstack(matrices, format="csr")
    ids = prepared.customer_ids
    reasons = churn.reasons(ids, statements_of(prepared)) if churn else no_churn_reasons(len(ids))
    return SecondPass(matrix, statistics, sample, joined_past(pasts), customers, reasons)


def _item_statistics(prepared: Prepared, statistics: ItemStatistics) -> dict[str, AnyArray]:
    items = prepared.items
    categories = category_columns(items, prepared.n_catalogue)
    columns = statistics.columns(items["n_order_days"].to_numpy(), categories["second_category"])
    return columns | categories | {"promotion_ends_day": promotion_ends(prepared.promotions, len(items))}


def _write_what_goes_together(folder: Path, sample: NeighbourSample, as_of_day: int, config: TrainingConfig) -> None:
    lines, threads, half_life_days = sample.lines(), config.engine.threads, config.als.half_life
    bought = bought_together(lines, sample.n_catalogue, threads)
    liked = liked_together(lines, sample.n_catalogue, as_of_day, half_life_days, threads)
    write_neighbours(folder, BOUGHT_TOGETHER, bought)
    write_neighbours(folder, LIKED_TOGETHER, liked)


def _write_customers(
    folder: Path, prepared: Prepared, found: SecondPass, models: CustomerModels, habits: pa.Table
) -> None:
    ids = prepared.customer_ids
    explained = with_reasons(found.customers.to_arrow(models.standing), ids, found.churn_reasons.likely_reason)
    pq.write_table(with_habits(explained, ids, habits), folder / CUSTOMER_TABLE)

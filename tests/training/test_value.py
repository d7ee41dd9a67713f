import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsvc.domain.rfm import Rfm
from recsvc.domain.segments import is_high_value, spend_per_active_year
from recsvc.domain.value_models import (
    average_value,
    clv,
    expected_purchases,
    probability_alive,
    probability_of_purchase,
)
from recsvc.errors import DataError
from training.errors import FitDidNotConverge
from training.spend import first_order_tells, fit_gamma_gamma
from training.transactions import RECIPES, fit_bg_nbd, fit_mbg_nbd, fit_pareto_nbd, fit_transactions
from training.value import fit_high_value_rule, fit_value

RECIPE = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())


def simulate(r, alpha, a, b, n, seed=5):
    """Customers who follow MBG/NBD to the letter, watched for up to two years."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(30, 730, n)
    rate, leave = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    frequency, recency, clock = np.zeros(n), np.zeros(n), np.zeros(n)
    alive = rng.random(n) > leave
    while alive.any():
        clock += rng.exponential(1 / rate)
        alive &= clock < age
        frequency[alive] += 1
        recency[alive] = clock[alive]
        alive &= rng.random(n) > leave
    return frequency, recency, age


def simulate_spend(p, q, v, frequency, seed=5):
    rng = np.random.default_rng(seed)
    scale = rng.gamma(q, 1 / v, len(frequency))
    return np.where(frequency > 0, rng.gamma(p * np.maximum(frequency, 1)) / scale / np.maximum(frequency, 1), 0.0)


def test_mbg_nbd_recovers_the_parameters_customers_were_made_with():
    truth = {"r": 0.8, "alpha": 40.0, "a": 0.9, "b": 3.0}

    fitted = fit_mbg_nbd(*simulate(**truth, n=60_000))

    assert fitted.params.to_json() == pytest.approx(truth, rel=0.1)
    assert not fitted.diagnostics.fallback
    assert not fitted.diagnostics.at_bound


def simulate_pareto(r, alpha, s, beta, n, seed=5):
    """Customers who follow Pareto/NBD to the letter, watched for up to two years."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(30, 730, n)
    active = np.minimum(age, rng.exponential(1 / rng.gamma(s, 1 / beta, n)))
    frequency = rng.poisson(rng.gamma(r, 1 / alpha, n) * active).astype(np.float64)
    last = active * rng.random(n) ** (1 / np.maximum(frequency, 1))  # the latest of so many uniform moments
    return frequency, np.where(frequency > 0, last, 0.0), age


def test_pareto_nbd_recovers_the_parameters_customers_were_made_with():
    truth = {"r": 0.8, "alpha": 40.0, "s": 0.7, "beta": 100.0}

    fitted = fit_pareto_nbd(*simulate_pareto(**truth, n=20_000))

    assert fitted.params.to_json() == pytest.approx(truth, rel=0.2)
    assert not fitted.diagnostics.at_bound


def test_bg_nbd_is_mbg_nbd_with_a_first_order_nobody_leaves_after():
    """So it fits customers who stayed after their first order better, and the others worse."""
    columns = simulate(0.8, 40.0, 0.9, 3.0, n=5_000)

    modified, plain = fit_mbg_nbd(*columns), fit_bg_nbd(*columns)

    assert modified.diagnostics.log_likelihood > plain.diagnostics.log_likelihood


def test_gamma_gamma_recovers_the_parameters_amounts_were_made_with():
    frequency = simulate(0.8, 40.0, 0.9, 3.0, n=60_000)[0]

    fitted = fit_gamma_gamma(frequency, simulate_spend(4.0, 3.5, 20.0, frequency))

    found = fitted.params
    assert (found.p, found.q, found.v) == pytest.approx((4.0, 3.5, 20.0), rel=0.05)


def test_a_population_without_a_mean_is_shrunk_to_its_median():
    frequency = simulate(0.8, 40.0, 0.9, 3.0, n=20_000)[0]
    monetary_value = simulate_spend(4.0, 0.7, 5.0, frequency)

    fitted = fit_gamma_gamma(frequency, monetary_value).params

    assert fitted.q == pytest.approx(0.7, rel=0.05)
    assert fitted.population_value == np.median(monetary_value[monetary_value > 0])


@RECIPE
def test_the_order_of_customers_changes_nothing(recipe):
    columns = simulate(0.8, 40.0, 0.9, 3.0, n=2_000)
    shuffle = np.random.default_rng(1).permutation(2_000)

    assert fit_transactions(recipe, *columns) == fit_transactions(recipe, *(column[shuffle] for column in columns))


def test_everybody_twice_is_the_same_fit():
    columns = simulate(0.8, 40.0, 0.9, 3.0, n=2_000)

    once, twice = fit_mbg_nbd(*columns), fit_mbg_nbd(*(np.tile(column, 2) for column in columns))

    assert twice.params.to_json() == pytest.approx(once.params.to_json(), rel=1e-4)
    assert twice.diagnostics.log_likelihood == pytest.approx(2 * once.diagnostics.log_likelihood)
    assert twice.diagnostics.n_distinct == once.diagnostics.n_distinct


@RECIPE
def test_the_unit_of_time_changes_only_the_times(recipe):
    columns = simulate_pareto(0.8, 40.0, 0.7, 100.0, n=2_000)
    fitted = fit_transactions(recipe, *columns)

    rescaled = fit_transactions(recipe, columns[0], columns[1] / 7, columns[2] / 7)

    days, weeks = fitted.params.to_json(), rescaled.params.to_json()
    times = {name: days[name] / 7 for name in ("alpha", "beta") if name in days}
    assert weeks == pytest.approx({**days, **times}, rel=1e-3)


def test_too_few_customers_do_not_fit():
    with pytest.raises(FitDidNotConverge, match="only 1 customers ordered twice"):
        fit_mbg_nbd(np.array([0.0, 1.0]), np.array([0.0, 5.0]), np.array([9.0, 9.0]))
    with pytest.raises(FitDidNotConverge, match="only 0 customers paid"):
        fit_gamma_gamma(np.array([0.0, 1.0]), np.array([0.0, 0.0]))


FIRST_ORDERS = {
    "of one's own kind": (lambda own, rng: own * rng.gamma(4.0, 0.25, len(own)), True),
    "of anybody's kind": (lambda own, rng: rng.permutation(own), False),
    "samples": (lambda own, rng: np.full(len(own), np.median(own) / 3.0), False),
    "samples of one's own kind": (lambda own, rng: own * rng.gamma(4.0, 0.25, len(own)) / 6.0, False),
    "for nothing": (lambda own, rng: np.zeros(len(own)), False),
}


@pytest.mark.parametrize(("first_orders", "tells"), FIRST_ORDERS.values(), ids=FIRST_ORDERS.keys())
def test_first_orders_count_where_they_foretell_the_later_ones(first_orders, tells):
    rng = np.random.default_rng(3)
    own = 15.0 / rng.gamma(3.5, 0.25, 4_000)  # what a customer's orders are worth
    frequency = rng.integers(0, 5, 4_000).astype(np.float64)
    repeats = np.where(frequency > 0, own * rng.gamma(4.0 * np.maximum(frequency, 1)) / np.maximum(frequency, 1) / 4, 0)
    customers = Rfm(frequency, frequency * 30.0, np.full(4_000, 400.0), repeats, first_orders(own, rng))

    fitted = fit_value(customers)

    assert fitted.models.counts_first_order == tells
    # the parameters are those of the repeat orders, whatever the first ones were
    assert fitted.models.spend == fit_gamma_gamma(frequency, repeats).params


def test_a_handful_of_customers_cannot_say_whether_first_orders_tell():
    params = fit_gamma_gamma(np.ones(50), np.linspace(10.0, 90.0, 50)).params

    assert not first_order_tells(params, constant(9, 2, 20, 50, 30))


def constant(n, frequency, recency, age, value):
    return Rfm(*(np.full(n, float(column)) for column in (frequency, recency, age, value, value)))


def last_day_only(n):
    """Everybody's second order was today."""
    age = np.arange(n) % 300 + 1.0
    return Rfm(np.ones(n), age, age, np.full(n, 20.0), np.full(n, 20.0))


def with_a_machine(n):
    """Shoppers, and one who orders every day for 10,000 days."""
    frequency, recency, age = simulate(0.8, 40.0, 0.9, 3.0, n)
    amount = np.where(frequency > 0, 20.0, 0.0)
    machine = (10_000.0, 10_000.0, 10_001.0, 5.0, 5.0)
    shoppers = (frequency, recency, age, amount, np.full(n, 20.0))
    return Rfm(*(np.append(column, one) for column, one in zip(shoppers, machine, strict=True)))


@RECIPE
@pytest.mark.parametrize(
    ("customers", "flagged"),
    [
        (constant(1, 0, 0, 10, 0), True),
        (constant(1, 3, 30, 40, 25), True),
        (constant(500, 0, 0, 10, 0), True),
        (constant(500, 3, 30, 40, 25), False),
        (constant(500, 300, 300, 301, 0.01), False),
        (constant(500, 10_000, 10_000, 10_001, 5), False),
        (constant(500, 3, 30, 40, 0), False),
        (last_day_only(500), False),
        (with_a_machine(500), False),
    ],
    ids=[
        "one stranger",
        "one regular",
        "nobody repeats",
        "all alike",
        "every day, a cent",
        "10,000 orders each",
        "all for nothing",
        "orders only on the last day",
        "10,000 orders among shoppers",
    ],
)
def test_degenerate_shops_get_finite_figures_and_a_flag(recipe, customers, flagged):
    fitted = fit_value(customers, recipe)

    _assert_sane(fitted.models, customers)
    assert bool(fitted.diagnostics[0].fallback) == flagged
    assert all(found.fallback or found.log_likelihood is not None for found in fitted.diagnostics)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 1000), st.integers(1, 1000)), min_size=1, max_size=60),
    st.sampled_from(list(RECIPES.values())),
)
def test_any_shop_gets_finite_figures(rows, recipe):
    frequency = np.array([x for x, _, _ in rows], np.float64)
    recency = np.where(frequency > 0, np.array([t for _, t, _ in rows]) + frequency, 0.0)
    age = recency + np.array([t for _, _, t in rows])
    value = np.where(frequency > 0, np.array([t for _, t, _ in rows]) / 7.0, 0.0)
    customers = Rfm(frequency, recency, age, value, age / 3.0)

    _assert_sane(fit_value(customers, recipe).models, customers)


def _assert_sane(models, customers):
    triple = (customers.frequency, customers.recency, customers.T)
    for probability in (
        probability_alive(models.transactions, *triple),
        probability_of_purchase(models.transactions, 90.0, *triple),
    ):
        assert np.all((probability >= 0) & (probability <= 1))
    for amount in (
        expected_purchases(models.transactions, 365.0, *triple),
        average_value(models, customers),
        clv(models, customers, 365.0, margin=0.3, discount_rate=0.1),
        spend_per_active_year(models, customers),
    ):
        assert np.all(np.isfinite(amount) & (amount >= 0))


def test_empirical_rates_are_the_rates_one_counts():
    customers = constant(4, 2, 20, 50, 30)

    fitted = fit_value(customers)

    rate = 1 / fitted.models.transactions.alpha
    assert rate == pytest.approx(8.5 / 200)  # 8 orders, and half of one, over 200 days
    assert fitted.models.spend.population_value == 30.0
    assert fitted.diagnostics[0].fallback.startswith("mbg_nbd does not fit: only 4 customers")


def test_the_rule_selects_the_share_asked_for():
    spend = np.random.default_rng(1).gamma(2.0, 100.0, 1000)

    rule = fit_high_value_rule(spend, share=0.4)

    assert is_high_value(rule, spend).sum() == 400
    assert rule.share == 0.4


@given(st.lists(st.integers(0, 5), min_size=1, max_size=50), st.floats(0.01, 0.99))
def test_ties_never_select_more_than_the_share_unless_nobody_is_worth_more(values, share):
    spend = np.array(values, np.float64)

    rule = fit_high_value_rule(spend, share)

    chosen = is_high_value(rule, spend)
    assert chosen.mean() <= share + 1e-9 or rule.threshold == spend.max()
    assert chosen.any() == (spend.max() > 0)


def test_a_rule_needs_customers():
    with pytest.raises(DataError, match="no customer"):
        fit_high_value_rule(np.zeros(0))

import numpy as np
import pytest
from scipy.special import betaln, hyp2f1

from recsvc.domain.mbg_nbd import MbgNbdParams
from recsvc.domain.transactions import expected_purchases, probability_alive

CDNOW = MbgNbdParams(r=0.525, alpha=6.183, a=0.891, b=1.614)  # weeks


def test_a_customer_leaves_with_the_probability_bayes_gives():
    """For lambda and p known to be near-certain, the mixture collapses to the two stories of a silence."""
    rate, leave, silence = 0.1, 0.2, 8.0
    certain = MbgNbdParams(r=1e9, alpha=1e9 / rate, a=1e9 * leave, b=1e9 * (1 - leave))

    alive = probability_alive(certain, np.array([3.0]), np.array([30.0]), np.array([30.0 + silence]))

    stayed_silent = (1 - leave) * np.exp(-rate * silence)
    assert alive[0] == pytest.approx(stayed_silent / (stayed_silent + leave), rel=1e-6)


def test_expected_purchases_agree_with_the_published_formula():
    x, t_x, age = (np.array(column) for column in ([0.0, 2.0, 12.0], [0.0, 30.43, 33.0], [20.0, 38.86, 39.0]))
    p, horizon = CDNOW, 39.0

    found = expected_purchases(p, horizon, x, t_x, age)

    # Batislam, Denizel & Filiztekin (2007), as implemented by Fader and Hardie
    hyper = hyp2f1(p.r + x, p.b + x + 1, p.a + p.b + x, horizon / (p.alpha + age + horizon))
    bracket = 1 - ((p.alpha + age) / (p.alpha + age + horizon)) ** (p.r + x) * hyper
    alive = 1 / (1 + p.a / (p.b + x) * ((p.alpha + age) / (p.alpha + t_x)) ** (p.r + x))
    np.testing.assert_allclose(found, (p.a + p.b + x) / (p.a - 1) * bracket * alive, rtol=1e-9)


@pytest.mark.parametrize("a", [0.01, 1.0, 1.0 + 1e-7, 4.0, 400.0])
@pytest.mark.parametrize("r", [0.05, 30.0, 900.0])
@pytest.mark.parametrize("frequency", [0.0, 1.0, 300.0])
def test_expected_purchases_agree_with_integration_over_the_chance_to_leave(a, r, frequency):
    given_params = MbgNbdParams(r=r, alpha=20.0, a=a, b=2.5)
    x, age = np.array([frequency]), np.array([frequency + 60.0])

    found = expected_purchases(given_params, 365.0, x, x + 50.0, age)

    alive = probability_alive(given_params, x, x + 50.0, age)
    assert found / alive == pytest.approx(_purchases_if_alive(given_params, 365.0, frequency, age[0]), rel=2e-5)


def _purchases_if_alive(params, horizon, frequency, age):
    """E[(1 - (1 + p t / (alpha + T))^-(r + x)) / p] over p ~ Beta(a, b + x + 1), by a fine sum over logit p."""
    ratio, order, b = horizon / (params.alpha + age), params.r + frequency, params.b + frequency + 1
    spread = 15 * np.sqrt(1 / params.a + 1 / b) + 40 / min(params.a, b)
    logit = np.log(params.a / b) + np.linspace(-spread, spread, 400_001)
    log_p, log_q = -np.logaddexp(0, -logit), -np.logaddexp(0, logit)
    density = np.exp(params.a * log_p + b * log_q - betaln(params.a, b))
    chance = np.maximum(np.exp(log_p), 1e-12)  # below, the expectation no longer changes
    purchases = -np.expm1(-order * np.log1p(chance * ratio)) / chance
    return (density * purchases).sum() / density.sum()

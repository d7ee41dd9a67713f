"""The published CDNOW estimates, which every implementation of these models has to reproduce."""

import numpy as np
import pytest

from recsvc.domain.value_models import expected_average_value, expected_purchases
from tests.golden import cdnow
from training.spend import fit_gamma_gamma
from training.transactions import fit_bg_nbd, fit_mbg_nbd, fit_pareto_nbd


def test_mbg_nbd_finds_the_published_parameters_in_weeks():
    frequency, recency, age = cdnow.transactions()

    fitted = fit_mbg_nbd(frequency, recency, age)

    # Batislam et al. (2007) on the 1/10 sample
    published = {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}
    assert len(frequency) == 2357
    assert fitted.params.to_json() == pytest.approx(published, rel=0.001)


def test_bg_nbd_finds_the_published_parameters_and_expects_what_the_paper_prints():
    fitted = fit_bg_nbd(*cdnow.transactions())

    # Fader, Hardie & Lee (2005), table 2 and section 4; log-likelihood -9582.4
    assert fitted.params.to_json() == pytest.approx({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}, rel=0.005)
    assert fitted.diagnostics.log_likelihood == pytest.approx(-9582.4, abs=0.1)
    customer = (np.array([2.0]), np.array([30.43]), np.array([38.86]))
    assert expected_purchases(fitted.params, 39.0, *customer)[0] == pytest.approx(1.226, rel=0.001)


def test_pareto_nbd_finds_the_published_parameters():
    fitted = fit_pareto_nbd(*cdnow.transactions())

    # Fader, Hardie & Lee (2005), table 2; log-likelihood -9595.0
    published = {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.666}
    assert fitted.params.to_json() == pytest.approx(published, rel=0.005)
    assert fitted.diagnostics.log_likelihood == pytest.approx(-9595.0, abs=0.1)


def test_mbg_nbd_in_days_is_the_same_model_with_alpha_seven_times_as_large():
    frequency, recency, age = cdnow.transactions()

    days = fit_mbg_nbd(frequency, recency * 7, age * 7).params

    assert days.to_json() == pytest.approx({"r": 0.525, "alpha": 6.183 * 7, "a": 0.891, "b": 1.614}, rel=0.001)


def test_gamma_gamma_finds_the_published_parameters():
    frequency, monetary_value = cdnow.amounts()

    fitted = fit_gamma_gamma(frequency, monetary_value)

    # Fader & Hardie (2013), on the 946 customers who repeat
    found = {name: fitted.params.to_json()[name] for name in "pqv"}
    assert fitted.diagnostics.n_customers == 946
    assert found == pytest.approx({"p": 6.25, "q": 3.74, "v": 15.45}, rel=0.002)


def test_the_first_customers_are_worth_what_the_paper_says():
    frequency, monetary_value = cdnow.amounts()
    fitted = fit_gamma_gamma(frequency, monetary_value).params

    value = expected_average_value(fitted, frequency[:3], monetary_value[:3])

    # Fader & Hardie (2013), section 4: $24.66, $18.91 and $35.17
    np.testing.assert_allclose(value, [24.66, 18.91, 35.17], rtol=0.001)

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orjson
import pytest
from scipy.special import expit

from recsvc.domain.customer_features import FEATURE_NAMES
from recsvc.domain.return_model import FARTHEST, ReturnModel, Targeting, btyd_targeting
from recsvc.errors import DataError

N = len(FEATURE_NAMES)
FIRST = np.eye(N)[0]
MODEL = ReturnModel(
    mean=np.zeros(N),
    scale=np.full(N, 2.0),
    return_weight=FIRST,
    return_intercept=0.5,
    level=-1.0,
    slope=2.0,
    value_weight=FIRST * 0.5,
    value_intercept=3.0,
    smearing=1.5,
    largest=60.0,
)


def test_figures_follow_the_stated_formulas():
    features = np.outer([0.0, 2.0], FIRST)  # 0 and 1 standard deviations

    np.testing.assert_allclose(MODEL.probability_of_return(features), expit([-1 + 2 * 0.5, -1 + 2 * 1.5]))
    np.testing.assert_allclose(MODEL.value_given_return(features), [1.5 * np.exp(3.0), 1.5 * np.exp(3.5)])


def test_what_training_never_saw_says_no_more_than_its_edge():
    far = np.outer([2 * FARTHEST, 1e12], FIRST)

    assert len(set(MODEL.probability_of_return(far))) == 1
    np.testing.assert_array_equal(MODEL.value_given_return(far), 60.0)


def test_a_customer_is_judged_alone_as_among_others():
    features = np.random.default_rng(3).normal(size=(50, N))
    model = replace(MODEL, return_weight=features[0], value_weight=features[1])

    together = model.probability_of_return(features)

    assert [float(model.probability_of_return(features[row : row + 1])[0]) for row in range(50)] == together.tolist()


def test_the_choice_survives_its_file():
    written = orjson.loads(orjson.dumps(Targeting("past_spend", MODEL, "it won").to_json()))

    read = Targeting.from_json(written)

    assert (read.ordering, read.reason) == ("past_spend", "it won")
    assert read.returns is not None
    assert orjson.dumps(read.returns.to_json()) == orjson.dumps(MODEL.to_json())


def test_the_choice_of_btyd_survives_its_file():
    assert Targeting.from_json(btyd_targeting("too little").to_json()) == btyd_targeting("too little")


def test_the_choices_of_earlier_releases_show_the_figures_they_did():
    written = {"reason": "", "model": MODEL.to_json()}

    average, btyd = (Targeting.from_json({**written, "ordering": name}) for name in ("rank_average", "btyd"))

    assert (average.ordering, average.returns is None) == ("learned", False)
    assert (btyd.ordering, btyd.returns) == ("btyd", None)


@pytest.mark.parametrize(
    "change",
    [{"features": ["other"]}, {"mean": [0.0]}, {"mean": "x"}, {"slope": 0.0}, {"level": None}, {"scale": [0.0] * N}],
)
def test_a_file_that_no_training_writes_is_refused(change):
    with pytest.raises(DataError, match="return_model"):
        ReturnModel.from_json({**MODEL.to_json(), **change})


@pytest.mark.parametrize(
    ("ordering", "returns"), [("learned", None), ("past_spend", None), ("btyd", MODEL), ("alphabetical", MODEL)]
)
def test_whatever_is_learned_shows_the_figures_and_btyd_only_stands_in(ordering, returns):
    with pytest.raises(DataError, match=ordering):
        Targeting(ordering, returns, "")

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit

from recsvc.domain.customer_features import FEATURE_NAMES, NEVER
from recsvc.domain.history import concatenate
from recsvc.domain.lapse import LapseThresholds
from recsvc.domain.past_records import records_before, spend_between
from tests.domain.record_strategies import histories, plain, summary
from training.past_windows import MAX_WINDOWS, past_windows, sample_records
from training.transactions import BG_NBD, MBG_NBD


@given(histories, st.integers(1, 5))
def test_a_cut_record_is_the_record_of_somebody_who_stopped_then(found, day):
    cut, known = records_before(found, day)

    expected = []
    for record in plain(found):
        rows = {of: [n for n, on in enumerate(record[f"{of}_day"]) if on < day] for of in ("order", "line", "touch")}
        kept = {
            name: [record[name][n] for n in rows[name.partition("_")[0]]] for name in record if name != "customer_id"
        }
        expected.append({"customer_id": record["customer_id"], **kept})
    assert known.tolist() == [bool(record["order_day"]) for record in expected]
    assert plain(cut) == [record for record in expected if record["order_day"]]


def test_spend_is_that_of_the_window_alone():
    found = summary({"a": [(1, 1, 1, 100), (2, 1, 1, 200), (3, 1, 1, 400)], "b": [(0, 1, 1, 100)]})

    spent, orders = spend_between(found, 2, 3)

    assert spent.tolist() == [2.0, 0.0]
    assert orders.tolist() == [1, 0]


def test_windows_end_by_as_of_and_see_only_what_came_before_them():
    days = {f"c{n}": [(day, 1, 1, 1000 + n) for day in range(n, 900, 20 + n)] for n in range(12)}
    found = summary(days)

    windows = past_windows(found, LapseThresholds(), 60, 900, MBG_NBD)
    later = summary({who: [(d, i, q, a * 7 if d >= 500 else a) for d, i, q, a in rows] for who, rows in days.items()})
    again = past_windows(later, LapseThresholds(), 60, 900, MBG_NBD)

    assert [window.day for window in windows] == [840 - 30 * step for step in range(MAX_WINDOWS)]
    for one, other in zip(windows, again, strict=True):
        assert (one.day > 500) or np.array_equal(one.features, other.features)
        assert (one.day + 60 > 500) or np.array_equal(one.value, other.value)
    assert not np.array_equal(windows[0].features, again[0].features)
    assert windows[0].value[0] == sum(10.0 for day in range(0, 900, 20) if 840 <= day < 900)


def test_a_window_is_seen_through_the_transaction_model_that_is_served():
    """To BG/NBD everybody who ordered once is active for certain; to MBG/NBD they may be gone."""
    rng = np.random.default_rng(5)
    starts = rng.integers(0, 200, 60)
    found = summary(
        {f"c{n}": [(int(start) + 23 * k, 1, 1, 1000) for k in range(n % 4 + 1)] for n, start in enumerate(starts)}
    )
    alive = FEATURE_NAMES.index("alive")

    served, other = (past_windows(found, LapseThresholds(), 60, 400, recipe)[0] for recipe in (BG_NBD, MBG_NBD))

    once = served.features[:, FEATURE_NAMES.index("bought_once")] == 1
    assert set(served.features[once, alive]) == {logit(1 - NEVER)}
    assert other.features[once, alive].max() < logit(1 - NEVER)


def test_short_histories_have_no_window():
    assert past_windows(summary({"a": [(0, 1, 1, 100)]}), LapseThresholds(), 60, 89, MBG_NBD) == []


def test_the_sample_is_the_first_of_the_records_and_bounded(monkeypatch):
    monkeypatch.setattr("training.past_windows.SAMPLE", 3)
    batches = [summary({name: [(0, 1, 1, 100)] for name in names}) for names in ("ab", "cd", "ef")]

    taken = sample_records(iter(batches))

    assert plain(taken) == plain(concatenate(batches))[:3]

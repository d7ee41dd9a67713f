"""Sentiment of what customers write: right where a library reads the language, neutral and counted elsewhere."""

from __future__ import annotations

import sys
from subprocess import run

import numpy as np
import pytest

from tests.training.reviews import read_reviews, separation
from training.sentiment import LANGUAGES, judge_texts, sentiment


@pytest.mark.parametrize("language", LANGUAGES)
def test_praise_scores_above_complaints(language: str) -> None:
    reviews = read_reviews(language)

    scores = sentiment(reviews.texts)

    assert len(scores) >= 60
    assert separation(scores, reviews.labels) >= 0.85


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_without_a_feeling_stay_nearer_to_nought_than_complaints(language: str) -> None:
    reviews = read_reviews(language)

    scores = np.abs(sentiment(reviews.texts))

    neutral, negative = scores[reviews.labels == "neutral"].mean(), scores[reviews.labels == "negative"].mean()
    assert neutral <= 0.4
    assert neutral <= 0.7 * negative


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_a_language_with_a_library_is_recognised(language: str) -> None:
    reviews = read_reviews(language)

    found = judge_texts(reviews.texts)

    assert found.n_not_judged == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        "👍👍👍",
        "!!! 100 % ???",
        "\ud800\udfff\x00",
        "good " * 20_000,
        "Die Lieferung kam zu spät und das Paket war kaputt.",
        "Le colis est arrivé cassé.",
        "商品がとても悪かったです。",
        "배송이 너무 늦어요.",
        "Очень плохой сервис.",
    ],
)
def test_what_cannot_be_judged_is_neutral_and_counted(text: str) -> None:
    found = judge_texts([text, "The service was terrible."])

    assert found.sentiment[0] == 0.0
    assert found.judged.tolist() == [False, True]
    assert found.n_not_judged == 1


@pytest.mark.parametrize(
    "text", ["qwrt zxcv " * 30, "bad\x00\ufffd\u202e text", "\ud83d terrible", "好" * 4_999, "<b>&"]
)
def test_garbage_is_no_error(text: str) -> None:
    scores = sentiment([text])

    assert -1 <= scores[0] <= 1


def test_a_given_language_goes_before_what_the_text_looks_like() -> None:
    found = judge_texts(["Terrible", "Terrible", "The service was terrible."], ["en-GB", "fr_FR", None])

    assert found.judged.tolist() == [True, False, True]


def test_traditional_characters_are_read_like_simplified_ones() -> None:
    simplified, traditional = sentiment(["质量很差，穿两天就破了。", "質量很差，穿兩天就破了。"])

    assert simplified == traditional < 0


def test_the_same_texts_are_judged_the_same() -> None:
    texts = read_reviews("en").texts[:5] + read_reviews("zh").texts[:5]

    assert sentiment(texts).tolist() == sentiment(texts[::-1])[::-1].tolist()


def test_no_texts_are_no_trouble() -> None:
    assert sentiment([]).tolist() == []


def test_libraries_are_not_imported_before_there_is_a_text_to_judge() -> None:
    code = (
        "import sys, training.sentiment as ours; ours.sentiment(['', '👍']);"
        "print({'vader', 'snownlp', 'py3langid'} & {*sys.modules})"
    )

    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"

"""How customers feel in what they write: a sentiment per text, by a library made for its language.

The libraries work offline from their wheels, are part of the extra `train`, and are imported here, when there is a text
to judge, so that training without texts never needs them. What no library can judge is neutral and counted; nothing a
customer can write is an error.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Mask, Vector

Judge = Callable[[str], float]
Identify = Callable[[str], str]

LANGUAGES = ("en", "zh")  # that somebody can judge
MAX_CHARACTERS = 5_000  # longer is a document, or an attack, and no remark
HAN_SHARE = 0.2  # of a text's letters that make it Chinese: a Han character says as much as a word
# With a hundred languages to choose from, detectors take a short English text for one no shop is written to in.
IDENTIFIED = (
    *("ar", "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "he", "hi", "hr", "hu", "id", "it"),
    *("lt", "lv", "ms", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "th", "tr", "uk", "vi"),
)


@dataclass(frozen=True, slots=True)
class Sentiments:
    """Sentiment of texts; every array has shape (n_texts,).

    Attributes
    ----------
    sentiment : in [-1, 1], 0 where not judged
    judged : whether a library could read the text
    """

    sentiment: Vector
    judged: Mask

    @property
    def n_not_judged(self) -> int:
        """How many texts nobody could read: empty, too long, without letters, or in another language."""
        return int(np.count_nonzero(~self.judged))


def sentiment(texts: Sequence[str], languages: Sequence[str | None] | None = None) -> Vector:
    """How customers feel, from -1 to 1; 0 for what cannot be judged. Shape (n_texts,).

    Examples
    --------
    >>> sentiment(["Great service, thank you!", "Broken, and nobody answers.", "", "Nie wieder!"]).round(1) + 0.0
    array([ 0.8, -0.5,  0. ,  0. ])
    """
    return judge_texts(texts, languages).sentiment


def judge_texts(texts: Sequence[str], languages: Sequence[str | None] | None = None) -> Sentiments:
    """Sentiment of texts, and which of them could be judged.

    English by VADER (Hutto & Gilbert 2014), whose compound score it is; Chinese by SnowNLP, which gives the probability
    that a review is positive: (2p - 1)^3, because it was never shown a neutral text and is seldom less than half sure.

    Parameters
    ----------
    texts
        Whatever customers wrote.
    languages : length n_texts
        Codes such as `en` or `zh-CN`; None, alone or for all, where the text itself has to tell.

    References
    ----------
    Hutto & Gilbert (2014), VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text, ICWSM-14
    """
    whole = [_readable(text) for text in texts]
    spoken = _languages(whole, languages or [None] * len(whole))
    found, judged = np.zeros(len(whole)), np.zeros(len(whole), bool)
    for language, judge in _judges(set(spoken)).items():
        for position in (p for p, one in enumerate(spoken) if one == language):
            found[position], judged[position] = judge(whole[position]), True
    return Sentiments(np.clip(found, -1.0, 1.0), judged)


def _readable(text: str) -> str:
    """Text of ordinary length with at least one letter, without what is no character; else empty."""
    if len(text) > MAX_CHARACTERS:
        return ""
    whole = text.encode("utf-8", "ignore").decode("utf-8")
    return whole if any(map(str.isalpha, whole)) else ""


def _languages(texts: Sequence[str], given: Sequence[str | None]) -> list[str]:
    """Language of each text, as far as it matters here; empty where there is nothing to read."""
    known = [_code(code) or _by_script(text) for text, code in zip(texts, given, strict=True)]
    unknown = any(text and not code for text, code in zip(texts, known, strict=True))
    identify = _identifier() if unknown else str
    return [code or identify(text) if text else "" for text, code in zip(texts, known, strict=True)]


def _code(code: str | None) -> str:
    """`zh` of `zh-Hans_CN`."""
    return (code or "").strip().lower().replace("_", "-").partition("-")[0]


def _by_script(text: str) -> str:
    """Chinese, Japanese or Korean by the characters of a text; empty for any other script.

    Examples
    --------
    >>> [_by_script(text) for text in ("东西很好", "商品がとても良い", "배송이 빨라요", "Très bien")]
    ['zh', 'ja', 'ko', '']
    """
    scripts = [unicodedata.name(letter, "").partition(" ")[0] for letter in text if letter.isalpha()]
    if "HIRAGANA" in scripts or "KATAKANA" in scripts:
        return "ja"
    if "HANGUL" in scripts:
        return "ko"
    return "zh" if scripts.count("CJK") > HAN_SHARE * len(scripts) else ""


def _identifier() -> Identify:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(IDENTIFIED))
    return lambda text: str(identifier.classify(text.lower())[0])


def _judges(spoken: set[str]) -> dict[str, Judge]:
    """Who judges each language that is there and can be judged."""
    offered = {"en": _english, "zh": _chinese}
    return {language: offered[language]() for language in LANGUAGES if language in spoken}


def _english() -> Judge:
    from vader import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    return lambda text: float(analyzer.polarity_scores(text)["compound"])


def _chinese() -> Judge:
    from snownlp import normal, sentiment

    return lambda text: float((2.0 * sentiment.classify(normal.zh2hans(text)) - 1.0) ** 3)

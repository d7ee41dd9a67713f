"""What a PromQL expression names, read word by word: enough to find a metric, a label or a function that is none."""

from __future__ import annotations

import re
from collections.abc import Set

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\$\w+|\d+(?:\.\d+)?[smhdwy]?|[A-Za-z_:][\w:]*|[-+*/=~!<>(){}\[\],]+|\s+')
WORDS = frozenset(
    "sum min max count by on and group_left rate histogram_quantile time label_values".split()  # noqa: SIM905
)
OF_THE_SCRAPE = frozenset({"up", "instance", "job"})
PAIRS = {")": "(", "}": "{", "]": "["}


def unknown_words(expression: str, known: Set[str]) -> set[str]:
    """Words that are no metric or label of ours, nor PromQL's; characters that belong to no token."""
    tokens = TOKEN.findall(expression)
    left_over = set(TOKEN.sub("", expression))
    words = {token for token in tokens if re.match(r"[A-Za-z_:]", token)}
    return left_over | (words - known - WORDS - OF_THE_SCRAPE)


def is_balanced(expression: str) -> bool:
    """Whether every bracket outside strings is closed by its like."""
    is_open: list[str] = []
    for character in re.sub(r'"(?:[^"\\]|\\.)*"', "", expression):
        if character in PAIRS.values():
            is_open.append(character)
        elif character in PAIRS and (not is_open or is_open.pop() != PAIRS[character]):
            return False
    return not is_open

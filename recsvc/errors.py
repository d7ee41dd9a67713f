"""Every error this package raises on purpose, drawn as a tree.

Each carries its data, builds its own sentence and says what to do. Nothing here knows HTTP or a terminal:
`api/problems.py` maps classes to statuses, `cli/` to exit codes.

    RecsvcError
        ConfigError             a setting or config key is wrong
        DataError               the user's data is wrong
        BundleError
            BundleNotFound
            BundleNotLive           another bundle is live than the one to leave
            BundleVersionUnsupported
            BundleCorrupt
            PublishedMeanwhile      somebody else published to the same place since training began
            RemoteUnavailable       the place of the bundles does not answer
        FilterError             a filter or rule of a slate cannot be read, or names no column there is
        UnknownCustomer
        UnknownItem
        NotReady                nothing is live yet
"""

from __future__ import annotations

from dataclasses import dataclass

QUOTED = 20  # characters of a filter that an error shows


class RecsvcError(Exception):
    """Anything this package raises on purpose."""

    code = "error"


@dataclass
class ConfigError(RecsvcError):
    """A setting or a config key is wrong: which one, why, and how to mend it."""

    key: str
    problem: str
    fix: str = ""
    code = "config_error"

    def __str__(self) -> str:
        return sentence(f"{self.key}: {self.problem}", self.fix)


@dataclass
class DataError(RecsvcError):
    """The data is wrong: where, what, and the fix."""

    where: str
    problem: str
    fix: str = ""
    code = "data_error"

    def __str__(self) -> str:
        return sentence(f"{self.where}: {self.problem}", self.fix)


class BundleError(RecsvcError):
    """A bundle cannot be used."""

    code = "bundle_error"


@dataclass
class BundleNotFound(BundleError):
    """There is no such bundle, or none is live."""

    wanted: str
    fix: str = "run `recsvc-train fit`, or name one that `recsvc bundles list` shows"
    code = "bundle_not_found"

    def __str__(self) -> str:
        return sentence(f"no bundle {self.wanted}", self.fix)


@dataclass
class BundleNotLive(BundleError):
    """The bundle to be left is not the live one."""

    live: str | None
    code = "bundle_not_live"

    def __str__(self) -> str:
        return f"the bundle to leave is not live; live is {self.live or 'none'}"


@dataclass
class BundleVersionUnsupported(BundleError):
    """The bundle was written in a format this release cannot read."""

    bundle_id: str
    found: int
    supported: tuple[int, ...]
    code = "bundle_version_unsupported"

    def __str__(self) -> str:
        known = ", ".join(str(version) for version in self.supported)
        return sentence(
            f"bundle {self.bundle_id} has format {self.found}; this release reads {known}",
            "train it again with this release, or serve it with the release that wrote it",
        )


@dataclass
class BundleCorrupt(BundleError):
    """A file of the bundle is missing, or is not the one that was published."""

    bundle_id: str
    problem: str
    code = "bundle_corrupt"

    def __str__(self) -> str:
        return sentence(f"bundle {self.bundle_id}: {self.problem}", "run `recsvc bundles rollback`, or train again")


@dataclass
class PublishedMeanwhile(BundleError):
    """Somebody else published to the same place first."""

    bundle_id: str
    code = "published_meanwhile"

    def __str__(self) -> str:
        return sentence(
            f"bundle {self.bundle_id} is not live: another was published meanwhile",
            "train again, or make it live all the same with `recsvc bundles publish`",
        )


@dataclass
class RemoteUnavailable(BundleError):
    """The place of the bundles does not answer, or refuses."""

    problem: str
    code = "remote_unavailable"

    def __str__(self) -> str:
        return sentence(f"the place of the bundles does not answer ({self.problem})", "look at its URL and credentials")


@dataclass
class FilterError(RecsvcError):
    """A filter or a rule is wrong: at which character, counted from 1, what was expected there, and what can be named.

    `text` is what was written; the sentence quotes a little of it, from where it went wrong.
    """

    text: str
    position: int
    expected: str
    fix: str = ""
    what: str = "filter"
    code = "invalid_filter"

    def __str__(self) -> str:
        rest = self.text[self.position - 1 :]
        found = f"found {rest[:QUOTED]!r}" if rest else "found the end"
        return sentence(f"{self.what}, character {self.position}: expected {self.expected}, {found}", self.fix)


@dataclass
class UnknownCustomer(RecsvcError):
    """No record of this customer; the id is data of a person, so it stays out of the sentence."""

    customer_id: str
    code = "unknown_customer"

    def __str__(self) -> str:
        return "no customer with this id is in the live bundle"


@dataclass
class UnknownItem(RecsvcError):
    """The live bundle does not hold this item."""

    item_id: str
    code = "unknown_item"

    def __str__(self) -> str:
        return f"no item {self.item_id[:80]!r} is in the live bundle"


@dataclass
class NotReady(RecsvcError):
    """Nothing can be answered yet."""

    problem: str
    code = "not_ready"

    def __str__(self) -> str:
        return self.problem


def sentence(problem: str, fix: str) -> str:
    """Join what is wrong and what to do about it."""
    return f"{problem}; {fix}" if fix else problem

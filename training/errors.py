"""What can go wrong in training beyond bad settings and bad data."""

from __future__ import annotations

from dataclasses import dataclass

from recsvc.errors import RecsvcError, sentence


@dataclass
class FitDidNotConverge(RecsvcError):
    """A model cannot be fitted to this data; who can do without it falls back and says so."""

    model: str
    problem: str
    code = "fit_did_not_converge"

    def __str__(self) -> str:
        return sentence(f"{self.model} does not fit: {self.problem}", "give it more customers or a longer history")


@dataclass
class QualityGateFailed(RecsvcError):
    """The trained bundle is not good enough to publish; the live one stays."""

    findings: tuple[str, ...]
    code = "quality_gate_failed"

    def __str__(self) -> str:
        return sentence(f"not published: {', '.join(self.findings)}", "the live bundle stays as it was")

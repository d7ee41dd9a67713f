"""A look at the data without training on it: what is wrong, and what each rule would leave out."""

from __future__ import annotations

from dataclasses import dataclass

from training.cleaning import CleaningReport
from training.config import TrainingConfig
from training.session import open_session
from training.tables import prepare, read_tables
from training.validate import Finding


@dataclass(frozen=True, slots=True)
class DataCheck:
    """Answer of `check_data`; there is no report when a finding stops every run."""

    findings: tuple[Finding, ...]
    report: CleaningReport | None

    @property
    def passed(self) -> bool:
        """Whether the data can be trained on."""
        return self.report is not None


def check_data(config: TrainingConfig, as_of_day: int) -> DataCheck:
    """Read, check and clean the data of a config.

    Parameters
    ----------
    as_of_day : days since 1970-01-01
        First day that is not seen.

    Raises
    ------
    ConfigError, DataError
        A table cannot be read at all, or nothing is left before `as_of_day`.
    """
    with open_session(config) as session:
        tables = read_tables(session, config)
        if any(finding.severity == "stop" for finding in tables.findings):
            return DataCheck(tables.findings, None)
        return DataCheck(tables.findings, prepare(tables, as_of_day).report)

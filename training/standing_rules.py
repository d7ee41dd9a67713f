"""Whether the rules a retailer wrote for every slate can be kept: their columns must be those of the products."""

from __future__ import annotations

from recsvc.errors import ConfigError, FilterError
from recsvc.serving.filters import ItemFilters
from training.config_recipe import RankingConfig
from training.tables import Prepared


def check_rules(prepared: Prepared, config: RankingConfig) -> None:
    """Refuse rules that speak of columns the products do not have.

    Raises
    ------
    ConfigError
    """
    filters = ItemFilters(prepared.items, prepared.as_of_day)
    for place, rule in enumerate(config.rules):
        try:
            filters.rule(rule)
        except FilterError as error:
            raise ConfigError(f"ranking.rules.{place}", str(error)) from error

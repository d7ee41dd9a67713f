"""The training config: read from TOML, checked, frozen. No environment variable changes it.

`load_config` takes a path or the name of a preset in `training/presets/`. A key nobody knows stops it, naming
the nearest one that exists.
"""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from collections.abc import Mapping
from datetime import date
from functools import reduce
from importlib import resources
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, PositiveInt

from recsvc.domain.documents import Section, checked
from recsvc.errors import ConfigError
from training.config_data import CleaningConfig, ItemsConfig, OrdersConfig, ServicesConfig
from training.config_recipe import (
    AlsConfig,
    BacktestConfig,
    CatalogueConfig,
    EngineConfig,
    LapseConfig,
    RankerConfig,
    RankingConfig,
    ValueConfig,
)
from training.config_tables import (
    ContactsConfig,
    CustomersConfig,
    ErasuresConfig,
    EventsConfig,
    FeedbackConfig,
    LiveConfig,
    PromotionsConfig,
)

Document = dict[str, Any]  # Any: TOML nests freely; pydantic checks it
TABLES = ("orders", "items", "customers", "contacts", "events", "feedback", "promotions", "live", "erasures")
PRESETS = resources.files("training") / "presets"


def _is_timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is not an IANA time zone such as Europe/London")
    return name


class TrainingConfig(Section):
    """Everything a training run is told."""

    orders: OrdersConfig = OrdersConfig()
    items: ItemsConfig | None = None
    customers: CustomersConfig | None = None
    contacts: ContactsConfig | None = None
    events: EventsConfig | None = None
    feedback: FeedbackConfig | None = None
    promotions: PromotionsConfig | None = None
    live: LiveConfig | None = None
    erasures: ErasuresConfig | None = None
    services: ServicesConfig = ServicesConfig()
    cleaning: CleaningConfig = CleaningConfig()
    item_level: str | None = None
    """Column of the items table to recommend at (a product type, say) instead of single items."""
    currency: str | None = None
    """For display only; a mix of currencies in the data is an error."""
    timezone: Annotated[str, AfterValidator(_is_timezone)] = "UTC"
    """Zone of timestamps that do not name one."""
    as_of: date | None = None
    """End of observation, exclusive, when the command line names none."""
    horizon_days: PositiveInt = 90
    """How far ahead a return counts."""
    catalogue: CatalogueConfig = CatalogueConfig()
    als: AlsConfig = AlsConfig()
    value: ValueConfig = ValueConfig()
    lapse: LapseConfig = LapseConfig()
    ranking: RankingConfig = RankingConfig()
    ranker: RankerConfig = RankerConfig()
    backtest: BacktestConfig = BacktestConfig()
    engine: EngineConfig = EngineConfig()

    def digest(self) -> str:
        """Hex digest of the recipe: all but where the data lies, where it is cut and what the machine may use."""
        where = {"path", "package", "url", "query"}
        recipe = self.model_dump_json(exclude={"engine": True, "as_of": True, **dict.fromkeys(TABLES, where)})
        return hashlib.sha256(recipe.encode()).hexdigest()


def preset_names() -> tuple[str, ...]:
    """Names of the configs that ship with the trainer, sorted."""
    return tuple(sorted(entry.name[: -len(".toml")] for entry in PRESETS.iterdir() if entry.name.endswith(".toml")))


def load_config(path_or_preset: str | Path, overrides: Mapping[str, object] | None = None) -> TrainingConfig:
    """Read a config file or preset, put overrides on top, and check the whole.

    Parameters
    ----------
    path_or_preset
        A TOML file, or one of `preset_names()`. Paths inside are relative to the file.
    overrides
        Dotted key to value, such as `{"als.factors": 32}`; None values are passed over. Paths among them are
        relative to the working directory, and an `orders.path` replaces a package or database.

    Raises
    ------
    ConfigError
        The file cannot be read, a key is unknown (the nearest one is named), or a value is out of range.
    """
    document = _with_absolute_paths(*_read(path_or_preset))
    for key, value in (overrides or {}).items():
        if value is not None:
            _override(document, key, value)
    return checked(TrainingConfig, document, "the config")


def _read(path_or_preset: str | Path) -> tuple[Document, Path]:
    path = Path(path_or_preset)
    try:
        if str(path_or_preset) in preset_names():
            return tomllib.loads((PRESETS / f"{path_or_preset}.toml").read_text("utf-8")), Path.cwd()
        return tomllib.loads(path.read_text("utf-8")), path.resolve().parent
    except OSError as error:
        nearest = difflib.get_close_matches(path.name, preset_names(), n=1)
        hint = f"did you mean {nearest[0]}? " if nearest else ""
        fix = f"{hint}name a TOML file or a preset: {', '.join(preset_names())}"
        raise ConfigError(str(path), f"cannot be read ({error.strerror})", fix) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"is not TOML: {error}", "mend the line it names") from error


def _with_absolute_paths(document: Document, folder: Path) -> Document:
    for name in TABLES:
        table = document.get(name)
        if isinstance(table, dict) and isinstance(table.get("path"), str) and "package" not in table:
            table["path"] = str(folder / table["path"])
    return document


def _override(document: Document, key: str, value: object) -> None:
    *parents, last = key.split(".")
    table = reduce(lambda inner, name: inner.setdefault(name, {}), parents, document)
    if last == "path":
        for other in ("package", "url", "query"):
            table.pop(other, None)
        value = str(Path.cwd() / str(value))
    table[last] = value

"""The service's settings: environment variables `RECSVC_*`, read once, here and nowhere else.

A value that cannot be right, or a name that is misspelt, stops start-up and names the variable.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from recsvc.errors import ConfigError

PREFIX = "RECSVC_"
ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:]+):(\d{1,5})")
LAST_PORT = 65_535
COPIES = "artifacts"  # in the working directory


def _host_and_port(value: str) -> str:
    match = ADDRESS.fullmatch(value)
    if match is None or int(match[2]) > LAST_PORT:
        raise PydanticCustomError("address", "must be HOST:PORT, like 0.0.0.0:8000")
    return value


class Settings(BaseSettings):
    """What an operator may choose. Every field is the environment variable `RECSVC_<FIELD>`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True, use_attribute_docstrings=True
    )

    artifacts: Annotated[str, BeforeValidator(str)] = "artifacts"
    """Folder of the bundles and of CURRENT; or where trainers publish, as fsspec writes it (`s3://bucket/bundles`)."""
    store_url: str | None = None
    """SQLAlchemy URL of the live data; unset means `live.sqlite` in the artifacts folder."""
    bind: Annotated[str, AfterValidator(_host_and_port)] = "127.0.0.1:8000"
    """HOST:PORT to listen on; only this machine unless told otherwise."""
    admin_bind: Annotated[str, AfterValidator(_host_and_port)] | None = None
    """A second HOST:PORT; when set, routes of scope `admin` answer there only, and nobody outside need reach it."""
    workers: int = Field(2, ge=1, le=256)
    """Worker processes; one per CPU is right, as a request is CPU work."""
    threads: int = Field(4, ge=1, le=64)
    """Requests a worker works on at once; 1 has the best tail, but only behind a proxy that buffers."""
    timeout_seconds: int = Field(30, ge=1, le=600)
    """A worker that is stuck this long is replaced; also the time a stopping worker has to finish."""
    requests_per_second: int = Field(1_000, ge=0, le=1_000_000)
    """Requests a key may make of one worker each second, 0 for any number: one caller must not crowd out the others."""
    max_body_bytes: int = Field(1_048_576, ge=1_024, le=64 * 1_048_576)
    """Largest request body; 256 customers with 2,000 exclusions fit into the default."""
    max_bundle_age_days: int = Field(30, ge=1)
    """`/health/ready` turns 503 when the live bundle was made longer ago: retraining has stopped."""
    global_holdout: float = Field(0.1, ge=0, lt=1)
    """Share of all customers whom no campaign contacts for a year, so that what all campaigns do can be told."""
    webhook_hosts: str = ""
    """Hosts that campaigns may be pushed to, separated by commas; none unless named. A private address must be one."""
    keys_required: bool = True
    """Whether `/v1` wants an API key; turn it off for a trial on your own machine only."""
    metrics_public: bool = False
    """Whether `/metrics` answers without a key of scope `read`."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe log line written; requests are logged at INFO."""

    @field_validator("admin_bind")
    @classmethod
    def _has_a_port_of_its_own(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and value.rpartition(":")[2] == str(info.data.get("bind")).rpartition(":")[2]:
            raise PydanticCustomError(
                "address", "must have another port than RECSVC_BIND: requests are told apart by it"
            )
        return value

    @property
    def artifacts_url(self) -> str | None:
        """Where trainers publish, when that is no folder of this machine."""
        return self.artifacts if "://" in self.artifacts else None

    @property
    def folder(self) -> Path:
        """Folder of the bundles: the one named, or where those of another place are copied to."""
        return Path(COPIES if self.artifacts_url else self.artifacts)

    @property
    def live_store_path(self) -> Path:
        """Where SQLite keeps the live data, unless a URL says otherwise."""
        return self.folder / "live.sqlite"

    @property
    def live_store_url(self) -> str:
        """Where the live data is: the URL given, else SQLite beside the bundles."""
        return self.store_url or f"sqlite:///{self.live_store_path}"


def load_settings(environ: Mapping[str, str] = os.environ, **overrides: object) -> Settings:
    """Read the settings from the environment; arguments that are not None win over it.

    Raises
    ------
    ConfigError
        If a `RECSVC_*` variable is unknown or its value is wrong.
    """
    _refuse_unknown(environ)
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic checks every value
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigError(_variable(str(first["loc"][0])), first["msg"], "see the settings in README.md") from None


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = [_variable(name) for name in Settings.model_fields]
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise ConfigError(name, "no such setting", f"did you mean {nearest}?")


def _variable(field: str) -> str:
    return PREFIX + field.upper()

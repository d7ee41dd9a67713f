"""The manifest: what a bundle is, what it was made from, and the digest of every file in it.

Changing the format: bump `migrations.FORMAT_VERSION`, add the step from the version before to `STEPS` there, commit a
small bundle of the old format under `tests/golden/`, and leave the old one there for good.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from recsvc.bundle.migrations import FORMAT_VERSION, to_current
from recsvc.errors import BundleCorrupt, BundleNotFound

MANIFEST = "manifest.json"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Part):
    """One file of the bundle."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=0)]


class FoldInConvention(_Part):
    """How serving must turn counts into a taste vector; fixed by the engine that fitted the item factors."""

    engine: Literal["implicit"] = "implicit"
    alpha: Annotated[float, Field(gt=0)]
    regularization: Annotated[float, Field(ge=0)]
    half_life_days: Annotated[float, Field(gt=0)]
    max_count: Annotated[float, Field(gt=0)]


class DataWindow(_Part):
    """What the bundle has seen."""

    first_order_on: str
    last_order_on: str
    lines: int
    fingerprint: str


class Verdict(_Part):
    """What the gate said, and why."""

    passed: bool
    forced: bool = False
    reasons: tuple[str, ...] = ()


class Shapes(_Part):
    """Sizes, checked against the files when a bundle is opened."""

    customers: int
    items: int
    catalogue: int
    factors: int


class Manifest(_Part):
    """Everything there is to know about a bundle without opening its files.

    `bundle_id` is a digest of all other fields but `created_at`: same data, config and seed, same id.
    """

    format_version: int = FORMAT_VERSION
    bundle_id: str = ""
    created_at: AwareDatetime
    as_of: AwareDatetime
    horizon_days: Annotated[int, Field(ge=1)]
    currency: str | None = None
    window: DataWindow
    config_digest: str
    item_ids_digest: str
    shapes: Shapes
    fold_in: FoldInConvention
    ranking: dict[str, int]
    metrics: dict[str, float]
    verdict: Verdict
    files: dict[str, FileEntry] = {}

    def identified(self) -> Manifest:
        """Return the same manifest under the id its content gives."""
        content = self.model_dump(mode="json", exclude={"bundle_id", "created_at"})
        digest = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
        return self.model_copy(update={"bundle_id": f"{self.as_of:%Y%m%d}-{digest[:12]}"})

    def to_bytes(self) -> bytes:
        """Readable JSON, keys sorted."""
        return orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)

    @property
    def may_go_live(self) -> bool:
        """Whether the gate let it pass, or somebody forced it."""
        return self.verdict.passed or self.verdict.forced


def read_manifest(folder: Path) -> Manifest:
    """Read and check a bundle's manifest.

    Raises
    ------
    BundleNotFound
        If the folder holds none.
    BundleCorrupt
        If it cannot be read, or its id is not the digest of its content.
    BundleVersionUnsupported
        If this release cannot read its format.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleNotFound(folder.name)
    try:
        data: dict[str, Any] = orjson.loads(path.read_bytes())  # JSON of any version
        manifest = Manifest.model_validate_json(orjson.dumps(to_current(folder.name, data)))
    except (ValueError, KeyError, TypeError) as error:  # JSON and validation errors are ValueErrors
        raise BundleCorrupt(folder.name, f"{MANIFEST} cannot be read ({type(error).__name__})") from error
    if manifest.identified().bundle_id != manifest.bundle_id:
        raise BundleCorrupt(folder.name, f"{MANIFEST} was changed after it was written")
    return manifest


def created_order(manifest: Manifest) -> tuple[datetime, str]:
    """Sort key: oldest first."""
    return manifest.created_at, manifest.bundle_id

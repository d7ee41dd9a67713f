"""Opening a bundle: check it, map its files, hand out what they hold. Nothing here is ever written to."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsvc.bundle.customers import CustomersReader
from recsvc.bundle.manifest import FoldInConvention, Manifest
from recsvc.bundle.slates import SlatesReader
from recsvc.bundle.store import BundleFolder, check_files
from recsvc.domain.arrays import AnyArray, Factors, Mask, Vector, frozen
from recsvc.domain.blending import LinearBlend, RankedBy
from recsvc.domain.business_rules import StandingRules
from recsvc.domain.category_clock import Categories, top_categories
from recsvc.domain.features import BLEND_NAMES
from recsvc.domain.fold_in import FoldInParams
from recsvc.domain.ids import ItemIds
from recsvc.domain.items import ItemTable
from recsvc.domain.neighbours import Neighbours, no_neighbours
from recsvc.domain.profiles import CustomerModels
from recsvc.domain.return_model import Targeting, btyd_targeting
from recsvc.domain.shelf import Shelf, build_shelf, without_sensitive
from recsvc.domain.shop import Shop
from recsvc.errors import BundleCorrupt, BundleError

ITEMS, FACTORS, INDEX, GRAM = "items.parquet", "item_factors.npy", "items.faiss", "gram.npy"
CUSTOMERS, CUSTOMER_TABLE, ATTRIBUTES = "customers.lmdb", "customers.parquet", "attributes.parquet"
SLATES = "slates.lmdb"  # older bundles, and staged ones, hold none
RULES = "rules.json"
SENSITIVE_ITEMS = "is_sensitive"  # column of the items; older bundles have none
VALUE, LAPSE, RETURN_MODEL = "value.json", "lapse.json", "return_model.json"
RANKER, TREES, REPORT = "ranker.json", "ranker.txt", "report.json"
BOUGHT_TOGETHER, LIKED_TOGETHER = "bought_together", "liked_together"
NEIGHBOUR_PARTS = ("offsets", "item", "weight")
NOT_STATISTICS = ("ids", "n_catalogue", "n_customers", "as_of_day", "recent_days")
STATISTICS = tuple(field.name for field in fields(ItemTable) if field.name not in NOT_STATISTICS)


@dataclass(frozen=True)
class Bundle:
    """One opened bundle.

    Attributes
    ----------
    items : statistics by item row, for ranking
    catalogue : Arrow table by item row, for display
    factors : shape (n_catalogue, n_factors), float32, memory-mapped, read-only
    gram : shape (n_factors, n_factors), Y^T Y
    customers : records by id
    standing : what the retailer wants of every slate
    slates : what customers are answered by default; None where every answer must be ranked
    """

    folder: Path
    manifest: Manifest
    items: ItemTable
    catalogue: pa.Table
    factors: Factors
    gram: Vector
    customers: CustomersReader
    models: CustomerModels
    blend: LinearBlend
    ranking: RankedBy
    neighbours: tuple[Neighbours, Neighbours]
    fold_in: FoldInParams
    standing: StandingRules
    slates: SlatesReader | None = None

    @property
    def bundle_id(self) -> str:
        """Digest of the bundle's content."""
        return self.manifest.bundle_id

    @property
    def shop(self) -> Shop:
        """What ranking looks at beside the customer."""
        return Shop(self.items, self.factors, *self.neighbours, self.models.lapse)

    @property
    def trees_file(self) -> Path:
        """Where the trees are, if they rank."""
        return self.folder / TREES

    @cached_property
    def customer_table(self) -> pa.Table:
        """One row a customer, sorted by win-back rank, memory-mapped where the format allows."""
        return pq.read_table(self.folder / CUSTOMER_TABLE, memory_map=True)

    @cached_property
    def attributes(self) -> pa.Table | None:
        """Consent, language, time zone and attributes in order of customer_id; None when the shop gave none."""
        path = self.folder / ATTRIBUTES
        return pq.read_table(path, memory_map=True) if path.is_file() else None

    @cached_property
    def not_to_be_profiled(self) -> frozenset[str]:
        """Customers who want no personalisation."""
        return without_personalisation(self.attributes)

    @property
    def report(self) -> dict[str, Any]:
        """What training reported, as JSON."""
        content: dict[str, Any] = orjson.loads((self.folder / REPORT).read_bytes())
        return content


def without_personalisation(attributes: pa.Table | None) -> frozenset[str]:
    """Customers who want no personalisation, by what the retailer said of them."""
    if attributes is None or "personalisation" not in attributes.column_names:
        return frozenset()
    return frozenset(attributes.filter(pc.equal(attributes["personalisation"], False))["customer_id"].to_pylist())


def open_bundle(bundle: BundleFolder) -> Bundle:
    """Check sizes and headers, map the files.

    Raises
    ------
    BundleCorrupt
        If a file is missing, has another size, cannot be read, or does not belong to the others.
    """
    check_files(bundle, deep=False)
    try:
        opened = _open(bundle)
    except BundleError:
        raise
    except Exception as error:  # what a library says of a damaged file is of any kind
        raise BundleCorrupt(bundle.path.name, f"cannot be opened: {_without_path(error, bundle.path)}") from error
    _check_belongs_together(opened)
    return opened


def _without_path(error: Exception, folder: Path) -> str:
    """What went wrong, with the names of files but not where they lie: callers of the service may read it."""
    return str(error).replace(f"{folder}{os.sep}", "") or type(error).__name__


def _open(bundle: BundleFolder) -> Bundle:
    folder, manifest = bundle.path, bundle.manifest
    catalogue = pq.read_table(folder / ITEMS, memory_map=True)
    return Bundle(
        folder=folder,
        manifest=manifest,
        items=read_items(catalogue, manifest),
        catalogue=catalogue,
        factors=_mapped(folder / FACTORS),
        gram=_mapped(folder / GRAM),
        customers=CustomersReader(folder / CUSTOMERS),
        models=CustomerModels.from_json(_json(folder / VALUE), _json(folder / LAPSE), _targeting(folder)),
        blend=LinearBlend.from_json(_json(folder / RANKER), BLEND_NAMES),
        ranking=RankedBy.from_json(_json(folder / RANKER)),
        neighbours=(_neighbours(folder, BOUGHT_TOGETHER, manifest), _neighbours(folder, LIKED_TOGETHER, manifest)),
        fold_in=fold_in_params(manifest.fold_in),
        standing=_standing_rules(folder),
        slates=SlatesReader(folder / SLATES) if SLATES in manifest.files else None,
    )


def read_items(catalogue: pa.Table, manifest: Manifest) -> ItemTable:
    """Item statistics from the columns of `items.parquet`; those a bundle was made before are 0: its trees were too."""
    nothing = np.zeros(len(catalogue), np.int32)
    known = catalogue.column_names
    columns = {name: frozen(catalogue[name].to_numpy() if name in known else nothing) for name in STATISTICS}
    return ItemTable(
        ids=ItemIds(catalogue["item_id"].to_pylist()),
        n_catalogue=manifest.shapes.catalogue,
        n_customers=manifest.shapes.customers,
        as_of_day=day_number(manifest),
        recent_days=manifest.ranking["recent_days"],
        **columns,
    )


def read_shelf(catalogue: pa.Table) -> Shelf:
    """Categories and prices from the columns of `items.parquet`; no categories where the retailer gave none."""
    return build_shelf(_paths(catalogue), catalogue["last_price"].to_numpy(), catalogue["n_buyers"].to_numpy())


def read_categories(catalogue: pa.Table) -> Categories:
    """Top-level categories that may be told of, from the columns of `items.parquet`."""
    return top_categories(without_sensitive(_paths(catalogue)))


def _paths(catalogue: pa.Table) -> list[str | None]:
    """Category of each item that may be told of, None for the others."""
    known = "category" in catalogue.column_names
    paths = catalogue["category"].to_pylist() if known else [None] * len(catalogue)
    if SENSITIVE_ITEMS not in catalogue.column_names:
        return paths
    flags = catalogue[SENSITIVE_ITEMS].to_pylist()
    return [None if is_sensitive else path for path, is_sensitive in zip(paths, flags, strict=True)]


def read_nameable(catalogue: pa.Table) -> Mask:
    """Items that may be named in a reason or a message: those without a sensitive category; shape (n_items,)."""
    if "category" not in catalogue.column_names:
        return np.ones(len(catalogue), bool)
    told = without_sensitive(_paths(catalogue))
    nameable: Mask = np.array([path is not None for path in told], bool) | catalogue["category"].is_null().to_numpy()
    return nameable


def fold_in_params(convention: FoldInConvention) -> FoldInParams:
    """Parameters of `fold_in` from the convention the manifest records."""
    return FoldInParams(**{field.name: getattr(convention, field.name) for field in fields(FoldInParams)})


def day_number(manifest: Manifest) -> int:
    """The bundle's `as_of` in days since 1970-01-01."""
    return int(manifest.as_of.timestamp() // 86_400)


def _check_belongs_together(bundle: Bundle) -> None:
    shapes = bundle.manifest.shapes
    found = {
        "items": (len(bundle.items), shapes.items),
        "factors": (bundle.factors.shape, (shapes.catalogue, shapes.factors)),
        "gram": (bundle.gram.shape, (shapes.factors, shapes.factors)),
        "customers": (len(bundle.customers), shapes.customers),
        "neighbours": ([len(one) for one in bundle.neighbours], [shapes.catalogue] * 2),
        "item ids": (bundle.items.ids.digest, bundle.manifest.item_ids_digest),
    }
    for name, (is_, should_be) in found.items():
        if is_ != should_be:
            raise BundleCorrupt(bundle.bundle_id, f"{name} are {is_}, the manifest says {should_be}")


def _targeting(folder: Path) -> Targeting:
    """How the list is ordered; bundles from before there was a choice hold no file, and BTYD ordered them."""
    path = folder / RETURN_MODEL
    return Targeting.from_json(_json(path)) if path.is_file() else btyd_targeting("made before there was a choice")


def _standing_rules(folder: Path) -> StandingRules:
    """Rules for every slate; bundles from before there were any hold no file."""
    path = folder / RULES
    return StandingRules.from_json(_json(path)) if path.is_file() else StandingRules()


def neighbour_file(name: str, part: str) -> str:
    """File of one array of `Neighbours`."""
    return f"{name}_{part}.npy"


def _neighbours(folder: Path, name: str, manifest: Manifest) -> Neighbours:
    """Mapped from disk; bundles from before there were any hold no file."""
    if not (folder / neighbour_file(name, NEIGHBOUR_PARTS[0])).is_file():
        return no_neighbours(manifest.shapes.catalogue)
    return Neighbours(*(_mapped(folder / neighbour_file(name, part)) for part in NEIGHBOUR_PARTS))


def _mapped(path: Path) -> AnyArray:
    """Array in a file, mapped read-only; a plain one, as numpy's own kind of mapped array takes 20 us to be indexed."""
    return np.asarray(np.load(path, mmap_mode="r"))


def _json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads(path.read_bytes())
    return content

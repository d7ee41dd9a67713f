"""Three services, each with a copy of the bundles of its own, on one PostgreSQL that was empty before."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from recsvc.bundle.reader import open_bundle
from recsvc.bundle.remote import RemoteBundles
from recsvc.bundle.store import BundleStore
from recsvc.serving.mirror import Mirror
from recsvc.store.schema import SCHEMA_VERSION, schema_version
from tests.databases import new_database
from tests.live_service import live_service
from tests.purchases import unseen_purchases
from tests.soak.conftest import RECSVC, Shop

REPLICAS, PAIRS = 3, 300


@pytest.mark.soak
def test_what_one_replica_was_told_the_others_know(shop: Shop, postgres: str, tmp_path: Path) -> None:
    place, store_url = f"file://{tmp_path / 'place'}", new_database(postgres)
    subprocess.check_output([*shop.fit(tmp_path / "trainer", day=30), "--to", place])
    copies = [BundleStore(tmp_path / f"replica-{number}") for number in range(REPLICAS)]
    for copy in copies:
        Mirror(RemoteBundles(place), copy).refresh()
    bundle = open_bundle(copies[0].current())
    items = [str(bundle.items.ids.id(row)) for row in range(bundle.items.n_catalogue)]

    with ExitStack() as stack, ThreadPoolExecutor(REPLICAS) as starting:  # all at once: the schema is made once
        command = ["env", f"RECSVC_STORE_URL={store_url}", RECSVC]
        starts = [live_service(command, copy.root) for copy in copies]
        replicas = list(starting.map(stack.enter_context, starts))
        customer_ids = bundle.customer_table["customer_id"].to_pylist()
        unseen = unseen_purchases(replicas, customer_ids, items, pairs=PAIRS, seed=7)

    engine = sa.create_engine(sa.make_url(store_url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        versions = connection.execute(sa.select(schema_version.c.version)).scalars().all()
    engine.dispose()
    assert unseen == []
    assert max(versions) == SCHEMA_VERSION

"""The bundles, for whoever operates the service: which there are, which is live, and changing that."""

from __future__ import annotations

from recsvc.api.bundle_schemas import BundleReply, BundlesReply, RollbackRequest
from recsvc.api.refusals import UnknownBundle
from recsvc.api.replies import Json
from recsvc.api.route import Route
from recsvc.api.services import Services
from recsvc.bundle.store import BundleFolder, BundleStore
from recsvc.errors import BundleNotFound


def bundles(services: Services) -> Json:
    """Every readable bundle, the newest first."""
    store = BundleStore(services.settings.folder)
    live = store.current_id()
    return {"bundles": [_bundle_json(one, live) for one in reversed(store.bundles())]}


def bundle(services: Services, bundle_id: str) -> Json:
    """One bundle."""
    store = BundleStore(services.settings.folder)
    return _bundle_json(_found(store, bundle_id), store.current_id())


def activate(services: Services, bundle_id: str) -> Json:
    """Verify a bundle and make it live; every worker takes it up within a second."""
    store = BundleStore(services.settings.folder)
    _found(store, bundle_id)
    return _bundle_json(store.activate(bundle_id), bundle_id)


def rollback(services: Services, body: RollbackRequest) -> Json:
    """Go back to the bundle that was live before the one the caller leaves; sent twice, it goes back once."""
    store = BundleStore(services.settings.folder)
    try:
        back = store.rollback(body.leave)
    except BundleNotFound as error:
        raise UnknownBundle("there is no earlier bundle to go back to") from error
    return _bundle_json(back, back.manifest.bundle_id)


def _found(store: BundleStore, bundle_id: str) -> BundleFolder:
    try:
        return store.get(bundle_id)
    except BundleNotFound as error:
        raise UnknownBundle("there is no bundle of this id; GET /v1/bundles lists those there are") from error


def _bundle_json(found: BundleFolder, live: str | None) -> Json:
    manifest = found.manifest
    return {
        "bundle_id": manifest.bundle_id,
        "live": manifest.bundle_id == live,
        "as_of": manifest.as_of,
        "created_at": manifest.created_at,
        "customers": manifest.shapes.customers,
        "items": manifest.shapes.items,
        "catalogue": manifest.shapes.catalogue,
        "gate": {
            "passed": manifest.verdict.passed,
            "forced": manifest.verdict.forced,
            "reasons": list(manifest.verdict.reasons),
        },
    }


ROUTES = (
    Route(
        "GET",
        "/v1/bundles",
        bundles,
        "The bundles there are, the newest first, and which of them is live",
        scope="admin",
        replies=(BundlesReply,),
    ),
    Route(
        "GET",
        "/v1/bundles/<bundle_id>",
        bundle,
        "One bundle",
        scope="admin",
        replies=(BundleReply,),
        statuses=(404,),
    ),
    Route(
        "POST",
        "/v1/bundles/<bundle_id>/activate",
        activate,
        "Verify a bundle and make it live",
        scope="admin",
        replies=(BundleReply,),
        statuses=(404,),
    ),
    Route(
        "POST",
        "/v1/bundles/rollback",
        rollback,
        "Go back to the bundle that was live before; the body names the one to leave",
        scope="admin",
        body=RollbackRequest,
        replies=(BundleReply,),
        statuses=(404, 409),
    ),
)

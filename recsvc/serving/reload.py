"""Hot swap: notice a new live bundle, open it beside the old one, assign one reference.

A bundle that does not open leaves the old one serving, and the reason in `status`. Requests take the reference once and
keep to it, so none ever sees two bundles.
"""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recsvc.bundle.reader import Bundle, open_bundle
from recsvc.bundle.store import CURRENT, BundleStore
from recsvc.errors import NotReady, RecsvcError
from recsvc.serving.live_data import LiveData, NoLiveData
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Query
from recsvc.store.engine import StoreUnavailable

POLL_SECONDS = 0.25
log = logging.getLogger(__name__)


def _nothing(_bundle: Bundle) -> LiveData:
    return NoLiveData()


@dataclass(frozen=True, slots=True)
class BundleStatus:
    """What is live here, and what is wrong with what should be."""

    bundle_id: str | None
    problem: str | None


class LiveRecommender:
    """Holder of the recommender that answers now. Create it after fork; `start` keeps it current.

    Parameters
    ----------
    artifacts
        Folder of the bundles.
    live_of
        The live data of a bundle that goes live.
    """

    def __init__(self, artifacts: Path, live_of: Callable[[Bundle], LiveData] = _nothing) -> None:
        self._store = BundleStore(artifacts)
        self._live_of = live_of
        self._recommender: Recommender | None = None
        self._tried: str | None = None
        self._problem: str | None = None
        self._listener: Callable[[], None] = _nobody
        self._stop = threading.Event()
        self.refresh()

    def current(self) -> Recommender:
        """Return the recommender of the live bundle.

        Raises
        ------
        NotReady
            If none could be opened yet.
        """
        if self._recommender is None:
            raise NotReady(self._problem or "no bundle is live yet; run `recsvc-train fit`")
        return self._recommender

    def status(self) -> BundleStatus:
        """What is served, and what went wrong at the last swap."""
        serving = self._recommender
        return BundleStatus(serving.bundle_id if serving else None, self._problem)

    def tell(self, listener: Callable[[], None]) -> None:
        """Call a listener now, and after every change of `status`, from the thread that made it."""
        self._listener = listener
        listener()

    def refresh(self) -> None:
        """Open the live bundle if it is another one than at the last try."""
        wanted = self._wanted()
        if wanted is None or wanted == self._tried:
            return
        self._tried = wanted
        try:
            self._recommender = warmed(self._opened(wanted))
            self._problem = None
            self._listener()
            log.info("bundle swapped", extra={"bundle_id": wanted})
            gc.collect()  # the one before lies in reference cycles, which would hold its memory for many swaps
        except StoreUnavailable as error:
            self._tried = None  # not the bundle's fault: try it again
            self._note(str(error), wanted)
        except RecsvcError as error:
            self._note(str(error), wanted)
        except Exception as error:  # noqa: BLE001 - whatever a damaged file leads to, the watch goes on
            self._note(f"bundle {wanted} cannot be used ({type(error).__name__})", wanted)

    def start(self) -> None:
        """Watch the pointer file from a daemon thread."""
        threading.Thread(target=self._watch, name="bundle-watch", daemon=True).start()

    def stop(self) -> None:
        """Stop watching."""
        self._stop.set()

    def _opened(self, wanted: str) -> Recommender:
        bundle = open_bundle(self._store.get(wanted))
        return Recommender(bundle, self._live_of(bundle))

    def _wanted(self) -> str | None:
        """Id in the pointer file; None when there is none, or while it cannot be read."""
        try:
            return self._store.current_id()
        except OSError as error:
            self._tried = None  # look again at what it names once it can be read
            self._note(f"{CURRENT} cannot be read ({error.strerror})", None)
            return None

    def _note(self, problem: str, bundle_id: str | None) -> None:
        if problem != self._problem:
            self._problem = problem
            self._listener()
            log.error("bundle not swapped", extra={"bundle_id": bundle_id, "problem": problem})

    def _watch(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            self.refresh()


def _nobody() -> None:
    """Listen to nothing."""


def warmed(recommender: Recommender) -> Recommender:
    """Answer one question of each kind before traffic does: pages are mapped, code is warm, nothing is read later."""
    recommender.recommend(Query(""), now=recommender.as_of)
    recommender.bare_slates([""], Query("").k)  # ranked, where the bundle holds the answer ready
    recommender.win_back(after_rank=0, limit=1, states=frozenset(), now=recommender.as_of)
    return recommender

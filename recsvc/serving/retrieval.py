"""The only FAISS search: items nearest to a taste vector, and items alike.

FAISS pads short answers with -1 and adds scores in an order that depends on the batch; neither leaves this module:
lists are simply shorter, and queries are searched one by one so that live and batch answers are equal.
"""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np

from recsvc.domain.arrays import Factors, Mask, Rows
from recsvc.errors import BundleCorrupt


class ItemIndex:
    """Exact inner-product search over the catalogue's factors.

    Raises
    ------
    BundleCorrupt
        If the file cannot be read, or holds another shape than the factors.
    """

    def __init__(self, path: Path, factors: Factors) -> None:
        faiss.omp_set_num_threads(1)
        try:
            self._index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise BundleCorrupt(path.parent.name, f"{path.name} cannot be read") from error
        if (self._index.ntotal, self._index.d) != factors.shape:
            raise BundleCorrupt(path.parent.name, f"{path.name} holds other factors than item_factors.npy")
        self._factors = factors
        self._norms = np.linalg.norm(factors, axis=1)

    def nearest(self, vector: Factors, k: int, allowed: Mask) -> Rows:
        """At most `k` allowed item rows of highest inner product, best first.

        Parameters
        ----------
        vector : shape (n_factors,)
        allowed : shape (n_catalogue,)
        """
        bitmap = np.packbits(allowed, bitorder="little")
        selector = faiss.IDSelectorBitmap(bitmap)
        k = min(k, int(allowed.sum()))
        if k < 1:
            return np.zeros(0, np.int32)
        _, rows = self._index.search(vector[None, :], k, params=faiss.SearchParameters(sel=selector))
        found: Rows = rows[0][rows[0] >= 0].astype(np.int32)
        return found

    def similar(self, row: int, k: int) -> tuple[Rows, Factors]:
        """At most `k` items that point the way of one item, without itself, best first, with cosines in [-1, 1]."""
        norms = self._norms
        usable = norms > 0
        usable[row] = False
        if norms[row] == 0 or not usable.any():
            return np.zeros(0, np.int32), np.zeros(0, np.float32)
        rows = np.flatnonzero(usable)
        cosines = (self._factors[rows] @ self._factors[row]) / (norms[rows] * norms[row])
        best = np.lexsort((rows, -cosines))[:k]
        return rows[best].astype(np.int32), np.clip(cosines[best], -1, 1)

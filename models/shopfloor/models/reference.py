"""What features looked like in training, in bins: the reference that drift is measured against."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_BINS: Final = 10


def reference(x: NDArray[Any], bins: int = _BINS) -> dict[str, Floats]:
    """Quantiles of each column of rows [n, f] as inner edges [f, bins - 1], and the shares [f, bins] between them.

    Missing values are left out; a column without any value has edges and shares of 0.

    >>> found = reference(np.arange(100.0)[:, None], bins=4)
    >>> found["drift edges"].tolist(), found["drift shares"].tolist()
    ([[24.75, 49.5, 74.25]], [[0.25, 0.25, 0.25, 0.25]])
    """
    edges, shares = np.zeros((x.shape[1], bins - 1)), np.zeros((x.shape[1], bins))
    for column, values in enumerate(x.T.astype(np.float64)):
        known = values[np.isfinite(values)]
        if len(known):
            edges[column] = np.quantile(known, np.arange(1, bins) / bins)
            shares[column] = np.bincount(np.searchsorted(edges[column], known, "right"), minlength=bins) / len(known)
    return {"drift edges": edges, "drift shares": shares}

"""What the scripts that look for neighbours share."""

import numpy as np


def without_self(found):
    """`[n, k]` from the `k + 1` neighbours of each row of the base: the row itself is left out, or the
    last one where duplicates have pushed it out."""
    own = found == np.arange(len(found))[:, None]
    own[~own.any(axis=1), -1] = True
    return found[~own].reshape(len(found), -1)


def recall(found, queries, base, params):
    """The share of neighbours of some queries that are no farther than the last right one."""
    rows = np.array(params["rows"])
    limits = np.array(params["limits"])[:, None]
    differences = base[found[rows]].astype(np.float64) - queries[rows][:, None].astype(np.float64)
    # `limits` were summed in another order
    right = (differences**2).sum(axis=2) <= limits * (1 + 1e-12)
    return right.mean()

"""What the scripts that draw maps share."""

import numpy as np

ROWS = 1000


def divergence(found, data):
    """The Kullback-Leibler divergence of a map from the affinities that all sides are judged by, which
    hold each pair once; similarities on the map are summed over all pairs."""
    found = np.asarray(found, dtype=np.float64)
    source, target = (np.load(data[name]).astype(np.int64) for name in ["source", "target"])
    p = np.load(data["affinity"]).astype(np.float64)

    def similarity(a, b):
        return 1 / (1 + ((a - b) ** 2).sum(axis=-1))

    total = -float(len(found))  # those of the points to themselves
    for begin in range(0, len(found), ROWS):
        total += similarity(found[begin : begin + ROWS, None], found[None]).sum()
    q = similarity(found[source], found[target]) / total
    # both orders of a pair
    return 2 * (p * np.log(p / q)).sum()

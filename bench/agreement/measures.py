"""How far two answers are apart."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.cluster import contingency_matrix

# What each comparison allows. An objective is compared one way: scarce may be better.
OBJECTIVE = 1e-3
PROBABILITY = 1e-3
COMPONENT = 1e-4
NUMBER = 1e-4


def partition(ours, theirs):
    """The share of rows that lie otherwise under the best matching of clusters."""
    table = contingency_matrix(theirs, ours)
    rows, columns = linear_sum_assignment(-table)
    return 1 - table[rows, columns].sum() / len(ours)


def excess(ours, theirs):
    """By what share of their objective ours is worse; both are to be small."""
    return (ours - theirs) / max(abs(theirs), 1e-12)


def largest(ours, theirs):
    """The largest difference of two arrays of one shape."""
    if ours.shape != theirs.shape:
        return np.inf
    return float(np.abs(ours - theirs).max(initial=0.0))


def up_to_sign(ours, theirs):
    """The largest difference of rows that may be turned round, relative to the largest entry."""
    if ours.shape != theirs.shape:
        return np.inf
    sign = np.sign((ours * theirs).sum(axis=1, keepdims=True))
    return float(np.abs(ours * np.where(sign == 0, 1, sign) - theirs).max() / np.abs(theirs).max())


def chosen(probabilities, margin=1e-6):
    """Rows whose likeliest class is ahead of the next by more than rounding."""
    ordered = np.sort(probabilities, axis=1)
    return ordered[:, -1] - ordered[:, -2] > margin


def clear_neighbours(distances, k, metric="euclidean"):
    """Rows of which it is clear who the k nearest are: the next is farther by more than rounding, which
    is a share of the distance, or for the cosine of 1.

    `distances` are a row's to all candidates."""
    if distances.shape[1] <= k:
        return np.ones(len(distances), bool)
    ordered = np.sort(distances, axis=1)
    gap = ordered[:, k] - ordered[:, k - 1]
    scale = 1.0 if metric == "cosine" else np.maximum(ordered[:, k], 1e-12)
    return gap > (1e-6 if metric == "cosine" else 1e-5) * scale

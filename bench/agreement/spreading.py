"""Label spreading and label propagation."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

from measures import PROBABILITY, chosen, clear_neighbours, largest


def add(bench, small):
    data = bench.data
    # A scale at which images are neighbours: the median distance to the fifth.
    near = np.median(np.sort(pairwise_distances(data.wide), axis=1)[:, 5])
    scale = float(f"{1 / near**2:.3g}")
    for seed in (0,) if small else (0, 1):
        for gamma in (scale,) if small else (scale, 4 * scale):
            for alpha in (0.2, 0.9):
                spread(bench, seed, "label-spreading", {"kernel": "rbf", "gamma": gamma, "alpha": alpha})
            spread(bench, seed, "label-propagation", {"kernel": "rbf", "gamma": gamma})
        for neighbours in (7,) if small else (5, 12):
            knn = {"kernel": "knn", "neighbours": neighbours}
            spread(bench, seed, "label-spreading", {**knn, "alpha": 0.2})
            spread(bench, seed, "label-propagation", knn)


def spread(bench, seed, kind, params):
    data = bench.data
    rows = data.labelled(3, seed)
    labels = bench.labels(rows)
    # Both stop where nothing changes any more, or after as many steps.
    stage = bench.stage(
        kind, {"features": "pool", "labels": labels}, max_iter=1000, tolerance=1e-6, **params
    )

    def judge(run):
        target = np.full(len(data.y), -1)
        target[rows] = data.y[rows]
        common = {"kernel": params["kernel"], "max_iter": 1000, "tol": 1e-6}
        if params["kernel"] == "knn":
            common["n_neighbors"] = params["neighbours"]
            if not clear_neighbours(pairwise_distances(data.wide), params["neighbours"]).all():
                return "the nearest neighbours of some image are tied: both choices are right"
        else:
            common["gamma"] = params["gamma"]
        if kind == "label-spreading":
            peer = LabelSpreading(alpha=params["alpha"], **common)
        else:
            peer = LabelPropagation(**common)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            peer.fit(data.wide, target)
        found = run.table(stage, "distributions")
        theirs = peer.label_distributions_
        reached = found["reached"].astype(bool)
        ours = found["probabilities"]
        unreached = np.nan_to_num(theirs[~reached]).sum() if (~reached).any() else 0.0
        sure = reached & chosen(theirs, 2e-3)
        labels = np.array([-1 if label is None or label != label else label for label in found["label"]])
        return {
            "probabilities": (largest(ours[reached], theirs[reached]), PROBABILITY),
            "mass where no label reaches": (unreached, PROBABILITY),
            "labels": ((labels != theirs.argmax(axis=1))[sure].sum(), 0),
        }, theirs if reached.all() else None

    words = ", ".join(f"{key} = {value}" for key, value in params.items())
    kept = (stage, "distributions", "probabilities", "close", 1e-3)
    bench.case(kind, f"{data.name}, seed {seed}, {words}", judge, kept)

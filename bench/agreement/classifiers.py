"""Nearest neighbours, logistic regression, self-training."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, pairwise_distances
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from measures import OBJECTIVE, PROBABILITY, chosen, clear_neighbours, excess, largest


def add(bench, small):
    data = bench.data
    few = data.labelled(5, seed=0)
    many = np.flatnonzero(~data.test_rows())
    for name, rows, source in [("few", few, "pool"), ("many", many, "held")]:
        labels = bench.labels(rows, source)
        for k in (1, 3, 10):
            for weights in ("uniform", "distance"):
                for metric in ("euclidean", "cosine"):
                    if small and (k == 10 or metric == "cosine"):
                        continue
                    knn(bench, name, rows, source, labels, k, weights, metric)
        for c in (0.01, 1.0, 100.0):
            for standardise in (False, True):
                if small and (c == 0.01 or standardise != (name == "many")):
                    continue
                logistic(bench, name, rows, source, labels, c, standardise)
    for seed in (0,) if small else (0, 1, 2):
        self_training(bench, seed)


def knn(bench, name, rows, source, labels, k, weights, metric):
    data = bench.data
    stage = bench.stage(
        "knn", {"features": source, "labels": labels}, k=k, weights=weights, metric=metric
    )

    def judge(run):
        found = run.table(stage, "predictions")
        x = data.wide
        if metric == "cosine" and not np.linalg.norm(x, axis=1).min() > 0:
            return "a vector of zeros has no direction"
        peer = KNeighborsClassifier(k, weights=weights, metric=metric, algorithm="brute")
        theirs = peer.fit(x[rows], data.y[rows]).predict_proba(x)
        away = pairwise_distances(x, x[rows], metric=metric)
        clear = clear_neighbours(away, k, metric=metric)
        # A cosine distance is known to 10⁻⁷, so its inverse is not where it is small.
        if weights == "distance" and metric == "cosine":
            clear &= away.min(axis=1) > 1e-3
            if not clear.any():
                return "no cosine distance is large enough for its inverse to be compared"
        sure = clear & chosen(theirs)
        return {
            "probabilities": (largest(found["probabilities"][clear], theirs[clear]), PROBABILITY),
            "labels": ((found["label"] != theirs.argmax(axis=1))[sure].sum(), 0),
        }, theirs if clear.all() else None

    title = f"{data.name}, {name} labels, k = {k}, {weights}, {metric}"
    bench.case("knn", title, judge, (stage, "predictions", "probabilities", "close", 1e-3))


def logistic(bench, name, rows, source, labels, c, standardise):
    data = bench.data
    stage = bench.stage(
        "logistic-regression", {"features": source, "labels": labels},
        c=c, standardise=standardise, tolerance=1e-8, max_iter=20000,
    )

    def judge(run):
        found = run.table(stage, "predictions")
        x = data.wide
        if standardise:
            learnable = np.ones(len(x), bool) if source == "pool" else ~data.test_rows()
            x = StandardScaler().fit(x[learnable]).transform(x)
        peer = LogisticRegression(C=c, tol=1e-10, max_iter=100000).fit(x[rows], data.y[rows])
        theirs = peer.predict_proba(x)
        ours = found["probabilities"].astype(np.float64)
        ours /= ours.sum(axis=1, keepdims=True)
        y = data.y[rows]
        sure = chosen(theirs, 2e-3)
        # The penalised loss, of our weights and of theirs, as scikit-learn has it.
        model = run.model(stage)
        weights = model["weights"].astype(np.float64)
        share = 2.0 if data.classes == 2 else 1.0
        loss = log_loss(y, ours[rows], labels=range(data.classes))
        loss += share * (weights**2).sum() / (2 * c * len(rows))
        least = log_loss(y, theirs[rows], labels=range(data.classes))
        least += (peer.coef_**2).sum() / (2 * c * len(rows))
        # 32-bit products of large features end the search early, as the log says then.
        ended = any("precision of the numbers" in message for message in run.log(stage))
        return {
            "loss": (excess(loss, least), OBJECTIVE),
            "probabilities": (largest(ours, theirs), 10 * PROBABILITY if ended else PROBABILITY),
            "labels": ((found["label"] != theirs.argmax(axis=1))[sure].sum(), 0),
        }, theirs

    title = f"{data.name}, {name} labels, C = {c}{', standardised' if standardise else ''}"
    kept = (stage, "predictions", "probabilities", "close", 1e-3)
    bench.case("logistic-regression", title, judge, kept)


def self_training(bench, seed):
    data = bench.data
    rows = data.labelled(4, seed)
    labels = bench.labels(rows)
    target = np.full(len(data.y), -1)
    target[rows] = data.y[rows]
    ways = [
        {"criterion": "threshold", "threshold": 0.75},
        {"criterion": "threshold", "threshold": 0.95},
        {"criterion": "k-best", "k_best": 10},
    ]
    bases = [
        ({"base": "logistic-regression", "c": 1.0, "tolerance": 1e-8}, lambda: LogisticRegression(C=1.0, tol=1e-9, max_iter=100000)),
        ({"base": "knn", "k": 3}, lambda: KNeighborsClassifier(3, algorithm="brute")),
    ]
    for way in ways:
        for base, peer in bases:
            self_trained(bench, seed, rows, labels, target, way, base, peer)


def self_trained(bench, seed, rows, labels, target, way, base, peer):
    data = bench.data
    stage = bench.stage(
        "self-training", {"features": "pool", "labels": labels}, max_rounds=10, **way, **base
    )

    def judge(run):
        theirs = SelfTrainingClassifier(
            peer(), threshold=way.get("threshold", 0.75), k_best=way.get("k_best", 10),
            criterion=way["criterion"].replace("-", "_"), max_iter=10,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", UserWarning)
            theirs.fit(data.wide, target)
        found = run.table(stage, "labels")
        ours = np.full(len(data.y), -1)
        ours[found["id"]] = found["label"]
        if base["base"] == "knn" and tied(data, rows, theirs, way):
            return "neighbours or votes are tied: both choices are right"
        believed = run.table(stage, "distributions")["probabilities"]
        shares = theirs.predict_proba(data.wide)
        return {
            "labels": ((ours != theirs.transduction_).sum(), 0),
            "probabilities": (largest(believed, shares), PROBABILITY),
        }, shares

    words = ", ".join(f"{key} = {value}" for key, value in {**base, **way}.items())
    kept = (stage, "distributions", "probabilities", "close", 1e-3)
    bench.case("self-training", f"{data.name}, seed {seed}, {words}", judge, kept)


def tied(data, rows, fitted, way):
    """Whether neighbours are not clear in some round, or the k best probabilities are equal."""
    if way["criterion"] == "k-best":
        return True  # shares of three votes: more than ten images have the same
    for stop in range(int(fitted.labeled_iter_.max()) + 1):
        known = np.flatnonzero((fitted.labeled_iter_ >= 0) & (fitted.labeled_iter_ <= stop))
        away = pairwise_distances(data.wide, data.wide[known])
        if not clear_neighbours(away, 3).all():
            return True
    return False

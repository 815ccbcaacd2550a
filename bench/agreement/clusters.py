"""k-means, mini-batch k-means, Gaussian mixtures, and images given to saved centroids."""

import warnings

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from measures import NUMBER, OBJECTIVE, excess, largest, partition

SEEDS = (0, 1)
# So many that the best is found, where one start in six finds it.
STARTS = 50


def add(bench, small):
    data = bench.data
    for count in sorted({2, data.classes}):
        for init in ("k-means++", "random"):
            for seed in SEEDS[:1] if small else SEEDS:
                kmeans(bench, count, init, seed)
    assign(bench)
    if not small:
        for init in ("k-means++", "random"):
            for count in (data.classes, data.classes + 3):
                starts(bench, count, init)
        minibatch(bench)
    for count in sorted({2, data.classes}):
        for covariance in ("full", "diagonal"):
            # A cloud needs more images than features.
            if len(data.y) > 4 * count * data.x.shape[1] or covariance == "diagonal":
                mixture(bench, count, covariance)


def means(run, stage):
    """Labels, distances and means by cluster; means are in 64 bits, of the images themselves."""
    clusters = run.table(stage, "clusters")
    labels = clusters["cluster"]
    x = run.data.wide[clusters["id"]]
    present = np.unique(labels)
    centres = np.array([x[labels == cluster].mean(axis=0) for cluster in present])
    return labels, clusters["distance"], centres, x, present


def inertia(x, labels, present, centres):
    place = np.searchsorted(present, labels)
    return ((x - centres[place]) ** 2).sum()


def kmeans(bench, count, init, seed):
    data = bench.data
    stage = bench.stage("kmeans", {"features": "pool"}, clusters=count, init=init, n_init=STARTS, seed=seed)

    def judge(run):
        labels, distances, centres, x, present = means(run, stage)
        peer = KMeans(count, init=init, n_init=STARTS, random_state=seed).fit(x)
        found = {"inertia": (excess(inertia(x, labels, present, centres), peer.inertia_), OBJECTIVE)}
        # scikit-learn, from our centroids on: nothing is left to gain.
        onward = KMeans(len(present), init=centres, n_init=1, tol=0).fit(x)
        gain = excess(inertia(x, labels, present, centres), onward.inertia_)
        found["gain left"] = (gain, OBJECTIVE)
        centroids = run.table(stage, "centroids")
        order = np.argsort(centroids["cluster"])
        scale = np.abs(x).max()
        found["centroids"] = (largest(centroids["centroid"][order], centres) / scale, 1e-2)
        own = np.linalg.norm(x - centroids["centroid"][order][np.searchsorted(present, labels)], axis=1)
        found["distances"] = (largest(distances, own) / scale, NUMBER)
        if data.separated and count == data.classes:
            found["labels"] = (partition(labels, peer.labels_), 0)
        return found, peer.labels_

    separated = data.separated and count == data.classes
    kept = (stage, "clusters", "cluster", "partition", 0) if separated else ()
    bench.case("kmeans", f"{data.name}, k = {count}, {init}, seed {seed}", judge, kept)


def starts(bench, count, init):
    """One start each: where a start ends is luck, so means over seeds are compared."""
    data, seeds = bench.data, range(30)
    stages = [
        bench.stage("kmeans", {"features": "pool"}, clusters=count, init=init, seed=seed)
        for seed in seeds
    ]

    def judge(run):
        ours = []
        for stage in stages:
            labels, _, centres, x, present = means(run, stage)
            ours.append(inertia(x, labels, present, centres))
        peers = (KMeans(count, init=init, n_init=1, random_state=seed) for seed in seeds)
        return {"mean inertia": beyond_luck(ours, [peer.fit(data.wide).inertia_ for peer in peers])}

    bench.case("kmeans", f"{data.name}, k = {count}, {init}, one start, mean of 30 seeds", judge)


def beyond_luck(ours, theirs):
    """By what share the mean of ours is worse, and what three standard errors of that are."""
    ours, theirs = np.array(ours), np.array(theirs)
    error = np.sqrt(ours.var(ddof=1) / len(ours) + theirs.var(ddof=1) / len(theirs))
    return excess(ours.mean(), theirs.mean()), OBJECTIVE + 3 * error / theirs.mean()


def assign(bench):
    """Centroids of the training rows; every row to the nearest of them."""
    data = bench.data
    count = data.classes
    fitted = bench.stage("kmeans", {"features": "held"}, clusters=count, n_init=10, seed=3)
    stage = bench.stage("assign", {"features": "held", "centroids": f"{fitted}.centroids"})

    def judge(run):
        centroids = run.table(fitted, "centroids")
        order = np.argsort(centroids["cluster"])
        centres = centroids["centroid"][order].astype(np.float64)
        found = run.table(stage, "clusters")
        peer = KMeans(len(centres), init=centres, n_init=1, max_iter=1).fit(centres)
        peer.cluster_centers_ = centres
        away = peer.transform(data.wide)
        # Which of two is nearer must be clear beyond rounding.
        clear = np.diff(np.sort(away, axis=1)[:, :2], axis=1).ravel() > 1e-5 * away.max()
        labels = peer.predict(data.wide)
        wrong = (centroids["cluster"][order][labels] != found["cluster"]) & clear
        return {
            "labels": (wrong.sum(), 0),
            "distances": (largest(found["distance"], away.min(axis=1)) / away.max(), NUMBER),
        }, labels

    kept = (stage, "clusters", "cluster", "partition", 0) if data.separated else ()
    bench.case("assign", f"{data.name}, k = {count}", judge, kept)


def minibatch(bench):
    """Its end depends on the batches: means over seeds are compared."""
    data = bench.data
    count, seeds = data.classes, range(10)
    stages = [
        bench.stage("minibatch-kmeans", {"features": "pool"}, clusters=count, batch=100, seed=seed, n_init=3)
        for seed in seeds
    ]

    def judge(run):
        ours = []
        for stage in stages:
            labels, _, centres, x, present = means(run, stage)
            ours.append(inertia(x, labels, present, centres))
        theirs = [
            MiniBatchKMeans(count, batch_size=100, random_state=seed, n_init=3).fit(data.wide).inertia_
            for seed in seeds
        ]
        found = {"mean inertia": beyond_luck(ours, theirs)}
        if data.separated:
            labels = run.table(stages[0], "clusters")["cluster"]
            found["labels"] = (partition(labels, data.y), 0)
        return found

    bench.case("minibatch-kmeans", f"{data.name}, k = {count}, mean of 10 seeds", judge)


def mixture(bench, count, covariance):
    data = bench.data
    params = {"clusters": count, "covariance": covariance, "n_init": 10, "max_iter": 500, "seed": 0}
    # Tight enough that both end in the same place.
    stage = bench.stage("gaussian-mixture", {"features": "pool"}, tolerance=1e-6, **params)

    def judge(run):
        kind = {"full": "full", "diagonal": "diag"}[covariance]
        peers = [
            GaussianMixture(
                count, covariance_type=kind, n_init=10, tol=1e-6, max_iter=500, random_state=seed
            )
            for seed in range(3)
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            scores = [peer.fit(data.wide).score(data.wide) for peer in peers]
        likelihood = run.logged(stage, "log-likelihood")
        peer, theirs = peers[0], scores[0]
        # Where ten starts of its own do not find the same, nor need ours.
        luck = excess(-min(scores), -max(scores))
        found = {"log-likelihood": (excess(-likelihood, -max(scores)), OBJECTIVE + luck)}
        labels = run.table(stage, "clusters")["cluster"]
        if abs(likelihood - theirs) < 1e-5:
            # The same place: then rows of which it is clear have the same cluster.
            shares = np.sort(peer.predict_proba(data.wide), axis=1)
            clear = shares[:, -1] - shares[:, -2] > 0.01
            found["labels"] = (partition(labels[clear], peer.predict(data.wide)[clear]), 0)
        return found, peer.predict(data.wide)

    separated = data.separated and count == data.classes
    kept = (stage, "clusters", "cluster", "partition", 0) if separated else ()
    bench.case("gaussian-mixture", f"{data.name}, k = {count}, {covariance}", judge, kept)

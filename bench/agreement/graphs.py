"""Nearest neighbours as a graph, spectral embedding and clustering."""

import warnings

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import eigsh
from sklearn.cluster import SpectralClustering
from sklearn.manifold import SpectralEmbedding
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors

from measures import NUMBER, clear_neighbours, largest, partition


def add(bench, small):
    for k in (5,) if small else (3, 7, 15):
        for metric in ("euclidean", "cosine"):
            neighbours(bench, k, metric)
    for k in (10,) if small else (7, 12):
        spectral(bench, k)
        spectral_clusters(bench, k)


def matrix(run, stage, n):
    edges = run.table(stage, "edges")
    pairs = (edges["source"], edges["target"])
    half = coo_array((edges["weight"].astype(np.float64), pairs), shape=(n, n))
    return (half + half.T).tocsr(), edges


def neighbours(bench, k, metric):
    data = bench.data
    stage = bench.stage("neighbour-graph", {"features": "pool"}, k=k, metric=metric, weights="uniform")

    def judge(run):
        x, n = data.wide, len(data.y)
        away = pairwise_distances(x, metric=metric)
        np.fill_diagonal(away, np.inf)
        clear = clear_neighbours(away, k, metric)
        peer = NearestNeighbors(n_neighbors=k, metric=metric, algorithm="brute").fit(x)
        theirs = peer.kneighbors_graph().toarray().astype(bool)
        _, edges = matrix(run, stage, n)
        ours = np.zeros((n, n), bool)
        ours[edges["source"], edges["target"]] = True
        ours |= ours.T
        # An edge is there if either end looks at the other; where a row is not clear, its ties may.
        both = theirs | theirs.T
        certain = (theirs & clear[:, None]) | (theirs & clear[:, None]).T
        possible = both | ~clear[:, None] | ~clear[None, :]
        distances = away[edges["source"], edges["target"]]
        off = largest(edges["distance"].astype(np.float64), distances) / max(distances.max(), 1e-9)
        return {
            "neighbours missed": ((certain & ~ours).sum(), 0),
            "neighbours invented": ((ours & ~possible).sum(), 0),
            "distances": (off, NUMBER),
        }

    bench.case("neighbour-graph", f"{data.name}, k = {k}, {metric}", judge)


def spectral(bench, k):
    """Laplacian eigenmaps of the same graph, up to scale, sign, and turns among equal eigenvalues."""
    data, dimensions = bench.data, 3
    graph = bench.stage("neighbour-graph", {"features": "pool"}, k=k, weights="uniform")
    stage = bench.stage(
        "spectral-embedding", {"nodes": f"{graph}.nodes", "edges": f"{graph}.edges"},
        dimensions=dimensions, normalise_rows=False,
    )

    def judge(run):
        w, _ = matrix(run, graph, len(data.y))
        if connected_components(w)[0] > 1:
            return "the graph is in pieces: any basis of their indicators is right"
        peer = SpectralEmbedding(dimensions, affinity="precomputed", eigen_solver="arpack", random_state=0)
        theirs = peer.fit_transform(w.toarray())
        degree = np.asarray(w.sum(axis=1)).ravel()
        root = 1 / np.sqrt(degree)
        smooth = coo_array(w).multiply(root[:, None]).multiply(root[None, :])
        values = np.sort(1 - eigsh(smooth.tocsr(), k=dimensions + 2, which="LA", return_eigenvectors=False))
        gaps = np.diff(values)
        clear = np.minimum(gaps[:dimensions], gaps[1 : dimensions + 1]) > 1e-4
        ours = run.table(stage, "embeddings")["embedding"].astype(np.float64)
        # The angle between coordinates, images weighted by their degrees.
        angles = []
        for at in np.flatnonzero(clear):
            a, b = ours[:, at], theirs[:, at]
            product = abs((degree * a * b).sum())
            angles.append(1 - product / np.sqrt((degree * a * a).sum() * (degree * b * b).sum()))
        if not angles:
            return "eigenvalues are equal: any basis is right"
        return {"1 - |cosine| of coordinates": (max(angles), 1e-4)}

    bench.case("spectral-embedding", f"{data.name}, k = {k}", judge)


def spectral_clusters(bench, k):
    """Spectral clustering: the graph, its embedding, k-means on that."""
    data = bench.data
    if data.name not in ("blobs", "moons", "circles"):
        return
    graph = bench.stage("neighbour-graph", {"features": "pool"}, k=k, weights="uniform")
    # With `normalise_rows` as Ng, Jordan and Weiss, where scikit-learn has no such step: its clusters are
    # then the same only where classes are far apart. Of two, the second eigenvector alone decides.
    embedding = bench.stage(
        "spectral-embedding", {"nodes": f"{graph}.nodes", "edges": f"{graph}.edges"},
        dimensions=data.classes if data.separated else 1, normalise_rows=data.separated,
    )
    stage = bench.stage("kmeans", {"features": embedding}, clusters=data.classes, n_init=10)

    def judge(run):
        w, _ = matrix(run, graph, len(data.y))
        peer = SpectralClustering(data.classes, affinity="precomputed", random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            theirs = peer.fit_predict(w.toarray())
        labels = run.table(stage, "clusters")["cluster"]
        # A row on the border may lie on either side.
        return {"labels": (partition(labels, theirs), max(0.01, 1.5 / len(labels)))}, theirs

    kept = (stage, "clusters", "cluster", "partition", 0) if data.separated else ()
    bench.case("spectral-embedding", f"{data.name}, k = {k}, then kmeans", judge, kept)

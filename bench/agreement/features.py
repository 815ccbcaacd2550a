"""Principal components, and maps in two dimensions."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness

from measures import COMPONENT, OBJECTIVE, largest, up_to_sign


def add(bench, small):
    width = bench.data.x.shape[1]
    whole = sorted({1, 2, min(5, width), width})
    shares = [0.5, 0.9, 0.99]
    for components in whole + ([] if small else shares):
        for whiten in (0.0, 1.0):
            pca(bench, components, whiten)
    project(bench)
    if bench.data.name in ("iris", "digits", "wine") and not small:
        for perplexity in (10.0, 30.0):
            for seed in (0, 1):
                tsne(bench, perplexity, seed)


def apart(peer):
    """Components that are determined: their variance is neither zero nor that of a neighbour."""
    variance = peer.explained_variance_
    scale = variance[0]
    gap = np.full(len(variance), np.inf)
    steps = np.abs(np.diff(variance))
    gap[:-1] = steps
    gap[1:] = np.minimum(gap[1:], steps)
    return (gap > 1e-3 * scale) & (variance > 1e-5 * scale)


def compared(ours_model, ours_vectors, peer, vectors, whiten):
    clear = apart(peer)
    ratio = largest(ours_model["ratio"], peer.explained_variance_ratio_)
    components = up_to_sign(ours_model["components"][clear], peer.components_[clear])
    return {
        "explained variance": (ratio, COMPONENT),
        "components": (components, COMPONENT),
        # Columns are as long as the rows of components are true.
        "projections": (up_to_sign(ours_vectors.T[clear], vectors.T[clear]), 10 * COMPONENT if whiten else COMPONENT),
    }


def pca(bench, components, whiten):
    data = bench.data
    stage = bench.stage("pca", {"features": "pool"}, components=components, whiten=whiten)

    def judge(run):
        model, found = run.model(stage), run.table(stage, "embeddings")["embedding"]
        peer = PCA(components, whiten=whiten == 1.0, svd_solver="full")
        vectors = peer.fit_transform(data.wide)
        if len(model["components"]) != len(peer.components_):
            return {"number of components": (np.inf, 0)}
        return compared(model, found, peer, vectors, whiten), vectors

    kept = (stage, "embeddings", "embedding", "sign", 1e-3) if components in (1, 2) else ()
    bench.case("pca", f"{data.name}, components = {components}, whiten = {whiten}", judge, kept)


def project(bench):
    """Fitted to the training rows, applied to all."""
    data = bench.data
    fitted = bench.stage("pca", {"features": "held"}, components=2)
    stage = bench.stage("project", {"features": "held", "model": f"{fitted}.model"})

    def judge(run):
        peer = PCA(2, svd_solver="full").fit(data.wide[~data.test_rows()])
        found = run.table(stage, "embeddings")["embedding"]
        vectors = peer.transform(data.wide)
        return compared(run.model(fitted), found, peer, vectors, 0.0), vectors

    kept = (stage, "embeddings", "embedding", "sign", 1e-3)
    bench.case("project", f"{data.name}, components = 2", judge, kept)


def tsne(bench, perplexity, seed):
    data = bench.data
    stage = bench.stage("tsne", {"features": "pool"}, perplexity=perplexity, seed=seed)

    def judge(run):
        peer = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit(data.wide)
        ours = run.table(stage, "embeddings")["embedding"].astype(np.float64)
        divergence = run.logged(stage, "Kullback–Leibler divergence")
        worse = trustworthiness(data.wide, peer.embedding_) - trustworthiness(data.wide, ours)
        return {
            # From other starts scikit-learn's own differ by 7 % (wine, perplexity 30).
            "divergence": (excess_of(divergence, peer.kl_divergence_), 0.1),
            "trustworthiness lost": (worse, 0.01),
        }

    bench.case("tsne", f"{data.name}, perplexity = {perplexity}, seed {seed}", judge)


def excess_of(ours, theirs):
    return (ours - theirs) / max(abs(theirs), OBJECTIVE)

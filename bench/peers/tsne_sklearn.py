"""scikit-learn's t-SNE by Barnes and Hut's tree."""

import numpy as np
import sklearn
from sklearn.manifold import TSNE

from maps import divergence
from protocol import serve


def prepare(data, params, threads):
    return np.load(data["x"]), data, params, threads


def work(state, clock):
    x, data, params, threads = state
    model = TSNE(
        perplexity=params["perplexity"],
        max_iter=params["iterations"],
        n_jobs=threads,
        random_state=0,
    )
    with clock:
        found = model.fit_transform(x)
    return {"divergence": divergence(found, data)}


serve(f"scikit-learn {sklearn.__version__}", prepare, work)

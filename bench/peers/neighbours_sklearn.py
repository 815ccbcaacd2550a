"""scikit-learn's nearest neighbours by brute force."""

import numpy as np
import sklearn
from sklearn.neighbors import NearestNeighbors

from neighbours import recall, without_self
from protocol import serve


def prepare(data, params, threads):
    return np.load(data["queries"]), np.load(data["base"]), params, threads


def work(state, clock):
    queries, base, params, threads = state
    with clock:
        model = NearestNeighbors(
            n_neighbors=params["k"] + params["self"], algorithm="brute", n_jobs=threads
        )
        found = model.fit(base).kneighbors(queries, return_distance=False)
        if params["self"]:
            found = without_self(found)
    return {"recall": recall(found, queries, base, params)}


serve(f"scikit-learn {sklearn.__version__}", prepare, work)

"""scikit-learn's mini-batch k-means."""

import numpy as np
import sklearn
from sklearn.cluster import MiniBatchKMeans

from protocol import serve


def prepare(data, params, threads):
    return np.load(data["x"]), params


def work(state, clock):
    x, params = state
    inertias, steps = [], []
    for seed in range(params["seeds"]):
        model = MiniBatchKMeans(
            params["clusters"],
            batch_size=params["batch"],
            max_iter=params["passes"],
            max_no_improvement=params["patience"],
            reassignment_ratio=params["reassignment"],
            tol=0.0,
            n_init=1,
            random_state=seed,
        )
        with clock:
            model.fit(x)
        inertias.append(model.inertia_)
        steps.append(model.n_steps_)
    return {"mean-inertia": np.mean(inertias), "iterations": np.mean(steps)}


serve(f"scikit-learn {sklearn.__version__}", prepare, work)

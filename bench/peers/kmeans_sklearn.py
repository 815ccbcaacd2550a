"""scikit-learn's k-means from given centroids."""

import warnings

import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from protocol import serve

warnings.simplefilter("ignore", ConvergenceWarning)


def prepare(data, params, threads):
    return np.load(data["x"]), np.load(data["start"]), params


def work(state, clock):
    x, start, params = state
    model = KMeans(
        start.shape[0],
        init=start,
        n_init=1,
        max_iter=params["iterations"],
        tol=params["tolerance"],
        algorithm="lloyd",
    )
    with clock:
        model.fit(x)
    return {"inertia": model.inertia_, "iterations": model.n_iter_}


serve(f"scikit-learn {sklearn.__version__}", prepare, work)

"""scikit-learn's multinomial logistic regression by L-BFGS, to its own stop."""

import warnings

import numpy as np
import sklearn
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from protocol import serve

warnings.simplefilter("ignore", ConvergenceWarning)


def prepare(data, params, threads):
    rows = params["rows"]
    return np.load(data["x"])[:rows], np.load(data["y"])[:rows], params


def objective(model, x, y, c):
    """Mean loss and penalty, as scikit-learn minimises them, in double precision."""
    weights = model.coef_.astype(np.float64)
    logits = x.astype(np.float64) @ weights.T + model.intercept_
    losses = logsumexp(logits, axis=1) - logits[np.arange(len(y)), y]
    return losses.mean() + (weights**2).sum() / (2 * c * len(y))


def work(state, clock):
    x, y, params = state
    model = LogisticRegression(
        C=params["c"], tol=params["tolerance"], max_iter=params["iterations"], solver="lbfgs"
    )
    with clock:
        model.fit(x, y)
    return {
        "objective": objective(model, x, y, params["c"]),
        "iterations": model.n_iter_[0],
    }


serve(f"scikit-learn {sklearn.__version__}", prepare, work)

"""graphlearning: Laplace learning, Poisson learning and PoissonMBO on a given graph."""

from importlib.metadata import version

import graphlearning as gl
import numpy as np
from scipy import sparse

from protocol import serve

METHODS = {"laplace": gl.ssl.laplace, "poisson": gl.ssl.poisson, "poisson-mbo": gl.ssl.poisson_mbo}


def prepare(data, params, threads):
    source, target = (np.load(data[name]).astype(np.int64) for name in ["source", "target"])
    weight = np.load(data["weight"]).astype(np.float64)
    # every edge is given once
    half = sparse.coo_matrix((weight, (source, target)), shape=(params["nodes"],) * 2)
    return gl.graph((half + half.T).tocsr()), np.load(data["classes"]).astype(np.int64), params


def work(state, clock):
    graph, classes, params = state
    rows = np.array(params["rows"])
    settings = {} if params["solver"] is None else {"solver": params["solver"]}
    if params["method"] == "poisson-mbo":
        settings["class_priors"] = np.full(params["classes"], 1 / params["classes"])
    # A new one each time: it would go on from the class weights that it has found.
    model = METHODS[params["method"]](graph, **settings)
    with clock:
        found = model.fit_predict(rows, classes[rows])
    return {"accuracy": (found == classes).mean()}


def name(state):
    solver = state[2]["solver"]
    return f"graphlearning {version('graphlearning')}{f', {solver}' if solver else ''}"


serve(name, prepare, work)

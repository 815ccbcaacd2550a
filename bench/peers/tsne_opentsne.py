"""openTSNE, which interpolates repulsion on a grid where there are as many rows as here."""

import numpy as np
import openTSNE

from maps import divergence
from protocol import serve


def prepare(data, params, threads):
    return np.load(data["x"]), data, params, threads


def work(state, clock):
    x, data, params, threads = state
    model = openTSNE.TSNE(
        perplexity=params["perplexity"],
        early_exaggeration_iter=params["exaggerated"],
        n_iter=params["iterations"] - params["exaggerated"],
        n_jobs=threads,
        random_state=0,
    )
    with clock:
        found = model.fit(x)
    return {"divergence": divergence(found, data)}


serve(f"openTSNE {openTSNE.__version__}", prepare, work)

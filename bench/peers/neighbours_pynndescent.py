"""pynndescent's graph of nearest neighbours, by random trees and nearest neighbour descent."""

import numba
import numpy as np
import pynndescent

from neighbours import recall
from protocol import serve


def prepare(data, params, threads):
    numba.set_num_threads(threads)
    return np.load(data["base"]), params, threads


def work(state, clock):
    base, params, threads = state
    with clock:
        index = pynndescent.NNDescent(base, n_neighbors=params["how"], n_jobs=threads)
        # the first is the row itself
        found = index.neighbor_graph[0][:, 1 : params["k"] + 1]
    return {"recall": recall(found, base, base, params)}


serve(f"pynndescent {pynndescent.__version__}", prepare, work)

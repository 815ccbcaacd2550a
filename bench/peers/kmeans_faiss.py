"""faiss' k-means from given centroids, a fixed number of iterations."""

import faiss
import numpy as np

from protocol import serve


def prepare(data, params, threads):
    faiss.omp_set_num_threads(threads)
    return np.load(data["x"]), np.load(data["start"]), params["iterations"]


def work(state, clock):
    x, start, iterations = state
    with clock:
        model = faiss.Kmeans(
            x.shape[1],
            start.shape[0],
            niter=iterations,
            # its default would only look at 256 points per centroid
            max_points_per_centroid=x.shape[0],
            min_points_per_centroid=1,
        )
        model.train(x, init_centroids=start)
    # Its own figure is that of the centroids before the last step.
    squared, _ = model.index.search(x, 1)
    return {"inertia": squared.sum(dtype=np.float64), "iterations": iterations}


serve(f"faiss {faiss.__version__}", prepare, work)

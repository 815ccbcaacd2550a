"""faiss' nearest neighbours: exact (`IndexFlatL2`), or by HNSW when `how` gives its settings."""

import faiss
import numpy as np

from neighbours import recall, without_self
from protocol import serve


def prepare(data, params, threads):
    faiss.omp_set_num_threads(threads)
    return np.load(data["queries"]), np.load(data["base"]), params


def index_of(width, how):
    if how is None:
        return faiss.IndexFlatL2(width)
    links, build, search = how
    index = faiss.IndexHNSWFlat(width, links)
    index.hnsw.efConstruction = build
    index.hnsw.efSearch = search
    return index


def work(state, clock):
    queries, base, params = state
    with clock:
        index = index_of(base.shape[1], params["how"])
        index.add(base)
        # a point of the base finds itself too
        _, found = index.search(queries, params["k"] + params["self"])
        if params["self"]:
            found = without_self(found)
    return {"recall": recall(found, queries, base, params)}


def version(state):
    _, _, params = state
    return f"faiss {faiss.__version__}{'' if params['how'] is None else ' HNSW'}"


serve(version, prepare, work)

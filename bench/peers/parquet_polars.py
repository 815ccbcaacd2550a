"""polars: embeddings to and from Parquet. Threads are set by `POLARS_MAX_THREADS`."""

import os

import numpy as np
import polars as pl

from protocol import serve


def prepare(data, params, threads):
    if pl.thread_pool_size() != threads:
        raise RuntimeError(f"polars uses {pl.thread_pool_size()} threads")
    x = np.load(data["x"])
    table = pl.DataFrame(
        {
            "id": np.arange(len(x), dtype=np.uint32),
            "split": ["train"] * len(x),
            "embedding": pl.Series(x, dtype=pl.Array(pl.Float32, x.shape[1])),
        }
    )
    return x, table, params


def work(state, clock):
    x, table, params = state
    path = params["file"]
    if params["do"] == "write":
        with clock:
            table.write_parquet(path, compression="zstd", compression_level=1)
            with open(path, "rb") as file:
                os.fsync(file)
        return {"mebibytes": os.path.getsize(path) / 2**20}
    with clock:
        found = pl.read_parquet(path)["embedding"].to_numpy()
    return {"mismatches": np.count_nonzero(found != x)}


serve(f"polars {pl.__version__}", prepare, work)

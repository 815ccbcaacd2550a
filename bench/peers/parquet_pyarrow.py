"""pyarrow: embeddings to and from Parquet."""

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from protocol import serve


def prepare(data, params, threads):
    pa.set_cpu_count(threads)
    x = np.load(data["x"])
    return x, np.arange(len(x), dtype=np.uint32), ["train"] * len(x), params


def write(x, ids, splits, path):
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(x.reshape(-1)), x.shape[1])
    table = pa.table({"id": ids, "split": splits, "embedding": vectors})
    pq.write_table(
        table, path, compression="zstd", compression_level=1, use_dictionary=["split"]
    )
    with open(path, "rb") as file:
        os.fsync(file)


def read(path, width):
    column = pq.read_table(path)["embedding"].combine_chunks()
    return column.flatten().to_numpy(zero_copy_only=True).reshape(-1, width)


def work(state, clock):
    x, ids, splits, params = state
    path = params["file"]
    if params["do"] == "write":
        splits = pa.array(splits)
        with clock:
            write(x, ids, splits, path)
        return {"mebibytes": os.path.getsize(path) / 2**20}
    with clock:
        found = read(path, x.shape[1])
    return {"mismatches": np.count_nonzero(found != x)}


serve(f"pyarrow {pa.__version__}", prepare, work)

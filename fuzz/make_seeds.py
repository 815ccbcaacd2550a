"""Writes the seeds of the fuzzing targets: small files of every format, each of which is accepted.

    python fuzz/make_seeds.py        (needs numpy and pyarrow)

What fuzzing has found lies beside them under names that begin with `found-`, and is not written here.
"""

import gzip
import io
import json
import shutil
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
ROOT = HERE.parent
PICTURES = ROOT / "crates/sources/pictures/fixtures"


def seed(target, name, content):
    folder = HERE / "seeds" / target
    folder.mkdir(parents=True, exist_ok=True)
    content = content if isinstance(content, bytes) else content.encode()
    (folder / name).write_bytes(content)


def idx():
    def file(*dims):
        count = int(np.prod(dims))
        return bytes([0, 0, 8, len(dims)]) + struct.pack(f">{len(dims)}I", *dims) + bytes(range(count))

    seed("idx", "grey", file(3, 2, 4))
    seed("idx", "colour", file(2, 2, 2, 3))
    seed("idx", "labels", file(3))
    seed("idx", "packed", gzip.compress(file(2, 3, 3), mtime=0))


def npy():
    def file(array, version=(1, 0)):
        out = io.BytesIO()
        np.lib.format.write_array(out, np.array(array), version=version)
        return out.getvalue()

    for kind in ("<f4", ">f4", "<f8", "<f2"):
        order = {"<": "little", ">": "big"}[kind[0]]
        seed("npy", f"{kind[1:]}-{order}", file(np.array([[1.5, -2], [0, 4]], kind)))
    seed("npy", "labels", file(np.array([1, 0, 2], "<i8")))
    seed("npy", "bytes", file(np.array([1, 0, 2], "|u1")))
    seed("npy", "version-2", file(np.array([[1.0, 2.0]], "<f4"), (2, 0)))


def labels():
    seed("labels_csv", "plain", "file,label\na.png,cat\nb.png,dog\nc/1.jpg,\n")
    seed("labels_csv", "excel", "\ufeffclass;note;path\r\ndog;x;c/a.png\r\n\"c\"\"at\";y;2.jpg\r\n")
    seed("labels_csv", "ids", "id,class\n3,10\n0,2\n")
    seed("labels_csv", "tabs", "image\tlabel\tannotator\né.png\tnaïve, or not\tann\n")
    rows = [{"file": "a.png", "label": "cat"}, {"file": "2.jpg", "label": 7}]
    seed("labels_json", "lines", "\n".join(json.dumps(row) for row in rows))
    seed("labels_json", "array", json.dumps(rows))
    choice = {"result": [{"value": {"choices": ["cat"]}}], "completed_by": {"email": "a@b.c"}}
    seed("labels_json", "label-studio", json.dumps(
        [{"id": 4, "data": {"image": "/data/upload/1/0a1b2c3d-a.png"}, "annotations": [choice]}]))
    seed("labels_json", "coco", json.dumps({
        "images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 2, "name": "cat"}],
        "annotations": [{"image_id": 1, "category_id": 2}]}))
    seed("labels_json", "fiftyone", json.dumps(
        {"classes": ["cat", "dog"], "labels": {"a": 1, "c/1": "cat", "2": None}}))


def pictures():
    for name in (
        "alpha.png", "alpha.webp", "bits.png", "deep.png", "deep.tif", "deflate.tif", "frames.gif",
        "grey.jpg", "grey_alpha.png", "lossless.webp", "pages.tif", "palette.bmp", "palette.png",
        "progressive.jpg", "restarts.jpg", "small.bmp", "small.ppm", "turned.png", "turned.tif",
        "turned.webp",
    ):
        folder = HERE / "seeds/picture"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(PICTURES / name, folder / name)


def parquet():
    def ours(name, version, columns, meta):
        meta = {f"scarce.{key}": json.dumps(value) for key, value in meta.items()}
        meta |= {"scarce.table": name, "scarce.version": str(version)}
        out = io.BytesIO()
        pq.write_table(pa.table(columns).replace_schema_metadata(meta), out, compression="zstd")
        seed("parquet", name, out.getvalue())

    ids = pa.array([3, 1, 2], pa.uint32())
    words = pa.array(["train", "test", "pool"])
    vectors = pa.FixedSizeListArray.from_arrays(pa.array([0.25, 0.75, 1, 0, 0.5, 0.5], pa.float32()), 2)
    classes = {"classes": ["a", "b"]}
    label = pa.array([1, 0, 1], pa.int32())
    ours("predictions", 1, {"id": ids, "split": words, "label": label, "probabilities": vectors}, classes)
    ours("embeddings", 1, {"id": ids, "split": words, "embedding": vectors},
         {"origin": "own", "metric": "euclidean"})
    ours("truth", 1, {"id": ids, "label": label}, classes)
    pixels = pa.FixedSizeListArray.from_arrays(pa.array(range(12), pa.uint8()), 4)
    ours("images", 1, {"id": ids, "split": words, "source": words, "pixels": pixels},
         {"shape": {"height": 2, "width": 2, "channels": 1}, "dataset": "own", "max_value": 255})
    own = pa.table({"n": pa.array([1, None, 3]), "word": ["x", "yy", None], "list": [[1, 2], [], None]})
    for codec, options in (("none", {"use_dictionary": False}), ("snappy", {}), ("gzip", {"data_page_version": "2.0"}),
                           ("brotli", {"column_encoding": {"n": "DELTA_BINARY_PACKED", "word": "DELTA_BYTE_ARRAY"},
                                       "use_dictionary": False}), ("lz4", {"write_page_checksum": True})):
        out = io.BytesIO()
        pq.write_table(own, out, compression=codec, **options)
        seed("parquet", f"own-{codec}", out.getvalue())


def models():
    body = struct.pack("<4f", 1, -2, 0.5, 3)
    header = json.dumps({"weights": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}})
    seed("weights", "matrix", struct.pack("<Q", len(header)) + header.encode() + body)
    seed("weights", "empty", struct.pack("<Q", 2) + b"{}")
    seed("card", "knn", json.dumps({
        "kind": "knn", "classes": ["a", "b"], "architecture": {"k": 3, "metric": "cosine"},
        "preprocessing": [1.5, None, "x"]}))
    dino = {"crop_size": {"height": 224, "width": 224}, "do_center_crop": True, "do_resize": True,
            "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "resample": 3,
            "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": 256}}
    seed("preprocessor", "shortest-edge", json.dumps(dino))
    clip = {"crop_size": 224, "do_center_crop": True, "feature_extractor_type": "CLIPFeatureExtractor",
            "image_mean": [0.5] * 3, "image_std": [0.3] * 3, "resample": 3, "size": 224}
    seed("preprocessor", "old-clip", json.dumps(clip))
    seed("preprocessor", "timm", json.dumps({"pretrained_cfg": {
        "input_size": [3, 224, 224], "interpolation": "bicubic", "crop_pct": 0.9, "crop_mode": "center",
        "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}))

    def field(number, content):
        key = number << 3 | 2
        head = bytes([key]) if key < 128 else bytes([key & 127 | 128, key >> 7])
        return head + bytes([len(content)]) + content

    node = field(1, field(4, b"Conv") + field(7, b"ai.onnx"))
    branch = field(1, field(4, b"If") + field(5, field(6, node)))
    entry = field(1, b"location") + field(2, b"model.onnx")
    seed("network", "plain", field(7, node))
    seed("network", "branch", field(7, branch))
    seed("network", "external", field(7, node + field(5, field(8, b"w") + field(13, entry))))
    seed("network", "function", field(7, field(1, field(7, b"own"))) + field(25, field(10, b"own")))


def hosts():
    described = json.loads((ROOT / "tests/fuzzing/fixtures/describe.json").read_text())
    few = [kind for kind in described["kinds"] if kind["kind"] in ("pixels", "predict")]
    seed("host", "two-kinds", json.dumps({**described, "kinds": few}, separators=(",", ":")))
    events = [
        {"event": "progress", "done": 1, "total": 9, "unit": "epochs", "message": "loss 0.5"},
        {"event": "log", "level": "warn", "message": "naïve \"quotes\" \n"},
        {"event": "failed", "code": "a::b", "message": "m", "help": "h"},
        {"event": "done"},
    ]
    seed("events", "all", "\n".join(json.dumps(event) for event in events) + "\nprinted by a library\n")


def pipelines():
    seed("pipeline", "plain", '''[pipeline]
name = "p"
[axes]
seed = { from = 0, to = 3 }
k = [1, 5]
[stages.images]
kind = "ingest"
dataset = "digits"
test_fraction = 0.2
[stages.labels]
kind = "budget"
inputs = { truth = "images", images = "images" }
per_class = 1
seed = "$seed"
[stages.pixels]
kind = "pixels"
inputs.images = "images"
resources = { threads = 2, memory = "1 GiB", time = "5 min" }
[stages.knn]
kind = "knn"
k = "$k"
inputs = { features = "pixels", labels = "labels" }
[stages.report]
kind = "report"
inputs = { predictions = ["knn"], truth = "images.truth" }
collect = ["seed"]
''')
    seed("pipeline", "rounds", '''[rounds.active]
count = 3
stages = ["labels", "spread", "ask"]
[stages.images]
kind = "ingest"
dataset = "digits"
[stages.pixels]
kind = "pixels"
inputs = { images = "images" }
[stages.labels]
kind = "budget"
inputs = { truth = "images", queries = "ask" }
[stages.spread]
kind = "label-spreading"
inputs = { features = "pixels", labels = "labels" }
gamma = 0.1
[stages.ask]
kind = "query"
strategy = "entropy"
count = 5
inputs = { distributions = "spread" }
''')
    seed("pipeline", "wrong", '[stages.a]\nkind = "knnn"\ninputs = { x = "a" }\nk = "$none"\n')


for make in (idx, npy, labels, pictures, parquet, models, hosts, pipelines):
    make()

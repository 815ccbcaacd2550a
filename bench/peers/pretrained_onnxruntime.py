"""The loop that people write: Pillow opens, resizes and crops, onnxruntime runs the network.

As many threads as allowed each take batches, with a session of one thread of their own: faster here than
one session with all threads.
"""

import json
import pathlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import PIL
from PIL import Image

from protocol import serve

RESAMPLE = {0: Image.NEAREST, 1: Image.LANCZOS, 2: Image.BILINEAR, 3: Image.BICUBIC}


def prepare(data, params, threads):
    model = pathlib.Path(data["model"])
    config = json.loads((model / "preprocessor_config.json").read_text())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    sessions = [
        onnxruntime.InferenceSession(model / "model.onnx", options) for _ in range(threads)
    ]
    folder = pathlib.Path(data["folder"])
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return files, config, sessions, params["batch"]


def seen(path, config):
    image = Image.open(path).convert("RGB")
    width, height = image.size
    edge = config["size"]["shortest_edge"]
    if width <= height:
        size = (edge, int(edge * height / width))
    else:
        size = (int(edge * width / height), edge)
    image = image.resize(size, RESAMPLE[config["resample"]])
    crop = config["crop_size"]
    left, top = (size[0] - crop["width"]) // 2, (size[1] - crop["height"]) // 2
    image = image.crop((left, top, left + crop["width"], top + crop["height"]))
    pixels = np.asarray(image).astype(np.float32) * np.float32(config["rescale_factor"])
    pixels -= np.array(config["image_mean"], np.float32)
    pixels /= np.array(config["image_std"], np.float32)
    return pixels.transpose(2, 0, 1)


def work(state, clock):
    files, config, sessions, batch = state
    batches = [files[at : at + batch] for at in range(0, len(files), batch)]

    def run(session, mine):
        found = []
        for number in mine:
            pixels = np.stack([seen(path, config) for path in batches[number]])
            found.append((number, session.run(["features"], {"pixel_values": pixels})[0]))
        return found

    with clock:
        with ThreadPoolExecutor(len(sessions)) as pool:
            shares = [range(at, len(batches), len(sessions)) for at in range(len(sessions))]
            parts = [part for found in pool.map(run, sessions, shares) for part in found]
        vectors = np.concatenate([vectors for _, vectors in sorted(parts, key=lambda p: p[0])])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    alike = unit @ unit.T
    np.fill_diagonal(alike, -1)
    classes = np.array([path.parent.name for path in files])
    right = classes[alike.argmax(1)] == classes
    return {"accuracy, nearest neighbour": right.mean()}


serve(f"onnxruntime {onnxruntime.__version__}, Pillow {PIL.__version__}", prepare, work)

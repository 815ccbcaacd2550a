"""One hundred labels on Fashion-MNIST with scikit-learn, from the packed files to five accuracies.

The same steps as `pipelines/fashion-hundred-labels.toml`, without loops over images in Python.
"""

import gzip

import numpy as np
import sklearn
from sklearn.cluster import MiniBatchKMeans
from sklearn.linear_model import LogisticRegression

from protocol import serve

LABELS = 100
NEAREST = 120


def unpacked(path, header):
    opener = gzip.open if open(path, "rb").read(2) == b"\x1f\x8b" else open
    with opener(path, "rb") as file:
        return np.frombuffer(file.read(), dtype=np.uint8, offset=header)


def images(path):
    return unpacked(path, 16).reshape(-1, 784).astype(np.float32) / 255


def prepare(data, params, threads):
    return data, params["seed"]


def accuracies(data, seed):
    x, y = images(data["train_images"]), unpacked(data["train_labels"], 8)
    test_x, test_y = images(data["test_images"]), unpacked(data["test_labels"], 8)

    def accuracy(rows, labels):
        model = LogisticRegression(max_iter=10_000).fit(x[rows], labels)
        return model.score(test_x, test_y)

    everything = np.arange(len(x))
    random = np.random.default_rng(seed).choice(len(x), LABELS, replace=False)
    clusters = MiniBatchKMeans(LABELS, random_state=seed).fit(x)
    # distances to the centroids, `[60000, 100]`
    distances = clusters.transform(x)
    cluster = distances.argmin(axis=1)
    inside = np.where(cluster[:, None] == np.arange(LABELS), distances, np.inf)
    filled = np.isfinite(inside).any(axis=0)
    representatives = inside.argmin(axis=0)[filled]
    label_of = np.zeros(LABELS, dtype=y.dtype)
    label_of[filled] = y[representatives]
    # the images nearest to each representative, `[60000, 100]`
    squares = (x**2).sum(axis=1)
    chosen = x[representatives]
    to_chosen = squares[:, None] - 2 * x @ chosen.T + squares[representatives]
    near = np.argpartition(to_chosen, NEAREST, axis=0)[:NEAREST]
    return {
        "accuracy, all labels": accuracy(everything, y),
        "one-draw accuracy, random": accuracy(random, y[random]),
        "one-draw accuracy, representatives": accuracy(representatives, y[representatives]),
        "one-draw accuracy, clusters": accuracy(everything, label_of[cluster]),
        "one-draw accuracy, nearest": accuracy(
            near.T.reshape(-1), np.repeat(y[representatives], NEAREST)
        ),
    }


def work(state, clock):
    with clock:
        return accuracies(*state)


serve(f"scikit-learn {sklearn.__version__}", prepare, work)

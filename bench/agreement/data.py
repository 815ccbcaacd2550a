"""The data sets: those that come with scikit-learn, or are drawn by it. Values are 32-bit floats, as
scarce keeps them; scikit-learn gets the same numbers, in 64 bits."""

from dataclasses import dataclass

import numpy as np
from sklearn import datasets
from sklearn.preprocessing import StandardScaler


@dataclass(frozen=True)
class DataSet:
    name: str
    # [n, d], float32
    x: np.ndarray
    # [n], the classes 0, 1, …
    y: np.ndarray
    # Whether the classes are far apart, so that every clustering into them is the same.
    separated: bool = False

    @property
    def classes(self):
        return int(self.y.max()) + 1

    @property
    def wide(self):
        """What scikit-learn gets."""
        return self.x.astype(np.float64)

    def test_rows(self):
        """A quarter of the rows, the same at every call."""
        rows = np.random.RandomState(7).permutation(len(self.y))[: len(self.y) // 4]
        mask = np.zeros(len(self.y), bool)
        mask[rows] = True
        return mask

    def labelled(self, per_class, seed, among=None):
        """Rows to label: so many of each class, in ascending order."""
        random = np.random.RandomState(seed)
        allowed = np.ones(len(self.y), bool) if among is None else among
        chosen = []
        for label in range(self.classes):
            rows = np.flatnonzero((self.y == label) & allowed)
            chosen.extend(random.permutation(rows)[:per_class])
        return np.sort(np.array(chosen))


def _standard(x):
    return StandardScaler().fit_transform(x)


def _set(name, x, y, separated=False):
    return DataSet(name, np.ascontiguousarray(x, np.float32), np.asarray(y, int), separated)


def load(small=False):
    """All data sets, or a few rows of a few of them."""
    if small:
        iris = datasets.load_iris()
        wine = datasets.load_wine()
        blobs = datasets.make_blobs(48, centers=[(-6, 0), (6, 0), (0, 9)], random_state=4)
        moons = datasets.make_moons(48, noise=0.08, random_state=5)
        return [
            _set("blobs", *blobs, separated=True),
            _set("moons", *moons),
            _set("iris", iris.data[::3], iris.target[::3]),
            _set("wine", _standard(wine.data)[::3], wine.target[::3]),
        ]
    corners = [(-6, -6), (6, -6), (-6, 6), (6, 6)]
    digits, iris = datasets.load_digits(), datasets.load_iris()
    wine, cancer = datasets.load_wine(), datasets.load_breast_cancer()
    return [
        _set("blobs", *datasets.make_blobs(300, centers=corners, random_state=1), separated=True),
        _set("near-blobs", *datasets.make_blobs(
            300, n_features=5, centers=4, cluster_std=3.0, random_state=2)),
        _set("moons", *datasets.make_moons(240, noise=0.08, random_state=3)),
        _set("circles", *datasets.make_circles(240, noise=0.05, factor=0.4, random_state=4)),
        _set("digits", digits.data[:500] / 16.0, digits.target[:500]),
        _set("iris", iris.data, iris.target),
        _set("wine", _standard(wine.data), wine.target),
        _set("cancer", _standard(cancer.data), cancer.target),
    ]

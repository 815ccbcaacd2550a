"""Compares scarce with scikit-learn, case by case, through the built binary.

    cargo xtask peers        (or: python agree.py --scarce target/release/scarce)

Every case is a kind with parameters on a data set; scikit-learn does the same on the same numbers.
The cases of a data set are the stages of one pipeline. Prints what agrees and what differs by kind, ends
with 1 if anything differs. `--fixture FOLDER` writes a few small cases with scikit-learn's answers, for
the test that runs without Python.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

# Data are small: threads would only wait for one another.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np

import classifiers
import clusters
import features
import fixture
import graphs
import spreading
from bench import Bench
from data import load
from report import document, table

FAMILIES = (clusters, features, classifiers, spreading, graphs)
PEERS = ("scikit-learn", "scipy", "numpy")


def benches(small):
    for data in load(small):
        bench = Bench(data)
        for family in FAMILIES:
            family.add(bench, small)
        yield bench


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scarce", type=Path, required=True, help="the binary")
    parser.add_argument("--document", type=Path, help="where to write the outcome")
    parser.add_argument("--fixture", type=Path, help="write small cases and their answers there")
    parser.add_argument("--only", nargs="+", help="these data sets")
    parser.add_argument("--verbose", action="store_true", help="print every case")
    arguments = parser.parse_args()
    scarce = arguments.scarce.resolve()
    if not scarce.is_file():
        raise SystemExit(f"`{scarce}` is not there: build it first")
    if arguments.fixture:
        fixture.write(arguments.fixture, benches(small=True), scarce)
        return 0
    began, outcomes = time.monotonic(), []
    for bench in benches(small=False):
        if arguments.only and bench.data.name not in arguments.only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            run = bench.run(scarce, Path(folder))
            outcomes += bench.judged(run)
        print(f"{bench.data.name}: {len(bench.cases)} cases, {time.monotonic() - began:.0f} s", file=sys.stderr)
    print(table(outcomes))
    for outcome in outcomes:
        if outcome.word == "differ" or arguments.verbose:
            print(f"{outcome.word}: {outcome.case.kind}: {outcome.case.title}: {outcome.why}")
    took = time.monotonic() - began
    differ = sum(outcome.word == "differ" for outcome in outcomes)
    print(f"{len(outcomes)} cases in {took:.0f} s, {differ} differ")
    if arguments.document:
        peers = {name: version(name) for name in PEERS}
        arguments.document.write_text(document(outcomes, peers, platform.machine()))
    return 1 if differ else 0


if __name__ == "__main__":
    np.seterr(all="ignore")
    sys.exit(main())

"""Snakemake: a run with nothing to do, or one that executes every job again."""

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from protocol import serve

SNAKEFILE = """
rule all:
    input: expand("copy-{{i}}.txt", i=range(1, {count}))

rule base:
    input: "source.txt"
    output: "base.txt"
    shell: "cp {{input}} {{output}}"

rule copy:
    input: "base.txt"
    output: "copy-{{i}}.txt"
    shell: "cp {{input}} {{output}}"
"""


def snakemake(folder, threads, *words):
    command = [sys.executable, "-m", "snakemake", "--cores", str(threads), *words]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if ran.returncode != 0:
        raise RuntimeError(f"snakemake {' '.join(words)}: {ran.stderr.strip()}")
    return ran.stdout + ran.stderr


def prepare(data, params, threads):
    folder = Path(data["folder"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "source.txt").write_text("something\n")
    (folder / "Snakefile").write_text(SNAKEFILE.format(count=params["stages"]))
    snakemake(folder, threads)
    return folder, params, threads


def work(state, clock):
    folder, params, threads = state
    again = ["--forceall"] if params["do"] == "execute" else []
    with clock:
        told = snakemake(folder, threads, *again)
    nothing = "Nothing to be done" in told
    if nothing == bool(again):
        raise RuntimeError(f"snakemake said: {told.strip()}")
    return {"stages": params["stages"]}


serve(f"Snakemake {version('snakemake')}", prepare, work)

"""DVC: a run with nothing to do, or one that executes every stage again."""

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from protocol import serve

DVC = [sys.executable, "-m", "dvc"]


def dvc(folder, *words):
    command = subprocess.run([*DVC, *words], cwd=folder, capture_output=True, text=True)
    if command.returncode != 0:
        raise RuntimeError(f"dvc {' '.join(words)}: {command.stderr.strip()}")
    return command.stdout


def prepare(data, params, threads):
    folder = Path(data["folder"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    stages = ["stages:"]
    for name, source in [("base", "source"), *((f"s{i:04}", "base") for i in range(1, params["stages"]))]:
        stages += [
            f"  {name}:",
            f"    cmd: cp {source}.txt {name}.txt",
            f"    deps: [{source}.txt]",
            f"    outs: [{name}.txt]",
        ]
        # what the stages would make; `commit` records it as made
        (folder / f"{name}.txt").write_text("something\n")
    (folder / "source.txt").write_text("something\n")
    (folder / "dvc.yaml").write_text("\n".join(stages) + "\n")
    dvc(folder, "init", "--no-scm", "--quiet")
    for setting in ["core.analytics", "core.check_update"]:
        dvc(folder, "config", setting, "false")
    dvc(folder, "commit", "--force", "--quiet")
    return folder, params


def work(state, clock):
    folder, params = state
    again = ["--force", "--no-run-cache"] if params["do"] == "execute" else []
    with clock:
        told = dvc(folder, "repro", *again)
    up_to_date = "up to date" in told
    if up_to_date == bool(again):
        raise RuntimeError(f"dvc said: {told.strip()}")
    return {"stages": params["stages"]}


serve(f"DVC {version('dvc')}", prepare, work)

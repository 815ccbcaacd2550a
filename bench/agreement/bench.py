"""Cases as stages of one pipeline: written, run through the binary, read back."""

import json
import subprocess
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


@dataclass
class Case:
    """One comparison: a kind with parameters on data, and who judges what came out.

    `judge(run)` returns measures, each `name: (deviation, tolerance)`, or a text: why the comparison
    says nothing here. Beside the measures it may return scikit-learn's answer, for `kept`.
    """

    kind: str
    title: str
    judge: object
    # Where a test without Python finds ours: (stage, table, column, how, tolerance).
    kept: tuple = ()
    data: str = ""


@dataclass
class Outcome:
    case: Case
    # "agree", "differ" or "n/a"
    word: str
    measures: dict
    why: str = ""
    answer: object = None


class Bench:
    """A pipeline over one data set; stages are added to it, and cases that look at them."""

    def __init__(self, data):
        self.data = data
        self.cases = []
        self._stages = {}
        self._count = {}
        # `pool`: all rows may be learnt from; `held`: a quarter is test.
        for name, split in [("pool", None), ("held", "split")]:
            params = {"path": "data.parquet", "label_column": "label"}
            if split:
                params["split_column"] = split
            self._stages[name] = ("ingest-embeddings", {}, params)

    def stage(self, kind, inputs=None, **params):
        """Adds a stage, or finds the same one, and returns its name."""
        entry = (kind, inputs or {}, params)
        for name, known in self._stages.items():
            if known == entry:
                return name
        self._count[kind] = self._count.get(kind, 0) + 1
        name = f"{kind}-{self._count[kind]}"
        self._stages[name] = entry
        return name

    def labels(self, rows, source="pool"):
        """A stage that reveals the labels of these rows."""
        inputs = {"truth": source, "embeddings": source}
        return self.stage("budget", inputs, ids=[int(row) for row in rows])

    def case(self, kind, title, judge, kept=()):
        self.cases.append(Case(kind, title, judge, kept, self.data.name))

    def toml(self):
        lines = ["[pipeline]", f"name = {json.dumps(self.data.name)}", ""]
        for name, (kind, inputs, params) in self._stages.items():
            lines += [f"[stages.{name}]", f"kind = {json.dumps(kind)}"]
            if inputs:
                wires = ", ".join(f"{port} = {json.dumps(wire)}" for port, wire in inputs.items())
                lines.append(f"inputs = {{ {wires} }}")
            lines += [f"{key} = {_toml(value)}" for key, value in params.items()]
            lines.append("")
        return "\n".join(lines)

    def write(self, folder):
        """Writes the data and the pipeline; returns the pipeline's file."""
        folder.mkdir(parents=True, exist_ok=True)
        x, y = self.data.x, self.data.y
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), x.shape[1])
        split = np.where(self.data.test_rows(), "test", "train")
        table = pa.table({"embedding": vectors, "label": pa.array(y), "split": pa.array(split)})
        pq.write_table(table, folder / "data.parquet", compression="zstd")
        file = folder / f"{self.data.name}.toml"
        file.write_text(self.toml())
        return file

    def run(self, scarce, folder):
        file = self.write(folder)
        command = [str(scarce), "run", file.name, "--json"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        failures = {
            event["task"]["stage"]: event["failure"]["message"]
            for event in events
            if event["event"] == "failed"
        }
        if done.returncode not in (0, 1) or (done.returncode == 1 and not failures):
            raise SystemExit(f"`{' '.join(command)}` ended with {done.returncode}:\n{done.stderr}")
        return Run(folder / "artifacts" / "runs" / self.data.name, events, failures, self.data)

    def judged(self, run):
        for case in self.cases:
            found = case.judge(run)
            if isinstance(found, str):
                yield Outcome(case, "n/a", {}, found)
                continue
            found, answer = found if isinstance(found, tuple) else (found, None)
            found = {name: (float(off), float(most)) for name, (off, most) in found.items()}
            # NaN is a disagreement too.
            wrong = [name for name, (off, most) in found.items() if not off <= most]
            why = ", ".join(f"{name} {found[name][0]:.3g} > {found[name][1]:.3g}" for name in wrong)
            yield Outcome(case, "differ" if wrong else "agree", found, why, answer)


def _toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return json.dumps(value)
    return "[" + ", ".join(_toml(entry) for entry in value) + "]"


class Run:
    """What a run left."""

    def __init__(self, folder, events, failures, data):
        self.folder = folder
        self.data = data
        self.failures = failures
        self._log = {}
        for event in events:
            if event["event"] == "log" and event["task"]:
                self._log.setdefault(event["task"]["stage"], []).append(event["message"])

    def log(self, stage):
        return self._log.get(stage, [])

    def logged(self, stage, words):
        """The number behind these words in a stage's log."""
        for message in self.log(stage):
            if words in message:
                text = message.split(words, 1)[1].strip()
                return float(text.split(";")[0].split(",")[0].split()[0])
        raise SystemExit(f"`{stage}` logged nothing of `{words}`: {self.log(stage)}")

    def table(self, stage, name):
        """A table as columns, rows by ascending id where it has ids."""
        if stage in self.failures:
            raise SystemExit(f"`{stage}` failed: {self.failures[stage]}")
        table = pq.ParquetFile(self.folder / stage / f"{name}.parquet").read()
        columns = {}
        for field_name in table.column_names:
            column = table.column(field_name).combine_chunks()
            if pa.types.is_fixed_size_list(column.type):
                width = column.type.list_size
                columns[field_name] = np.asarray(column.flatten()).reshape(-1, width)
            else:
                columns[field_name] = column.to_numpy(zero_copy_only=False)
        if "id" in columns:
            order = np.argsort(columns["id"], kind="stable")
            columns = {key: values[order] for key, values in columns.items()}
        return columns

    def model(self, stage, port="model"):
        """The tensors of a model: safetensors, read by hand (a length, JSON, numbers)."""
        raw = (self.folder / stage / f"{port}.safetensors").read_bytes()
        length = int.from_bytes(raw[:8], "little")
        header, body = json.loads(raw[8 : 8 + length]), raw[8 + length :]
        header.pop("__metadata__", None)
        return {
            name: np.frombuffer(body[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
            for name, entry in header.items()
        }

"""Small cases with scikit-learn's answers, for the test that runs without Python."""

import json
import tempfile
from pathlib import Path


def digits(values):
    """Enough of them for the tolerances."""
    return [round(float(value), 5) for value in values.ravel()]


def write(folder, benches, scarce):
    for bench in benches:
        with tempfile.TemporaryDirectory() as scratch:
            run = bench.run(scarce, Path(scratch))
            kept = []
            for outcome in bench.judged(run):
                if outcome.word == "differ":
                    raise SystemExit(f"{outcome.case.kind}: {outcome.case.title}: {outcome.why}")
                if outcome.word == "agree" and outcome.case.kept and outcome.answer is not None:
                    kept.append(entry(outcome.case, outcome.answer))
        file = bench.write(folder / bench.data.name)
        text = ",\n".join(json.dumps(one, separators=(",", ":")) for one in kept)
        file.with_name("answers.json").write_text(f"[\n{text}\n]\n")
        print(f"{bench.data.name}: {len(kept)} answers")


def entry(case, answer):
    stage, table, column, how, tolerance = case.kept
    return {
        "case": f"{case.kind}: {case.title}",
        "stage": stage,
        "table": table,
        "column": column,
        "how": how,
        "tolerance": tolerance,
        "values": digits(answer),
    }

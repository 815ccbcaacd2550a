"""How a peer talks: a request as a line of JSON on standard input, an answer on standard output.

A script calls `serve` with a function that reads what a request names and one that does the work
once. Only the second is timed, by itself, and repeated until it has taken long enough.
"""

import json
import os
import sys
import time


class Clock:
    """Seconds within `with`, added up."""

    def __init__(self):
        self.seconds = 0.0

    def __enter__(self):
        self.begin = time.perf_counter()

    def __exit__(self, *_):
        self.seconds += time.perf_counter() - self.begin


def serve(version, prepare, work):
    """Answers until nobody asks any more.

    `prepare(data, params, threads)` returns what `work(state, clock)` needs; it is called again only
    when the request has changed. `work` does the work within `with clock:` and returns the quality
    of its answer by name. `version` is a text, or a function of the state.
    """
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    known, state = None, None
    for line in sys.stdin:
        try:
            request = json.loads(line)
            enough = request.pop("seconds")
            if request != known:
                state = prepare(request["data"], request["params"], request["threads"])
                known = request
            seconds, quality = [], {}
            while sum(seconds) < enough:
                clock = Clock()
                quality = work(state, clock)
                seconds.append(clock.seconds)
            quality = {name: float(value) for name, value in quality.items()}
            name = version(state) if callable(version) else version
            answer = {"seconds": seconds, "quality": quality, "version": name}
        except Exception as error:  # whatever it is, the harness shall say it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)

"""The outcome as tables."""

from collections import Counter, defaultdict

# By kind: what it is compared with, and what must agree.
COMPARED = {
    "kmeans": ("`KMeans`", "inertia of the best of 50 starts not worse by 10⁻³, of single starts not worse on average by more than luck (three standard errors); nothing left to gain for scikit-learn; distances; partitions where classes are far apart"),
    "assign": ("`KMeans.predict`", "clusters, distances"),
    "minibatch-kmeans": ("`MiniBatchKMeans`", "mean inertia over 10 seeds not worse by more than luck; partitions where classes are far apart"),
    "gaussian-mixture": ("`GaussianMixture`", "mean log-likelihood of the best of 10 starts not worse by 10⁻³ and what scikit-learn's own differ by; clusters where it is the same"),
    "pca": ("`PCA`", "number of components, explained variance, components and projections up to sign to 10⁻⁴ (whitened: 10⁻³)"),
    "project": ("`PCA.transform`", "the same, on rows that were not fitted"),
    "tsne": ("`TSNE`", "divergence not worse by 10 % (from other starts scikit-learn's own differ by 7), trustworthiness by 0.01"),
    "knn": ("`KNeighborsClassifier`", "probabilities to 10⁻³, labels; ties left out, which for the cosine are distances within 10⁻⁶"),
    "logistic-regression": ("`LogisticRegression`", "penalised loss not worse by 10⁻³; probabilities to 10⁻³, or 10⁻² where the log says that the precision of 32-bit numbers ended the search; labels"),
    "self-training": ("`SelfTrainingClassifier`", "labels taken, probabilities to 10⁻³; ties left out"),
    "label-spreading": ("`LabelSpreading`", "probabilities to 10⁻³, labels"),
    "label-propagation": ("`LabelPropagation`", "probabilities to 10⁻³, labels"),
    "neighbour-graph": ("`NearestNeighbors`", "sets of neighbours but for ties, distances to 10⁻⁴"),
    "spectral-embedding": ("`SpectralEmbedding`, `SpectralClustering`", "coordinates up to sign and scale to 10⁻⁴; clusters of 99 % of the rows"),
}


def rows(outcomes):
    by_kind = defaultdict(list)
    for outcome in outcomes:
        by_kind[outcome.case.kind].append(outcome)
    for kind, of_kind in by_kind.items():
        counts = Counter(outcome.word for outcome in of_kind)
        worst = {}
        for outcome in of_kind:
            for name, (off, _) in outcome.measures.items():
                worst[name] = max(worst.get(name, off), off)
        yield kind, len(of_kind), counts, worst


def number(value):
    if value == 0 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1e}"


def table(outcomes):
    lines = [f"{'kind':22}{'cases':>6}{'agree':>7}{'differ':>8}{'n/a':>5}  largest deviation"]
    for kind, cases, counts, worst in rows(outcomes):
        deviations = ", ".join(f"{name} {number(off)}" for name, off in worst.items())
        lines.append(
            f"{kind:22}{cases:6}{counts['agree']:7}{counts['differ']:8}{counts['n/a']:5}  {deviations}"
        )
    return "\n".join(lines)


def document(outcomes, peers, machine):
    counts = Counter(outcome.word for outcome in outcomes)
    data = list(dict.fromkeys(outcome.case.data for outcome in outcomes))
    versions = ", ".join(f"{name} {found}" for name, found in peers.items())
    lines = [
        "# Agreement with scikit-learn",
        "",
        "*Written by `cargo xtask peers`; nobody types a figure.*",
        "",
        f"{len(outcomes)} cases went through the `scarce` binary and through {versions} ({machine}), on the",
        f"same numbers: {counts['agree']} agree, {counts['differ']} differ, and in {counts['n/a']} the",
        "comparison says nothing, since several answers are right (ties, graphs in pieces). Data sets:",
        f"{', '.join(data)}.",
        "",
        "An objective is compared one way: scarce may be better, hence negative deviations.",
        "",
        "| kind | beside | what must agree | cases | agree | differ | not applicable | largest deviation |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for kind, cases, of_kind, worst in rows(outcomes):
        peer, what = COMPARED[kind]
        deviations = ", ".join(f"{name} {number(off)}" for name, off in worst.items())
        lines.append(
            f"| `{kind}` | {peer} | {what} | {cases} | {of_kind['agree']} | {of_kind['differ']} | "
            f"{of_kind['n/a']} | {deviations} |"
        )
    wrong = [outcome for outcome in outcomes if outcome.word == "differ"]
    if wrong:
        lines += ["", "Those that differ:", ""]
        lines += [f"- `{o.case.kind}`, {o.case.title}: {o.why}" for o in wrong]
    unclear = Counter((o.case.kind, o.why) for o in outcomes if o.word == "n/a")
    if unclear:
        lines += ["", "Not applicable:", ""]
        lines += [f"- `{kind}`, {count} cases: {why}" for (kind, why), count in unclear.items()]
    return "\n".join(lines) + "\n"

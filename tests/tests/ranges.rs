//! Ranges of parameters: `check` knows those of every kind, and they are those that the stages admit.

#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use scarce_tests::{Project, files};
use serde_json::{Value, json};

/// What the stages under test are wired to.
const BASE: &str = r#"
[pipeline]
name = "ranges"

[stages.images]
kind = "ingest"
dataset = "digits"
limit = 60
test_fraction = 0.25

[stages.pool]
kind = "ingest"
dataset = "digits"
limit = 60

[stages.given]
kind = "budget"
inputs = { truth = "images", images = "images" }
per_class = 2

[stages.pixels]
kind = "pixels"
inputs = { images = "images" }

[stages.codes]
kind = "pca"
inputs = { images = "images" }
components = 5

[stages.clusters]
kind = "kmeans"
inputs = { features = "pixels" }
clusters = 5

[stages.graph]
kind = "neighbour-graph"
inputs = { features = "pixels" }
k = 5

[stages.flow]
kind = "propagate-graph"
inputs = { nodes = "graph", edges = "graph", labels = "given" }

[stages.near]
kind = "knn"
inputs = { features = "pixels", labels = "given" }

"#;

/// A stage that runs with its parameters at their bounds.
struct Case {
    kind: &'static str,
    inputs: &'static str,
    /// What else it says, so that the parameters have a use and the run is short.
    base: &'static str,
    /// Which parameters it tries; all that are left by others if there is none.
    tries: &'static [&'static str],
}

const fn case(kind: &'static str, inputs: &'static str, base: &'static str) -> Case {
    Case { kind, inputs, base, tries: &[] }
}

const fn only(
    kind: &'static str,
    inputs: &'static str,
    base: &'static str,
    tries: &'static [&'static str],
) -> Case {
    Case { kind, inputs, base, tries }
}

const LABELLED: &str = "{ features = \"pixels\", labels = \"given\" }";
const FEATURES: &str = "{ features = \"pixels\" }";
const TRUTH: &str = "{ truth = \"pool\", images = \"pool\" }";
const FLOW: &str = "{ nodes = \"graph\", edges = \"graph\", labels = \"given\" }";
const NETWORK: &str = "epochs = 1\nearly_stopping = {}";
const CONVOLUTIONS: &str =
    "epochs = 1\nkernel = 3\npadding = \"same\"\nearly_stopping = {}\naugmentation = {}";

const CASES: &[Case] = &[
    case("ingest", "{}", "dataset = \"digits\""),
    only("ingest", "{}", "dataset = \"digits\"\nids = [3, 4]", &["first", "ids"]),
    case("ingest-embeddings", "{}", "path = \"vectors.npy\""),
    only("budget", TRUTH, "", &["per_class"]),
    only("budget", TRUTH, "", &["random"]),
    only("budget", TRUTH, "", &["fraction"]),
    only("budget", TRUTH, "ids_path = \"ids.csv\"", &["first"]),
    case("annotate", "{ truth = \"images\", labels = \"given\", images = \"images\" }", ""),
    case("holdout", "{ labels = \"given\" }", ""),
    case("pca", "{ images = \"images\" }", ""),
    only("pca", "{ images = \"images\" }", "components = 1", &["whiten"]),
    only("pca", "{ images = \"images\" }", "components = 0.001", &["whiten"]),
    case("tsne", FEATURES, "iterations = 5\nperplexity = 3"),
    case("kmeans", FEATURES, ""),
    case("minibatch-kmeans", FEATURES, ""),
    case("gaussian-mixture", "{ features = \"codes\" }", "covariance = \"diagonal\""),
    case("propagate-neighbours", LABELLED, ""),
    case("propagate-clusters", "{ clusters = \"clusters\", labels = \"given\" }", ""),
    case("propagate-nearest", LABELLED, ""),
    case("label-spreading", LABELLED, ""),
    only("label-spreading", LABELLED, "kernel = \"knn\"", &["neighbours"]),
    case("label-propagation", LABELLED, ""),
    case("self-training", LABELLED, ""),
    only("self-training", LABELLED, "criterion = \"k-best\"", &["k_best", "max_iter"]),
    only("self-training", LABELLED, "base = \"knn\"", &["k"]),
    case("pseudo-labels", "{ predictions = \"near\", labels = \"given\" }", ""),
    case("neighbour-graph", FEATURES, "weights = \"gaussian\""),
    case("propagate-graph", FLOW, "method = \"poisson-mbo\""),
    only("propagate-graph", FLOW, "method = \"label-spreading\"", &["alpha", "tolerance"]),
    case(
        "propagate-logistic",
        "{ features = \"pixels\", nodes = \"graph\", edges = \"graph\", labels = \"given\" }",
        "",
    ),
    case("spectral-embedding", "{ nodes = \"graph\", edges = \"graph\" }", ""),
    case("query-graph", FLOW, ""),
    case("graph-predict", "{ features = \"pixels\", distributions = \"flow\" }", ""),
    case("query", "{ distributions = \"flow\" }", ""),
    case("select", "{ embeddings = \"pixels\" }", "strategy = \"max-herding\""),
    case("knn", LABELLED, ""),
    case("logistic-regression", LABELLED, ""),
    case(
        "report",
        "{ predictions = [\"near\"], truth = \"images\" }",
        "published = [{ stage = \"near\", value = 0.5 }]",
    ),
    case("autoencoder", "{ images = \"images\" }", NETWORK),
    case("contrastive", "{ images = \"images\" }", "epochs = 1\naugmentation = {}"),
    case("mlp", LABELLED, NETWORK),
    case("cnn", "{ images = \"images\", labels = \"given\" }", CONVOLUTIONS),
];

/// What no case tries: the parameter, and why.
const UNTRIED: [(&str, &str); 9] = [
    ("background", "says nothing about the digits, which are opaque"),
    ("resize", "of 16,384 × 16,384 pixels is a gigabyte"),
    ("shape", "of raw bytes needs a Parquet file of pictures as large"),
    ("max_pixels", "of 1 are fewer than any picture has"),
    ("range_16bit", "are two numbers, of which the second is larger"),
    ("memory_gib", "of 0 is too little for a pair of images"),
    ("priors", "are a word or a list, one for each class"),
    ("components", "are a number or a share: tried by hand"),
    ("fold", "is a word or a number below `folds`"),
];

/// Kinds that no case runs, and why; what is outside their ranges is tried all the same.
const UNTRIED_KINDS: [(&str, &str); 1] = [("pretrained", "needs the weights of a network")];

/// A number among the parameters of a kind.
#[derive(Debug, Clone)]
struct Number {
    /// `early_stopping.patience`; `[]` stands for the items of a list.
    path: Vec<String>,
    schema: Value,
    /// Items of the list that it is in, at least.
    items: usize,
    /// What else must be written in the tables around it.
    siblings: Vec<(String, Value)>,
}

impl Number {
    fn bound(&self, key: &str) -> Option<f64> {
        self.schema.get(key)?.as_f64()
    }

    /// Seeds and the like have no bounds of their own.
    fn says_more_than_its_type(&self) -> bool {
        let [least, most] = self.inside();
        !(self.whole() && least == Some(json!(0)) && most.is_none())
    }

    fn whole(&self) -> bool {
        self.schema["type"].to_string().contains("integer")
    }

    fn value(&self, number: f64) -> Value {
        if self.whole() { json!(number as i64) } else { json!(number) }
    }

    /// The least and the largest that the schema admits. What only the type forbids is not tried.
    fn inside(&self) -> [Option<Value>; 2] {
        let step = if self.whole() { 1.0 } else { 1e-3 };
        let least = self.bound("minimum").or(self.bound("exclusiveMinimum").map(|b| b + step));
        let most = self.bound("maximum").or(self.bound("exclusiveMaximum").map(|b| b - step));
        [least.map(|n| self.value(n)), most.filter(|most| *most < 1e6).map(|n| self.value(n))]
    }

    /// The nearest numbers that the schema does not admit.
    fn outside(&self) -> Vec<Value> {
        let step = if self.whole() { 1.0 } else { 1e-3 };
        let below = self.bound("exclusiveMinimum").or(self.bound("minimum").map(|b| b - step));
        let above = self.bound("exclusiveMaximum").or(self.bound("maximum").map(|b| b + step));
        [below, above].into_iter().flatten().map(|number| self.value(number)).collect()
    }

    /// `early_stopping = { patience = 1 }` as a key and a value.
    fn set(&self, value: &Value) -> (String, Value) {
        let mut value = value.clone();
        for (depth, key) in self.path.iter().enumerate().skip(1).rev() {
            if key == "[]" {
                value = json!(vec![value; self.items]);
                continue;
            }
            let mut table = serde_json::Map::new();
            if depth + 1 == self.path.len() {
                table.extend(self.siblings.iter().cloned());
            }
            table.insert(key.clone(), value);
            value = table.into();
        }
        (self.path[0].clone(), value)
    }
}

/// JSON as TOML.
fn toml(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(key, value)| format!("{key} = {}", toml(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// A schema, or those that stand for it.
fn forms<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    if let Some(target) = schema["$ref"].as_str() {
        return forms(root, root.pointer(target.trim_start_matches('#')).unwrap());
    }
    match schema["anyOf"].as_array() {
        Some(branches) => branches.iter().flat_map(|branch| forms(root, branch)).collect(),
        None => vec![schema],
    }
}

/// Every number with a bound below a schema of an object.
fn numbers(root: &Value, object: &Value, path: &[String], found: &mut Vec<Number>) {
    let bounds = ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"];
    let required = |name: &str| {
        object["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name))
    };
    let least = |name: &str, schema: &Value| {
        let form = forms(root, schema)[0];
        match form["type"].as_str() {
            Some("integer" | "number") => json!(form["minimum"].as_f64().unwrap_or(0.0) as i64),
            _ if name == "stage" => json!("near"),
            _ => json!("x"),
        }
    };
    for (name, schema) in object["properties"].as_object().into_iter().flatten() {
        let others = object["properties"].as_object().into_iter().flatten();
        let siblings: Vec<(String, Value)> = others
            .filter(|(other, _)| *other != name && required(other))
            .map(|(other, schema)| (other.clone(), least(other, schema)))
            .collect();
        let path = [path, std::slice::from_ref(name)].concat();
        for form in forms(root, schema) {
            let is_bounded = |schema: &Value| bounds.iter().any(|b| schema.get(*b).is_some());
            if is_bounded(form) {
                found.push(Number {
                    path: path.clone(),
                    schema: form.clone(),
                    items: 1,
                    siblings: siblings.clone(),
                });
            }
            if form.get("properties").is_some() {
                numbers(root, form, &path, found);
            }
            let list = [path.as_slice(), &["[]".to_owned()]].concat();
            for item in form.get("items").into_iter().flat_map(|items| forms(root, items)) {
                if is_bounded(item) {
                    let (schema, siblings) = (item.clone(), siblings.clone());
                    let items = form["minItems"].as_u64().unwrap_or(1) as usize;
                    found.push(Number { path: list.clone(), schema, items, siblings });
                }
                if item.get("properties").is_some() {
                    numbers(root, item, &list, found);
                }
            }
        }
    }
}

/// The kinds with a number among their parameters.
fn kinds(project: &Project) -> Vec<(String, Vec<Number>, Value)> {
    let all = project.scarce(&["stages", "--json"]).ended(0).json();
    let kinds = all.as_array().unwrap().iter().map(|kind| {
        let mut found = Vec::new();
        numbers(&kind["params"], &kind["params"], &[], &mut found);
        (kind["kind"].as_str().unwrap().to_owned(), found, kind["params"].clone())
    });
    let kinds: Vec<_> = kinds.filter(|(_, numbers, _)| !numbers.is_empty()).collect();
    assert!(kinds.len() > 25, "{} kinds", kinds.len());
    kinds
}

#[test]
fn what_is_outside_is_refused_with_its_line_before_anything_runs() {
    let project = Project::new();
    let mut wrong: Vec<(String, String)> = Vec::new();
    for (kind, numbers, _) in kinds(&project) {
        for number in numbers {
            for value in number.outside() {
                let (key, value) = number.set(&value);
                wrong.push((kind.clone(), format!("{key} = {}", toml(&value))));
            }
        }
    }
    assert!(wrong.len() > 200, "{}", wrong.len());
    // A report of problems has at most a hundred, and inputs that are not wired are problems too.
    for some in wrong.chunks(15) {
        let mut text = String::new();
        for (at, (kind, line)) in some.iter().enumerate() {
            write!(text, "[stages.s{at}]\nkind = \"{kind}\"\n{line}\n").unwrap();
        }
        project.write("pipeline.toml", &text);
        let errors = project.ask("check", &["--json"]).ended(2).json()["errors"].clone();
        let errors = errors.as_array().unwrap();
        for (at, (kind, line)) in some.iter().enumerate() {
            let here = errors.iter().find(|error| error["line"] == 3 * at + 3);
            let here = here.unwrap_or_else(|| panic!("`{line}` of `{kind}` passes\n{errors:?}"));
            let code = here["code"].as_str().unwrap();
            // `0.0` may be a whole number or a fraction of `pca`.
            let known =
                ["pipeline::out_of_range", "pipeline::unknown_choice", "pipeline::invalid_value"];
            assert!(known.contains(&code), "`{line}` of `{kind}`: {here}");
        }
    }
}

#[test]
fn what_is_inside_is_admitted_by_the_stages() {
    let project = Project::new();
    project.write("vectors.npy", files::npy(&vec![vec![0.5, 1.5]; 2000]));
    let ids: Vec<String> = (0..5).map(|id| id.to_string()).collect();
    project.write("ids.csv", ids.join("\n"));
    let mut text = BASE.to_owned();
    let mut stages = 0;
    for (kind, mut numbers, schema) in kinds(&project) {
        numbers.retain(Number::says_more_than_its_type);
        if numbers.is_empty() || UNTRIED_KINDS.iter().any(|(untried, _)| *untried == kind) {
            continue;
        }
        let cases: Vec<&Case> = CASES.iter().filter(|case| case.kind == kind).collect();
        assert!(!cases.is_empty(), "the kind `{kind}` has numbers and no case here");
        let tried: BTreeSet<&str> = cases.iter().flat_map(|case| case.tries).copied().collect();
        for case in cases {
            for bound in [0, 1] {
                let wanted = |name: &str| match case.tries {
                    // Nearly all images to validate on leave none of these few to learn from.
                    _ if bound == 1 && name == "early_stopping" => false,
                    [] => !tried.contains(name) && UNTRIED.iter().all(|(not, _)| *not != name),
                    tries => tries.contains(&name),
                };
                let Some(params) = at_bound(case.base, &numbers, bound, wanted, &schema) else {
                    continue;
                };
                stages += 1;
                write!(text, "[stages.s{stages}]\nkind = \"{kind}\"\n").unwrap();
                if case.inputs != "{}" {
                    writeln!(text, "inputs = {}", case.inputs).unwrap();
                }
                for (key, value) in params {
                    writeln!(text, "{key} = {value}").unwrap();
                }
            }
        }
    }
    project.write("pipeline.toml", &text);
    let run = project.run(&["--quiet"]);
    let failed: Vec<String> = run
        .all("failed")
        .map(|event| {
            let label = event["task"]["label"].as_str().unwrap();
            let start = text.find(&format!("[stages.{label}]")).unwrap();
            let stage = text[start..].split("\n[").next().unwrap();
            format!("{}\n{stage}", event["failure"])
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(run.answer.code == Some(0), "{}\n{text}", run.answer);
    assert!(stages > 60);
}

/// The parameters of a case: its own, and the wanted numbers at a bound, if there are any.
fn at_bound(
    base: &str,
    numbers: &[Number],
    bound: usize,
    wanted: impl Fn(&str) -> bool,
    schema: &Value,
) -> Option<BTreeMap<String, String>> {
    let lines = base.lines().map(|line| line.split_once(" = ").unwrap());
    let mut params: BTreeMap<String, String> =
        lines.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let mut set: BTreeMap<String, Value> = BTreeMap::new();
    for number in numbers.iter().filter(|number| wanted(&number.path[0])) {
        // A table only where the case has one.
        let is_table = number.path.get(1).is_some_and(|key| key != "[]");
        if is_table && !params.contains_key(&number.path[0]) {
            continue;
        }
        let Some(value) = &number.inside()[bound] else { continue };
        let (key, value) = number.set(value);
        match (set.get_mut(&key), value) {
            (Some(Value::Object(table)), Value::Object(more)) => table.extend(more),
            (_, value) => {
                set.insert(key, value);
            }
        }
    }
    if set.is_empty() {
        return None;
    }
    params.extend(set.into_iter().map(|(key, value)| (key, toml(&value))));
    // What must be there and has no such bound.
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        params.entry(name.to_owned()).or_insert_with(|| "2".to_owned());
    }
    Some(params)
}

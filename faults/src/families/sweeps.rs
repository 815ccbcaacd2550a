//! Graphs that are cyclic or huge.

use std::fmt::Write;

use scarce_tests::Project;

use super::hostile::bounded;
use crate::{Case, Outcome};

const IMAGES: &str = "[stages.images]\nkind = \"ingest\"\ndataset = \"digits\"\n";

/// One of these in turn, of a drawn size.
pub(super) fn attack(case: &mut Case) -> Outcome {
    let makers: &[fn(&mut Case) -> String] =
        &[cycle, many_values, many_axes, ranges, rounds, long, wide, collected];
    let maker = *case.turn(makers);
    let text = format!("[pipeline]\nname = \"sweep\"\n\n{}", maker(case));
    let project = Project::with(&text);
    for word in ["check", "plan", "graph"] {
        bounded(&project, &[word, "pipeline.toml"]);
    }
    Outcome::Survived
}

/// A number that is often small and sometimes huge.
fn size(case: &mut Case, most: usize) -> usize {
    let magnitude = case.between(0, most.ilog10() as usize);
    case.between(1, 10_usize.pow(magnitude as u32 + 1).min(most))
}

/// Stages that need each other in a circle, or in several.
fn cycle(case: &mut Case) -> String {
    let count = size(case, 3000);
    let stage = |i: usize, of: usize| {
        format!("[stages.s{i}]\nkind = \"pca\"\ninputs = {{ features = \"s{of}\" }}\n")
    };
    let draw = case.once_in(2);
    let mut text = String::new();
    for i in 0..count {
        let of = if draw { case.below(count) } else { (i + 1) % count };
        text += &stage(i, of);
    }
    text
}

fn swept(axes: &str, values: &str) -> String {
    let of_axes = values.split(' ').filter(|name| !name.is_empty());
    let params: Vec<String> = of_axes
        .zip(["seed", "random"])
        .map(|(axis, param)| format!("{param} = \"${axis}\"\n"))
        .collect();
    format!(
        "[axes]\n{axes}\n{IMAGES}\n[stages.labels]\nkind = \"budget\"\n\
         inputs = {{ truth = \"images\", images = \"images\" }}\n{}",
        params.concat()
    )
}

/// An axis with as many values as are written out.
fn many_values(case: &mut Case) -> String {
    let values: Vec<String> = (0..size(case, 200_000)).map(|i| i.to_string()).collect();
    swept(&format!("seed = [{}]\n", values.join(", ")), "seed")
}

/// Two axes that multiply.
fn many_axes(case: &mut Case) -> String {
    let (a, b) = (size(case, 1_000_000_000), size(case, 1_000_000_000));
    swept(&format!("a = {{ from = 0, to = {a} }}\nb = {{ from = 1, to = {b} }}\n"), "a b")
}

/// A range with odd ends.
fn ranges(case: &mut Case) -> String {
    let ends = [
        "0",
        "-1",
        "1",
        "9223372036854775807",
        "-9223372036854775808",
        "1000000000000",
        "5000",
        "0.5",
    ];
    let (from, to) = (case.pick(&ends), case.pick(&ends));
    swept(&format!("seed = {{ from = {from}, to = {to} }}\n"), "seed")
}

/// A stage in many rounds.
fn rounds(case: &mut Case) -> String {
    let count = size(case, 1_000_000_000_000);
    format!(
        "[rounds.asking]\ncount = {count}\nstages = [\"labels\", \"knn\", \"query\"]\n\n{IMAGES}\n\
         [stages.pixels]\nkind = \"pixels\"\ninputs = {{ images = \"images\" }}\n\n\
         [stages.first]\nkind = \"budget\"\ninputs = {{ truth = \"images\", images = \"images\" }}\n\
         per_class = 2\n\n\
         [stages.labels]\nkind = \"annotate\"\n\
         inputs = {{ truth = \"images\", images = \"images\", labels = [\"first\", \"labels\"], queries = \"query\" }}\n\n\
         [stages.knn]\nkind = \"knn\"\ninputs = {{ features = \"pixels\", labels = \"labels\" }}\n\n\
         [stages.query]\nkind = \"query\"\ninputs = {{ predictions = \"knn\", labels = \"labels\" }}\n"
    )
}

/// Each stage reads the one before.
fn long(case: &mut Case) -> String {
    let mut text =
        format!("{IMAGES}\n[stages.s0]\nkind = \"pca\"\ninputs = {{ images = \"images\" }}\n");
    for i in 1..size(case, 5000) {
        let before = i - 1;
        let _ = writeln!(
            text,
            "[stages.s{i}]\nkind = \"pca\"\ninputs = {{ features = \"s{before}\" }}"
        );
    }
    text
}

/// Many stages that read one, and a report that reads them all.
fn wide(case: &mut Case) -> String {
    let count = size(case, 4000);
    let labels = "[stages.labels]\nkind = \"budget\"\ninputs = { truth = \"images\", images = \"images\" }\n\
                  per_class = 1\n[stages.pixels]\nkind = \"pixels\"\ninputs = { images = \"images\" }\n";
    let mut text = format!("{IMAGES}{labels}");
    for i in 0..count {
        let _ = writeln!(
            text,
            "[stages.s{i}]\nkind = \"knn\"\ninputs = {{ features = \"pixels\", labels = \"labels\" }}"
        );
    }
    let names: Vec<String> = (0..count).map(|i| format!("\"s{i}\"")).collect();
    text + &format!(
        "[stages.report]\nkind = \"report\"\ninputs = {{ predictions = [{}], truth = \"images\" }}\n",
        names.join(", ")
    )
}

/// A report over everything that an axis makes.
fn collected(case: &mut Case) -> String {
    let count = size(case, 1_000_000);
    swept(&format!("seed = {{ from = 0, to = {count} }}\n"), "seed")
        + "[stages.pixels]\nkind = \"pixels\"\ninputs = { images = \"images\" }\n\
           [stages.knn]\nkind = \"knn\"\ninputs = { features = \"pixels\", labels = \"labels\" }\n\
           [stages.report]\nkind = \"report\"\ninputs = { predictions = [\"knn\"], truth = \"images\" }\n\
           collect = [\"seed\"]\n"
}

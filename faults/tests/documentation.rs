//! docs/reliability.md names tests; they are there.

#![allow(clippy::unwrap_used)]

use scarce_tests::workspace_root;
use walkdir::WalkDir;

#[test]
fn every_test_that_the_document_names_is_there() {
    let root = workspace_root();
    let sources: Vec<String> = ["crates", "faults", "tests"]
        .iter()
        .flat_map(|folder| WalkDir::new(root.join(folder)).into_iter().flatten())
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "rs"))
        .map(|file| fs_err::read_to_string(file.path()).unwrap())
        .collect();
    let text = fs_err::read_to_string(root.join("docs/reliability.md")).unwrap();
    let (_, list) = text.split_once("<!-- end of results -->").unwrap();
    let rows = list.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what"));
    let cells: Vec<&str> = rows.filter_map(|row| row.rsplit(" | ").next()).collect();
    let names: Vec<&str> =
        cells.iter().flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(names.len() > 50, "{names:?}");
    let is_there = |name: &&str| {
        let (module, test) = name.rsplit_once("::").unwrap_or(("", name));
        let module = module.rsplit("::").next().unwrap_or_default();
        sources.iter().any(|source| {
            source.contains(&format!("fn {test}("))
                && (module.is_empty() || source.contains(&format!("mod {module} {{")))
        })
    };
    let gone: Vec<&str> = names.into_iter().filter(|name| !is_there(name)).collect();
    assert!(gone.is_empty(), "no test is called so: {gone:#?}");
}

//! What a stage must have written.

use std::{os::unix::fs::MetadataExt, path::Path};

use scarce_artifact::{check_table, open_parquet};
use scarce_stage::{Description, Failure, Format, Port};
use scarce_store::Product;

/// Files of an entry that are the store's own.
const RESERVED: [&str; 2] = ["manifest.json", "log.jsonl"];

/// Says what is wrong with the names of a kind's ports: they become names of files.
pub(crate) fn check_ports(description: &Description) -> Result<(), String> {
    let Description { kind, inputs, outputs, .. } = description;
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    for port in inputs.iter().chain(outputs) {
        let name = &port.name;
        if name.is_empty() || name.len() > 100 || !name.chars().all(good) {
            return Err(format!(
                "the kind `{kind}` has a port `{name}`: names of ports are letters, digits, `-` and `_`"
            ));
        }
    }
    for (i, port) in outputs.iter().enumerate() {
        let files = port.format.files(&port.name);
        if let Some(file) = files.iter().find(|file| RESERVED.contains(&file.as_str())) {
            return Err(format!(
                "the kind `{kind}` has an output `{}`: `{file}` is taken",
                port.name
            ));
        }
        if outputs[..i].iter().any(|other| other.name == port.name) {
            return Err(format!("the kind `{kind}` has two outputs `{}`", port.name));
        }
    }
    Ok(())
}

/// Checks that every output is there, that every table is the one that its port promises, and that
/// all of it is the stage's own: what is published is made read-only, which must not reach through a
/// link to somebody else's file.
///
/// The tables of `foreign` programs are read to their end, so that one that breaks its promises is
/// refused before anybody can build on it; for those of our own it is enough that whoever reads them
/// looks.
pub(crate) fn check(
    folder: &Path,
    description: &Description,
    foreign: bool,
) -> Result<Vec<Product>, Failure> {
    own_files(folder)?;
    description.outputs.iter().map(|port| product(folder, port, foreign)).collect()
}

fn own_files(folder: &Path) -> Result<(), Failure> {
    let refuse = |what: &str| {
        Err(Failure::new(
            "orchestrator::output",
            format!("the stage left {what} among its outputs"),
        )
        .help("a host writes each output as a new file, and nothing else there"))
    };
    let failed = |error: std::io::Error| Failure::from(scarce_store::Error::from(error));
    if !fs_err::symlink_metadata(folder).map_err(failed)?.is_dir() {
        return refuse("something in place of the folder");
    }
    for entry in fs_err::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let metadata = fs_err::symlink_metadata(entry.path()).map_err(failed)?;
        let named = format!("`{}`", Path::new(&name).display());
        if metadata.is_symlink() {
            return refuse(&format!("the link {named}"));
        }
        if metadata.is_file() && metadata.nlink() > 1 {
            return refuse(&format!("{named}, which has a second name elsewhere (a hard link),"));
        }
        if name == "manifest.json" {
            return refuse(&format!("{named}, which the store writes itself,"));
        }
    }
    Ok(())
}

fn product(folder: &Path, port: &Port, foreign: bool) -> Result<Product, Failure> {
    let mut product = Product::new(&port.name, &port.artifact, port.format);
    product.optional = port.optional;
    let files = port.format.files(&port.name);
    let missing: Vec<_> = files.iter().filter(|file| !folder.join(file).is_file()).collect();
    match missing.first() {
        None => {}
        Some(_) if port.optional && missing.len() == files.len() => return Ok(product),
        Some(file) => {
            return Err(wrong(port, &format!("the stage did not write `{file}`")));
        }
    }
    if port.format == Format::Table {
        let table = folder.join(&files[0]);
        product.rows = Some(rows(&table, port)?);
        if foreign && let Some(Err(error)) = check_table(&port.artifact, &table) {
            return Err(wrong(port, &error.to_string()));
        }
    }
    Ok(product)
}

fn rows(path: &Path, port: &Port) -> Result<u64, Failure> {
    let table = open_parquet(path).map_err(|error| wrong(port, &error.to_string()))?;
    let file = table.metadata().file_metadata();
    let mut pairs = file.key_value_metadata().into_iter().flatten();
    let name = pairs.find(|pair| pair.key == "scarce.table").and_then(|pair| pair.value.as_deref());
    match name {
        Some(name) if name == port.artifact => Ok(file.num_rows().max(0) as u64),
        Some(name) => Err(wrong(
            port,
            &format!("its metadata says `scarce.table` is `{name}`, not `{}`", port.artifact),
        )),
        None => Err(wrong(port, "its metadata has no `scarce.table`")),
    }
}

fn wrong(port: &Port, what: &str) -> Failure {
    Failure::new("orchestrator::output", format!("output `{}`: {what}", port.name))
        .help("this is a mistake in the program that hosts the kind, not in the pipeline")
}

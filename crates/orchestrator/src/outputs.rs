//! What a stage must have written.

use std::path::Path;

use scarce_artifact::open_parquet;
use scarce_stage::{Description, Failure, Format, Port};
use scarce_store::Product;

/// Checks that every output is there and that every table is the one that its port promises.
pub(crate) fn check(folder: &Path, description: &Description) -> Result<Vec<Product>, Failure> {
    description.outputs.iter().map(|port| product(folder, port)).collect()
}

fn product(folder: &Path, port: &Port) -> Result<Product, Failure> {
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
        product.rows = Some(rows(&folder.join(&files[0]), port)?);
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

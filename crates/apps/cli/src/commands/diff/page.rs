//! The images that changed, side by side on a page of their own.

use std::{collections::HashMap, path::Path};

use maud::{DOCTYPE, PreEscaped, html};
use scarce_artifact::{Images, Reader};
use scarce_orchestrator::Record;
use scarce_report::data_uri;
use scarce_store::Store;

use super::labels::{self, Changed};
use crate::error::CliError;

/// Pictures of one table, at most: the page holds them all.
const SHOWN: usize = 400;
/// Rows read at a time.
const ROWS: usize = 1024;

const STYLE: &str = "
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem; padding: 0; list-style: none }
img { width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: auto; background: color-mix(in srgb, currentColor 6%, transparent) }
small { overflow-wrap: anywhere; opacity: .7 }
del { opacity: .7 }
";

/// Writes the page.
pub(super) fn write(
    path: &Path,
    store: &Store,
    record: &Record,
    changed: &[Changed],
) -> Result<(), CliError> {
    let shown = |changed: &Changed| changed.images.len().min(SHOWN);
    let mut wanted: HashMap<u32, String> = HashMap::new();
    for table in changed {
        wanted.extend(table.images[..shown(table)].iter().map(|image| (image.id, String::new())));
    }
    for table in labels::images(store, record)? {
        let reader = Reader::<Images>::open(&table)?;
        let meta = reader.meta().clone();
        for batch in reader.batches(ROWS) {
            let batch = batch?;
            for (id, pixels) in batch.id.iter().zip(batch.pixels.iter_rows()) {
                if let Some(picture) = wanted.get_mut(id) {
                    *picture = data_uri(&meta, pixels)?;
                }
            }
        }
    }
    let of = |(label, confidence): &(String, f32)| format!("{label} {:.0} %", confidence * 100.0);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "What changed" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "What changed in " (record.pipeline) }
                @for table in changed.iter().filter(|table| !table.images.is_empty()) {
                    h2 { (table.text(0)) }
                    ul {
                        @for image in &table.images[..shown(table)] {
                            li {
                                @let name = image.source.clone().unwrap_or_else(|| image.id.to_string());
                                img src=(wanted[&image.id]) alt=(name) loading="lazy";
                                div { del { (of(&image.a)) } " → " b { (of(&image.b)) } }
                                small { (name) }
                            }
                        }
                    }
                    @if table.images.len() > SHOWN {
                        p { (table.images.len() - SHOWN) " more are not shown; `--json` lists all." }
                    }
                }
            }
        }
    };
    fs_err::write(path, page.into_string())?;
    Ok(())
}

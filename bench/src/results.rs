//! What was measured, as Parquet: `OUT/WORK/CASE.parquet`, one row per turn and measure.
//!
//! `side` (who, with the version), `ours`, `turn` (from 1), `measure` (`seconds`, or a name of
//! [`crate::quality`]), `value`. Which threads, on what: in the metadata.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result, bail};
use arrow::{
    array::{ArrayRef, AsArray, BooleanArray, Float64Array, RecordBatch, StringArray, UInt32Array},
    datatypes::{DataType, Field, Float64Type, Schema, UInt32Type},
};
use scarce_artifact::{RawWriter, open_parquet};
use serde::{Deserialize, Serialize};

use crate::{
    contest::{Series, Turn},
    quality::Quality,
    works::Work,
};

const TABLE: &str = "benchmark";
const VERSION: u32 = 1;
const SECONDS: &str = "seconds";

/// One case, measured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    /// Its name.
    pub(crate) case: String,
    /// Threads of each side.
    pub(crate) threads: usize,
    /// The processor's name.
    pub(crate) processor: String,
    /// The machine's load when it began.
    pub(crate) load: f64,
    /// All sides, ours last.
    pub(crate) series: Vec<Series>,
}

#[derive(Serialize, Deserialize)]
struct Meta {
    case: String,
    threads: usize,
    processor: String,
    load: f64,
}

/// Writes a case.
pub(crate) fn write(out: &Path, work: &Work, measured: &Measured) -> Result<()> {
    let folder = out.join(work.name);
    fs_err::create_dir_all(&folder)?;
    let (mut side, mut ours, mut turn) = (Vec::new(), Vec::new(), Vec::new());
    let (mut measure, mut value) = (Vec::new(), Vec::new());
    for (index, series) in measured.series.iter().enumerate() {
        for (at, one) in series.turns.iter().enumerate() {
            let quality = one.quality.iter().map(|(name, number)| (name.as_str(), *number));
            for (name, number) in std::iter::once((SECONDS, one.seconds)).chain(quality) {
                side.push(series.name.as_str());
                ours.push(index + 1 == measured.series.len());
                turn.push(at as u32 + 1);
                measure.push(name);
                value.push(number);
            }
        }
    }
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(side)),
        Arc::new(BooleanArray::from(ours)),
        Arc::new(UInt32Array::from(turn)),
        Arc::new(StringArray::from(measure)),
        Arc::new(Float64Array::from(value)),
    ];
    let meta = Meta {
        case: measured.case.clone(),
        threads: measured.threads,
        processor: measured.processor.clone(),
        load: measured.load,
    };
    let path = folder.join(&measured.case).with_extension("parquet");
    let mut writer = RawWriter::create(&path, TABLE, VERSION, schema(), &meta)?;
    writer.write(arrays)?;
    Ok(writer.finish()?)
}

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("side", DataType::Utf8, false),
        Field::new("ours", DataType::Boolean, false),
        Field::new("turn", DataType::UInt32, false),
        Field::new("measure", DataType::Utf8, false),
        Field::new("value", DataType::Float64, false),
    ])
}

/// What was measured of a work so far, in the order of its cases.
pub(crate) fn of_work(out: &Path, work: &Work) -> Result<Vec<Measured>> {
    let path = |name: &str| out.join(work.name).join(name).with_extension("parquet");
    let paths = work.cases.iter().map(|case| path(case.name)).filter(|path| path.exists());
    paths.map(|path| read(&path)).collect()
}

fn read(path: &Path) -> Result<Measured> {
    let wrong = || format!("`{}` holds no benchmark of this version", path.display());
    let builder = open_parquet(path)?;
    let pairs = builder.metadata().file_metadata().key_value_metadata();
    let value = |key: &str| {
        let pair = pairs.into_iter().flatten().find(|pair| pair.key == format!("scarce.{key}"))?;
        pair.value.clone()
    };
    if value("table").as_deref() != Some(TABLE) || value("version") != Some(VERSION.to_string()) {
        bail!(wrong());
    }
    let fields = ["case", "threads", "processor", "load"];
    let fields = fields.map(|key| {
        let value = value(key).and_then(|text| serde_json::from_str(&text).ok());
        (key.to_owned(), value.unwrap_or(serde_json::Value::Null))
    });
    let meta = serde_json::Value::Object(fields.into_iter().collect());
    let meta: Meta = serde_json::from_value(meta).with_context(wrong)?;
    if **builder.schema() != schema().with_metadata(builder.schema().metadata().clone()) {
        bail!(wrong());
    }
    let mut series = Vec::new();
    for batch in builder.build()? {
        take_in(&batch?, &mut series);
    }
    let Meta { case, threads, processor, load } = meta;
    Ok(Measured { case, threads, processor, load, series })
}

/// Adds the rows of a batch, whose schema is right.
fn take_in(batch: &RecordBatch, all: &mut Vec<Series>) {
    let text = |column: usize, row: usize| batch.column(column).as_string::<i32>().value(row);
    for row in 0..batch.num_rows() {
        let (side, measure) = (text(0, row), text(3, row));
        let turn = batch.column(2).as_primitive::<UInt32Type>().value(row) as usize;
        let value = batch.column(4).as_primitive::<Float64Type>().value(row);
        if all.last().is_none_or(|series| series.name != side) {
            all.push(Series { name: side.to_owned(), turns: Vec::new() });
        }
        let Some(series) = all.last_mut() else { continue };
        if series.turns.len() < turn {
            series.turns.push(Turn { seconds: 0.0, quality: Quality::new() });
        }
        let Some(last) = series.turns.last_mut() else { continue };
        if measure == SECONDS {
            last.seconds = value;
        } else {
            last.quality.insert(measure.to_owned(), value);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::works::Case;

    pub(crate) static WORK: Work = Work {
        name: "sums",
        title: "Sums",
        cases: &[
            Case { name: "small", title: "sums of ten", heavy: false },
            Case { name: "large", title: "sums of a thousand", heavy: true },
        ],
        run: |_, _| Ok(()),
    };

    pub(crate) fn measured(case: &str) -> Measured {
        let turn = |seconds: f64, recall: f64| Turn {
            seconds,
            quality: Quality::from([("recall".to_owned(), recall)]),
        };
        Measured {
            case: case.to_owned(),
            threads: 2,
            processor: "Abacus".to_owned(),
            load: 0.25,
            series: vec![
                Series {
                    name: "others 1.2".into(),
                    turns: vec![turn(4.0, 1.0), turn(9.0, 1.0), turn(6.0, 1.0)],
                },
                Series {
                    name: "scarce 0.1.0".into(),
                    turns: vec![turn(2.0, 1.0), turn(3.0, 0.5), turn(2.0, 0.75)],
                },
            ],
        }
    }

    #[test]
    fn results_survive_the_disk() {
        let out = tempfile::tempdir().unwrap();
        assert!(of_work(out.path(), &WORK).unwrap().is_empty());
        for case in ["large", "small"] {
            write(out.path(), &WORK, &measured(case)).unwrap();
        }
        let found = of_work(out.path(), &WORK).unwrap();
        assert_eq!(found, [measured("small"), measured("large")]);
    }

    #[test]
    fn other_tables_are_refused() {
        let out = tempfile::tempdir().unwrap();
        let path = out.path().join("sums/small.parquet");
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        let (name, other) = ("truth", Schema::new(vec![Field::new("id", DataType::UInt32, false)]));
        let writer = RawWriter::create(&path, name, 1, other, &serde_json::json!({})).unwrap();
        writer.finish().unwrap();
        let error = of_work(out.path(), &WORK).unwrap_err().to_string();
        assert!(error.contains("holds no benchmark"), "{error}");
    }
}

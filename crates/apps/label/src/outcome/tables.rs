//! As one file.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Float32Array, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema},
};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

use super::{Row, Source};
use crate::Result;

pub(super) fn csv(rows: &[Row]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = rows.iter().try_for_each(|row| writer.serialize(row));
    written.map_err(std::io::Error::other)?;
    Ok(writer.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?)
}

pub(super) fn parquet(rows: &[Row]) -> Result<Vec<u8>> {
    let text = |of: fn(&Row) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let confidence = Float32Array::from_iter_values(rows.iter().map(|row| row.confidence));
    let field = |name: &str, kind: DataType| Field::new(name, kind, false);
    let schema = Arc::new(Schema::new(vec![
        field("file", DataType::Utf8),
        field("label", DataType::Utf8),
        field("confidence", DataType::Float32),
        field("source", DataType::Utf8),
    ]));
    let columns = vec![
        text(|row| &row.file),
        text(|row| &row.label),
        Arc::new(confidence),
        text(|row| row.source.as_str()),
    ];
    let written = || {
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
        let mut out = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut out, schema, None)?;
        writer.write(&batch)?;
        writer.close()?;
        Ok::<_, parquet::errors::ParquetError>(out)
    };
    Ok(written().map_err(std::io::Error::other)?)
}

/// <https://labelstud.io/guide/tasks>
pub(super) fn label_studio(rows: &[Row]) -> Result<Vec<u8>> {
    let task = |row: &Row| {
        let result = json!([{
            "from_name": "choice",
            "to_name": "image",
            "type": "choices",
            "value": { "choices": [row.label] },
        }]);
        match row.source {
            Source::Given => json!({
                "data": { "image": row.file },
                "annotations": [{ "result": result }],
            }),
            Source::Predicted => json!({
                "data": { "image": row.file },
                "predictions": [{ "model_version": "scarce", "score": row.confidence, "result": result }],
            }),
        }
    };
    document(&rows.iter().map(task).collect::<Value>())
}

/// <https://cocodataset.org/#format-data>, without boxes: each annotation is of a whole picture.
pub(super) fn coco(rows: &[Row], classes: &[String]) -> Result<Vec<u8>> {
    let number =
        |label: &str| classes.iter().position(|name| name == label).unwrap_or_default() + 1;
    let images: Vec<Value> =
        (1..).zip(rows).map(|(id, row)| json!({ "id": id, "file_name": row.file })).collect();
    let annotation = |(id, row): (u64, &Row)| {
        json!({
            "id": id,
            "image_id": id,
            "category_id": number(&row.label),
            "score": row.confidence,
            "source": row.source,
        })
    };
    let annotations: Vec<Value> = (1..).zip(rows).map(annotation).collect();
    let categories: Vec<Value> =
        (1..).zip(classes).map(|(id, name)| json!({ "id": id, "name": name })).collect();
    document(&json!({ "images": images, "annotations": annotations, "categories": categories }))
}

fn document(value: &Value) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value).map_err(std::io::Error::other)?;
    text.push(b'\n');
    Ok(text)
}

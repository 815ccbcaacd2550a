use scarce_ingest::read_labels;

use super::{Row, Source, classes, tables};

fn rows() -> Vec<Row> {
    let row = |file: &str, label: &str, confidence, source| Row {
        file: file.to_owned(),
        label: label.to_owned(),
        confidence,
        source,
    };
    vec![
        row("a/1.jpg", "T-shirt, blue", 1.0, Source::Given),
        row("b/2.jpg", "dress", 0.75, Source::Predicted),
        row("c é.jpg", "dress", 0.5, Source::Given),
    ]
}

/// What is written is read again by the code that reads labels of other tools.
#[test]
fn every_file_is_read_again_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows();
    let names: Vec<String> = rows.iter().map(|row| row.file.clone()).collect();
    let all = ["T-shirt, blue", "dress", "dress"];
    for (name, bytes, wanted) in [
        ("p.csv", tables::csv(&rows).unwrap(), &[0, 1, 2][..]),
        ("p.parquet", tables::parquet(&rows).unwrap(), &[0, 1, 2]),
        ("coco.json", tables::coco(&rows, &classes(&rows)).unwrap(), &[0, 1, 2]),
        // Predictions are no annotations.
        ("studio.json", tables::label_studio(&rows).unwrap(), &[0, 2]),
    ] {
        let path = folder.path().join(name);
        fs_err::write(&path, bytes).unwrap();
        let mut read = read_labels(&path, &names, true).unwrap().labels;
        read.sort_by_key(|label| label.image);
        let read: Vec<(usize, String)> = read.into_iter().map(|l| (l.image, l.class)).collect();
        let wanted: Vec<(usize, String)> =
            wanted.iter().map(|&at| (at, all[at].to_owned())).collect();
        assert_eq!(read, wanted, "{name}");
    }
}

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, BinaryArray, StringArray, StructArray},
    datatypes::{DataType, Field, Fields, Schema},
};
use scarce_artifact::{Empty, RawWriter};

use super::*;
use crate::{Encoded, Source, SourceOptions};

fn parquet(folder: &Path, columns: Vec<(&str, ArrayRef)>) -> std::path::PathBuf {
    let path = folder.join("images.parquet");
    let field =
        |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    let mut writer = RawWriter::create(&path, "own", 1, schema, &Empty {}).unwrap();
    writer.write(columns.into_iter().map(|(_, array)| array).collect()).unwrap();
    writer.finish().unwrap();
    path
}

fn all(source: &Source, rows: &[usize]) -> Vec<Encoded> {
    source.encoded(rows).unwrap().flat_map(Result::unwrap).collect()
}

fn cells() -> Vec<Vec<u8>> {
    (0..700_u32).map(|i| i.to_le_bytes().to_vec()).collect()
}

#[test]
fn rows_of_a_column_come_back_by_number_and_name() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = cells();
    let bytes: ArrayRef =
        Arc::new(BinaryArray::from_vec(bytes.iter().map(Vec::as_slice).collect()));
    let names: Vec<Option<String>> =
        (0..700).map(|i| (i != 5).then(|| format!("dir/{i}.jpg"))).collect();
    let paths: ArrayRef = Arc::new(StringArray::from(names));
    let fields = Fields::from(vec![
        Field::new("bytes", DataType::Binary, true),
        Field::new("path", DataType::Utf8, true),
    ]);
    let column = StructArray::new(fields, vec![bytes, paths], None);
    let path = parquet(folder.path(), vec![("img.x", Arc::new(column))]);
    let options = SourceOptions { image_column: "img.x".to_owned(), ..SourceOptions::default() };
    let source = Source::open(&path, &options).unwrap();
    assert_eq!(source.names().len(), 700);
    assert_eq!(source.names()[5], "5");
    let wanted = ["dir/600.jpg", "5", "dir/4.jpg"].map(str::to_owned);
    assert_eq!(source.find(&wanted).unwrap(), [600, 5, 4]);
    assert!(source.find(&["x".to_owned()]).unwrap_err().to_string().contains("`x`"));
    let rows = [0, 4, 5, 6, 300, 699];
    let found = all(&source, &rows);
    assert_eq!(found.iter().map(|one| one.row).collect::<Vec<_>>(), rows);
    for one in &found {
        assert_eq!(one.bytes().unwrap()[..], (one.row as u32).to_le_bytes());
        assert_eq!(one.name, source.names()[one.row]);
    }
    assert!(
        Source::open(&path, &SourceOptions::default()).unwrap_err().to_string().contains("`image`")
    );
}

#[test]
fn names_may_have_a_column_of_their_own_and_missing_images_are_theirs_alone() {
    let folder = tempfile::tempdir().unwrap();
    let image: ArrayRef = Arc::new(BinaryArray::from_opt_vec(vec![Some(b"x"), None, Some(b"z")]));
    let name: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "a"]));
    let path = parquet(folder.path(), vec![("image", image), ("name", name)]);
    let options =
        SourceOptions { name_column: Some("name".to_owned()), ..SourceOptions::default() };
    let source = Source::open(&path, &options).unwrap();
    let twice = source.find(&["a".to_owned()]).unwrap_err().to_string();
    assert!(twice.contains("several rows"), "{twice}");
    let found = all(&source, &[0, 1, 2]);
    assert!(found[1].bytes().unwrap_err().to_string().contains("missing"));
    assert_eq!(found[2].bytes().unwrap()[..], *b"z");
}

#[test]
fn a_folder_hands_out_its_files() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.png", "a.png"] {
        fs_err::write(folder.path().join(name), name).unwrap();
    }
    let source = Source::open(folder.path(), &SourceOptions::default()).unwrap();
    assert_eq!(source.names(), ["a.png", "b.png"]);
    fs_err::remove_file(folder.path().join("a.png")).unwrap();
    let found = all(&source, &[0, 1]);
    assert!(found[0].bytes().unwrap_err().to_string().contains("cannot be read"));
    assert_eq!(found[1].bytes().unwrap()[..], *b"b.png");
    assert!(Source::open(&folder.path().join("none"), &SourceOptions::default()).is_err());
}

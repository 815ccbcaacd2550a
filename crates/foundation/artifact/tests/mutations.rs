//! Damaged Parquet files, thousands of them: reading ends in rows or in an error, never in a panic, and
//! takes no more memory than a bound.
//!
//! `SCARCE_MUTATIONS=100 cargo test --release -p scarce-artifact --test mutations` tries a hundred times
//! as many; `SCARCE_SEED` starts elsewhere.

#![allow(clippy::unwrap_used)]

use std::{
    alloc::System,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray, UInt32Array},
    datatypes::Int64Type,
};
use cap::Cap;
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, Encoding},
    file::properties::{WriterProperties, WriterVersion},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use scarce_artifact::{
    Classes, Images, ImagesMeta, Predictions, Reader, Shape, Split, Table, Vectors, Writer,
    open_parquet,
};

/// Counts what is allocated; a file that claims more than this machine has ends in an error here.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// Damages tried on each file unless more are asked for.
const TRIES: usize = 250;
/// The most memory that a small file may take, whatever it claims: a few pages as large as are
/// believed without more bytes behind them.
const MOST: usize = 512 << 20;

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().map_or(usual, |text| text.parse().unwrap())
}

/// Reads a file in every way there is; how many rows came.
fn read_all(path: &Path) -> [Result<usize, String>; 4] {
    let any = || {
        let mut rows = 0;
        for batch in open_parquet(path)?.build()? {
            rows += batch?.num_rows();
        }
        Ok::<_, scarce_artifact::Error>(rows)
    };
    fn typed<T: Table>(path: &Path) -> Result<usize, String> {
        let reader = Reader::<T>::open(path).map_err(|error| error.to_string())?;
        let whole = reader.read().map_err(|error| error.to_string());
        let mut rows = 0;
        for batch in reader.batches(100) {
            match batch {
                Ok(batch) => rows += batch.rows(path).unwrap(),
                Err(error) => return whole.and(Err(error.to_string())),
            }
        }
        assert_eq!(whole.unwrap().rows(path).unwrap(), rows);
        Ok(rows)
    }
    let members = Reader::<Images>::open(path).and_then(|reader| reader.members());
    [
        any().map_err(|error| error.to_string()),
        typed::<Predictions>(path),
        typed::<Images>(path),
        members.map(|members| members.len()).map_err(|error| error.to_string()),
    ]
}

/// Damages some bytes: flips, overwrites, cuts, repeats or moves a piece.
fn damage(bytes: &mut Vec<u8>, random: &mut ChaCha8Rng) {
    // Half of the damage goes where few bytes say much: the footer.
    let footer = bytes.len().saturating_sub(12);
    let size = u32::from_le_bytes(bytes[footer + 4..footer + 8].try_into().unwrap()) as usize;
    let start = bytes.len().saturating_sub(size + 8);
    let range = if random.random_bool(0.5) { start..bytes.len() } else { 0..bytes.len() };
    let at = random.random_range(range);
    let length = random.random_range(1..64).min(bytes.len() - at);
    match random.random_range(0..8) {
        0..3 => bytes[at] ^= 1 << random.random_range(0..8),
        3 => bytes[at] = *[0, 0x7f, 0x80, 0xff].get(random.random_range(0..4)).unwrap(),
        4 => bytes[at..at + length].fill(0xff),
        5 => bytes.truncate(at.max(12)),
        6 => drop(bytes.drain(at..at + length)),
        _ => {
            let from = random.random_range(0..bytes.len());
            let length = length.min(bytes.len() - from);
            let to = at.min(bytes.len() - length);
            bytes.copy_within(from..from + length, to);
        }
    }
}

/// Files as we and others write them.
fn files(folder: &Path) -> Vec<PathBuf> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut files: Vec<PathBuf> =
        ["none", "snappy", "gzip", "brotli", "lz4", "zstd", "predictions"]
            .map(|name| fixtures.join(format!("{name}.parquet")))
            .to_vec();
    let rows = 300_u32;
    let path = folder.join("predictions.parquet");
    let table = Predictions {
        id: (0..rows).collect(),
        split: vec![Split::Test; rows as usize],
        label: vec![1; rows as usize],
        probabilities: Vectors::new(2, (0..rows).flat_map(|_| [0.25, 0.75]).collect()),
    };
    Writer::write_all(&path, Classes::new(["a", "b"]), table).unwrap();
    files.push(path);
    let path = folder.join("images.parquet");
    let shape = Shape { height: 4, width: 4, channels: 1 };
    let images = Images {
        id: (0..rows).collect(),
        split: vec![Split::Pool; rows as usize],
        source: (0..rows).map(|row| format!("{row}.png")).collect(),
        pixels: Vectors::new(16, (0..16 * rows).map(|value| (value % 251) as u8).collect()),
    };
    let meta =
        ImagesMeta { shape, dataset: "own".to_owned(), max_value: 255, ..ImagesMeta::default() };
    Writer::write_all(&path, meta, images).unwrap();
    files.push(path);
    files.extend(encodings(folder));
    files
}

/// One file for each way of writing numbers and words down.
fn encodings(folder: &Path) -> Vec<PathBuf> {
    let id: ArrayRef = Arc::new((0..200).map(|row| row * row).collect::<UInt32Array>());
    let number: ArrayRef = Arc::new((0..200_i64).map(|row| Some(row - 9)).collect::<Int64Array>());
    let word: ArrayRef =
        Arc::new((0..200).map(|row| Some(format!("prefix {row}"))).collect::<StringArray>());
    let lists = (0..200_i64).map(|row| (row % 5 > 0).then(|| (0..row % 4).map(Some)));
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists));
    let columns = [("id", id), ("number", number), ("word", word), ("list", list)];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let of_words = ["word"];
    let cases = [
        (Encoding::PLAIN, Encoding::PLAIN, Compression::UNCOMPRESSED),
        (Encoding::DELTA_BINARY_PACKED, Encoding::DELTA_BYTE_ARRAY, Compression::UNCOMPRESSED),
        (Encoding::DELTA_BINARY_PACKED, Encoding::DELTA_LENGTH_BYTE_ARRAY, Compression::LZ4_RAW),
        (Encoding::BYTE_STREAM_SPLIT, Encoding::PLAIN, Compression::SNAPPY),
    ];
    let mut files = Vec::new();
    for (case, (numbers, words, compression)) in cases.into_iter().enumerate() {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            let mut properties = WriterProperties::builder()
                .set_dictionary_enabled(false)
                .set_encoding(numbers)
                .set_writer_version(version)
                .set_compression(compression);
            for column in of_words {
                properties = properties.set_column_encoding(column.into(), words);
            }
            let path = folder.join(format!("{case}-{}.parquet", version.as_num()));
            let file = fs_err::File::create(&path).unwrap();
            let mut writer =
                ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).unwrap();
            writer.write(&batch).unwrap();
            writer.close().unwrap();
            files.push(path);
        }
    }
    files
}

#[test]
fn damaged_files_are_errors_or_rows_within_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.parquet");
    let tries = number("SCARCE_MUTATIONS", 1) as usize * TRIES;
    let (mut read, mut refused) = (0, 0);
    for (which, file) in files(folder.path()).iter().enumerate() {
        let whole = fs_err::read(file).unwrap();
        assert!(read_all(file).iter().any(Result::is_ok), "{}", file.display());
        let mut random = ChaCha8Rng::seed_from_u64(number("SCARCE_SEED", 1));
        random.set_stream(which as u64);
        for attempt in 0..tries {
            let mut bytes = whole.clone();
            for _ in 0..random.random_range(1..3) {
                damage(&mut bytes, &mut random);
                if bytes.len() < 24 {
                    break;
                }
            }
            fs_err::write(&path, &bytes).unwrap();
            let found = std::panic::catch_unwind(|| read_all(&path));
            let kept = || {
                let kept = std::env::temp_dir().join("scarce-mutation.parquet");
                fs_err::write(&kept, &bytes).unwrap();
                format!("{}, attempt {attempt}: see {}", file.display(), kept.display())
            };
            let Ok(found) = found else { panic!("it panicked: {}", kept()) };
            let peak = MEMORY.max_allocated();
            assert!(peak < MOST, "{peak} bytes: {}", kept());
            if found.iter().any(Result::is_ok) { read += 1 } else { refused += 1 }
        }
    }
    // Both happen: what is damaged where nobody looks is read, the rest is not.
    assert!(read > 100 && refused > 1000, "{read} read, {refused} refused");
}

//! Files of others, in every compression; checksums; footers and pages that lie.

use std::{ops::Range, path::PathBuf};

use arrow::array::RecordBatch;
use parquet::{
    arrow::ArrowWriter,
    basic::Encoding,
    file::{
        metadata::{ColumnChunkMetaDataBuilder, ParquetMetaDataBuilder, ParquetMetaDataWriter},
        properties::{WriterProperties, WriterVersion},
    },
};

use super::*;
use crate::{
    Embeddings, EmbeddingsMeta, Predictions, Reader, Split, Vectors, Writer, open_parquet,
};

const CODECS: [&str; 6] = ["none", "snappy", "gzip", "brotli", "lz4", "zstd"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/{name}.parquet"))
}

fn rows(path: &Path) -> Result<Vec<RecordBatch>> {
    open_parquet(path)?.with_batch_size(1 << 12).build()?.collect()
}

/// Where the bytes behind the headers of all pages lie.
fn bodies(path: &Path) -> Vec<Range<usize>> {
    let metadata = Arc::clone(open_parquet(path).unwrap().metadata());
    let mut file = File::open(path).unwrap();
    let mut found = Vec::new();
    for column in metadata.row_groups().iter().flat_map(RowGroupMetaData::columns) {
        let (mut at, mut left) = span(column).unwrap();
        while left > 0 {
            let page = page_header(&mut file, at, left).unwrap().unwrap();
            let start = at + page.header;
            found.push(start as usize..(start + page.packed) as usize);
            left -= page.header + page.packed;
            at = start + page.packed;
        }
    }
    found
}

mod files_of_others {
    use super::*;

    #[test]
    fn are_read_in_every_compression() {
        let expected = rows(&fixture("none")).unwrap();
        assert_eq!(expected.iter().map(RecordBatch::num_rows).sum::<usize>(), 300);
        for codec in CODECS {
            assert_eq!(rows(&fixture(codec)).unwrap(), expected, "{codec}");
        }
    }

    #[test]
    fn have_their_checksums_compared() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("damaged.parquet");
        for name in CODECS.into_iter().chain(["predictions"]) {
            let whole = fs_err::read(fixture(name)).unwrap();
            let bodies = bodies(&fixture(name));
            let least = if name == "predictions" { 2 } else { 10 };
            assert!(bodies.len() > least, "{name}: {}", bodies.len());
            for (number, body) in
                bodies.into_iter().enumerate().filter(|(_, body)| !body.is_empty())
            {
                let mut damaged = whole.clone();
                damaged[body.start + 31 * number % body.len()] ^= 1 << (number % 8);
                fs_err::write(&path, damaged).unwrap();
                let error = rows(&path).unwrap_err().to_string();
                // Brotli is unpacked once before, to see how long it is.
                let first = name == "brotli" && error.contains("another length than it says");
                assert!(first || error.contains("CRC"), "{name}, {body:?}: {error}");
            }
        }
    }

    #[test]
    fn have_them_compared_when_vectors_come_straight_from_the_pages() {
        let path = fixture("predictions");
        let file = open_parquet(&path).unwrap();
        let field = file.schema().field(3);
        let straight =
            |path: &Path| crate::pages::vectors(path, file.metadata(), 3, field.data_type(), 0..2);
        assert!(straight(&path).is_some(), "it is such a file");
        let table = Reader::<Predictions>::open(&path).unwrap().read().unwrap();
        assert_eq!(table.id.len(), 300);

        let folder = tempfile::tempdir().unwrap();
        let damaged = folder.path().join("damaged.parquet");
        let mut bytes = fs_err::read(&path).unwrap();
        let body = bodies(&path).into_iter().rfind(|body| body.len() > 40).unwrap();
        bytes[body.start + 20] ^= 4;
        fs_err::write(&damaged, bytes).unwrap();
        assert!(straight(&damaged).is_none());
        let error = Reader::<Predictions>::open(&damaged).unwrap().read().unwrap_err().to_string();
        assert!(error.contains("CRC"), "{error}");
    }
}

/// Writes a file with `lie` told by its footer.
fn lying(
    path: &Path,
    lie: impl Fn(ColumnChunkMetaDataBuilder) -> ColumnChunkMetaDataBuilder,
    rows: Option<i64>,
) -> PathBuf {
    let bytes = fs_err::read(path).unwrap();
    let metadata = open_parquet(path).unwrap().metadata().as_ref().clone();
    let footer = bytes.len() - TAIL;
    let size = u32::from_le_bytes(bytes[footer..footer + 4].try_into().unwrap()) as usize;
    let mut file = metadata.file_metadata().clone();
    let mut groups = Vec::new();
    for group in metadata.row_groups() {
        let columns = group.columns().iter().cloned();
        let columns = columns.map(|column| lie(column.into_builder()).build().unwrap()).collect();
        let mut builder = group.clone().into_builder().set_column_metadata(columns);
        if let Some(rows) = rows {
            builder = builder.set_num_rows(rows);
        }
        groups.push(builder.build().unwrap());
    }
    if let Some(rows) = rows {
        file = parquet::file::metadata::FileMetaData::new(
            file.version(),
            rows * groups.len() as i64,
            None,
            file.key_value_metadata().cloned(),
            file.schema_descr_ptr(),
            None,
        );
    }
    let metadata = ParquetMetaDataBuilder::new(file).set_row_groups(groups).build();
    let mut lying = bytes[..footer - size].to_vec();
    ParquetMetaDataWriter::new(&mut lying, &metadata).finish().unwrap();
    let path = path.with_extension("lie");
    fs_err::write(&path, lying).unwrap();
    path
}

/// 777 embeddings in one row group.
fn embeddings(folder: &Path) -> PathBuf {
    let path = folder.join("e.parquet");
    let table = Embeddings {
        id: (0..777).collect(),
        split: vec![Split::Pool; 777],
        embedding: Vectors::new(2, vec![0.5; 2 * 777]),
    };
    Writer::write_all(&path, EmbeddingsMeta::default(), table).unwrap();
    path
}

mod a_footer_is_refused {
    use super::*;

    fn error(path: &Path) -> String {
        let generally = rows(path).unwrap_err().to_string();
        let typed = Reader::<Embeddings>::open(path).and_then(|reader| reader.read());
        assert_eq!(typed.unwrap_err().to_string(), generally);
        generally
    }

    #[test]
    fn that_says_one_row_of_777() {
        let folder = tempfile::tempdir().unwrap();
        let path = embeddings(folder.path());
        assert!(rows(&lying(&path, |column| column, None)).is_ok());
        let said = error(&lying(&path, |column| column, Some(1)));
        assert!(said.contains("hold 777 values in 1 rows"), "{said}");
        let few = lying(&path, |column| column.set_num_values(1), Some(1));
        let said = error(&few);
        assert!(said.contains("hold 777 values, the footer promises 1"), "{said}");
    }

    #[test]
    fn that_says_so_of_lists_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.parquet");
        let batch = &rows(&fixture("none")).unwrap()[0];
        let batch = batch.project(&[batch.schema().index_of("embedding").unwrap()]).unwrap();
        let file = File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        assert!(rows(&path).is_ok());
        for few in [1, batch.num_rows() as i64 - 1, 1000] {
            assert!(rows(&lying(&path, |column| column, Some(few))).is_err(), "{few}");
        }
    }

    #[test]
    fn whose_columns_lie_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = embeddings(folder.path());
        type Lie = fn(ColumnChunkMetaDataBuilder) -> ColumnChunkMetaDataBuilder;
        let lies: [(Lie, &str); 7] = [
            (|column| column.set_data_page_offset(-4), "before the file"),
            (|column| column.set_dictionary_page_offset(Some(-1)), "before the file"),
            (|column| column.set_total_compressed_size(-1), "before the file"),
            (|column| column.set_total_uncompressed_size(i64::MIN), "before the file"),
            (|column| column.set_total_compressed_size(i64::MAX), "said to end at byte"),
            (|column| column.set_data_page_offset(i64::MAX), "said to end at byte"),
            (|column| column.set_num_values(-1), "-1 values"),
        ];
        for (lie, words) in lies {
            let said = error(&lying(&path, lie, None));
            assert!(said.contains(words), "{said}");
        }
        let shorter = lying(&path, |column| column.set_total_compressed_size(9), None);
        assert!(rows(&shorter).is_err());
    }

    /// A footer whose schema is a list of elements that claim so many children.
    fn with_schema(children: &[u32]) -> Vec<u8> {
        let varint = |mut value: u64, bytes: &mut Vec<u8>| {
            while value > 0x7f {
                bytes.push(value as u8 | 0x80);
                value >>= 7;
            }
            bytes.push(value as u8);
        };
        let mut footer = vec![0x15, 2, 0x19, 0xfc];
        varint(children.len() as u64, &mut footer);
        for &children in children {
            footer.extend([0x48, 1, b'a', 0x15]);
            varint(2 * u64::from(children), &mut footer);
            footer.push(0);
        }
        footer.push(0);
        let size = (footer.len() as u32).to_le_bytes();
        [b"PAR1".as_slice(), &footer, &size, b"PAR1"].concat()
    }

    #[test]
    fn whose_schema_would_take_all_memory_or_the_whole_stack() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.parquet");
        let deep = vec![1; 100_000];
        for children in [&[0x7fff_ffff_u32, 0][..], &deep, &[2, 0], &[1, 0, 0]] {
            fs_err::write(&path, with_schema(children)).unwrap();
            let said = rows(&path).unwrap_err().to_string();
            assert!(said.contains("s.parquet"), "{said}");
        }
    }
}

mod a_page_is_refused {
    use super::*;

    #[test]
    fn that_makes_the_decoder_give_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.parquet");
        let batch = &rows(&fixture("none")).unwrap()[0];
        let at = batch.schema().index_of("id").unwrap();
        let batch = batch.project(&[at]).unwrap();
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_encoding(Encoding::DELTA_BINARY_PACKED)
            .set_writer_version(WriterVersion::PARQUET_2_0);
        let file = File::create(&path).unwrap();
        let mut writer =
            ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        assert!(rows(&path).is_ok());
        let mut bytes = fs_err::read(&path).unwrap();
        let body = bodies(&path).pop().unwrap();
        // A number in groups of seven bits that does not end.
        bytes[body.start + 3..body.end].fill(0xff);
        fs_err::write(&path, bytes).unwrap();
        for _ in 0..2 {
            let said = rows(&path).unwrap_err().to_string();
            assert!(said.contains("p.parquet"), "{said}");
        }
    }

    #[test]
    fn that_unpacks_to_more_than_its_bytes_can_hold() {
        let header = |kind: u8, unpacked: i64, packed: i64| {
            let mut bytes = vec![0x15, 2 * kind];
            // Numbers with a sign are written as zigzag: 0, -1, 1, -2, ….
            for mut value in
                [unpacked, packed].map(|value: i64| ((value << 1) ^ (value >> 63)) as u64)
            {
                bytes.push(0x15);
                while value > 0x7f {
                    bytes.push(value as u8 | 0x80);
                    value >>= 7;
                }
                bytes.push(value as u8);
            }
            bytes.extend([0x2c, 0x15, 20, 0, 0]);
            bytes
        };
        let page = parse_page(&header(0, 2_000_000_000, 9)).unwrap();
        let expected = Page { header: 15, packed: 9, unpacked: 2_000_000_000, values: 10, ..page };
        assert_eq!(page, expected);
        assert!(page.of_data && !parse_page(&header(2, 9, 9)).unwrap().of_data);
        assert!(!believed(&page));
        assert!(believed(&Page { packed: 3_000_000, ..page }));
        assert!(believed(&Page { unpacked: SMALL_PAGE, ..page }));
        assert_eq!(parse_page(&header(0, -1, 9)), None);
    }
}

//! Small files of the formats that enter, made of plain bytes: whole ones and lying ones.

use std::io::Write;

/// An IDX file of bytes; the dimensions may promise what the values do not keep.
pub fn idx(dimensions: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    bytes.extend(dimensions.iter().flat_map(|dimension| dimension.to_be_bytes()));
    bytes.extend(values);
    bytes
}

/// The bytes packed.
///
/// # Panics
/// Never: a vector takes everything.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).and_then(|()| packer.finish()).expect("memory takes everything")
}

/// A grey PNG.
///
/// # Panics
/// If the pixels are not `height × width`.
pub fn png(height: u32, width: u32, pixels: &[u8]) -> Vec<u8> {
    let picture = image::GrayImage::from_raw(width, height, pixels.to_vec());
    let picture = picture.expect("there is a byte for every pixel");
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).expect("memory takes everything");
    bytes.into_inner()
}

/// A PNG whose header (checksum included) promises a picture of this size and which holds none of it.
pub fn png_that_promises(height: u32, width: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 0, 0, 0, 0]);
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for chunk in [header, b"IDAT".to_vec(), b"IEND".to_vec()] {
        bytes.extend((chunk.len() as u32 - 4).to_be_bytes());
        let mut checksum = flate2::Crc::new();
        checksum.update(&chunk);
        bytes.extend(chunk);
        bytes.extend(checksum.sum().to_be_bytes());
    }
    bytes
}

/// A `.npy` file of 32-bit floats, `rows` of equal length.
///
/// # Panics
/// If there is no row.
pub fn npy(rows: &[Vec<f32>]) -> Vec<u8> {
    npy_that_promises(rows.len(), rows[0].len(), &rows.concat())
}

/// A `.npy` file of 32-bit floats whose header may promise what the numbers do not keep.
pub fn npy_that_promises(rows: usize, columns: usize, numbers: &[f32]) -> Vec<u8> {
    let header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let mut header = header.into_bytes();
    // magic, version and length take 10 bytes; the whole is a multiple of 64
    header.resize((10 + header.len() + 1).next_multiple_of(64) - 11, b' ');
    header.push(b'\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header);
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    bytes
}

/// Squares in the upper left or lower right of a picture of 8 × 8 pixels, with a little noise: two
/// classes that anybody can tell apart.
pub fn square(class: usize, seed: usize) -> Vec<u8> {
    let is_inside = |row: usize, column: usize| match class {
        0 => row < 4 && column < 4,
        _ => row >= 4 && column >= 4,
    };
    let noise = |at: usize| ((at * 31 + seed * 17) % 40) as u8;
    (0..64).map(|at| noise(at) + if is_inside(at / 8, at % 8) { 200 } else { 0 }).collect()
}

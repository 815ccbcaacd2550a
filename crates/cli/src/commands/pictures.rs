//! Pictures in the terminal: sixels or blocks, whatever it can do.

use std::path::Path;

use image::{DynamicImage, GrayImage, RgbImage, imageops::FilterType};
use scarce_artifact::{Error, Images, Reader, Shape};

use crate::{error::CliError, output::Output};

/// Characters of width for one picture.
const COLUMNS: u32 = 28;

/// Draws the first `count` images of a file that holds images; does nothing for other tables.
pub(crate) fn draw(path: &Path, count: usize, out: &mut Output) -> Result<(), CliError> {
    if count == 0 {
        return Ok(());
    }
    let reader = match Reader::<Images>::open(path) {
        Ok(reader) => reader,
        Err(Error::Schema { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let meta = reader.meta().clone();
    let Some(batch) = reader.batches(count)?.next().transpose()? else { return Ok(()) };
    for (id, pixels) in batch.id.iter().zip(batch.pixels.iter_rows()) {
        out.line(&format!("image {id}"))?;
        let Some(image) = picture(pixels, meta.shape, meta.max_value) else { continue };
        let config = viuer::Config {
            absolute_offset: false,
            // Asking a file or pipe what it can show would leave the question in it.
            use_kitty: out.is_terminal(),
            use_iterm: out.is_terminal(),
            width: Some(COLUMNS),
            ..viuer::Config::default()
        };
        viuer::print(&image, &config).map_err(std::io::Error::other)?;
    }
    Ok(())
}

/// The pixels as an image, stretched to the full range of bytes.
fn picture(pixels: &[u8], shape: Shape, max_value: u8) -> Option<DynamicImage> {
    let scale = |value: &u8| (u16::from(*value) * 255 / u16::from(max_value.max(1))).min(255) as u8;
    let bytes: Vec<u8> = pixels.iter().map(scale).collect();
    let (width, height) = (u32::try_from(shape.width).ok()?, u32::try_from(shape.height).ok()?);
    let image = match shape.channels {
        1 => GrayImage::from_raw(width, height, bytes)?.into(),
        3 => RgbImage::from_raw(width, height, bytes)?.into(),
        _ => return None,
    };
    let image: DynamicImage = image;
    let enlarge = COLUMNS.div_ceil(width.max(1)).max(1);
    Some(image.resize(width * enlarge, height * enlarge, FilterType::Nearest))
}

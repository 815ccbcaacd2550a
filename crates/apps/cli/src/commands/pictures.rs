//! Pictures in the terminal: a half block for every two pixels, one above the other.

use std::path::Path;

use scarce_artifact::{Error, Images, Reader, Shape};

use crate::{error::CliError, output::Output};

/// Characters in a line of a picture, at most; wider images are thinned out.
const COLUMNS: usize = 64;

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
    let Some(batch) = reader.batches(count).next().transpose()? else { return Ok(()) };
    for (id, pixels) in batch.id.iter().zip(batch.pixels.iter_rows()) {
        out.line(&format!("image {id}"))?;
        out.line(&half_blocks(pixels, meta.shape, meta.max_value))?;
    }
    Ok(())
}

/// The pixels as coloured half blocks: the character is the upper pixel, its background the lower.
fn half_blocks(pixels: &[u8], shape: Shape, max_value: u8) -> String {
    let step = shape.width.div_ceil(COLUMNS).max(1);
    let colour = |row: usize, column: usize| -> [u8; 3] {
        let at = (row * shape.width + column) * shape.channels;
        let value = |channel: usize| {
            let value = pixels.get(at + channel.min(shape.channels.saturating_sub(1)));
            let value = u16::from(value.copied().unwrap_or(0));
            (value * 255 / u16::from(max_value.max(1))).min(255) as u8
        };
        [value(0), value(1), value(2)]
    };
    let mut text = String::new();
    for row in (0..shape.height).step_by(2 * step) {
        for column in (0..shape.width).step_by(step) {
            let [r, g, b] = colour(row, column);
            let below = row + step;
            let [lower_r, lower_g, lower_b] =
                if below < shape.height { colour(below, column) } else { [0; 3] };
            text += &format!("\x1b[38;2;{r};{g};{b};48;2;{lower_r};{lower_g};{lower_b}m▀");
        }
        text += "\x1b[0m\n";
    }
    text.trim_end().to_owned()
}

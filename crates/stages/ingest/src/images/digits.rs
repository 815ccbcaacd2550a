//! The 1,797 handwritten digits that are built in; see `src/data/README.md` for their origin.

use std::path::Path;

use flate2::read::GzDecoder;
use scarce_artifact::Shape;
use scarce_pictures::Picture;

use super::picture::of_bytes;
use crate::{Error, Result};

const PACKED: &[u8] = include_bytes!("../data/digits.csv.gz");
/// What stands for the file in messages.
pub(crate) const NAME: &str = "digits.csv.gz (built in)";
/// The largest pixel value.
pub(crate) const MAX_VALUE: u8 = 16;
const SHAPE: Shape = Shape { height: 8, width: 8, channels: 1 };

/// Every digit with its label, in order.
pub(crate) fn digits() -> Result<Vec<(Picture, u8)>> {
    let damaged = |error: csv::Error| {
        Error::value(Path::new(NAME), "a line", error.to_string(), "install `scarce` again")
    };
    let mut lines =
        csv::ReaderBuilder::new().has_headers(false).from_reader(GzDecoder::new(PACKED));
    let mut digits = Vec::new();
    for line in lines.deserialize() {
        let mut values: Vec<u8> = line.map_err(damaged)?;
        let label = values.pop().unwrap_or_default();
        digits.push((of_bytes(SHAPE, values)?, label));
    }
    Ok(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_what_scikit_learn_ships() {
        let digits = digits().unwrap();
        assert_eq!(digits.len(), 1797);
        let (first, label) = &digits[0];
        assert_eq!(*label, 0);
        assert_eq!(first.bytes().unwrap()[..8], [0, 0, 5, 13, 9, 1, 0, 0]);
        assert!(digits.iter().all(|(digit, _)| digit.bytes().unwrap().len() == 64));
        assert_eq!(
            digits.iter().flat_map(|(digit, _)| digit.bytes().unwrap()).max(),
            Some(&MAX_VALUE)
        );
        let mut counts = [0; 10];
        for (_, label) in &digits {
            counts[usize::from(*label)] += 1;
        }
        // `np.bincount(load_digits().target)`
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        let sum: u32 = digits
            .iter()
            .flat_map(|(digit, _)| digit.bytes().unwrap())
            .map(|&v| u32::from(v))
            .sum();
        assert_eq!(sum, 561_718);
    }
}

//! Promises of one column.

use roaring::RoaringBitmap;

use super::{Broken, Promise};
use crate::{Classes, ImagesMeta, Shape, Vectors};

/// How far from 1 the sum of rounded probabilities may lie.
const ROUNDED: f64 = 1e-3;
/// How far beyond 1 a probability may lie that was rounded after the others were taken off.
const A_LITTLE: f32 = 1e-6;

/// The first value that is not as it should be.
pub(super) fn each<T: Copy>(
    values: &[T],
    keeps: impl Fn(T) -> bool,
    message: impl Fn(T) -> String,
) -> Result<(), Broken> {
    match values.iter().position(|&value| !keeps(value)) {
        None => Ok(()),
        Some(row) => Err((row, message(values[row]))),
    }
}

/// No value occurs twice.
#[derive(Default)]
pub(crate) struct Unique(RoaringBitmap);

impl Unique {
    pub(super) fn insert(&mut self, row: usize, value: u32) -> Result<(), Broken> {
        if self.0.insert(value) { Ok(()) } else { Err((row, format!("{value} occurs twice"))) }
    }
}

impl<M> Promise<Vec<u32>, M> for Unique {
    const WORDS: &'static str = "no value occurs twice";

    fn rows(&mut self, column: &Vec<u32>) -> Result<(), Broken> {
        column.iter().enumerate().try_for_each(|(row, &value)| self.insert(row, value))
    }
}

impl<M> Promise<Vec<i32>, M> for Unique {
    const WORDS: &'static str = "no value occurs twice";

    fn rows(&mut self, column: &Vec<i32>) -> Result<(), Broken> {
        let twice = |(row, &value): (usize, &i32)| {
            // Negative numbers lie above the others: all that counts is that they differ.
            self.insert(row, value as u32)
                .map_err(|(row, _)| (row, format!("{value} occurs twice")))
        };
        column.iter().enumerate().try_for_each(twice)
    }
}

/// An index into the class names.
#[derive(Default)]
pub(crate) struct Class(usize);

impl Class {
    fn holds(&self, label: i32) -> bool {
        usize::try_from(label).is_ok_and(|label| label < self.0)
    }

    fn stranger(&self, label: i32) -> String {
        let there_are = match self.0 {
            1 => "there is 1 class name".to_owned(),
            count => format!("there are {count} class names"),
        };
        format!("{label} is no class: {there_are}")
    }
}

impl Promise<Vec<i32>, Classes> for Class {
    const WORDS: &'static str = "from 0, below the number of class names";

    fn told(&mut self, meta: &Classes) {
        self.0 = meta.len();
    }

    fn rows(&mut self, column: &Vec<i32>) -> Result<(), Broken> {
        each(column, |label| self.holds(label), |label| self.stranger(label))
    }
}

impl Promise<Vec<Option<i32>>, Classes> for Class {
    const WORDS: &'static str = "null, or from 0 and below the number of class names";

    fn told(&mut self, meta: &Classes) {
        self.0 = meta.len();
    }

    fn rows(&mut self, column: &Vec<Option<i32>>) -> Result<(), Broken> {
        let keeps = |label: Option<i32>| label.is_none_or(|label| self.holds(label));
        each(column, keeps, |label| self.stranger(label.unwrap_or_default()))
    }
}

/// From 0 to 1.
#[derive(Default)]
pub(crate) struct Share;

impl<M> Promise<Vec<f32>, M> for Share {
    const WORDS: &'static str = "from 0 to 1";

    fn rows(&mut self, column: &Vec<f32>) -> Result<(), Broken> {
        let keeps = |value| (0.0..=1.0 + A_LITTLE).contains(&value);
        each(column, keeps, |value| format!("{value} does not lie from 0 to 1"))
    }
}

/// From 0 to 100.
#[derive(Default)]
pub(crate) struct Percent;

impl<M> Promise<Vec<f32>, M> for Percent {
    const WORDS: &'static str = "from 0 to 100";

    fn rows(&mut self, column: &Vec<f32>) -> Result<(), Broken> {
        let keeps = |value| (0.0..=100.0).contains(&value);
        each(column, keeps, |value| format!("{value} does not lie from 0 to 100"))
    }
}

/// At least 0.
#[derive(Default)]
pub(crate) struct NotNegative;

impl<M> Promise<Vec<f32>, M> for NotNegative {
    const WORDS: &'static str = "not negative";

    fn rows(&mut self, column: &Vec<f32>) -> Result<(), Broken> {
        each(column, |value| value >= 0.0, |value| format!("{value} is negative"))
    }
}

/// At least 1.
#[derive(Default)]
pub(crate) struct Positive;

impl<M> Promise<Vec<u32>, M> for Positive {
    const WORDS: &'static str = "at least 1";

    fn rows(&mut self, column: &Vec<u32>) -> Result<(), Broken> {
        each(column, |value| value > 0, |_| "0 is not positive".to_owned())
    }
}

/// Counted upwards from 1; numbers may be left out.
#[derive(Default)]
pub(crate) struct Ascending(u32);

impl<M> Promise<Vec<u32>, M> for Ascending {
    const WORDS: &'static str = "at least 1, each larger than the one before";

    fn rows(&mut self, column: &Vec<u32>) -> Result<(), Broken> {
        for (row, &value) in column.iter().enumerate() {
            let before = std::mem::replace(&mut self.0, value);
            if value <= before {
                return Err((row, format!("{value} follows {before}")));
            }
        }
        Ok(())
    }
}

/// A probability for each class.
#[derive(Default)]
pub(crate) struct Distribution(usize);

impl Promise<Vectors<f32>, Classes> for Distribution {
    const WORDS: &'static str = "one for each class name, from 0 to 1, with the sum 1";

    fn told(&mut self, meta: &Classes) {
        self.0 = meta.len();
    }

    fn rows(&mut self, column: &Vectors<f32>) -> Result<(), Broken> {
        distributions(column, self.0, false)
    }
}

/// A probability for each class, or nothing known of any.
#[derive(Default)]
pub(crate) struct DistributionOrZeros(usize);

impl Promise<Vectors<f32>, Classes> for DistributionOrZeros {
    const WORDS: &'static str = "one for each class name, from 0 to 1, with the sum 1, or all 0";

    fn told(&mut self, meta: &Classes) {
        self.0 = meta.len();
    }

    fn rows(&mut self, column: &Vectors<f32>) -> Result<(), Broken> {
        distributions(column, self.0, true)
    }
}

fn distributions(column: &Vectors<f32>, classes: usize, zeros: bool) -> Result<(), Broken> {
    let width = column.width;
    if !column.is_empty() && width != classes {
        return Err((0, format!("{width} probabilities for {classes} class names")));
    }
    for (row, probabilities) in column.iter_rows().enumerate() {
        let sum: f64 = probabilities.iter().map(|&p| f64::from(p)).sum();
        // Without a way out the compiler can use vector instructions.
        let inside = probabilities
            .iter()
            .fold(true, |inside, &p| inside & (0.0..=1.0 + A_LITTLE).contains(&p));
        if inside && ((sum - 1.0).abs() <= ROUNDED || (zeros && sum == 0.0)) {
            continue;
        }
        let outside = probabilities.iter().position(|p| !(0.0..=1.0 + A_LITTLE).contains(p));
        return Err((
            row,
            match outside {
                Some(class) => {
                    format!("the probability of class {class} is {}", probabilities[class])
                }
                None => format!("the probabilities add up to {sum:.6}, not to 1"),
            },
        ));
    }
    Ok(())
}

/// Bytes of one image of the shape that the file names.
#[derive(Default)]
pub(crate) struct Pixels {
    shape: Shape,
    max_value: u8,
}

impl Promise<Vectors<u8>, ImagesMeta> for Pixels {
    const WORDS: &'static str = "as many as the shape has, none above `max_value`";

    fn told(&mut self, meta: &ImagesMeta) {
        (self.shape, self.max_value) = (meta.shape, meta.max_value);
    }

    fn rows(&mut self, column: &Vectors<u8>) -> Result<(), Broken> {
        let Shape { height, width, channels } = self.shape;
        if !column.is_empty() && column.width != self.shape.pixels() {
            let found = column.width;
            return Err((0, format!("{found} bytes are no {height} × {width} × {channels} image")));
        }
        if self.max_value == u8::MAX {
            return Ok(());
        }
        let most = self.max_value;
        let beyond = |value: &u8| *value > most;
        match column.values.iter().position(beyond) {
            None => Ok(()),
            Some(at) => {
                let message = format!("a pixel is {}, `max_value` {most}", column.values[at]);
                Err((at / column.width.max(1), message))
            }
        }
    }
}

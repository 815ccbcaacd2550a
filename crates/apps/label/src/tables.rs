//! The tables of a run as the page needs them: by the place of each picture.

use std::path::Path;

use scarce_artifact::{Clusters, Embeddings, Points, Predictions, Queries, Reader};

use crate::{Result, gallery::Gallery, journal::Guess};

/// What is believed of every picture.
#[derive(Debug, Clone, Default)]
pub(crate) struct Beliefs {
    /// Counted from 1.
    pub(crate) round: usize,
    /// Labels that it learnt from.
    pub(crate) labels: usize,
    /// How long it took, from the labels to this.
    pub(crate) seconds: f64,
    pub(crate) classes: Vec<String>,
    /// `[n]`; −1 for a picture of which nothing is known.
    pub(crate) label: Vec<i32>,
    /// `[n, classes]`.
    pub(crate) probabilities: Vec<f32>,
}

impl Beliefs {
    pub(crate) fn read(path: &Path, gallery: &Gallery) -> Result<Self> {
        let reader = Reader::<Predictions>::open(path)?;
        let classes = reader.meta().classes.clone();
        let mut label = vec![-1; gallery.len()];
        let mut probabilities = vec![0.0; gallery.len() * classes.len()];
        for batch in reader.batches(1 << 14) {
            let batch = batch?;
            for (row, id) in batch.id.iter().enumerate() {
                let Some(place) = gallery.by_id(*id) else { continue };
                let place = place as usize;
                label[place] = batch.label[row];
                probabilities[place * classes.len()..][..classes.len()]
                    .copy_from_slice(batch.probabilities.row(row));
            }
        }
        Ok(Self { classes, label, probabilities, ..Self::default() })
    }

    pub(crate) fn of(&self, place: u32) -> &[f32] {
        let k = self.classes.len();
        self.probabilities.get(place as usize * k..).and_then(|rest| rest.get(..k)).unwrap_or(&[])
    }

    /// The likeliest class.
    pub(crate) fn guess(&self, place: u32) -> Option<Guess> {
        let label = usize::try_from(*self.label.get(place as usize)?).ok()?;
        let class = self.classes.get(label)?.clone();
        Some(Guess { class, probability: *self.of(place).get(label)? })
    }

    /// Classes with their probabilities, the likeliest first.
    pub(crate) fn ranking(&self, place: u32, most: usize) -> Vec<Guess> {
        let guess = |(class, p): (&String, &f32)| Guess { class: class.clone(), probability: *p };
        let mut all: Vec<Guess> = self.classes.iter().zip(self.of(place)).map(guess).collect();
        all.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        all.truncate(most);
        all
    }

    /// The largest probability less the second largest; small where the model wavers.
    pub(crate) fn margin(&self, place: u32) -> f32 {
        let (mut first, mut second) = (0.0_f32, 0.0_f32);
        for &p in self.of(place) {
            if p > first {
                (first, second) = (p, first);
            } else if p > second {
                second = p;
            }
        }
        first - second
    }
}

/// The places that a stage asks for, the most wanted first.
pub(crate) fn queries(path: &Path, gallery: &Gallery) -> Result<Vec<u32>> {
    let table = Reader::<Queries>::open(path)?.read()?;
    let mut wanted: Vec<(u32, u32)> = table.rank.into_iter().zip(table.id).collect();
    wanted.sort_unstable();
    Ok(wanted.into_iter().filter_map(|(_, id)| gallery.by_id(id)).collect())
}

/// Vectors by which pictures are alike.
#[derive(Debug, Clone)]
pub(crate) struct Vectors {
    pub(crate) width: usize,
    /// `[n, width]`.
    values: Vec<f32>,
    /// Whether a picture has one.
    known: Vec<bool>,
}

impl Vectors {
    pub(crate) fn read(path: &Path, gallery: &Gallery) -> Result<Self> {
        let points = Points::read(&Reader::<Embeddings>::open(path)?, |_, _| true)?;
        let width = points.width;
        let mut values = vec![0.0; gallery.len() * width];
        let mut known = vec![false; gallery.len()];
        for (row, id) in points.id.iter().enumerate() {
            let Some(place) = gallery.by_id(*id) else { continue };
            let place = place as usize;
            known[place] = true;
            values[place * width..][..width]
                .copy_from_slice(&points.values[row * width..][..width]);
        }
        Ok(Self { width, values, known })
    }

    pub(crate) fn of(&self, place: u32) -> Option<&[f32]> {
        let known = *self.known.get(place as usize)?;
        known.then(|| &self.values[place as usize * self.width..][..self.width])
    }

    /// Squared Euclidean distance; infinite where one is not known.
    pub(crate) fn distance(&self, a: u32, b: u32) -> f32 {
        match (self.of(a), self.of(b)) {
            (Some(a), Some(b)) => squared(a, b),
            _ => f32::INFINITY,
        }
    }

    /// The mean of some pictures.
    pub(crate) fn mean(&self, places: &[u32]) -> Vec<f32> {
        let mut mean = vec![0.0; self.width];
        let mut count = 0.0_f32;
        for vector in places.iter().filter_map(|&place| self.of(place)) {
            mean.iter_mut().zip(vector).for_each(|(mean, value)| *mean += value);
            count += 1.0;
        }
        for mean in &mut mean {
            *mean /= count.max(1.0);
        }
        mean
    }
}

/// Squared Euclidean distance.
pub(crate) fn squared(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Groups of pictures, by place; −1 where a picture is in none.
pub(crate) fn groups(path: &Path, gallery: &Gallery) -> Result<Vec<i32>> {
    let table = Reader::<Clusters>::open(path)?.read()?;
    let mut groups = vec![-1; gallery.len()];
    for (id, cluster) in table.id.iter().zip(&table.cluster) {
        if let Some(place) = gallery.by_id(*id) {
            groups[place as usize] = *cluster;
        }
    }
    Ok(groups)
}

/// Where pictures lie on the map, each coordinate from 0 to 65,535.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub(crate) struct MapPoints {
    pub(crate) place: Vec<u32>,
    pub(crate) x: Vec<u16>,
    pub(crate) y: Vec<u16>,
}

impl MapPoints {
    pub(crate) fn read(path: &Path, gallery: &Gallery) -> Result<Self> {
        let points = Points::read(&Reader::<Embeddings>::open(path)?, |_, _| true)?;
        let column = |axis: usize| points.values.iter().copied().skip(axis).step_by(points.width);
        let bounds = |axis: usize| {
            column(axis).fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(v), high.max(v)))
        };
        let (x, y) = (bounds(0), bounds(1));
        // One scale for both, so that distances keep their proportions.
        let scale = (x.1 - x.0).max(y.1 - y.0).max(f32::MIN_POSITIVE);
        let whole = |value: f32, low: f32| ((value - low) / scale * 65_535.0).round() as u16;
        let mut map = Self::default();
        for (row, id) in points.id.iter().enumerate() {
            let Some(place) = gallery.by_id(*id) else { continue };
            map.place.push(place);
            map.x.push(whole(points.values[row * points.width], x.0));
            map.y.push(whole(points.values[row * points.width + 1], y.0));
        }
        Ok(map)
    }

    /// The pictures within a polygon, by the even-odd rule.
    pub(crate) fn within(&self, polygon: &[(f64, f64)]) -> Vec<u32> {
        let inside = |x: f64, y: f64| {
            let mut inside = false;
            let edges = polygon.iter().zip(polygon.iter().cycle().skip(1));
            for (&(x1, y1), &(x2, y2)) in edges {
                if (y1 > y) != (y2 > y) && x < (x2 - x1) * (y - y1) / (y2 - y1) + x1 {
                    inside = !inside;
                }
            }
            inside
        };
        let points = self.x.iter().zip(&self.y).zip(&self.place);
        let within = points.filter(|((x, y), _)| inside(f64::from(**x), f64::from(**y)));
        within.map(|(_, place)| *place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lasso_catches_what_is_inside_by_the_even_odd_rule() {
        let map = MapPoints { place: vec![7, 8, 9], x: vec![5, 15, 50], y: vec![5, 15, 50] };
        let square = [(0.0, 0.0), (20.0, 0.0), (20.0, 20.0), (0.0, 20.0)];
        assert_eq!(map.within(&square), [7, 8]);
        // A U around the second point leaves it out.
        let u = [(0.0, 0.0), (60.0, 0.0), (60.0, 60.0), (40.0, 60.0), (40.0, 10.0), (0.0, 10.0)];
        assert_eq!(map.within(&u), [7, 9]);
        assert!(map.within(&[]).is_empty());
    }

    #[test]
    fn guesses_are_ranked_and_a_margin_says_how_sure() {
        let beliefs = Beliefs {
            classes: vec!["a".into(), "b".into(), "c".into()],
            label: vec![1, -1],
            probabilities: vec![0.2, 0.7, 0.1, 0.0, 0.0, 0.0],
            ..Beliefs::default()
        };
        assert_eq!(beliefs.guess(0).unwrap().class, "b");
        assert_eq!(beliefs.guess(1), None);
        let ranked: Vec<String> = beliefs.ranking(0, 2).into_iter().map(|g| g.class).collect();
        assert_eq!(ranked, ["b", "a"]);
        assert!((beliefs.margin(0) - 0.5).abs() < 1e-6);
    }
}

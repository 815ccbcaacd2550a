//! t-SNE: a map in two dimensions on which neighbours stay neighbours.
//!
//! L. van der Maaten and G. Hinton, "Visualizing data using t-SNE", JMLR 9 (2008), with the
//! approximations of L. van der Maaten, "Accelerating t-SNE using tree-based algorithms", JMLR 15
//! (2014): attraction between nearest neighbours only, repulsion by a quadtree (Barnes and Hut,
//! Nature 324, 1986). Schedule, start and defaults are those of scikit-learn's `TSNE`.

mod affinities;
mod tree;

use affinities::Affinities;
use rand::RngExt;
use rayon::prelude::*;
use scarce_linear::Pca;
use scarce_numeric::{Error, Matrix, random};
use tree::{Repulsion, Tree};

/// Iterations with exaggerated attraction, at most.
const EXAGGERATED: usize = 250;

/// Standard deviation of the start along its first axis: almost a point, so that the map unfolds.
const START_SPREAD: f64 = 1e-4;

/// The least gain that a coordinate's step can shrink to.
const LEAST_GAIN: f32 = 0.01;

/// Points whose attraction is computed by one task.
const BLOCK: usize = 128;

/// What t-SNE shall do.
///
/// ```
/// use scarce_manifold::Tsne;
/// use scarce_numeric::Matrix;
/// let x: Vec<f32> = (0..120).map(|i| (i / 60 * 50 + i % 60 % 7) as f32).collect();
/// let map = Tsne { perplexity: 5.0, ..Tsne::default() }.fit(Matrix::new(&x, 60, 2)?)?;
/// assert_eq!(map.map.len(), 60 * 2);
/// # Ok::<(), scarce_numeric::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Tsne {
    /// How many neighbours a row has, smoothly counted: 2 to the power of the entropy, in bits, of
    /// its distribution over others. At least 1 and below the number of rows.
    pub perplexity: f64,
    /// Steps of gradient descent; the first 250 with exaggerated attraction.
    pub iterations: usize,
    /// A cell of the tree stands for its points where its side is at most this times its distance:
    /// 0 is exact and slow, 1 coarse.
    pub theta: f64,
    /// Length of the steps; max(n / exaggeration / 4, 50) if none is given (Belkina et al., Nature
    /// Communications 10, 2019).
    pub learning_rate: Option<f64>,
    /// What attraction is multiplied by at first; at least 1.
    pub exaggeration: f64,
    /// Seed of the start, which draws only where there are no two principal components.
    pub seed: u64,
}

impl Default for Tsne {
    /// Perplexity 30, 1,000 iterations, theta 0.5, exaggeration 12, seed 0.
    fn default() -> Self {
        Self {
            perplexity: 30.0,
            iterations: 1000,
            theta: 0.5,
            learning_rate: None,
            exaggeration: 12.0,
            seed: 0,
        }
    }
}

/// A map found by [`Tsne::fit`].
#[derive(Debug, Clone, PartialEq)]
pub struct FittedTsne {
    /// The place of every row, `[n, 2]`.
    pub map: Vec<f32>,
    /// Kullback–Leibler divergence of the map from the rows, in nats: Σ p ln(p / q) over nearest
    /// neighbours, as scikit-learn's `kl_divergence_`.
    pub kl_divergence: f64,
}

type Point = [f32; 2];

impl Tsne {
    /// Maps the rows of `x: [n, d]` by their Euclidean distances.
    ///
    /// # Errors
    /// [`Error::TooFew`] for fewer than three rows; [`Error::Parameter`], [`Error::TooWide`],
    /// [`Error::NotFinite`], [`Error::Overflow`]; [`Error::Diverged`] if the steps were so
    /// long that the map flew apart.
    pub fn fit(&self, x: Matrix<'_>) -> Result<FittedTsne, Error> {
        self.fit_observed(x, &mut |_| {})
    }

    /// As [`Tsne::fit`]; calls `observe` with the number of iterations done after each.
    ///
    /// # Errors
    /// As [`Tsne::fit`].
    pub fn fit_observed(
        &self,
        x: Matrix<'_>,
        observe: &mut dyn FnMut(usize),
    ) -> Result<FittedTsne, Error> {
        self.check(x)?;
        let affinities = Affinities::new(x, self.perplexity)?;
        let mut descent = Descent::new(self.start(x)?, affinities, self.theta);
        let auto = (x.rows() as f64 / self.exaggeration / 4.0).max(50.0);
        let rate = self.learning_rate.unwrap_or(auto) as f32;
        for iteration in 1..=self.iterations {
            if iteration == EXAGGERATED + 1 {
                descent.rest();
            }
            if iteration <= EXAGGERATED {
                descent.step(self.exaggeration as f32, 0.5, rate);
            } else {
                descent.step(1.0, 0.8, rate);
            }
            observe(iteration);
        }
        descent.finish()
    }

    fn check(&self, x: Matrix<'_>) -> Result<(), Error> {
        let wrong =
            |name, must, value: f64| Err(Error::Parameter { name, must, value: value.to_string() });
        if x.rows() < 3 {
            return Err(Error::TooFew { what: "rows", wanted: 3, available: x.rows() });
        }
        if !(self.perplexity >= 1.0 && self.perplexity < x.rows() as f64) {
            let must = "at least 1 and below the number of rows";
            return wrong("perplexity", must, self.perplexity);
        }
        if self.iterations == 0 {
            return wrong("iterations", "at least 1", 0.0);
        }
        if !(0.0..=1.0).contains(&self.theta) {
            return wrong("theta", "from 0 to 1", self.theta);
        }
        if !(self.exaggeration >= 1.0 && self.exaggeration.is_finite()) {
            return wrong("exaggeration", "at least 1", self.exaggeration);
        }
        if let Some(rate) = self.learning_rate
            && !(rate > 0.0 && rate.is_finite())
        {
            return wrong("learning_rate", "above 0", rate);
        }
        x.check_finite()
    }

    /// The first two principal components, so small that the points almost coincide; chance where
    /// the rows do not vary along two directions.
    fn start(&self, x: Matrix<'_>) -> Result<Vec<Point>, Error> {
        let fitted = Pca { components: x.cols().min(2), whiten: 0.0 }.fit(x)?;
        let plane = fitted.transform(x)?;
        let widest = fitted.explained_variance[0];
        let mut rng = random::stream(self.seed, "t-SNE start", 0);
        // The divisor of the variance is n − 1, that of the spread n.
        let spread = (widest * (1.0 - 1.0 / x.rows() as f64)).sqrt();
        let varies = |axis: usize| {
            fitted.explained_variance.get(axis).is_some_and(|v| *v > 0.0 && *v > 1e-12 * widest)
        };
        let place = |row: &[f32]| {
            [0, 1].map(|axis| {
                // Drawn whether or not it is needed, so that a place depends on its row alone.
                let chance = rng.random_range(-1.0..1.0);
                let unit = if varies(axis) { f64::from(row[axis]) / spread } else { chance };
                (START_SPREAD * unit) as f32
            })
        };
        Ok(plane.chunks_exact(fitted.len()).map(place).collect())
    }
}

/// Gradient descent with momentum and a gain for each coordinate (R. Jacobs, "Increased rates of
/// convergence through learning rate adaptation", Neural Networks 1, 1988).
struct Descent {
    places: Vec<Point>,
    velocity: Vec<Point>,
    gains: Vec<Point>,
    affinities: Affinities,
    theta: f32,
}

impl Descent {
    fn new(places: Vec<Point>, affinities: Affinities, theta: f64) -> Self {
        let n = places.len();
        Self {
            places,
            velocity: vec![[0.0; 2]; n],
            gains: vec![[1.0; 2]; n],
            affinities,
            theta: theta as f32,
        }
    }

    /// Forgets momentum and gains.
    fn rest(&mut self) {
        self.velocity.fill([0.0; 2]);
        self.gains.fill([1.0; 2]);
    }

    fn step(&mut self, exaggeration: f32, momentum: f32, rate: f32) {
        let repulsion = Tree::new(&self.places).repulsion(&self.places, self.theta);
        let gradient = self.gradient(&repulsion, exaggeration);
        let state = self.places.iter_mut().zip(&mut self.velocity).zip(&mut self.gains);
        for (((place, velocity), gains), gradient) in state.zip(gradient) {
            for axis in [0, 1] {
                let gain = if velocity[axis] * gradient[axis] < 0.0 {
                    gains[axis] + 0.2
                } else {
                    (gains[axis] * 0.8).max(LEAST_GAIN)
                };
                gains[axis] = gain;
                velocity[axis] = momentum * velocity[axis] - rate * gain * gradient[axis];
                place[axis] += velocity[axis];
            }
        }
    }

    /// `4 Σ (exaggeration · p − q) (y_i − y_j) / (1 + ‖y_i − y_j‖²)` for every point i.
    fn gradient(&self, repulsion: &Repulsion, exaggeration: f32) -> Vec<Point> {
        let share = (1.0 / repulsion.total) as f32;
        let mut gradient = vec![[0.0; 2]; self.places.len()];
        gradient.par_chunks_mut(BLOCK).enumerate().for_each(|(block, gradient)| {
            for (within, gradient) in gradient.iter_mut().enumerate() {
                let i = block * BLOCK + within;
                let (pull, push) = (self.attraction(i), repulsion.forces[i]);
                *gradient =
                    [0, 1].map(|axis| 4.0 * (exaggeration * pull[axis] - share * push[axis]));
            }
        });
        gradient
    }

    /// `Σ p (y_i − y_j) / (1 + ‖y_i − y_j‖²)` over the neighbours j of the point i.
    fn attraction(&self, i: usize) -> Point {
        let [x, y] = self.places[i];
        let mut sum = [0.0; 2];
        for (j, p) in self.affinities.of(i) {
            let [other_x, other_y] = self.places[j];
            let (dx, dy) = (x - other_x, y - other_y);
            let weight = p / (1.0 + dx * dx + dy * dy);
            sum[0] += weight * dx;
            sum[1] += weight * dy;
        }
        sum
    }

    fn finish(self) -> Result<FittedTsne, Error> {
        if self.places.iter().flatten().any(|value| !value.is_finite()) {
            return Err(Error::Diverged { what: "map" });
        }
        let kl_divergence = self.affinities.kl_divergence(&self.places, self.theta);
        Ok(FittedTsne { map: self.places.into_iter().flatten().collect(), kl_divergence })
    }
}

#[cfg(test)]
mod tests;

//! Minimising a smooth function by L-BFGS.
//!
//! D. Liu and J. Nocedal, "On the limited memory BFGS method for large scale optimization", Math.
//! Programming 45 (1989); the line search is Algorithms 3.5 and 3.6 of Nocedal and Wright,
//! *Numerical Optimization* (2006), which ends in a step that meets the strong Wolfe conditions.

use std::collections::VecDeque;

/// Corrections remembered.
const MEMORY: usize = 10;
/// Sufficient decrease, c₁ of the Wolfe conditions.
const DECREASE: f64 = 1e-4;
/// Curvature, c₂ of the Wolfe conditions, as usual for quasi-Newton directions.
const CURVATURE: f64 = 0.9;
/// Changes below this share of the value are taken for rounding: near the minimum the gradient
/// still points the way where the value no longer does (the approximate Wolfe conditions of W.
/// Hager and H. Zhang, SIAM J. Optimization 16, 2005, with their ε). Losses are sums of logarithms of
/// 32-bit numbers, of which logits of 100 leave no more than this.
const ROUNDING: f64 = 1e-6;
/// After this many iterations without a better value or a smaller gradient it is time to stop.
const PATIENCE: usize = 50;
/// Most evaluations in one line search.
const LINE_EVALUATIONS: usize = 30;

/// Why the search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// No entry of the gradient is above the tolerance.
    Converged,
    /// No step makes the loss smaller any more: the precision of the numbers is used up.
    Stalled,
    /// The limit of iterations was reached.
    IterationLimit,
}

/// What a function says of a point, beside the gradient.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) value: f64,
    /// How far the point is from a minimum, to be compared with the tolerance. The function says
    /// so itself, since it may see its parameters in other coordinates than the search does.
    pub(crate) steepness: f64,
}

/// Largest entry of a gradient by size.
pub(crate) fn largest(gradient: &[f64]) -> f64 {
    gradient.iter().fold(0.0, |m, g| m.max(g.abs()))
}

/// A point with the function's value and gradient there.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) at: Vec<f64>,
    pub(crate) value: f64,
    pub(crate) steepness: f64,
    pub(crate) gradient: Vec<f64>,
}

/// Where the search ended.
pub(crate) struct Minimum {
    pub(crate) point: Point,
    pub(crate) ending: Ending,
    pub(crate) iterations: usize,
    pub(crate) evaluations: usize,
}

/// A function that fills in its gradient and returns its value and steepness.
pub(crate) type Function<'a> = dyn FnMut(&[f64], &mut [f64]) -> Reading + 'a;

/// Minimises `function` from `start` until its steepness is not above `tolerance`.
/// `observe` is told the number of the iteration and the point after each.
pub(crate) fn minimise(
    function: &mut Function<'_>,
    start: Vec<f64>,
    tolerance: f64,
    max_iterations: usize,
    observe: &mut dyn FnMut(usize, &Point),
) -> Minimum {
    let mut line = Line { function, evaluations: 0 };
    let mut point = line.evaluate(start);
    let mut memory = Memory::default();
    let mut iterations = 0;
    let mut progress = Progress::new(&point);
    let ending = loop {
        if point.steepness <= tolerance {
            break Ending::Converged;
        }
        if iterations == max_iterations {
            break Ending::IterationLimit;
        }
        let direction = memory.direction(&point.gradient);
        let first = if memory.is_empty() { (1.0 / norm(&point.gradient)).min(1.0) } else { 1.0 };
        match line.search(&point, &direction, first) {
            Some(next) => {
                memory.learn(&point, &next);
                point = next;
                iterations += 1;
                observe(iterations, &point);
                if progress.is_over(&point) {
                    break Ending::Stalled;
                }
            }
            None if memory.is_empty() => break Ending::Stalled,
            // The model of the curvature may be at fault: try the gradient itself.
            None => memory = Memory::default(),
        }
    };
    Minimum { point, ending, iterations, evaluations: line.evaluations }
}

/// The best seen so far.
struct Progress {
    value: f64,
    steepness: f64,
    iterations_since: usize,
}

impl Progress {
    fn new(point: &Point) -> Self {
        Self { value: point.value, steepness: point.steepness, iterations_since: 0 }
    }

    /// Whether nothing got better for too long.
    fn is_over(&mut self, point: &Point) -> bool {
        self.iterations_since += 1;
        if point.value < self.value - ROUNDING * self.value.abs() {
            self.value = point.value;
            self.iterations_since = 0;
        }
        if point.steepness < self.steepness {
            self.steepness = point.steepness;
            self.iterations_since = 0;
        }
        self.iterations_since >= PATIENCE
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(p, q)| p * q).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// One step taken and the change of the gradient over it.
struct Correction {
    step: Vec<f64>,
    change: Vec<f64>,
    /// 1 / step·change
    weight: f64,
}

#[derive(Default)]
struct Memory {
    corrections: VecDeque<Correction>,
}

impl Memory {
    fn is_empty(&self) -> bool {
        self.corrections.is_empty()
    }

    fn learn(&mut self, from: &Point, to: &Point) {
        let minus = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(p, q)| p - q).collect();
        let step: Vec<f64> = minus(&to.at, &from.at);
        let change: Vec<f64> = minus(&to.gradient, &from.gradient);
        let curvature = dot(&step, &change);
        // Without positive curvature the inverse Hessian would stop being positive definite.
        if curvature <= f64::EPSILON * norm(&step) * norm(&change) {
            return;
        }
        if self.corrections.len() == MEMORY {
            self.corrections.pop_front();
        }
        self.corrections.push_back(Correction { step, change, weight: 1.0 / curvature });
    }

    /// Minus the inverse Hessian times the gradient: Nocedal and Wright, Algorithm 7.4.
    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut alphas = Vec::with_capacity(MEMORY);
        for c in self.corrections.iter().rev() {
            let alpha = c.weight * dot(&c.step, &q);
            add(&mut q, -alpha, &c.change);
            alphas.push(alpha);
        }
        if let Some(last) = self.corrections.back() {
            let scale = 1.0 / (last.weight * dot(&last.change, &last.change));
            for v in &mut q {
                *v *= scale;
            }
        }
        for (c, alpha) in self.corrections.iter().zip(alphas.into_iter().rev()) {
            let beta = c.weight * dot(&c.change, &q);
            add(&mut q, alpha - beta, &c.step);
        }
        q
    }
}

fn add(to: &mut [f64], factor: f64, what: &[f64]) {
    for (t, w) in to.iter_mut().zip(what) {
        *t += factor * w;
    }
}

/// A point on the line with its step length and the slope along the line.
struct Trial {
    step: f64,
    slope: f64,
    point: Point,
}

struct Line<'f, 'a> {
    function: &'f mut Function<'a>,
    evaluations: usize,
}

impl Line<'_, '_> {
    fn evaluate(&mut self, at: Vec<f64>) -> Point {
        let mut gradient = vec![0.0; at.len()];
        let Reading { value, steepness } = (self.function)(&at, &mut gradient);
        self.evaluations += 1;
        Point { at, value, steepness, gradient }
    }

    fn try_step(&mut self, from: &Point, direction: &[f64], step: f64) -> Trial {
        let mut at = from.at.clone();
        add(&mut at, step, direction);
        let point = self.evaluate(at);
        let slope = dot(&point.gradient, direction);
        Trial { step, slope, point }
    }

    /// A point along `direction` that meets the strong Wolfe conditions, or the best decrease
    /// found; `None` if there is none.
    fn search(&mut self, from: &Point, direction: &[f64], first: f64) -> Option<Point> {
        let slope = dot(&from.gradient, direction);
        if slope >= 0.0 || !slope.is_finite() {
            return None;
        }
        let mut low = Trial { step: 0.0, slope, point: from.clone() };
        let mut high: Option<Trial> = None;
        let mut step = first;
        for _ in 0..LINE_EVALUATIONS {
            let trial = self.try_step(from, direction, step);
            let enough = from.value + DECREASE * step * slope;
            // Written so that NaN counts as too high.
            let good = trial.point.value <= enough && trial.point.value <= low.point.value;
            let level = trial.point.value <= from.value + ROUNDING * from.value.abs();
            if (good || level) && trial.slope.abs() <= -CURVATURE * slope {
                return Some(trial.point);
            }
            if !good {
                high = Some(trial);
            } else if high.is_none() && trial.slope < 0.0 {
                // Still going down and no bracket yet: go farther.
                low = trial;
                step *= 2.0;
                continue;
            } else {
                let ahead = high.as_ref().map_or(1.0, |h| h.step - low.step);
                if trial.slope * ahead >= 0.0 {
                    high = Some(std::mem::replace(&mut low, trial));
                } else {
                    low = trial;
                }
            }
            let Some(bound) = &high else { break };
            if (bound.step - low.step).abs() <= 1e-12 * bound.step.abs().max(low.step) {
                break;
            }
            step = between(&low, bound);
        }
        (low.step > 0.0 && low.point.value < from.value).then_some(low.point)
    }
}

/// The minimum of the cubic through both ends (Nocedal and Wright, eq. 3.59), kept off the ends.
fn between(low: &Trial, high: &Trial) -> f64 {
    let width = high.step - low.step;
    let d1 = low.slope + high.slope - 3.0 * (low.point.value - high.point.value) / -width;
    let d2 = (d1 * d1 - low.slope * high.slope).sqrt() * width.signum();
    let cubic = high.step - width * (high.slope + d2 - d1) / (high.slope - low.slope + 2.0 * d2);
    let (near, far) = (low.step + 0.1 * width, high.step - 0.1 * width);
    if cubic.is_finite() {
        cubic.clamp(near.min(far), near.max(far))
    } else {
        low.step + 0.5 * width
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_minimum_of_rosenbrocks_valley() {
        let mut valley = |x: &[f64], g: &mut [f64]| {
            let mut value = 0.0;
            g.fill(0.0);
            for i in 0..x.len() - 1 {
                let (a, b) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
                value += 100.0 * a * a + b * b;
                g[i] += -400.0 * x[i] * a - 2.0 * b;
                g[i + 1] += 200.0 * a;
            }
            Reading { value, steepness: largest(g) }
        };
        let start = vec![-1.2, 1.0, -1.2, 1.0, -1.2, 1.0];
        let end = minimise(&mut valley, start, 1e-8, 500, &mut |_, _| {});
        assert_eq!(end.ending, Ending::Converged);
        assert!(end.point.at.iter().all(|v| (v - 1.0).abs() < 1e-6));
        assert!(end.iterations < 120, "{} iterations", end.iterations);
    }

    #[test]
    fn ends_on_functions_that_break_the_rules() {
        let mut not_a_number = |_: &[f64], g: &mut [f64]| {
            g.fill(1.0);
            Reading { value: f64::NAN, steepness: 1.0 }
        };
        let end = minimise(&mut not_a_number, vec![0.0; 2], 1e-8, 50, &mut |_, _| {});
        assert_eq!(end.ending, Ending::Stalled);
        let mut bottomless = |x: &[f64], g: &mut [f64]| {
            g[0] = -1.0;
            Reading { value: -x[0], steepness: 1.0 }
        };
        let end = minimise(&mut bottomless, vec![0.0], 1e-8, 50, &mut |_, _| {});
        assert_eq!(end.ending, Ending::IterationLimit);
    }
}

//! Poisson learning sharpened by diffusion and thresholding.

use rayon::prelude::*;

use super::{
    Convergence, Graph, Precision, Reach, Scores, Seeds, Volumes,
    block::{PLACES, WIDEST, gather, with_width},
    poisson::{check_priors, potential, sources},
    volume::Share,
};
use scarce_numeric::Error;

/// How long to diffuse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mbo {
    /// Rounds of diffusing and thresholding.
    pub rounds: usize,
    /// Steps of diffusion in each round.
    pub steps: usize,
    /// μ: how strongly the labels go on pouring in.
    pub fidelity: f64,
    /// By what share of its prior a class may come out larger or smaller, 0 to 1. Sizes are then what
    /// the diffusion makes them, as far as that allows (M. Jacobs, E. Merkurjev and S. Esedoḡlu,
    /// *Auction dynamics*, J. Computational Physics 354, 2018, bound them so too).
    pub slack: f64,
}

impl Default for Mbo {
    fn default() -> Self {
        Self { rounds: 20, steps: 40, fidelity: 1.0, slack: 0.0 }
    }
}

/// `PoissonMBO` (Calder, Cook, Thorpe and Slepčev, *Poisson learning*, ICML 2020, algorithm 2).
///
/// The classes that Poisson learning finds, as an indicator u, are diffused by steps
/// u ← u − dt((D − W)u − μ Σⱼ (yⱼ − ȳ) δⱼ) with dt one over the largest degree, then thresholded so
/// that class k gets the share `priors[k]` of the nodes ([`super::assign_volumes`]), again and again.
/// The scores are those of the last thresholding, weights included. `priors: [classes]` are positive
/// and sum to 1.
///
/// # Errors
/// As [`super::poisson`]; [`Error::Parameter`] for rounds or steps that are 0, or a μ that is
/// negative.
pub fn poisson_mbo(
    graph: &Graph,
    seeds: &Seeds,
    priors: &[f64],
    mbo: Mbo,
    precision: Precision,
) -> Result<(Scores, Volumes), Error> {
    precision.check()?;
    mbo.check()?;
    check_priors(priors, seeds.classes())?;
    let reach = Reach::new(graph, seeds)?;
    let (values, convergence) = potential(graph, seeds, &reach, precision)?;
    let start = Scores::new(graph, seeds, &values, Vec::new())?.winners();
    let mut flow = Flow::new(graph, seeds, &reach, mbo)?;
    flow.labels = graph.order().iter().map(|&node| start[node as usize]).collect();
    flow.run(priors, mbo, &reach);
    flow.finish(seeds, convergence)
}

impl Mbo {
    fn check(self) -> Result<(), Error> {
        let wrong = |name, must, value| Err(Error::Parameter { name, must, value });
        if self.rounds == 0 || self.steps == 0 {
            let name = if self.rounds == 0 { "rounds" } else { "steps" };
            return wrong(name, "at least 1", "0".to_owned());
        }
        if !(self.fidelity >= 0.0 && self.fidelity.is_finite()) {
            return wrong("fidelity", "at least 0", self.fidelity.to_string());
        }
        if !(0.0..=1.0).contains(&self.slack) {
            return wrong("slack", "between 0 and 1", self.slack.to_string());
        }
        Ok(())
    }
}

/// The state between rounds, all by place.
struct Flow<'a> {
    graph: &'a Graph,
    classes: usize,
    /// dt.
    step: f64,
    /// μ dt (yⱼ − ȳ) at labelled places.
    sources: Vec<(usize, Vec<f64>)>,
    labels: Vec<Option<u32>>,
    /// What the last diffusion left, `[places, classes]`.
    heat: Vec<f32>,
    /// Weighted scores after the last thresholding, `[places, classes]`.
    values: Vec<f64>,
    /// Logarithms of the weights, from which the next thresholding starts.
    prices: Vec<f64>,
    weights: Vec<f64>,
    error: f64,
}

impl<'a> Flow<'a> {
    fn new(graph: &'a Graph, seeds: &Seeds, reach: &Reach, mbo: Mbo) -> Result<Self, Error> {
        let largest = graph.degrees().iter().copied().fold(0.0, f64::max);
        let step = if largest > 0.0 { 1.0 / largest } else { 0.0 };
        let mut sources = sources(graph, seeds, reach)?;
        for (_, source) in &mut sources {
            for value in source {
                *value *= mbo.fidelity * step;
            }
        }
        let classes = seeds.classes();
        Ok(Self {
            graph,
            classes,
            step,
            sources,
            labels: Vec::new(),
            heat: vec![0.0; graph.nodes() * classes],
            values: Vec::new(),
            prices: vec![0.0; classes],
            weights: Vec::new(),
            error: 0.0,
        })
    }

    fn run(&mut self, priors: &[f64], mbo: Mbo, reach: &Reach) {
        let classes = self.classes;
        let component = component_of_places(self.graph);
        let open = |place: usize, class: usize| reach.of(component[place] as usize)[class] > 0;
        for round in 0..mbo.rounds {
            for first in (0..classes).step_by(WIDEST) {
                let width = (classes - first).min(WIDEST);
                with_width!(width, diffuse::<_>(self, first, mbo.steps));
            }
            let score = |place: usize, class: usize| self.heat[place * classes + class];
            let share = Share::of(self.graph.nodes(), classes, score, open);
            let settled = share.settle(priors, mbo.slack, &mut self.prices);
            if round + 1 == mbo.rounds {
                self.values = settled.products();
            }
            let volumes = settled.volumes;
            self.labels = volumes.labels;
            (self.weights, self.error) = (volumes.weights, volumes.error);
        }
    }

    fn finish(self, seeds: &Seeds, convergence: Convergence) -> Result<(Scores, Volumes), Error> {
        let solved = vec![("the start", convergence)];
        let scores = Scores::new(self.graph, seeds, &self.values, solved)?;
        let mut labels = vec![None; self.graph.nodes()];
        for (label, &node) in self.labels.iter().zip(self.graph.order()) {
            labels[node as usize] = *label;
        }
        Ok((scores, Volumes { labels, weights: self.weights, error: self.error }))
    }
}

fn component_of_places(graph: &Graph) -> Vec<u32> {
    let mut component = vec![0; graph.nodes()];
    for (number, places) in graph.component_places().enumerate() {
        component[places].fill(number as u32);
    }
    component
}

/// Diffuses the indicator of the labels for the classes `first..` and leaves it in `flow.heat`.
fn diffuse<const P: usize>(flow: &mut Flow<'_>, first: usize, steps: usize) {
    let width = P.min(flow.classes - first);
    let indicator = |label: &Option<u32>| {
        let mut row = [0f32; P];
        if let Some(lane) = label.and_then(|label| (label as usize).checked_sub(first))
            && lane < width
        {
            row[lane] = 1.0;
        }
        row
    };
    let mut heat: Vec<[f32; P]> = flow.labels.iter().map(indicator).collect();
    let mut next = heat.clone();
    let (graph, step) = (flow.graph, flow.step as f32);
    let kept: Vec<f32> =
        graph.degrees().iter().map(|degree| (1.0 - flow.step * degree) as f32).collect();
    for _ in 0..steps {
        next.par_chunks_mut(PLACES).enumerate().for_each(|(chunk, next)| {
            for (offset, next) in next.iter_mut().enumerate() {
                let place = chunk * PLACES + offset;
                let pulled = gather(graph, &heat, place);
                for ((next, own), pulled) in next.iter_mut().zip(&heat[place]).zip(&pulled) {
                    *next = kept[place] * own + step * pulled;
                }
            }
        });
        for (place, source) in &flow.sources {
            for (value, source) in next[*place].iter_mut().zip(&source[first..first + width]) {
                *value += *source as f32;
            }
        }
        std::mem::swap(&mut heat, &mut next);
    }
    for (row, lanes) in flow.heat.chunks_exact_mut(flow.classes).zip(&heat) {
        row[first..first + width].copy_from_slice(&lanes[..width]);
    }
}

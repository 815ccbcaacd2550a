//! The images by which a method is shown: errors, doubts, certainties, and some of every class.

use std::rc::Rc;

use crate::origin::Origin;

/// One image of a example.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub id: u32,
    pub predicted: u32,
    pub truth: Option<u32>,
    pub confidence: f32,
    /// In nats; of distributions only.
    pub entropy: Option<f32>,
}

impl Seen {
    /// Higher is less certain.
    fn doubt(&self) -> f32 {
        self.entropy.unwrap_or(-self.confidence)
    }
}

/// What the first run of a method looks like.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    pub method: usize,
    pub origin: Rc<Origin>,
    /// Wrong, the most certain first; empty without truth.
    pub errors: Vec<Seen>,
    /// How many are wrong in all.
    pub wrong: usize,
    /// The least certain first; empty where all are equally certain.
    pub unsure: Vec<Seen>,
    /// The most certain first; of distributions only.
    pub sure: Vec<Seen>,
    /// Some images of each predicted class.
    pub by_class: Vec<(usize, Vec<Seen>)>,
}

impl Example {
    /// Picks `pictures` images of each sort.
    pub(crate) fn new(
        method: usize,
        origin: &Rc<Origin>,
        mut seen: Vec<Seen>,
        classes: usize,
        pictures: usize,
    ) -> Self {
        let certain = |a: &Seen, b: &Seen| a.doubt().total_cmp(&b.doubt()).then(a.id.cmp(&b.id));
        let mut errors: Vec<Seen> =
            seen.iter().filter(|s| s.truth.is_some_and(|t| t != s.predicted)).copied().collect();
        errors.sort_by(certain);
        let wrong = errors.len();
        errors.truncate(pictures);

        let mut by_class: Vec<(usize, Vec<Seen>)> = Vec::new();
        seen.sort_by_key(|seen| (shuffled(seen.id), seen.id));
        for class in 0..classes {
            let of_class = seen.iter().filter(|seen| seen.predicted as usize == class);
            let some: Vec<Seen> = of_class.take(pictures).copied().collect();
            if !some.is_empty() {
                by_class.push((class, some));
            }
        }

        seen.sort_by(certain);
        let spread = match (seen.first(), seen.last()) {
            (Some(most), Some(least)) => least.doubt() - most.doubt(),
            _ => 0.0,
        };
        // One nearest neighbour, say, is always sure: there is no least confident image.
        let few = if spread > 1e-6 { pictures } else { 0 };
        let sure = seen.iter().filter(|seen| seen.entropy.is_some()).take(few).copied().collect();
        seen.sort_by(|a, b| b.doubt().total_cmp(&a.doubt()).then(a.id.cmp(&b.id)));
        seen.truncate(few);
        Self { method, origin: Rc::clone(origin), errors, wrong, unsure: seen, sure, by_class }
    }

    /// All images that it shows.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u32> {
        let classes = self.by_class.iter().flat_map(|(_, seen)| seen);
        let all = self.errors.iter().chain(&self.unsure).chain(&self.sure).chain(classes);
        all.map(|seen| seen.id)
    }
}

/// A number that looks random and depends on the image alone: the same images are shown whatever
/// the method, and every time.
pub(crate) fn shuffled(id: u32) -> u64 {
    // The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
    let mut z = u64::from(id).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

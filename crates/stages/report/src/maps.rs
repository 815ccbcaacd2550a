//! Maps: embeddings of two numbers, coloured by what is known of the images.

use std::collections::{BTreeSet, HashMap};

use scarce_artifact::{Clusters, Embeddings, Predictions};
use scarce_stage::{Context, Failure};

use crate::{
    Error, Result,
    examples::shuffled,
    origin::{Axes, Methods, Origin, agree},
    reference::Reference,
    score::majority,
};

/// More points than this hide each other, and their pictures weigh more than the rest of the page.
const MOST_POINTS: usize = 1000;
/// More ways of colouring the same points are not looked at.
const MOST_COLOURINGS: usize = 3;
/// More maps than this are not looked at.
const MOST_MAPS: usize = 6;

/// The first run of an embedding.
#[derive(Debug, Clone)]
pub(crate) struct Map {
    pub method: usize,
    pub origin: Origin,
    /// Images in the table.
    pub total: usize,
    /// Some of them, by id.
    pub points: Vec<Point>,
    pub colourings: Vec<Colouring>,
}

/// An image on a map: from the left and from the top, 0 to 1, in the same unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub id: u32,
    pub x: f32,
    pub y: f32,
}

/// A name for every point.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Colouring {
    /// `true class`, `cluster (kmeans)`.
    pub by: String,
    pub names: Vec<String>,
    /// Index into the names by point.
    pub of: Vec<Option<usize>>,
}

/// Reads the first run of every embedding behind the port `map`.
pub(crate) fn read(
    context: &Context,
    known: &Reference,
    methods: &mut Methods,
) -> Result<Vec<Map>, Failure> {
    let mut maps: Vec<Map> = Vec::new();
    for input in context.inputs::<Embeddings>("map")? {
        let name = format!("{}.{}", input.stage, input.port);
        let origin = Origin { stage: input.stage, axes: input.axes };
        let method = methods.of(&origin);
        if maps.len() >= MOST_MAPS || maps.iter().any(|map| map.method == method) {
            continue;
        }
        let mut all = Vec::with_capacity(input.table.rows().min(1 << 20));
        for batch in input.table.batches(4 * scarce_artifact::BATCH_ROWS) {
            let batch = batch?;
            if batch.embedding.width != 2 {
                return Err(Error::Map { table: name, found: batch.embedding.width }.into());
            }
            let places = batch.id.iter().zip(batch.embedding.iter_rows());
            all.extend(places.map(|(&id, at)| Point { id, x: at[0], y: at[1] }));
        }
        let total = all.len();
        let points = framed(sample(all));
        let colourings = colourings(context, known, &origin.axes, &points)?;
        maps.push(Map { method, origin, total, points, colourings });
    }
    Ok(maps)
}

/// Some of the points, the same images on every map.
fn sample(mut all: Vec<Point>) -> Vec<Point> {
    all.retain(|point| point.x.is_finite() && point.y.is_finite());
    if all.len() > MOST_POINTS {
        all.sort_unstable_by_key(|point| (shuffled(point.id), point.id));
        all.truncate(MOST_POINTS);
    }
    all.sort_unstable_by_key(|point| point.id);
    all
}

/// The points in a square, with the same unit in both directions; up is up.
fn framed(mut points: Vec<Point>) -> Vec<Point> {
    let range = |of: fn(&Point) -> f32| {
        let values = points.iter().map(of);
        values.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)))
    };
    let (x, y) = (range(|point| point.x), range(|point| point.y));
    let span = (x.1 - x.0).max(y.1 - y.0);
    let span = if span > 0.0 { span } else { 1.0 };
    let centre = (x.0.midpoint(x.1), y.0.midpoint(y.1));
    for point in &mut points {
        point.x = 0.5 + (point.x - centre.0) / span;
        point.y = 0.5 - (point.y - centre.1) / span;
    }
    points
}

/// By true class, or by what a classifier says where there is no truth; and by cluster.
fn colourings(
    context: &Context,
    known: &Reference,
    axes: &Axes,
    points: &[Point],
) -> Result<Vec<Colouring>, Failure> {
    let mut colourings = Vec::new();
    let ids: BTreeSet<u32> = points.iter().map(|point| point.id).collect();
    if let Some(truth) = &known.truth {
        colourings.push(of_classes("true class".to_owned(), known, points, truth));
    } else if let Some(said) = predicted(context, known, axes, &ids)? {
        colourings.push(of_classes(said.0, known, points, &said.1));
    }
    let mut stages: Vec<String> = Vec::new();
    for input in context.inputs::<Clusters>("clusters")? {
        let seen = stages.contains(&input.stage) || !agree(&input.axes, axes);
        if seen || colourings.len() >= MOST_COLOURINGS {
            continue;
        }
        let table = input.table.read()?;
        let of = table.id.iter().copied().zip(table.cluster.iter().copied());
        let clusters: HashMap<u32, i32> = of.filter(|(id, _)| ids.contains(id)).collect();
        if clusters.is_empty() {
            continue;
        }
        colourings.push(of_clusters(&input.stage, known, points, &clusters, &table));
        stages.push(input.stage);
    }
    Ok(colourings)
}

fn of_classes(
    by: String,
    known: &Reference,
    points: &[Point],
    classes: &HashMap<u32, u32>,
) -> Colouring {
    let of = points.iter().map(|point| classes.get(&point.id).map(|&class| class as usize));
    Colouring { by, names: known.classes.names().to_vec(), of: of.collect() }
}

/// What a stage says of images: its name, and a class by id.
type Said = (String, HashMap<u32, u32>);

/// What the first fitting table of predictions says of the images.
fn predicted(
    context: &Context,
    known: &Reference,
    axes: &Axes,
    ids: &BTreeSet<u32>,
) -> Result<Option<Said>, Failure> {
    for input in context.inputs::<Predictions>("predictions")? {
        if !agree(&input.axes, axes) {
            continue;
        }
        let name = format!("{}.{}", input.stage, input.port);
        let mut classes = HashMap::new();
        for batch in input.table.batches(4 * scarce_artifact::BATCH_ROWS) {
            let batch = batch?;
            for (&id, &label) in batch.id.iter().zip(&batch.label) {
                if ids.contains(&id) {
                    classes.insert(id, known.classes.index(&name, id, label)?);
                }
            }
        }
        return Ok(Some((format!("predicted class ({})", input.stage), classes)));
    }
    Ok(None)
}

/// Clusters in their order; named after their most frequent class where there is truth.
fn of_clusters(
    stage: &str,
    known: &Reference,
    points: &[Point],
    clusters: &HashMap<u32, i32>,
    table: &Clusters,
) -> Colouring {
    let numbers: BTreeSet<i32> = table.cluster.iter().copied().collect();
    let place: HashMap<i32, usize> = numbers.iter().enumerate().map(|(at, &c)| (c, at)).collect();
    let mut contents = vec![vec![0_u64; known.classes.names().len()]; numbers.len()];
    for (id, cluster) in table.id.iter().zip(&table.cluster) {
        if let Some(&class) = known.truth.as_ref().and_then(|truth| truth.get(id)) {
            contents[place[cluster]][class as usize] += 1;
        }
    }
    let name = |(number, counts): (&i32, &Vec<u64>)| match known.truth {
        Some(_) => format!("{} ({number})", known.classes.names()[majority(counts)]),
        None => number.to_string(),
    };
    Colouring {
        by: format!("cluster ({stage})"),
        names: numbers.iter().zip(&contents).map(name).collect(),
        of: points.iter().map(|point| clusters.get(&point.id).map(|c| place[c])).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(id: u32, x: f32, y: f32) -> Point {
        Point { id, x, y }
    }

    #[test]
    fn points_keep_their_proportions_and_up_is_up() {
        let framed = framed(vec![point(0, -2.0, 0.0), point(1, 2.0, 1.0)]);
        assert_eq!(framed, [point(0, 0.0, 0.625), point(1, 1.0, 0.375)]);
        assert_eq!(super::framed(vec![point(3, 7.0, 7.0)]), [point(3, 0.5, 0.5)]);
    }

    #[test]
    fn a_sample_depends_on_the_images_alone() {
        let all = |scale: f32| (0..5000).map(move |id| point(id, id as f32 * scale, 0.0));
        let ids = |points: Vec<Point>| points.iter().map(|point| point.id).collect::<Vec<_>>();
        let one = ids(sample(all(1.0).collect()));
        assert_eq!(one.len(), MOST_POINTS);
        assert_eq!(one, ids(sample(all(-3.0).collect::<Vec<_>>().into_iter().rev().collect())));
        assert!(one.is_sorted());
    }
}

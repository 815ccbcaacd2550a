//! The kind `query`.

use scarce_artifact::{Distributions, Embeddings, Empty, Images, Labels, Predictions, Queries};
use scarce_numeric::{Matrix, random};
use scarce_selection::diverse;
use scarce_stage::{
    Context, Description, Failure, Knowledge, Learns, Needs, Port, Splits, Stage, counted,
};

use crate::{
    Error, Params, Result, Strategy,
    beliefs::Beliefs,
    candidates::{self, Candidate},
    pool,
};

/// Times `batch` images are looked at with `diverse` (Zhdanov's β).
const PREFERRED: usize = 10;

/// The kind `query`.
pub(crate) struct Query;

/// From what is believed of the images that may be asked for, and from where they lie.
fn learns() -> Learns {
    let learns = Learns::nothing().keeping(Splits::learnable());
    ["distributions", "predictions", "embeddings"]
        .into_iter()
        .fold(learns, |learns, port| learns.and(port, Splits::learnable(), Knowledge::Images))
}

/// A candidate with what speaks for it.
struct Wish {
    id: u32,
    informed: bool,
    score: f32,
}

impl Stage for Query {
    type Params = Params;

    fn describe() -> Description {
        Description::new("query", "Which images to label next")
            .needs(Needs::light())
            .doc(
                "Ranks the images that have no label yet and are not for testing, and asks for the \
                 first of them. `entropy`, `margin` and `least-confidence` need `distributions` or \
                 `predictions` (one of them) and put those first that are least decided; images \
                 that no label has reached come before all others. `random` and `in-order` take \
                 their candidates from there too, or else from `images` or `embeddings`. Of equal \
                 scores the smaller id comes first.\n\nWire `labels` (those to learn from, of this \
                 round) so that nothing is asked twice; propagated labels do not count. Wire \
                 `images` or `embeddings` beside `distributions`, which do not say what is for \
                 testing.\n\nThe score is the entropy in nats, 1 less the margin, 1 less the \
                 largest probability, the number drawn, or 0: higher is more wanted.\n\nThe most \
                 wanted images are often alike, and one label would do for all. `diverse` takes the \
                 ten times `batch` most wanted, groups their `embeddings` by k-means with the score \
                 as the weight, and asks for the image nearest to the centre of each group (F. \
                 Zhdanov, *Diverse mini-batch active learning*, 2019); nothing is drawn. Distances \
                 are Euclidean; vectors meant for the cosine metric are scaled to length 1 first.",
            )
            .learns(learns())
            .input(
                Port::table::<Distributions>("distributions", "What a propagation believes")
                    .optional(),
            )
            .input(
                Port::table::<Predictions>("predictions", "What a classifier believes").optional(),
            )
            .input(
                Port::table::<Labels>("labels", "Labels that are there already").many().optional(),
            )
            .input(
                Port::table::<Images>("images", "All images, and which are for testing").optional(),
            )
            .input(
                Port::table::<Embeddings>(
                    "embeddings",
                    "The same, where there are no images; what `diverse` tells images apart by",
                )
                .optional(),
            )
            .output(Port::table::<Queries>("queries", "The images to label, by rank"))
    }

    fn run(params: Params, context: &Context) -> Result<(), Failure> {
        check(&params)?;
        let beliefs = Beliefs::read(context, params.strategy)?;
        let candidates = candidates::gather(context, beliefs.as_ref())?;
        let mut wishes = wishes(&params, beliefs.as_ref(), &candidates);
        let asked = wishes.len().min(params.batch as usize);
        if asked < params.batch as usize {
            let left = counted(asked, "image");
            tracing::warn!("`batch` is {}, and all that is left is {left}", params.batch);
        }
        wishes.sort_by(|a, b| {
            let order = a.informed.cmp(&b.informed).then(b.score.total_cmp(&a.score));
            order.then(a.id.cmp(&b.id))
        });
        if params.diverse {
            wishes.truncate(asked.saturating_mul(PREFERRED));
            wishes = differing(wishes, asked, context)?;
        }
        wishes.truncate(asked);
        context.write("queries", Empty {}, table(&wishes, &params.word()))
    }
}

fn check(params: &Params) -> Result<()> {
    if params.batch == 0 {
        return Err(Error::request("`batch` is 0", "ask for at least one image"));
    }
    if params.diverse && !params.strategy.needs_beliefs() {
        let name = params.strategy.name();
        let message = format!("`diverse` has no use with `strategy = \"{name}\"`");
        return Err(Error::request(message, "leave `diverse` out; the kind `select` may serve"));
    }
    Ok(())
}

/// `count` of the wishes, in their order, that are not alike.
fn differing(wishes: Vec<Wish>, count: usize, context: &Context) -> Result<Vec<Wish>, Failure> {
    let Some(table) = context.optional::<Embeddings>("embeddings")? else {
        let message = "`diverse` is set, but nothing says which images are alike";
        return Err(Error::request(message, "wire `embeddings`").into());
    };
    if count == 0 {
        return Ok(wishes);
    }
    let ids: Vec<u32> = wishes.iter().map(|wish| wish.id).collect();
    let values = pool::vectors(&table, &ids)?;
    let x = Matrix::new(&values, ids.len(), table.width()?).map_err(Error::from)?;
    let weights: Vec<f64> = wishes.iter().map(|wish| f64::from(wish.score)).collect();
    let picks = diverse(x, &weights, count).map_err(Error::from)?;
    // Ascending, as are the wishes' places.
    let mut picks = picks.into_iter().peekable();
    let chosen = wishes.into_iter().enumerate();
    Ok(chosen.filter(|(at, _)| picks.next_if_eq(at).is_some()).map(|(_, wish)| wish).collect())
}

fn wishes(params: &Params, beliefs: Option<&Beliefs>, candidates: &[Candidate]) -> Vec<Wish> {
    let draw = |id: u32| {
        let mut stream = random::stream(params.seed, "query", u64::from(id));
        random::uniform(&mut stream) as f32
    };
    let doubts = beliefs.filter(|_| params.strategy.needs_beliefs());
    let doubts = doubts.map(|beliefs| (beliefs, beliefs.doubts(params.strategy)));
    let wish = |&Candidate { id, row }: &Candidate| match (&doubts, params.strategy) {
        (Some((beliefs, doubts)), _) => {
            Wish { id, informed: beliefs.is_informed(row), score: doubts[row] }
        }
        (None, Strategy::Random) => Wish { id, informed: true, score: draw(id) },
        (None, _) => Wish { id, informed: true, score: 0.0 },
    };
    candidates.iter().map(wish).collect()
}

fn table(wishes: &[Wish], strategy: &str) -> Queries {
    Queries {
        id: wishes.iter().map(|wish| wish.id).collect(),
        rank: (0..).take(wishes.len()).collect(),
        score: wishes.iter().map(|wish| wish.score).collect(),
        strategy: vec![strategy.to_owned(); wishes.len()],
    }
}

//! How large each class is thought to be.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Where the shares of the classes come from; never from the truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Priors {
    /// By a rule.
    Rule(PriorRule),
    /// Given, one positive number per class in the order of the class names; only their proportions
    /// count.
    List(
        #[schemars(length(min = 1), extend("items" = { "type": "number", "exclusiveMinimum": 0 }))]
        Vec<f64>,
    ),
}

/// A rule for the shares of the classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PriorRule {
    /// All the same.
    Uniform,
    /// As frequent as the labels, with one more of each class: right if images to label were drawn
    /// at random.
    Estimated,
}

impl Priors {
    /// Shares that sum to 1, `[classes]`; `counts` are the labels of each class.
    pub(crate) fn resolve(&self, counts: &[usize]) -> Result<Vec<f64>, Error> {
        let sizes: Vec<f64> = match self {
            Self::Rule(PriorRule::Uniform) => vec![1.0; counts.len()],
            Self::Rule(PriorRule::Estimated) => counts.iter().map(|&n| n as f64 + 1.0).collect(),
            Self::List(list) => {
                check(list, counts.len())?;
                list.clone()
            }
        };
        let whole: f64 = sizes.iter().sum();
        Ok(sizes.into_iter().map(|size| size / whole).collect())
    }

    /// In a word.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Rule(PriorRule::Uniform) => "uniform",
            Self::Rule(PriorRule::Estimated) => "estimated from the labels",
            Self::List(_) => "given",
        }
    }
}

fn check(list: &[f64], classes: usize) -> Result<(), Error> {
    let wrong = |message| {
        let help = "give one positive number per class, in the order of the class names";
        Err(Error::Parameter { name: "priors", message, help })
    };
    if list.len() != classes {
        return wrong(format!("has {} numbers for {classes} classes", list.len()));
    }
    match list.iter().find(|size| !(**size > 0.0 && size.is_finite())) {
        Some(size) => wrong(format!("has {size} for a class, which must be above 0")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_proportions_count() {
        let priors = Priors::List(vec![2.0, 6.0]);
        assert_eq!(priors.resolve(&[0, 0]).unwrap(), [0.25, 0.75]);
        assert_eq!(Priors::Rule(PriorRule::Estimated).resolve(&[3, 0]).unwrap(), [0.8, 0.2]);
        assert_eq!(Priors::Rule(PriorRule::Uniform).resolve(&[9, 1]).unwrap(), [0.5, 0.5]);
        for list in [vec![1.0], vec![1.0, 0.0], vec![f64::NAN, 1.0], vec![1.0, f64::INFINITY]] {
            assert!(Priors::List(list).resolve(&[1, 1]).is_err());
        }
    }
}

//! Fully connected layers.

use tch::Tensor;

use crate::{Activation, Error, Variables};

/// A stack of fully connected layers with an activation between each two, none after the
/// last.
pub struct Dense {
    /// Weight `[out, in]` and bias `[out]` of each layer.
    layers: Vec<(Tensor, Tensor)>,
    activation: Activation,
}

impl Dense {
    /// A stack whose layers lead from `widths[0]` to `widths[1]`, and so on. Weights are
    /// named `name.LAYER.weight` and `.bias`; fresh ones are uniform in ±1/√in.
    ///
    /// # Errors
    /// When there are fewer than two widths, a weight is too large, or the saved model has
    /// another.
    pub fn new(
        variables: &Variables,
        name: &str,
        widths: &[usize],
        activation: Activation,
    ) -> Result<Self, Error> {
        if widths.len() < 2 {
            return Err(Error::Parameter(format!("`{name}` needs an input and an output width")));
        }
        let layers = widths.windows(2).enumerate().map(|(at, pair)| {
            let bound = 1.0 / (pair[0] as f64).sqrt();
            let weight =
                variables.get(&format!("{name}.{at}.weight"), &[pair[1], pair[0]], bound)?;
            let bias = variables.get(&format!("{name}.{at}.bias"), &[pair[1]], bound)?;
            Ok((weight, bias))
        });
        Ok(Self { layers: layers.collect::<Result<_, Error>>()?, activation })
    }

    /// `x: [n, in]` to `[n, out]`.
    ///
    /// # Errors
    /// When libtorch refuses, for instance for another width of `x`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, Error> {
        let mut x = x.shallow_clone();
        for (at, (weight, bias)) in self.layers.iter().enumerate() {
            if at > 0 {
                x = self.activation.apply(x)?;
            }
            x = x.f_linear(weight, Some(bias))?;
        }
        Ok(x)
    }
}

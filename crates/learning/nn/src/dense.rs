//! Fully connected layers.

use tch::Tensor;

use crate::{Activation, BatchNorm, Error, Mode, Variables, dropout};

/// A stack of fully connected layers with an activation between each two, none after the
/// last.
pub struct Dense {
    /// Weight `[out, in]` and bias `[out]` of each layer.
    layers: Vec<(Tensor, Tensor)>,
    activation: Activation,
    /// Before each activation; empty if there are none.
    norms: Vec<BatchNorm>,
    /// Share of numbers dropped after each activation.
    dropout: f64,
}

impl Dense {
    /// A stack whose layers lead from `widths[0]` to `widths[1]`, and so on. Weights are
    /// named `name.LAYER.weight` and `.bias`; fresh ones are as the variables'
    /// [`Initialisation`](crate::Initialisation) says.
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
            let (inner, outer) = (pair[0], pair[1]);
            variables.layer(&format!("{name}.{at}"), &[outer, inner], outer, (inner, outer))
        });
        let layers = layers.collect::<Result<_, Error>>()?;
        Ok(Self { layers, activation, norms: Vec::new(), dropout: 0.0 })
    }

    /// The same, with batch normalisation before each activation, named `name.LAYER.norm.…`.
    ///
    /// # Errors
    /// When the saved model has other weights.
    pub fn with_batch_norm(mut self, variables: &Variables, name: &str) -> Result<Self, Error> {
        let inner = &self.layers[..self.layers.len() - 1];
        let norms = inner.iter().enumerate().map(|(at, (_, bias))| {
            BatchNorm::new(variables, &format!("{name}.{at}.norm"), bias.numel())
        });
        self.norms = norms.collect::<Result<_, Error>>()?;
        Ok(self)
    }

    /// The same, with this share of the numbers after each activation dropped while it learns.
    #[must_use]
    pub fn with_dropout(mut self, share: f64) -> Self {
        self.dropout = share;
        self
    }

    /// `x: [n, in]` to `[n, out]`.
    ///
    /// # Errors
    /// When libtorch refuses, for instance for another width of `x`.
    pub fn forward(&self, x: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor, Error> {
        let x = self.hidden(x, mode)?;
        let (weight, bias) = &self.layers[self.layers.len() - 1];
        Ok(x.f_linear(weight, Some(bias))?)
    }

    /// `x: [n, in]` to what the last layer sees of it.
    ///
    /// # Errors
    /// When libtorch refuses, for instance for another width of `x`.
    pub fn hidden(&self, x: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor, Error> {
        let mut x = x.shallow_clone();
        for (at, (weight, bias)) in self.layers[..self.layers.len() - 1].iter().enumerate() {
            x = x.f_linear(weight, Some(bias))?;
            if let Some(norm) = self.norms.get(at) {
                x = norm.forward(&x, mode)?;
            }
            x = dropout(self.activation.apply(x)?, self.dropout, mode)?;
        }
        Ok(x)
    }
}

//! Networks of fully connected layers with their a manual backward pass: for training them on a processor,
//! where autograd and passes over memory would take much of the time.

use scarce_nn::{
    self as nn, Activation, MlpCpu, Piece, Tape, Variables, activate, has_slope, times_slope,
};

use crate::{Blueprint, Loss};

/// The loss of an [`Autoencoder`](crate::Autoencoder) without convolutions, and its gradient.
pub(crate) struct ManualBackward<'a> {
    encoder: MlpCpu,
    decoder: MlpCpu,
    code_activation: Activation,
    output_activation: Activation,
    loss: Loss,
    /// What the divergence of an image's code counts, if it is variational.
    divergence: Option<f64>,
    /// `[n, H·W·C]`.
    bytes: &'a [u8],
    /// Numbers of an image.
    pixels: usize,
    /// Numbers of a pixel.
    channels: usize,
    /// What one byte step is worth.
    step: f32,
}

/// Memory that serves from one piece of a mini-batch to the next.
#[derive(Default)]
pub(crate) struct Scratch {
    /// `[rows, C·H·W]`.
    x: Vec<f32>,
    /// What the decoder is shown, `[rows, latent]`.
    code: Vec<f32>,
    /// √variance · ε of each number of the code.
    noise: Vec<f32>,
    encoder: Tape,
    decoder: Tape,
}

impl<'a> ManualBackward<'a> {
    /// The network of a blueprint whose weights are in `variables`, on images of `bytes`; none if it has
    /// convolutions or activations whose backward pass is not written by hand.
    pub(crate) fn new(
        blueprint: &Blueprint,
        variables: &Variables,
        (loss, kl_weight): (Loss, f64),
        (bytes, max_value): (&'a [u8], u8),
    ) -> Option<Self> {
        let &Blueprint { activation, code_activation, output_activation, shape, .. } = blueprint;
        if !blueprint.channels.is_empty()
            || !has_slope(code_activation)
            || !has_slope(output_activation)
        {
            return None;
        }
        let pixels = shape.pixels();
        let filled = bytes.iter().filter(|&&byte| byte != 0).count() as f64;
        let filled = filled / bytes.len().max(1) as f64;
        Some(Self {
            encoder: MlpCpu::new(variables, "encoder.dense", activation)?.for_inputs(filled),
            decoder: MlpCpu::new(variables, "decoder.dense", activation)?,
            code_activation,
            output_activation,
            loss,
            divergence: blueprint.variational.then(|| kl_weight / pixels as f64),
            bytes,
            pixels,
            channels: shape.channels,
            step: (1.0 / f64::from(max_value.max(1))) as f32,
        })
    }

    /// The images of these rows, channels outermost, as the layers have them.
    fn gather(&self, rows: &[i64], x: &mut Vec<f32>) {
        let scaled = |&byte: &u8| f32::from(byte) * self.step;
        x.clear();
        for &row in rows {
            let image = &self.bytes[row as usize * self.pixels..][..self.pixels];
            if self.channels == 1 {
                x.extend(image.iter().map(scaled));
                continue;
            }
            for channel in 0..self.channels {
                x.extend(image.iter().skip(channel).step_by(self.channels).map(scaled));
            }
        }
    }

    /// The loss of what the decoder gave, which becomes its gradient; each pixel counts `scale`.
    fn reconstruction(&self, x: &[f32], y: &mut [f32], scale: f64) -> f64 {
        match self.loss {
            Loss::Bce => scale * nn::cross_entropy(y, x, scale as f32),
            Loss::Mse => {
                // half of it, if pixels are taken to be normal with variance 1
                let scale = if self.divergence.is_some() { 0.5 * scale } else { scale };
                activate(self.output_activation, y);
                if self.output_activation == Activation::None {
                    return scale * nn::squared_error(y, x, scale as f32);
                }
                let out = y.to_vec();
                let sum = nn::squared_error(y, x, scale as f32);
                times_slope(self.output_activation, &out, y);
                scale * sum
            }
        }
    }
}

impl nn::ManualBackward for ManualBackward<'_> {
    type Scratch = Scratch;

    fn learn(
        &self,
        weights: &[f32],
        piece: Piece<'_>,
        scratch: &mut Scratch,
        gradient: &mut [f32],
    ) -> f64 {
        let Piece { rows, scale, stream } = piece;
        let count = rows.len();
        let Scratch { x, code, noise, encoder, decoder } = scratch;
        self.gather(rows, x);
        self.encoder.forward(weights, x, count, encoder);
        let mut divergence = 0.0;
        if let Some(weight) = self.divergence {
            // means and logarithms of variances of a row, side by side
            let both = encoder.output_mut();
            let latent = both.len() / count / 2;
            *noise = stream.normals(count * latent);
            code.resize(count * latent, 0.0);
            let rows = both.chunks_exact_mut(2 * latent).zip(noise.chunks_exact_mut(latent));
            for ((both, noise), code) in rows.zip(code.chunks_exact_mut(latent)) {
                let (mean, log_variance) = both.split_at_mut(latent);
                for at in 0..latent {
                    let deviation = (0.5 * log_variance[at]).exp();
                    let excess = log_variance[at].exp() - 1.0;
                    divergence += 0.5 * f64::from(mean[at] * mean[at] + excess - log_variance[at]);
                    noise[at] *= deviation;
                    code[at] = mean[at] + noise[at];
                    // the divergence's own part of the gradient
                    let counts = (weight * scale) as f32;
                    mean[at] *= counts;
                    log_variance[at] = 0.5 * excess * counts;
                }
            }
            divergence *= weight * scale;
        } else {
            code.clear();
            code.extend_from_slice(encoder.output());
            activate(self.code_activation, code);
        }
        self.decoder.forward(weights, code, count, decoder);
        let of_pixel = scale / self.pixels as f64;
        let loss = self.reconstruction(x, decoder.output_mut(), of_pixel);
        self.decoder.backward(weights, code, decoder, gradient, true);

        let by_code = decoder.input_gradient();
        let after = encoder.output_mut();
        if self.divergence.is_some() {
            let latent = by_code.len() / count;
            for (at, (&by_code, &noise)) in by_code.iter().zip(&*noise).enumerate() {
                let (row, column) = (at / latent, at % latent);
                let mean = row * 2 * latent + column;
                after[mean] += by_code;
                after[mean + latent] += 0.5 * noise * by_code;
            }
        } else {
            after.copy_from_slice(by_code);
            times_slope(self.code_activation, code, after);
        }
        self.encoder.backward(weights, x, encoder, gradient, false);
        loss + divergence
    }

    fn reorder(&self, weights: &mut [f32], back: bool) {
        self.encoder.reorder(weights, back);
    }
}

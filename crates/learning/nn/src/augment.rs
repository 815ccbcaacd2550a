//! Images that are bent a little before each look, so that a network learns what does not matter.

use scarce_artifact::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::{Error, Stream};

/// Points per side of the coarse grid that elastic displacements are drawn on.
const COARSE: usize = 4;
/// Bilinear, as libtorch numbers the ways to interpolate.
const BILINEAR: i64 = 0;
/// Zeros outside the image, as libtorch numbers the ways to pad.
const ZEROS: i64 = 0;

/// How far images are turned, stretched, slanted, moved and bent, each time anew, while a network
/// learns. Every amount is drawn for each image, uniform between minus and plus the number given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
pub struct Augmentation {
    /// Degrees, about the middle.
    #[schemars(range(min = 0, max = 180))]
    pub rotation: f64,
    /// Share by which each side is stretched or shrunk, apart from the other.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub scale: f64,
    /// Pixels to the side for each pixel up.
    #[schemars(range(min = 0, max = 2))]
    pub shear: f64,
    /// Share of the side, each way.
    #[schemars(range(min = 0, max = 1))]
    pub shift: f64,
    /// Share of the side by which points of a 4 × 4 grid move, with all between following smoothly
    /// (elastic deformation, Simard, Steinkraus and Platt 2003).
    #[schemars(range(min = 0, max = 1))]
    pub elastic: f64,
    /// Whether every other image is seen in a mirror: right for shoes, wrong for digits.
    pub mirror: bool,
    /// By how much light and shade change: pixels between 0 and 1 are multiplied by a number from
    /// 1/(1 + this) to 1 + this, up to 1, and raised to the power of another. For photographs, where
    /// the same thing may be light or dark.
    #[schemars(range(min = 0, max = 9))]
    pub light: f64,
    /// Share of the side of a square somewhere in the image that is blotted out (Zhong and others,
    /// *Random erasing data augmentation*, 2020), between nothing and this.
    #[schemars(range(min = 0, max = 1))]
    pub erase: f64,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            rotation: 15.0,
            scale: 0.15,
            shear: 0.2,
            shift: 0.1,
            elastic: 0.0,
            mirror: false,
            light: 0.0,
            erase: 0.0,
        }
    }
}

impl Augmentation {
    /// Images `x: [n, H·W·C]`, channels innermost, each changed in its own way. Beyond the border
    /// lies 0.
    ///
    /// # Errors
    /// When libtorch refuses, for instance for lack of memory.
    pub fn apply(&self, x: &Tensor, shape: Shape, stream: &mut Stream) -> Result<Tensor, Error> {
        let Shape { height, width, channels } = shape;
        let (h, w, c) = (height as i64, width as i64, channels as i64);
        let n = x.size().first().copied().unwrap_or(0);
        let images = x.f_reshape([n, h, w, c])?.f_permute([0, 3, 1, 2])?;
        let maps: Vec<f32> = (0..n).flat_map(|_| self.map(shape, stream)).collect();
        let maps = Tensor::f_from_slice(&maps)?.f_view([n, 2, 3])?.f_to(x.device())?;
        let mut grid = Tensor::f_affine_grid_generator(&maps, [n, c, h, w], false)?;
        if self.elastic > 0.0 {
            let side = COARSE as i64;
            // sides are 2 long, from −1 to 1
            let draw = || 2.0 * (self.elastic as f32) * around_zero(stream);
            let count = 2 * COARSE * COARSE * usize::try_from(n).unwrap_or(0);
            let moves: Vec<f32> = std::iter::repeat_with(draw).take(count).collect();
            let moves = Tensor::f_from_slice(&moves)?.f_view([n, 2, side, side])?;
            let moves = moves.f_to(x.device())?.f_upsample_bicubic2d([h, w], true, None, None)?;
            grid = grid.f_add(&moves.f_permute([0, 2, 3, 1])?)?;
        }
        let mut bent = images.f_grid_sampler(&grid, BILINEAR, ZEROS, false)?;
        if self.light > 0.0 {
            let most = self.light.ln_1p() as f32;
            let mut draw = || -> Result<Tensor, Error> {
                let drawn: Vec<f32> = (0..n).map(|_| (most * around_zero(stream)).exp()).collect();
                Ok(Tensor::f_from_slice(&drawn)?.f_view([n, 1, 1, 1])?.f_to(x.device())?)
            };
            let (factor, power) = (draw()?, draw()?);
            bent = bent.f_pow(&power)?.f_mul(&factor)?.f_clamp_max(1.0)?;
        }
        if self.erase > 0.0 {
            let kept: Vec<f32> = (0..n).flat_map(|_| self.blot(shape, stream)).collect();
            let kept = Tensor::f_from_slice(&kept)?.f_view([n, 1, h, w])?.f_to(x.device())?;
            bent = bent.f_mul(&kept)?;
        }
        Ok(bent.f_permute([0, 2, 3, 1])?.f_reshape([n, h * w * c])?)
    }

    /// 0 within a square, 1 elsewhere: `[H·W]`.
    fn blot(&self, shape: Shape, stream: &mut Stream) -> Vec<f32> {
        let Shape { height, width, .. } = shape;
        let share = self.erase as f32 * stream.uniform();
        let mut place = |side: usize| {
            let length = (share * side as f32).round() as usize;
            let first = (stream.uniform() * (side + 1 - length.min(side)) as f32) as usize;
            first..first + length
        };
        let (rows, columns) = (place(height), place(width));
        let mut kept = vec![1.0; height * width];
        for row in rows {
            kept[row * width..][columns.clone()].fill(0.0);
        }
        kept
    }

    /// Where each point of the new image comes from: two rows of three numbers, in coordinates that
    /// run from −1 to 1 on both sides.
    fn map(&self, shape: Shape, stream: &mut Stream) -> [f32; 6] {
        let mut draw = |most: f64| most as f32 * around_zero(stream);
        let (sin, cos) = draw(self.rotation.to_radians()).sin_cos();
        let (across, down) = (1.0 + draw(self.scale), 1.0 + draw(self.scale));
        let shear = draw(self.shear);
        let (right, below) = (2.0 * draw(self.shift), 2.0 * draw(self.shift));
        let mirrored = draw(1.0) < 0.0 && self.mirror;
        let across = if mirrored { -across } else { across };
        // slant, stretch, then turn, in pixels; a pixel is another share of each side
        let ratio = shape.height as f32 / shape.width as f32;
        [
            cos * across,
            (cos * shear * across - sin * down) * ratio,
            right,
            sin * across / ratio,
            sin * shear * across + cos * down,
            below,
        ]
    }
}

/// Uniform in `[−1, 1)`.
fn around_zero(stream: &mut Stream) -> f32 {
    2.0 * stream.uniform() - 1.0
}

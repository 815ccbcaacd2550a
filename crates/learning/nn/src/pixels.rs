//! Images in memory.

use scarce_artifact::Shape;
use tch::kind::Element;
use tch::{Device, Kind, Tensor};

use crate::Error;

/// Images as bytes, on a device: a quarter of what they would take as floats.
pub struct Pixels {
    /// `[n, H·W·C]`, bytes.
    bytes: Tensor,
    /// What one byte step is worth.
    step: f64,
}

impl Pixels {
    /// Takes the images of `bytes` (`[n, H·W·C]`, row-major), whose largest possible value is
    /// `max_value`, to the device.
    ///
    /// # Errors
    /// When `bytes` is not a whole number of images, or the device has no room.
    pub fn new(device: Device, bytes: &[u8], shape: Shape, max_value: u8) -> Result<Self, Error> {
        let width = shape.pixels();
        if width == 0 || !bytes.len().is_multiple_of(width) {
            let message = format!("{} bytes are not images of {width} pixels", bytes.len());
            return Err(Error::Parameter(message));
        }
        let bytes = Tensor::f_from_slice(bytes)?.f_view([-1, width as i64])?.f_to(device)?;
        Ok(Self { bytes, step: 1.0 / f64::from(max_value.max(1)) })
    }

    /// The same images in the same memory, for another thread.
    #[must_use]
    pub fn replica(&self) -> Self {
        Self { bytes: self.bytes.shallow_clone(), step: self.step }
    }

    /// How many images there are.
    pub fn len(&self) -> usize {
        self.bytes.size().first().map_or(0, |&n| n as usize)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The images numbered by `rows: [b]`, as floats in `[0, 1]`: `[b, H·W·C]`.
    ///
    /// # Errors
    /// When a number is out of range or the device has no room.
    pub fn gather(&self, rows: &Tensor) -> Result<Tensor, Error> {
        self.scaled(&self.bytes.f_index_select(0, rows)?)
    }

    /// The images `from..to`, as floats in `[0, 1]`: `[to − from, H·W·C]`.
    ///
    /// # Errors
    /// When the range is too long or the device has no room.
    pub fn range(&self, from: usize, to: usize) -> Result<Tensor, Error> {
        let length = to.saturating_sub(from) as i64;
        self.scaled(&self.bytes.f_narrow(0, from as i64, length)?)
    }

    fn scaled(&self, bytes: &Tensor) -> Result<Tensor, Error> {
        Ok(bytes.f_to_kind(Kind::Float)?.f_mul_scalar_(self.step)?)
    }
}

/// All numbers of a tensor, row-major, off whatever device; `T` must be its type.
///
/// # Errors
/// When the type is another.
pub fn numbers<T: Element + Clone + Default>(tensor: &Tensor) -> Result<Vec<T>, Error> {
    let mut values = vec![T::default(); tensor.numel()];
    let tensor = tensor.f_detach()?.f_to(Device::Cpu)?.f_contiguous()?;
    tensor.f_copy_data(&mut values, tensor.numel())?;
    Ok(values)
}

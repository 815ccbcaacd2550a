//! Picture files as people have them: found in a folder or a Parquet column, decoded, turned
//! upright, resized. Used by every kind that reads pictures itself.
//!
//! * [`folder::list`] lists a folder: names, splits, classes, and what cannot be read.
//! * [`Source`] hands out the encoded bytes of a folder or a Parquet column, by row or by the name
//!   that the `source` column of an images table has, in bounded memory.
//! * [`decode`] makes a [`Picture`] of PNG, JPEG, WebP, TIFF, BMP, GIF or PNM: the format by
//!   content, EXIF orientation applied, transparency composed over a background, 16-bit values kept;
//!   whatever else comes is refused with the reason ([`Unreadable`]).
//! * [`resize`], [`centre_crop`] and [`shortest_edge`] agree with Pillow and torchvision.
//!
//! The same bytes and options give the same picture on every processor and any number of threads.
//!
//! ```
//! use scarce_pictures::{Filter, Fit, Options, decode, resize};
//!
//! // A Netpbm picture of two grey pixels.
//! let picture = decode(b"P5 2 1 255 \x00\xc8", &Options::default())?;
//! assert_eq!((picture.width(), picture.height(), picture.channels()), (2, 1, 1));
//! let small = resize(&picture, (1, 1), Filter::Box, Fit::Stretch, [255; 3]);
//! assert_eq!(small.bytes(), Some(&[100][..]));
//! assert!(decode(b"<!DOCTYPE html>", &Options::default()).is_err());
//! # Ok::<(), scarce_pictures::Unreadable>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod alpha;
mod column;
mod decode;
mod error;
pub mod folder;
mod format;
mod jpeg;
mod layout;
mod picture;
mod resize;
mod source;
mod tiff;
mod upright;

#[cfg(test)]
mod tests;

pub use column::PictureColumn;
pub use decode::{MAX_PIXELS, Options, decode};
pub use error::{Error, Result, Unreadable};
pub use format::is_picture_name;
pub use picture::{Picture, Range16, Samples};
pub use resize::{Filter, Fit, centre_crop, resize, shortest_edge};
pub use source::{Encoded, Source, SourceOptions};

//! Pixels: pictures of 8 bits per channel, read from files within limits and scaled to Pillow's last bit, and the mean and
//! deviation that they are normalised with.
//!
//! Two rules hold here. A picture is whole, or it is an error that says what is wrong with it. No decoder asks for memory
//! beyond the limits. What a picture is of is not known here.

mod decode;
mod error;
mod normalisation;
mod pixels;
mod png;
mod read;
mod resample;
#[cfg(test)]
mod slow;

pub use decode::{FORMATS, Format, Limits};
pub use error::PictureError;
pub use normalisation::Normalisation;
pub use pixels::{Picture, Rgb};
pub use png::PngError;
pub use read::{of_bytes, read, read_within};
pub use resample::{Interpolation, Window};

pub(crate) use decode::{ReadOptions, complaint, decode, dimensions, is_ending};
pub(crate) use read::{bytes_of, read_as};

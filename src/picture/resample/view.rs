//! Parts of pictures: which, and where they lie.

/// A rectangular part of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its first column.
    pub left: usize,
    /// Its first row.
    pub top: usize,
    /// Number of columns.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
}

/// A part of a picture where it lies.
#[derive(Clone, Copy, Debug)]
pub(in crate::picture) struct View<'a> {
    /// From the first byte of the part on.
    bytes: &'a [u8],
    /// Bytes from one row to the next.
    stride: usize,
    width: usize,
    height: usize,
}

impl<'a> View<'a> {
    /// All of `[height, width, 3]` bytes.
    pub(in crate::picture) fn new(bytes: &'a [u8], width: usize, height: usize) -> Self {
        Self { bytes, stride: 3 * width, width, height }
    }

    /// A part of it.
    pub(super) fn part(&self, Window { left, top, width, height }: Window) -> Self {
        let from = (top * self.stride + 3 * left).min(self.bytes.len());
        Self { bytes: &self.bytes[from..], width, height, ..*self }
    }

    /// Number of columns.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Number of rows.
    pub(super) fn height(&self) -> usize {
        self.height
    }

    /// Its rows from top to bottom, `[width, 3]` each.
    pub(super) fn rows(&self) -> impl Iterator<Item = &'a [u8]> {
        let Self { bytes, stride, width, height } = *self;
        (0..height).map(move |row| &bytes[row * stride..][..3 * width])
    }
}

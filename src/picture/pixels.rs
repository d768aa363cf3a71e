//! A picture as plain pixels, which can be scaled, cut, mirrored and recoloured.

use super::resample::{Interpolation, View, Window, resample, resample_window};

/// Red, green and blue, 8 bits each, sRGB.
pub type Rgb = [u8; 3];

/// An RGB picture, 8 bits per channel, row-major, channels interleaved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// `pixels` is `[height, width, 3]`.
    ///
    /// # Panics
    ///
    /// Where `pixels` has another length: a caller bug.
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Self {
        assert_eq!(pixels.len(), width * height * 3, "{width}×{height} pixels have three bytes each");
        Self { width, height, pixels }
    }

    /// One colour everywhere.
    pub fn filled(width: usize, height: usize, colour: Rgb) -> Self {
        Self { width, height, pixels: colour.repeat(width * height) }
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// `[height, width, 3]`
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// `[height, width, 3]`, to be changed.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// The colour of one pixel.
    ///
    /// # Panics
    ///
    /// Where the pixel lies outside of the picture: a caller bug.
    pub fn pixel(&self, column: usize, row: usize) -> Rgb {
        let at = (row * self.width + column) * 3;
        [self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]]
    }

    /// Channel `channel` of the pixel at `row`, `column`; beyond the border, of the nearest pixel.
    pub fn at(&self, row: isize, column: isize, channel: usize) -> u8 {
        let row = row.clamp(0, self.height as isize - 1) as usize;
        let column = column.clamp(0, self.width as isize - 1) as usize;
        self.pixels[(row * self.width + column) * 3 + channel]
    }

    /// Channels first, as models want it: appends `[3, height, width]`.
    pub fn append_planes(&self, planes: &mut Vec<u8>) {
        let from = planes.len();
        planes.resize(from + self.pixels.len(), 0);
        self.write_planes(&mut planes[from..]);
    }

    /// Channels first, in place: `planes` is `[3, height, width]`.
    ///
    /// # Panics
    ///
    /// Where `planes` has another length: a caller bug.
    pub fn write_planes(&self, planes: &mut [u8]) {
        assert_eq!(planes.len(), self.pixels.len(), "three planes of {}×{} bytes", self.width, self.height);
        let (reds, others) = planes.split_at_mut(self.width * self.height);
        let (greens, blues) = others.split_at_mut(self.width * self.height);
        let planes = reds.iter_mut().zip(greens).zip(blues);
        for (((red, green), blue), pixel) in planes.zip(self.pixels.as_chunks::<3>().0) {
            (*red, *green, *blue) = (pixel[0], pixel[1], pixel[2]);
        }
    }

    /// The same picture, each pixel `factor` by `factor` pixels.
    pub fn enlarged(&self, factor: usize) -> Self {
        let factor = factor.max(1);
        let mut pixels = Vec::with_capacity(self.pixels.len() * factor * factor);
        for row in self.pixels.chunks_exact((self.width * 3).max(1)) {
            let wide: Vec<u8> = row.chunks_exact(3).flat_map(|pixel| pixel.repeat(factor)).collect();
            (0..factor).for_each(|_| pixels.extend(&wide));
        }
        Self::new(self.width * factor, self.height * factor, pixels)
    }

    /// The picture without its colours: luma of ITU-R BT.601.
    pub fn greyed(&self) -> Self {
        let grey = |pixel: &[u8]| {
            let luma = u32::from(pixel[0]) * 299 + u32::from(pixel[1]) * 587 + u32::from(pixel[2]) * 114;
            [(luma / 1000) as u8; 3]
        };
        Self { pixels: self.pixels.chunks_exact(3).flat_map(grey).collect(), ..*self }
    }

    /// The picture with every pixel replaced by `paint` of its colour and its value; `values` is `[height, width]`.
    pub fn mapped<T>(&self, values: &[T], paint: impl Fn(Rgb, &T) -> Rgb) -> Self {
        let pixels = self.pixels.chunks_exact(3).zip(values);
        let pixels = pixels.flat_map(|(pixel, value)| paint([pixel[0], pixel[1], pixel[2]], value)).collect();
        Self { pixels, ..*self }
    }

    /// Left and right exchanged.
    pub fn mirrored(&self) -> Self {
        let mut pixels = self.pixels.clone();
        pixels.as_chunks_mut::<3>().0.chunks_exact_mut(self.width.max(1)).for_each(<[Rgb]>::reverse);
        Self { pixels, ..*self }
    }

    /// A part of the picture, not scaled.
    pub fn cut(&self, window: Window) -> Self {
        let rows = self.pixels.chunks_exact(self.width * 3).skip(window.top).take(window.height);
        let span = window.left * 3..(window.left + window.width) * 3;
        let mut pixels = Vec::with_capacity(window.width * window.height * 3);
        rows.for_each(|row| pixels.extend_from_slice(&row[span.clone()]));
        Self::new(window.width, window.height, pixels)
    }

    /// Scaled to `width`×`height`, as `PIL.Image.resize` does, to the last bit.
    pub fn resized(&self, width: usize, height: usize, interpolation: Interpolation) -> Self {
        let pixels = resample(self.view(), [width, height], interpolation);
        Self::new(width, height, pixels)
    }

    /// A part of what [`Picture::resized`] gives. Only that part is computed: a picture of 1×30,000 pixels, scaled as a
    /// whole, would have billions of pixels.
    pub fn resized_window(&self, width: usize, height: usize, window: Window, interpolation: Interpolation) -> Self {
        let pixels = resample_window(self.view(), [width, height], window, interpolation);
        Self::new(window.width, window.height, pixels)
    }

    fn view(&self) -> View<'_> {
        View::new(&self.pixels, self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: usize, height: usize) -> Picture {
        Picture::new(width, height, (0..width * height * 3).map(|byte| (byte % 251) as u8).collect())
    }

    #[test]
    fn planes_hold_each_channel_in_turn() {
        let mut planes = Vec::new();
        Picture::new(2, 2, (1..=12).collect()).append_planes(&mut planes);
        assert_eq!(planes, [1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12]);
    }

    #[test]
    fn two_mirror_images_are_the_picture() {
        assert_ne!(ramp(5, 4).mirrored(), ramp(5, 4));
        assert_eq!(ramp(5, 4).mirrored().mirrored(), ramp(5, 4));
    }

    #[test]
    fn a_cut_holds_the_rows_and_columns_of_its_window() {
        let cut = ramp(4, 3).cut(Window { left: 1, top: 1, width: 2, height: 2 });
        // Row 1 starts at byte 12, its column 1 at 15; row 2 at 24, its column 1 at 27.
        assert_eq!(cut.pixels(), [15, 16, 17, 18, 19, 20, 27, 28, 29, 30, 31, 32]);
    }

    /// BT.601 of pure red: 255 * 0.299 = 76.2.
    #[test]
    fn grey_is_luma() {
        assert_eq!(Picture::filled(1, 1, [255, 0, 0]).greyed().pixel(0, 0), [76; 3]);
    }

    #[test]
    fn enlarging_repeats_every_pixel() {
        let large = Picture::new(2, 1, vec![1, 1, 1, 2, 2, 2]).enlarged(2);
        assert_eq!((large.width(), large.height()), (4, 2));
        assert_eq!(large.pixels().chunks_exact(3).map(|pixel| pixel[0]).collect::<Vec<_>>(), [1, 1, 2, 2, 1, 1, 2, 2]);
    }

    #[test]
    fn scaling_keeps_a_flat_picture_flat() {
        let flat = Picture::new(7, 5, vec![77; 7 * 5 * 3]);
        for interpolation in [Interpolation::Bilinear, Interpolation::Bicubic] {
            assert_eq!(flat.resized(3, 9, interpolation), Picture::new(3, 9, vec![77; 3 * 9 * 3]));
        }
    }

    #[test]
    fn a_window_of_a_scaled_picture_is_what_cutting_it_out_gives() {
        let sides = [1, 2, 3, 7, 16, 61];
        for (width, height) in sides.into_iter().flat_map(|width| sides.map(|height| (width, height))) {
            let picture = ramp(width, height);
            for (across, down) in [(16, 16), (16, 40), (61, 7), (width, 20), (20, height), (width, height)] {
                for (left, top) in [(0, 0), (across / 3, down / 2), (across - 1, down - 1)] {
                    let (right, bottom) = ((across - left).min(9), (down - top).min(5));
                    let window = Window { left, top, width: right, height: bottom };
                    for interpolation in [Interpolation::Bilinear, Interpolation::Bicubic] {
                        let expected = picture.resized(across, down, interpolation).cut(window);
                        let found = picture.resized_window(across, down, window, interpolation);
                        assert_eq!(found, expected, "{width}×{height} to {across}×{down}, {window:?}");
                    }
                }
            }
        }
    }

    /// On paper: halving with a triangle filter of radius 2 weighs the four nearest of a row 1:3:3:1 inside, and at the
    /// border 3:3:1 of what is there.
    #[test]
    fn halving_averages_as_pillow_does() {
        let row: Vec<u8> = [0, 80, 160, 240].into_iter().flat_map(|value| [value; 3]).collect();
        let halved = Picture::new(4, 1, row).resized(2, 1, Interpolation::Bilinear);
        // (3·0 + 3·80 + 160)/7 = 57.1 and (80 + 3·160 + 3·240)/7 = 182.9
        assert_eq!(halved.pixels(), [57, 57, 57, 183, 183, 183]);
    }
}

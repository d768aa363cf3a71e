//! The first frame of a GIF, on its canvas.

use super::limits::Limits;
use crate::picture::pixels::Picture;
use std::io::Cursor;

/// Columns and rows of the canvas.
pub(super) fn dimensions(bytes: &[u8]) -> Result<[u64; 2], String> {
    let decoder = gif::DecodeOptions::new().read_info(Cursor::new(bytes)).map_err(said)?;
    Ok([u64::from(decoder.width()), u64::from(decoder.height())])
}

/// What the frame does not cover has the colour of the transparent index, or else of index 0; a frame that reaches beyond
/// the canvas makes it larger. Transparency is dropped.
///
/// # Source
///
/// Pillow 13, `GifImagePlugin`: what `Image.open(…).convert("RGB")` gives.
///
/// The first version left black what the frame does not cover, and `as_first` does so still: a run of that version sees the
/// pictures that it saw.
pub(super) fn decode(bytes: &[u8], limits: &Limits, as_first: bool) -> Result<Picture, String> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::Indexed);
    let mut decoder = options.read_info(Cursor::new(bytes)).map_err(said)?;
    let canvas = [decoder.width(), decoder.height()].map(u64::from);
    limits.check(canvas, canvas[0] * canvas[1] * 4)?;
    let frame = decoder.next_frame_info().map_err(said)?.ok_or("the file holds no frame: it is cut off")?;
    let size = [frame.width, frame.height].map(usize::from);
    let corner = [frame.left, frame.top].map(usize::from);
    let transparent = frame.transparent;
    let whole = [0, 1].map(|axis| (canvas[axis] as usize).max(corner[axis] + size[axis]));
    let pixels = whole[0] as u64 * whole[1] as u64;
    limits.check(whole.map(|side| side as u64), pixels * 3 + (size[0] * size[1]) as u64)?;
    if pixels == 0 || size.contains(&0) {
        return Err("the image has no pixels".to_string());
    }

    let mut indices = vec![0; size[0] * size[1]];
    decoder.read_into_buffer(&mut indices).map_err(said)?;
    let palette = decoder.palette().map_err(said)?;
    let colour = |index: u8| {
        let colour = palette.get(3 * usize::from(index)..3 * usize::from(index) + 3);
        colour.map_or([0; 3], |colour| [colour[0], colour[1], colour[2]])
    };
    let around = if as_first { [0; 3] } else { colour(transparent.unwrap_or(0)) };
    let mut rgb = around.repeat(whole[0] * whole[1]);
    for (row, indices) in indices.chunks_exact(size[0]).enumerate() {
        let start = 3 * ((corner[1] + row) * whole[0] + corner[0]);
        for (pixel, &index) in rgb[start..].as_chunks_mut::<3>().0.iter_mut().zip(indices) {
            *pixel = colour(index);
        }
    }
    Ok(Picture::new(whole[0], whole[1], rgb))
}

fn said(error: gif::DecodingError) -> String {
    let text = error.to_string();
    let cut = ["truncated", "unexpected end of file", "unexpected eof"];
    match cut.iter().any(|word| text.to_lowercase().contains(word)) {
        true => "truncated: the GIF ends before its first frame does".to_string(),
        false => format!("damaged GIF: {text}"),
    }
}

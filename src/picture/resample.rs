//! Scaling that equals Pillow's to the last bit: a model should see the same pixels here as where it was trained.

mod lanes;
#[cfg(test)]
mod reference;
mod scalar;
mod view;
mod weights;

pub(super) use view::View;
pub use view::Window;
pub use weights::Interpolation;

use lanes::{along_both, along_columns, along_rows};
use weights::Weights;

/// Scales a picture: `[height, width, 3]` bytes.
///
/// # Source
///
/// `PIL.Image.resize`, Pillow 13: a filter that widens with the reduction, along one axis and then along the other, the
/// bytes between them rounded and cut to 0..=255. Rows are first, unless the height loses more than twice the pixels
/// that the width loses (before Pillow 13 they always were). The order shows where a cubic filter overshoots.
pub(super) fn resample(picture: View, to: [usize; 2], interpolation: Interpolation) -> Vec<u8> {
    let whole = Window { left: 0, top: 0, width: to[0], height: to[1] };
    resample_window(picture, to, whole, interpolation)
}

/// A window of what [`resample`] gives, equal to the bit; only the pixels that it depends on are read.
pub(super) fn resample_window(
    picture: View,
    [new_width, new_height]: [usize; 2],
    window: Window,
    interpolation: Interpolation,
) -> Vec<u8> {
    if window.width == 0 || window.height == 0 {
        return Vec::new();
    }
    let (width, height) = (picture.width(), picture.height());
    let columns = Weights::new(width, new_width, window.left..window.left + window.width, interpolation);
    let rows = Weights::new(height, new_height, window.top..window.top + window.height, interpolation);
    let (across, down) = (columns.span(), rows.span());
    let needed = picture.part(Window { left: across.start, top: down.start, width: across.len(), height: down.len() });
    let (columns, rows) = (columns.moved(across.start), rows.moved(down.start));
    let lost = |old: usize, new: usize| old as i64 - new as i64;
    let columns_first = lost(height, new_height) > 0 && lost(height, new_height) > 2 * lost(width, new_width);
    match (width == new_width, height == new_height) {
        (true, true) => needed.rows().flatten().copied().collect(),
        (false, true) => along_rows(&needed, &columns),
        (true, false) => along_columns(&needed, &rows),
        (false, false) if columns_first => {
            along_rows(&View::new(&along_columns(&needed, &rows), needed.width(), rows.len()), &columns)
        }
        (false, false) => along_both(&needed, &columns, &rows),
    }
}

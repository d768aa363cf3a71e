//! The panel's pictures inside the page: once each however many runs show them, and together within a budget.

use super::error::ReportError;
use crate::fsx;
use crate::store::RunReader;
use data_encoding::BASE64;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Longest side in pixels and JPEG quality of the ways to make pictures smaller, the best first. The files themselves,
/// which lose nothing, come before the first of them.
const RUNGS: [(u32, u8); 6] = [(u32::MAX, 85), (224, 85), (160, 85), (160, 70), (112, 70), (80, 60)];

/// The pictures of several panels, as files.
pub(super) struct Pictures {
    /// Distinct files, by path and bytes.
    files: Vec<(PathBuf, Vec<u8>)>,
    /// For each run, its panel's images as indices into them.
    pub(super) of_run: Vec<Vec<usize>>,
}

impl Pictures {
    /// The pictures of all panels. Pictures of equal bytes are one.
    ///
    /// # Errors
    ///
    /// When a picture cannot be read.
    pub(super) fn of_panels(readers: &[&RunReader]) -> Result<Self, ReportError> {
        let (mut files, mut of_run) = (Vec::new(), Vec::new());
        let mut known = BTreeMap::<String, usize>::new();
        for reader in readers {
            let mut indices = Vec::new();
            for image in 0..reader.info().panel.ids.len() {
                let path = reader.panel_image_path(image);
                let bytes = reader.panel_image(image)?;
                let index = *known.entry(fsx::sha256_hex(&bytes)).or_insert(files.len());
                if index == files.len() {
                    files.push((path, bytes));
                }
                indices.push(index);
            }
            of_run.push(indices);
        }
        Ok(Pictures { files, of_run })
    }

    /// One data URL a distinct picture, at most `budget` bytes together if the smallest pictures allow it.
    ///
    /// # Errors
    ///
    /// When a picture has to be made smaller and cannot be decoded.
    pub(super) fn sources(&self, budget: usize) -> Result<Vec<String>, ReportError> {
        within(budget, &self.files)
    }
}

/// Data URLs of all files on the best rung that fits; the last rung is taken whether it fits or not.
fn within(budget: usize, files: &[(PathBuf, Vec<u8>)]) -> Result<Vec<String>, ReportError> {
    let size = |sources: &[String]| sources.iter().map(String::len).sum::<usize>();
    let mut sources: Vec<String> = files.iter().map(|(_, bytes)| url("png", bytes)).collect();
    for (side, quality) in RUNGS {
        if size(&sources) <= budget {
            break;
        }
        let smaller = files.par_iter().map(|(path, bytes)| {
            let decode = |source| ReportError::Decode { path: path.clone(), source };
            let picture = image::load_from_memory(bytes).map_err(decode)?;
            let fits = picture.width().max(picture.height()) <= side;
            let picture = if fits { picture } else { picture.resize(side, side, FilterType::CatmullRom) };
            let mut jpeg = Vec::new();
            picture.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, quality)).map_err(decode)?;
            Ok(url("jpeg", &jpeg))
        });
        sources = smaller.collect::<Result<_, ReportError>>()?;
    }
    Ok(sources)
}

fn url(kind: &str, bytes: &[u8]) -> String {
    format!("data:image/{kind};base64,{}", BASE64.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Picture;

    #[test]
    fn pictures_that_fit_are_the_files_and_others_are_made_small_enough() {
        let pixels: Vec<u8> = (0..64 * 64 * 3_u32).map(|at| (at.wrapping_mul(2654435761) >> 24) as u8).collect();
        let files = vec![(PathBuf::from("000.png"), Picture::new(64, 64, pixels).png().unwrap())];
        let whole = within(1 << 20, &files).unwrap();
        assert_eq!(whole, [url("png", &files[0].1)]);
        let less = within(whole[0].len() - 1, &files).unwrap();
        assert!(less[0].starts_with("data:image/jpeg;base64,") && less[0].len() < whole[0].len());
    }

    #[test]
    fn a_file_that_is_no_picture_is_named() {
        let error = within(0, &[(PathBuf::from("007.png"), b"no".to_vec())]).unwrap_err();
        assert!(error.to_string().starts_with("007.png: expected a picture"), "{error}");
    }
}

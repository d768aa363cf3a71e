//! Bad images are all named, bytes are summed, and what did not change is not read again.

use super::*;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

fn folder_of_pictures() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (split, class, name, shade) in [
        ("train", "a", "1", 1),
        ("train", "a", "2", 2),
        ("train", "b", "3", 3),
        ("val", "a", "4", 4),
        ("val", "b", "5", 5),
    ] {
        let folder = dir.path().join(split).join(class);
        fs::create_dir_all(&folder).unwrap();
        let picture = image::RgbImage::from_fn(9, 7, |x, y| image::Rgb([shade, x as u8 * 20, y as u8 * 30]));
        picture.save(folder.join(format!("{name}.png"))).unwrap();
    }
    dir
}

fn config(root: &Path, skip_bad_images: bool) -> DataConfig {
    DataConfig::Folder(FolderConfig { skip_bad_images, ..FolderConfig::of(root.to_path_buf()) })
}

#[test]
fn all_bad_pictures_are_listed_with_their_reasons_or_skipped_with_them() {
    let dir = folder_of_pictures();
    let whole = fs::read(dir.path().join("train/a/1.png")).unwrap();
    fs::write(dir.path().join("train/a/1.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(dir.path().join("val/a/6.jpg"), "<!DOCTYPE html><html>no</html>").unwrap();
    fs::write(dir.path().join("val/b/7.webp"), "").unwrap();
    let error = DataSet::open(&config(dir.path(), false)).unwrap_err().to_string();
    for part in
        ["3 of 7", "--skip-bad-images", "1.png: truncated", "6.jpg: it is an HTML page", "7.webp: the file is empty"]
    {
        assert!(error.contains(part), "'{part}' is missing from: {error}");
    }
    let data = DataSet::open(&config(dir.path(), true)).unwrap();
    assert_eq!(data.skipped.len(), 3);
    assert!(data.skipped[0].path.ends_with("train/a/1.png") && data.skipped[0].reason.contains("truncated"));
    assert_eq!(data.content_digests().len(), 4);
    assert_eq!(data.split(Split::Train).samples().len(), 2);
}

#[test]
fn headers_alone_do_not_find_a_picture_that_ends_early_and_give_no_digest_of_bytes() {
    let dir = folder_of_pictures();
    let path = dir.path().join("train/a/1.png");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 20]).unwrap();
    let data = DataSet::quick(&config(dir.path(), false)).unwrap();
    assert_eq!((&data.content_digest, data.split(Split::Train).samples().len()), (&None, 3));
    assert!(DataSet::open(&config(dir.path(), false)).is_err());
}

#[test]
fn the_digest_of_names_stays_and_the_digest_of_bytes_follows_the_bytes() {
    let dir = folder_of_pictures();
    let before = DataSet::open(&config(dir.path(), false)).unwrap();
    // On paper: class names, then each split's name, ids and labels.
    let names = "a\nb\n#train\ntrain/a/1.png\t0\ntrain/a/2.png\t0\ntrain/b/3.png\t1\n\n#val\nval/a/4.png\t0\n\
                 val/b/5.png\t1\n\n#test\n";
    assert_eq!(before.digest, fsx::sha256_hex(names.as_bytes()));
    let sums: String = before.content_digests().iter().map(|file| format!("{}\t{}\n", file.id, file.sha256)).collect();
    assert_eq!(before.content_digest, Some(fsx::sha256_hex(sums.as_bytes())));
    let FileDigest { id, sha256 } = &before.content_digests()[3];
    assert_eq!(*sha256, fsx::sha256_hex(&fs::read(dir.path().join(id)).unwrap()));

    image::RgbImage::new(9, 7).save(dir.path().join("val/a/4.png")).unwrap();
    let after = DataSet::open(&config(dir.path(), false)).unwrap();
    assert_eq!(after.digest, before.digest);
    assert_ne!(after.content_digest, before.content_digest);
}

#[test]
fn a_changed_file_is_named_and_a_touched_one_is_the_same() {
    let dir = folder_of_pictures();
    let data = DataSet::open(&config(dir.path(), false)).unwrap();
    let path = dir.path().join("val/b/5.png");
    let bytes = fs::read(&path).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::write(&path, &bytes).unwrap();
    data.verify_unchanged(Split::Val).unwrap();
    image::RgbImage::new(9, 7).save(&path).unwrap();
    data.verify_unchanged(Split::Train).unwrap();
    let error = data.verify_unchanged(Split::Val).unwrap_err().to_string();
    assert!(error.contains("1 image(s) of the val split") && error.contains("val/b/5.png"), "{error}");
    fs::remove_file(&path).unwrap();
    assert!(data.verify_unchanged(Split::Val).is_err());
}

#[test]
fn a_second_opening_reads_no_file_again_and_finds_the_same() {
    let (dir, cache) = (folder_of_pictures(), tempfile::tempdir().unwrap());
    fs::write(dir.path().join("train/b/6.gif"), "GIF89a").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(3100)); // what is fresh is not kept
    let open = || {
        let read = AtomicUsize::new(0);
        let watch = |_: usize, _: usize| {
            read.fetch_add(1, Ordering::Relaxed);
        };
        let data = DataSet::survey_with(&config(dir.path(), true), Closely::Whole, Some(cache.path()), &watch).unwrap();
        (data, read.into_inner())
    };
    let ((first, read), (second, again)) = (open(), open());
    assert_eq!((read, again), (6, 0));
    assert_eq!((first.content_digest, first.skipped), (second.content_digest, second.skipped));
    image::RgbImage::new(9, 7).save(dir.path().join("val/a/4.png")).unwrap();
    assert_eq!(open().1, 1);
}

#[test]
fn one_class_can_be_counted_and_not_trained_on() {
    let dir = folder_of_pictures();
    fs::remove_dir_all(dir.path().join("train/b")).unwrap();
    fs::remove_dir_all(dir.path().join("val/b")).unwrap();
    let error = DataSet::open(&config(dir.path(), false)).unwrap_err().to_string();
    assert!(error.contains("only one class, 'a'"), "{error}");
    let counted = DataSet::survey(&config(dir.path(), false), &|_, _| {}).unwrap();
    assert_eq!(counted.split(Split::Train).samples().len(), 2);
}

#[test]
fn an_older_run_takes_a_jpeg_that_ends_early_as_it_did_and_says_so() {
    let dir = folder_of_pictures();
    let path = dir.path().join("train/b/7.jpg");
    image::RgbImage::from_fn(64, 64, |x, y| image::Rgb([x as u8 * 3, y as u8 * 3, 9])).save(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() * 3 / 4]).unwrap();
    assert!(DataSet::open(&config(dir.path(), false)).unwrap_err().to_string().contains("7.jpg: truncated"));
    let old = FolderConfig { rules: 0, ..FolderConfig::of(dir.path().to_path_buf()) };
    let data = DataSet::open(&DataConfig::Folder(old)).unwrap();
    assert!(data.notes.iter().any(|note| note.contains("1 image(s) end early") && note.contains("7.jpg")));
    let sample = data.split(Split::Train).samples().iter().find(|sample| sample.id.ends_with("7.jpg")).unwrap();
    assert_eq!(sample.picture(0).unwrap().width(), 64);
}

/// On paper: 1, 6 and 7 are the same bytes, and 3 and 8 the same file. 6 and 7 are of val and 1 of train; 8 is of test and 3 of
/// train. All five have a twin of the other class.
#[test]
fn images_that_are_there_twice_are_counted_and_said() {
    let dir = folder_of_pictures();
    let path = |name: &str| dir.path().join(name);
    assert_eq!(DataSet::open(&config(dir.path(), false)).unwrap().notes, [""; 0]);
    for twin in ["val/a/6.png", "val/b/7.png"] {
        fs::copy(path("train/a/1.png"), path(twin)).unwrap();
    }
    for class in ["a", "b"] {
        fs::create_dir_all(path("test").join(class)).unwrap();
        let shade = if class == "a" { 91 } else { 92 };
        image::RgbImage::from_pixel(9, 7, image::Rgb([shade; 3])).save(path("test").join(class).join("9.png")).unwrap();
    }
    std::os::unix::fs::symlink("../../train/b/3.png", path("test/a/8.png")).unwrap();
    let notes = DataSet::open(&config(dir.path(), false)).unwrap().notes;
    assert_eq!(
        notes,
        [
            "2 images of val have the same bytes as an image of train, such as val/a/6.png and train/a/1.png: figures on \
             val are too good",
            "1 image of test has the same bytes as an image of train, such as test/a/8.png and train/b/3.png: figures on \
             test are too good",
            "5 images have the same bytes as an image of another class, such as train/a/1.png and val/b/7.png: one of the \
             two labels is wrong",
            "2 images share a file with an image of another class or split, by links, such as train/b/3.png and \
             test/a/8.png",
        ]
    );
}

#[test]
fn a_class_that_loses_all_images_of_a_split_is_named() {
    let dir = folder_of_pictures();
    fs::write(dir.path().join("val/b/5.png"), "no image").unwrap();
    let data = DataSet::open(&config(dir.path(), true)).unwrap();
    assert!(data.notes.contains(&"no val image can be read of: b".to_string()), "{:?}", data.notes);
    fs::write(dir.path().join("train/b/3.png"), "no image").unwrap();
    let error = DataSet::open(&config(dir.path(), true)).unwrap_err().to_string();
    assert!(error.contains("no training image of b can be read"), "{error}");
}

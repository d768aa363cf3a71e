use super::*;

/// A point a pixel, and pictures as small as they are: what is where can be counted.
fn plain() -> Style {
    Style { paint: Paint { opacity: 1.0, ..Paint::default() }, side: 1.0, sharpness: 1.0 }
}

fn map_tile(values: [f32; 4]) -> MapTile {
    MapTile {
        map: Heatmap::new(2, 2, values.to_vec()).unwrap(),
        scale: Scale::Own,
        title: "Grad-CAM".into(),
        captions: vec!["explains the label: banded".into()],
        warning: None,
    }
}

fn row(side: (usize, usize), tiles: Vec<Tile>) -> Row {
    let picture = Picture::filled(side.0, side.1, [10, 200, 30]);
    Row { heading: "run · epoch 1".into(), note: "predicted banded".into(), picture, tiles }
}

fn figure(tiles: Vec<Tile>) -> Figure {
    Figure { title: "A figure".into(), rows: vec![row((60, 40), tiles)] }
}

fn original() -> Tile {
    Tile::Picture { title: "Original".into(), captions: vec!["label: banded".into()] }
}

fn count(picture: &Picture, colour: Rgb) -> usize {
    picture.pixels().chunks_exact(3).filter(|pixel| *pixel == colour).count()
}

#[test]
fn the_picture_and_the_map_stand_side_by_side_in_full() {
    let drawn =
        figure(vec![original(), Tile::Map(map_tile([0.0, 0.0, 0.0, 7.0]))]).scene(&plain()).unwrap().picture().unwrap();
    assert_eq!(count(&drawn, [10, 200, 30]), 60 * 40);
    // Two pictures of 60, one gap and two margins.
    assert_eq!(drawn.width(), 60 + 14 + 60 + 2 * 16);
    // Bilinear: the quarter around the corner cell's centre and beyond is at its value.
    assert!(count(&drawn, ColourMap::Inferno.at(1.0)) >= 15 * 10);
}

#[test]
fn a_png_is_as_large_as_its_pixels_and_twice_as_large_when_twice_as_sharp() {
    let figure = figure(vec![original()]);
    let size = |sharpness| {
        let png = figure.scene(&Style { sharpness, side: 60.0, ..plain() }).unwrap().png().unwrap();
        let decoded = image::load_from_memory(&png).unwrap();
        (decoded.width(), decoded.height())
    };
    let ((width, height), (double_width, double_height)) = (size(1.0), size(2.0));
    assert_eq!(double_width, 2 * width);
    // Lines are whole pixels high: each may round by a pixel.
    assert!(double_height.abs_diff(2 * height) <= 8, "{height} {double_height}");
}

#[test]
fn small_pictures_are_enlarged_by_whole_factors() {
    let side = |style: Style| {
        let rows = vec![row((32, 32), vec![original()])];
        Figure { title: String::new(), rows }.scene(&style).unwrap().picture().unwrap()
    };
    // 224 points of 2 pixels are 14 times 32.
    let drawn = side(Style::default());
    assert_eq!(count(&drawn, [10, 200, 30]), 448 * 448);
    // 50 points are nearer to 2 times 32 than to 1.
    assert_eq!(count(&side(Style { side: 50.0, ..plain() }), [10, 200, 30]), 64 * 64);
}

#[test]
fn a_map_without_evidence_has_no_colours_and_no_bar() {
    let dead = figure(vec![Tile::Map(map_tile([0.0; 4]))]).scene(&plain()).unwrap().picture().unwrap();
    let broken =
        figure(vec![Tile::Map(map_tile([0.0, f32::NAN, 1.0, 2.0]))]).scene(&plain()).unwrap().picture().unwrap();
    for drawn in [dead, broken] {
        let is_grey = |pixel: &&[u8]| pixel[0] == pixel[1] && pixel[1] == pixel[2];
        let coloured: Vec<&[u8]> = drawn.pixels().chunks_exact(3).filter(|pixel| !is_grey(pixel)).collect();
        // Only the note is in colour: rust, mixed with white.
        assert!(!coloured.is_empty() && coloured.iter().all(|pixel| pixel.is_sorted_by(|left, right| left >= right)));
        // The edges of letters may have the same grey here and there.
        let grey = count(&drawn, Picture::filled(1, 1, [10, 200, 30]).greyed().pixel(0, 0));
        assert!((60 * 40..60 * 40 + 50).contains(&grey), "{grey}");
    }
}

#[test]
fn a_signed_map_is_blue_and_red_around_a_white_zero() {
    let drawn = figure(vec![Tile::Map(map_tile([-2.0, -2.0, 1.0, 1.0]))]).scene(&plain()).unwrap().picture().unwrap();
    assert!(count(&drawn, ColourMap::Diverging.at(0.0)) >= 60 * 10);
    assert!(count(&drawn, ColourMap::Diverging.at(0.75)) >= 60 * 10);
    assert_eq!(count(&drawn, ColourMap::Diverging.at(1.0)), 0, "the limits are symmetric");
}

#[test]
fn rows_of_different_pictures_and_lengths_share_their_columns() {
    let maps = || Tile::Map(map_tile([0.0, 1.0, 2.0, 3.0]));
    let rows = vec![row((20, 30), vec![original(), maps(), maps()]), row((50, 10), vec![original()])];
    let drawn = Figure { title: String::new(), rows }.scene(&plain()).unwrap().picture().unwrap();
    assert_eq!(drawn.width(), (50 + 14 + 20 + 14 + 20) + 2 * 16);
    assert_eq!(count(&drawn, [10, 200, 30]), 20 * 30 + 50 * 10);
}

/// A caption is as wide as its picture at most: the margin on its right stays white.
#[test]
fn long_names_stay_in_their_column() {
    let name = "a_class_name_that_goes_on_and_on ".repeat(9);
    let tile = Tile::Picture { title: name.clone(), captions: vec![name.clone(); 3] };
    let drawn = Figure { title: name.clone(), rows: vec![Row { note: name, ..row((60, 40), vec![tile]) }] };
    let drawn = drawn.scene(&plain()).unwrap().picture().unwrap();
    let right = drawn.width() - 16;
    let blank = |column| (0..drawn.height()).all(|row| drawn.pixel(column, row) == [255; 3]);
    assert!((right + 1..drawn.width()).all(blank) && (0..16).all(blank));
}

#[test]
fn a_figure_of_nothing_is_refused() {
    let empty = Figure { title: "empty".into(), rows: vec![row((4, 4), vec![])] };
    assert!(matches!(empty.scene(&plain()), Err(FigureError::Empty)));
    assert!(matches!(Figure { title: String::new(), rows: vec![] }.scene(&plain()), Err(FigureError::Empty)));
}

use super::*;

const COLOUR: Rgb = [0x12, 0x34, 0x56];

fn series(points: &[(f64, f64)]) -> Series {
    Series { name: "Grad-CAM".into(), colour: COLOUR, points: points.to_vec(), ..Series::default() }
}

fn plots(series: Vec<Series>) -> Plots {
    let plot =
        Plot { title: "Spearman correlation".into(), note: "to the first epoch".into(), series, ..Plot::default() };
    Plots { title: "A run".into(), plots: vec![plot], columns: 2 }
}

/// The lines of the series' colour: their points and whether they are dashed.
fn lines(plots: &Plots) -> Vec<(Vec<Point>, Dash)> {
    let of = |shape| match shape {
        Shape::Line { points, colour: COLOUR, dash, .. } => Some((points, dash)),
        _ => None,
    };
    plots.scene(1.0).unwrap().shapes.into_iter().filter_map(of).collect()
}

fn texts(plots: &Plots) -> Vec<String> {
    let of = |shape| match shape {
        Shape::Text { text, .. } => Some(text),
        _ => None,
    };
    plots.scene(1.0).unwrap().shapes.into_iter().filter_map(of).collect()
}

fn labels(axis: &Axis) -> Vec<String> {
    axis.ticks().map(|tick| axis.label(tick)).collect()
}

/// Steps: (1 - -0.2) / 5 = 0.24 is next to 0.5; 1 / 5 is 0.2 itself; 0.0031 / 5 = 0.00062 is next to 0.001;
/// 130 / 5 = 26 is next to 50.
#[test]
fn ticks_are_round_and_inside_the_axis() {
    assert_eq!(labels(&Axis::between([-0.2, 1.0], 5.0)), ["0.0", "0.5", "1.0"]);
    assert_eq!(labels(&Axis::between([0.0, 1.0], 5.0)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    assert_eq!(labels(&Axis::between([0.0, 0.0031], 5.0)), ["0.000", "0.001", "0.002", "0.003"]);
    assert_eq!(labels(&Axis::between([-30.0, 100.0], 5.0)), ["0", "50", "100"]);
    assert_eq!(labels(&Axis::between([-0.6, 0.1], 5.0)), ["−0.6", "−0.4", "−0.2", "0.0"]);
}

#[test]
fn epochs_are_whole_and_a_single_one_has_an_axis_too() {
    assert_eq!(labels(&Axis::of_epochs([0.0, 2.0])), ["0", "1", "2"]);
    assert_eq!(labels(&Axis::of_epochs([1.0, 60.0])), ["10", "20", "30", "40", "50", "60"]);
    assert_eq!(labels(&Axis::of_epochs([3.0, 3.0])), ["3", "4"]);
}

#[test]
fn values_start_at_zero_unless_one_is_negative() {
    let ends = |values| {
        let axis = Axis::of_values(values);
        (axis.low, axis.high)
    };
    assert_eq!(ends([0.5, 1.0]), (0.0, 1.04));
    assert_eq!(ends([-1.0, 1.0]), (-1.08, 1.08));
    assert_eq!(ends([0.0, 0.0]), (0.0, 1.0));
}

/// Epochs 0 to 2 are WIDTH - LEFT apart in all, and the greatest value lies 0.04 / 1.04 of HEIGHT below the top.
#[test]
fn a_curve_runs_through_its_points() {
    let drawn = lines(&plots(vec![series(&[(0.0, 0.0), (1.0, 0.5), (2.0, 1.0)])]));
    let (curve, _) = drawn.iter().find(|(points, _)| points.len() == 3).unwrap();
    let [first, middle, last] = curve[..] else { panic!("three points") };
    assert!((last.0 - first.0 - (WIDTH - LEFT)).abs() < 1e-3 && (middle.0 - (first.0 + last.0) / 2.0).abs() < 1e-3);
    assert!((first.1 - last.1 - HEIGHT / 1.04).abs() < 1e-3 && (middle.1 - (first.1 + last.1) / 2.0).abs() < 1e-3);
}

#[test]
fn a_point_that_is_not_a_number_is_a_gap() {
    let points = [(0.0, 0.1), (1.0, 0.2), (2.0, f64::NAN), (3.0, 0.3), (4.0, 0.4), (5.0, 0.5)];
    let drawn = lines(&plots(vec![series(&points)]));
    // The last line is the legend's.
    assert_eq!(drawn.iter().map(|(points, _)| points.len()).collect::<Vec<_>>(), [2, 3, 2]);
    let dots = plots(vec![series(&points)]).scene(1.0).unwrap().shapes;
    assert_eq!(dots.iter().filter(|shape| matches!(shape, Shape::Dot { .. })).count(), 5);
}

/// A square is one area at each of three points and in the legend; a plus is two lines at each, besides the curve and its
/// line in the legend. Of 50 points every fifth, 50 / 12 rounded up, has a mark: 10, and the legend's.
#[test]
fn other_marks_than_dots_stand_in_the_legend_too_and_on_long_curves() {
    let points = |count: usize| (0..count).map(|epoch| (epoch as f64, 0.5)).collect::<Vec<_>>();
    let marked = |mark, count| plots(vec![Series { mark, ..series(&points(count)) }]);
    let areas = |mark, count| {
        let shapes = marked(mark, count).scene(1.0).unwrap().shapes;
        shapes.iter().filter(|shape| matches!(shape, Shape::Area { colour: COLOUR, opacity: 1.0, .. })).count()
    };
    assert_eq!([Mark::Dot, Mark::Square, Mark::Triangle].map(|mark| areas(mark, 3)), [0, 4, 4]);
    assert_eq!(lines(&marked(Mark::Plus, 3)).len(), 2 + 2 * 4);
    assert_eq!([Mark::Dot, Mark::Diamond].map(|mark| areas(mark, 50)), [0, 11]);
    let dots = marked(Mark::Dot, 50).scene(1.0).unwrap().shapes;
    assert!(!dots.iter().any(|shape| matches!(shape, Shape::Dot { .. })));
}

#[test]
fn yardsticks_differ_by_their_dashes_and_the_key_names_those_there_are() {
    let flat = |value: f64| vec![(1.0, value), (2.0, value)];
    let all = Series {
        floor: flat(0.9),
        seed_floor: flat(0.7),
        chance: flat(0.1),
        band: vec![(1.0, 0.4, 0.6), (2.0, 0.3, 0.5)],
        ..series(&flat(0.5))
    };
    let all = plots(vec![all]);
    let mut dashes: Vec<Dash> = lines(&all).into_iter().map(|line| line.1).collect();
    dashes.pop();
    assert_eq!(dashes, [Dash::Dotted, Dash::Dashed, Dash::Alternating, Dash::Solid]);
    let area = all.scene(1.0).unwrap().shapes.into_iter().find(|shape| matches!(shape, Shape::Area { .. }));
    let Some(Shape::Area { points, colour: COLOUR, .. }) = area else { panic!("a band") };
    // Around: upper edge to the right, lower edge back.
    assert!(points.len() == 4 && points[0].0 == points[3].0 && points[0].1 < points[3].1);
    assert!([FLOOR, SEED_FLOOR, CHANCE, BAND].iter().all(|kind| texts(&all).contains(&kind.to_string())));
    let plain = texts(&plots(vec![series(&flat(0.5))]));
    assert!(![FLOOR, SEED_FLOOR, CHANCE, BAND].iter().any(|kind| plain.contains(&kind.to_string())));
}

#[test]
fn a_given_range_holds_and_what_it_leaves_out_stays_at_its_edge() {
    let mut plots = plots(vec![series(&[(0.0, 0.5), (1.0, 7.0)])]);
    plots.plots[0].range = Some([0.0, 1.0]);
    let (curve, _) = lines(&plots).remove(0);
    assert!((curve[0].1 - curve[1].1 - HEIGHT / 2.0).abs() < 1e-3);
}

#[test]
fn the_png_is_as_large_as_the_svg_says_and_holds_the_colours() {
    let mut plots = plots(vec![series(&[(0.0, 0.2), (1.0, 0.9)])]);
    plots.plots.push(plots.plots[0].clone());
    let scene = plots.scene(1.0).unwrap();
    assert_eq!(scene.width, 2.0 * WIDTH + GAP + 2.0 * MARGIN);
    let picture = image::load_from_memory(&plots.scene(2.0).unwrap().png().unwrap()).unwrap().into_rgb8();
    assert_eq!((picture.width(), picture.height()), ((2.0 * scene.width) as u32, (2.0 * scene.height).round() as u32));
    assert!(picture.pixels().filter(|pixel| pixel.0 == COLOUR).count() > 500);
    let svg = plots.scene(1.0).unwrap().svg().unwrap();
    assert!(svg.contains("Spearman correlation") && svg.contains(&format!("width=\"{}pt\"", scene.width)));
}

/// From 0 to 10 the axis is HEIGHT high, so the shade up to 5 is half of it; and it lies under the curve, which comes later.
#[test]
fn what_is_still_is_shaded_and_every_plot_has_the_same_epochs() {
    let mut plots = plots(vec![series(&[(1.0, 2.0), (2.0, 8.0)])]);
    (plots.plots[0].range, plots.plots[0].still) = (Some([0.0, 10.0]), Some(5.0));
    let early = Plot { series: vec![series(&[(0.0, 1.0), (1.0, 2.0)])], ..plots.plots[0].clone() };
    plots.plots.push(early);
    let shapes = plots.scene(1.0).unwrap().shapes;
    let shades: Vec<&Vec<Point>> = shapes
        .iter()
        .filter_map(|shape| match shape {
            Shape::Area { points, colour: STILL, .. } => Some(points),
            _ => None,
        })
        .collect();
    assert_eq!(shades.len(), 3, "two plots and the key");
    assert!((shades[0][0].1 - shades[0][2].1 - HEIGHT / 2.0).abs() < 1e-3, "{shades:?}");
    // Epochs 0 to 2 in both: the first curve begins in the middle.
    let (curve, _) = lines(&plots).remove(0);
    assert!((curve[0].0 - shades[0][0].0 - (WIDTH - LEFT) / 2.0).abs() < 1e-3, "{curve:?}");
    assert!(texts(&plots).iter().any(|text| text.starts_with("still: moved at most 5")));
}

#[test]
fn long_names_fit_and_no_plot_is_an_error() {
    let name = "a very long name of a method with its settings ".repeat(4);
    let mut plots = plots(vec![Series { name: name.clone(), ..series(&[(0.0, 1.0)]) }]);
    plots.plots[0].title = name.clone();
    plots.plots[0].note = name.clone();
    assert!(!texts(&plots).contains(&name));
    assert_eq!(texts(&plots).iter().filter(|text| text.ends_with('…')).count(), 3);
    let none = Plots { title: name, plots: vec![], columns: 1 };
    assert!(matches!(none.scene(1.0), Err(FigureError::Empty)));
}

//! Curves as SVG, both axes logarithmic: linear growth is a straight line at 45 degrees.

use std::path::Path;

use anyhow::Result;
use plotters::prelude::*;

/// A line with its name.
pub(crate) struct Curve {
    pub(crate) name: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

const COLOURS: [RGBColor; 2] = [RGBColor(11, 107, 99), RGBColor(179, 92, 30)];

pub(crate) fn draw(file: &Path, title: &str, unit: &str, curves: &[Curve]) -> Result<()> {
    let all = || curves.iter().flat_map(|curve| curve.points.iter().copied());
    let x = all().map(|point| point.0).fold((f64::MAX, f64::MIN), |(low, high), it| (low.min(it), high.max(it)));
    let y = all().map(|point| point.1).fold((f64::MAX, f64::MIN), |(low, high), it| (low.min(it), high.max(it)));
    let root = SVGBackend::new(file, (720, 420)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 20))
        .margin(16)
        .margin_right(40)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d((x.0..x.1).log_scale(), (y.0 / 1.5..y.1 * 1.5).log_scale())?;
    let plain = |number: &f64| number.to_string();
    chart
        .configure_mesh()
        .x_desc(unit)
        .x_label_formatter(&plain)
        .y_label_formatter(&plain)
        .light_line_style(WHITE.mix(0.0))
        .draw()?;
    for (curve, colour) in curves.iter().zip(COLOURS) {
        let line = LineSeries::new(curve.points.iter().copied(), colour.stroke_width(2)).point_size(4);
        chart
            .draw_series(line)?
            .label(curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE)
        .border_style(BLACK.mix(0.3))
        .draw()?;
    root.present()?;
    Ok(())
}

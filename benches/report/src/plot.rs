//! A plot of ratios, as SVG.

use report::Row;

pub fn svg(title: &str, rows: &[&Row]) -> String {
    format!("{title}{}", rows.len())
}

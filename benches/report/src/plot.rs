//! A plot of ratios, as SVG: a line for each case, a mark for each peer, and a scale on which twice is as far as half.

use std::fmt::Write as _;

use report::{Measure, Row};

use crate::table;

/// Lengths are in pixels.
const WIDTH: f64 = 860.0;
const LABELS: f64 = 300.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 96.0;
const LINE: f64 = 22.0;
const BOTTOM: f64 = 44.0;

/// Colours that people tell apart who see few of them, and that stand out on white and on black.
const COLOURS: [&str; 6] = ["#0090d4", "#e69f00", "#00a878", "#d86ba8", "#e0561b", "#8a7fe0"];

/// Both of a page's colours, as the reader's system asks for them.
const STYLE: &str = "\
text{font:13px sans-serif;fill:#1f2328}.title{font-size:16px;font-weight:bold}.quiet{fill:#59636e;font-size:12px}
.page{fill:#fff}.grid{stroke:#d1d9e0}.one{stroke:#59636e;stroke-width:2}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.quiet{fill:#9198a1}.page{fill:#0d1117}.grid{stroke:#3d444d}.one{stroke:#9198a1}}";

/// The plot of the rows that are about speed.
pub fn svg(title: &str, rows: &[&Row]) -> String {
    let points: Vec<(&str, &str, f64)> = rows.iter().filter_map(|row| point(row)).collect();
    let cases = distinct(points.iter().map(|point| point.0));
    let peers = distinct(points.iter().map(|point| point.1));
    let scale = Scale::of(points.iter().map(|point| point.2));
    let bottom = TOP + LINE * cases.len() as f64;
    let height = bottom + BOTTOM;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n<title>{0}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\"/>\n<text class=\"title\" x=\"16\" y=\"28\">{0}</text>\n",
        escaped(title),
    );
    legend(&mut svg, &peers);
    for tick in scale.ticks() {
        let x = scale.x(tick);
        let class = if tick == 1.0 { "one" } else { "grid" };
        let _ = writeln!(
            svg,
            "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\
             <text class=\"quiet\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tick}×</text>",
            bottom + 18.0,
        );
    }
    for (index, case) in cases.iter().enumerate() {
        let y = TOP + LINE * (index as f64 + 0.5);
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <line class=\"grid\" x1=\"{LABELS}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>",
            LABELS - 12.0,
            y + 4.0,
            escaped(case),
            WIDTH - RIGHT,
        );
        for (_, peer, ratio) in points.iter().filter(|point| point.0 == *case) {
            let colour = peers.iter().position(|it| it == peer).unwrap_or_default();
            let said = format!("{case}, beside {peer}: {}×", table::ratio(*ratio));
            mark(&mut svg, colour, scale.x(*ratio), y, &said);
        }
    }
    svg + "</svg>\n"
}

/// The case, the peer and how many times as fast we are.
fn point<'a>(row: &&'a Row) -> Option<(&'a str, &'a str, f64)> {
    let ratio = row.ratio.filter(|ratio| *ratio > 0.0)?;
    let faster = match row.measure {
        Measure::Throughput => ratio,
        Measure::Time => 1.0 / ratio,
        _ => return None,
    };
    Some((&row.case, &row.peer, faster))
}

/// In the order in which they come.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

fn legend(svg: &mut String, peers: &[&str]) {
    let mut x = 24.0;
    for (colour, peer) in peers.iter().enumerate() {
        mark(svg, colour, x, 52.0, peer);
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"56.5\">{}</text>", x + 12.0, escaped(peer));
        x += 40.0 + 7.2 * peer.chars().count() as f64;
    }
    let said = "right of 1×: faster than the peer; left of it: slower";
    let _ = writeln!(svg, "<text class=\"quiet\" x=\"16\" y=\"80\">{said}</text>");
}

/// A mark of a form of its own for each colour.
fn mark(svg: &mut String, colour: usize, x: f64, y: f64, said: &str) {
    let form = match colour % 3 {
        0 => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5.5\""),
        1 => format!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\"",
            x - 5.0,
            y - 5.0
        ),
        _ => format!("<path d=\"M{x:.1} {:.1}l6.5 6.5l-6.5 6.5l-6.5 -6.5z\"", y - 6.5),
    };
    let colour = COLOURS[colour % COLOURS.len()];
    let _ = writeln!(
        svg,
        "{form} fill=\"{colour}\"><title>{}</title></{}>",
        escaped(said),
        element(&form)
    );
}

fn element(form: &str) -> &str {
    form.trim_start_matches('<').split(' ').next().unwrap_or_default()
}

/// Where a ratio is, by its logarithm.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// Holds all of them and 1, with some room.
    fn of(ratios: impl Iterator<Item = f64>) -> Self {
        let logs = ratios.map(f64::log10).chain([-0.1, 0.1]);
        let (low, high) = logs.fold((0.0, 0.0), |(low, high): (f64, f64), log| (low.min(log), high.max(log)));
        Self {
            low: low - 0.08,
            high: high + 0.08,
        }
    }

    fn x(&self, ratio: f64) -> f64 {
        let share = (ratio.log10() - self.low) / (self.high - self.low);
        LABELS + share * (WIDTH - RIGHT - LABELS)
    }

    /// Round numbers: few on a long scale, more on a short one.
    fn ticks(&self) -> Vec<f64> {
        let steps: &[f64] = match self.high - self.low {
            length if length > 2.5 => &[1.0],
            length if length > 1.0 => &[1.0, 2.0, 5.0],
            _ => &[1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 6.0, 7.0, 8.0, 9.0],
        };
        let powers = [0.01, 0.1, 1.0, 10.0, 100.0, 1_000.0, 10_000.0];
        let all = powers
            .iter()
            .flat_map(|power| steps.iter().map(move |step| step * power));
        // Without what binary fractions add.
        let round = all.map(|tick| (tick * 1e4).round() / 1e4);
        round
            .filter(|tick| (self.low..=self.high).contains(&tick.log10()))
            .collect()
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faster_is_right_of_one_and_every_peer_has_its_mark() {
        let fast = Row::new("t", "a", "p", Measure::Throughput, 4.0, 2.0);
        let slow = Row::new("t", "b", "q<", Measure::Time, 4.0, 2.0);
        let count = Row::new("t", "c", "r", Measure::Bytes, 4.0, 2.0);
        let svg = svg("title", &[&fast, &slow, &count]);
        assert_eq!(
            (svg.matches("<circle").count(), svg.matches("width=\"10\"").count()),
            (2, 2)
        );
        assert!(svg.contains("a, beside p: 2.00×") && svg.contains("b, beside q&lt;: 0.50×"));
        assert!(!svg.contains("beside r"));
        let scale = Scale::of([0.5, 2.0].into_iter());
        assert!(scale.x(2.0) > scale.x(1.0) && scale.x(1.0) > scale.x(0.5));
    }

    #[test]
    fn ticks_are_round_and_hold_one() {
        assert_eq!(Scale::of([0.1, 800.0].into_iter()).ticks(), [0.1, 1.0, 10.0, 100.0]);
        assert_eq!(
            Scale::of([0.95, 1.1].into_iter()).ticks(),
            [0.7, 0.8, 0.9, 1.0, 1.2, 1.5]
        );
    }
}

//! Rows as text: for a terminal, and for a page.

use report::{Budget, Measure, Row};

const HEAD: [&str; 7] = ["case", "beside", "measure", "ours", "theirs", "ratio", "budget"];
/// The columns from here on are figures, and read from the right.
const FIGURES: usize = 3;

/// Lines for a terminal, each with its verdict.
pub fn plain(rows: &[Row]) -> String {
    let head = [vec!["table".to_owned()], HEAD.map(str::to_owned).to_vec()].concat();
    let lines = rows
        .iter()
        .map(|row| [vec![row.table.clone()], cells(row).to_vec()].concat());
    let lines: Vec<Vec<String>> = std::iter::once(head).chain(lines).collect();
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let verdicts = std::iter::once("").chain(rows.iter().map(|row| match row.kept() {
        Some(true) => "kept",
        Some(false) => "LOST",
        None => "",
    }));
    let padded = lines.iter().zip(verdicts).map(|(line, verdict)| {
        let mut text = String::new();
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            // One more to the left than on the page.
            if column <= FIGURES {
                text += &format!("{cell:<width$}  ");
            } else {
                text += &format!("{cell:>width$}  ");
            }
        }
        format!("{}\n", (text + verdict).trim_end())
    });
    padded.collect()
}

/// A table of Markdown. A lost budget is bold.
pub fn markdown(rows: &[&Row]) -> String {
    let rules = HEAD
        .iter()
        .enumerate()
        .map(|(column, _)| if column < FIGURES { "---" } else { "---:" });
    let mut text = line(HEAD.into_iter()) + &line(rules);
    for row in rows {
        let mut cells = cells(row);
        if row.kept() == Some(false) {
            cells[6] = format!("**{} lost**", cells[6]);
        }
        text += &line(cells.iter().map(String::as_str));
    }
    text
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

fn cells(row: &Row) -> [String; 7] {
    let figure = |value: f64| {
        if row.measure.is_count() {
            count(value)
        } else {
            String::new()
        }
    };
    [
        row.case.clone(),
        row.peer.clone(),
        measure(row.measure).to_owned(),
        figure(row.ours),
        figure(row.theirs),
        row.ratio.map(ratio).unwrap_or_default(),
        row.budget.map(budget).unwrap_or_default(),
    ]
}

fn measure(measure: Measure) -> &'static str {
    match measure {
        Measure::Time => "time",
        Measure::Throughput => "throughput",
        Measure::Instructions => "instructions",
        Measure::Misses => "cache misses",
        Measure::Allocations => "allocations",
        Measure::Bytes => "bytes",
        Measure::Crates => "crates",
        Measure::Tasks => "tasks",
    }
}

/// Two digits behind the point, fewer when there are more before it.
pub fn ratio(ratio: f64) -> String {
    match ratio {
        _ if ratio < 0.1 => format!("{ratio:.3}"),
        _ if ratio < 10.0 => format!("{ratio:.2}"),
        _ if ratio < 100.0 => format!("{ratio:.1}"),
        _ => format!("{ratio:.0}"),
    }
}

/// Whole, with spaces between thousands; small ones have a digit behind the point if it says something.
fn count(value: f64) -> String {
    if value < 100.0 && value.fract() >= 0.05 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

fn budget(budget: Budget) -> String {
    match budget {
        Budget::AtMost(most) => format!("≤ {}", rounded(most)),
        Budget::AtLeast(least) => format!("≥ {}", rounded(least)),
        Budget::AtMostMore(most) => format!("≤ {} more", count(most)),
    }
}

/// To two digits behind the point, without those that say nothing.
fn rounded(limit: f64) -> f64 {
    (limit * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_not_shown_and_counts_are() {
        let time = Row::new("t", "c", "p", Measure::Time, 0.25, 0.5).budget(Budget::AtMost(0.6));
        assert_eq!(
            markdown(&[&time]).lines().last(),
            Some("| c | p | time |  |  | 0.50 | ≤ 0.6 |")
        );
        let lost = Row::new("t", "c", "p", Measure::Instructions, 1234.0, 1000.0).budget(Budget::AtMost(1.05));
        assert_eq!(
            markdown(&[&lost]).lines().last(),
            Some("| c | p | instructions | 1 234 | 1 000 | 1.23 | **≤ 1.05 lost** |")
        );
        assert!(plain(&[time, lost]).contains("kept\n"));
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [(0.0, "0"), (2.26, "2.3"), (1e6, "1 000 000"), (123_456.7, "123 457")] {
            assert_eq!(count(value), text);
        }
        for (value, text) in [(0.0123, "0.012"), (1.0, "1.00"), (12.34, "12.3"), (1234.5, "1234")] {
            assert_eq!(ratio(value), text);
        }
    }
}

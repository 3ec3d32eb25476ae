//! Measures the emulator beside a bare server, in turns in one session, and compares the two: how many requests each
//! answers, and what thousands of open streams cost. Whether a budget holds never depends on how fast the machine is.

mod load;
mod server;
mod streams;

use std::process::ExitCode;

/// Pairs of measurements, the emulator's and the bare server's right after one another; the median pair counts.
const PAIRS: usize = 7;
/// The least share of the bare server's throughput.
const THROUGHPUT: f64 = 0.7;
/// Streams that are open at once.
const STREAMS: usize = 5_000;
/// The most memory of the process with so many.
const MEMORY: u64 = 300 << 20;
/// How much later than the bare server's last stream the emulator's may get its event: a share of a wait that a starved
/// stream would exceed many times over.
const LATENESS: f64 = 5.0;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// One line of the table.
struct Row {
    what: String,
    emulator: String,
    bare: String,
    measured: String,
    budget: String,
    kept: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match measure().await {
        Ok(rows) => {
            print(&rows);
            if rows.iter().all(|row| row.kept) {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> Result<Vec<Row>> {
    streams::enough_files(STREAMS)?;
    let mut rows = load::measure(PAIRS).await?;
    rows.extend(streams::measure(STREAMS).await?);
    Ok(rows)
}

fn print(rows: &[Row]) {
    let head = ["", "emulator", "bare", "measured", "budget", ""].map(str::to_owned);
    let lines = rows.iter().map(|row| {
        let verdict = if row.kept { "kept" } else { "LOST" };
        let [what, emulator, bare] = [&row.what, &row.emulator, &row.bare].map(Clone::clone);
        [
            what,
            emulator,
            bare,
            row.measured.clone(),
            row.budget.clone(),
            verdict.to_owned(),
        ]
    });
    let lines: Vec<[String; 6]> = std::iter::once(head).chain(lines).collect();
    let widths: [usize; 6] = std::array::from_fn(|column| {
        lines
            .iter()
            .map(|line| line[column].chars().count())
            .max()
            .unwrap_or_default()
    });
    for line in lines {
        let mut cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:>width$}"));
        let first = cells.next().unwrap_or_default();
        // The first column is text, and text is read from the left.
        println!(
            "{:width$}  {}",
            first.trim_start(),
            cells.collect::<Vec<_>>().join("  "),
            width = widths[0]
        );
    }
}

/// The middle value, or the mean of the two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_in_the_middle() {
        for (values, expected) in [
            (vec![3.0], 3.0),
            (vec![9.0, 1.0, 2.0], 2.0),
            (vec![4.0, 1.0, 3.0, 2.0], 2.5),
        ] {
            assert_eq!(median(values), expected);
        }
        assert!(median(Vec::new()).is_nan());
    }
}

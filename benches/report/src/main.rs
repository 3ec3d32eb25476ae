//! `report [--page docs/performance.md] FILE...` reads rows, prints them with verdicts, and fails when a budget is lost. With
//! `--page` it also writes the tables and what they were measured with into that page, and the plots beside it.

mod machine;
mod page;
mod plot;
mod table;

use std::path::Path;
use std::process::ExitCode;

use report::{Result, Row};

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(lost) => {
            eprintln!("bench: {lost} lost budgets");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The number of budgets that are lost.
fn run(arguments: &[String]) -> Result<usize> {
    let (page, files) = match arguments {
        [option, page, files @ ..] if option == "--page" => (Some(Path::new(page)), files),
        files => (None, files),
    };
    let mut rows = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).map_err(|e| format!("cannot read {file}: {e}"))?;
        for line in text.lines() {
            rows.push(serde_json::from_str::<Row>(line).map_err(|e| format!("{file} has no row in {line:?}: {e}"))?);
        }
    }
    print!("{}", table::plain(&rows));
    if let Some(page) = page {
        page::write(page, &rows)?;
    }
    Ok(rows.iter().filter(|row| row.kept() == Some(false)).count())
}

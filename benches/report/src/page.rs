//! The page about performance: its words are written by hand, and the tables between its marks are put there.
//!
//! A mark is a line `<!-- begin NAME -->`, and ends with `<!-- end NAME -->`. The name is that of a table, or `machine`.

use std::path::Path;

use report::{Result, Row};

use crate::{machine, plot, table};

/// Tables of which there is a plot beside the page, and what its title says.
const PLOTTED: [(&str, &str); 2] = [
    ("sse", "Decoding server-sent events: how many times as fast as …"),
    ("concurrency", "Calls at once: throughput as a multiple of …"),
];

/// Puts all tables into the page and writes the plots.
pub fn write(path: &Path, rows: &[Row]) -> Result<()> {
    let mut page = std::fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    page = replaced(&page, "machine", &machine::describe()?)?;
    let mut names: Vec<&str> = rows.iter().map(|row| row.table.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.table == name).collect();
        page = replaced(&page, name, &table::markdown(&rows))?;
        if let Some((_, title)) = PLOTTED.iter().find(|(plotted, _)| *plotted == name) {
            std::fs::write(
                path.with_file_name(format!("performance-{name}.svg")),
                plot::svg(title, &rows),
            )?;
        }
    }
    Ok(std::fs::write(path, page)?)
}

/// The page with another text between the marks.
fn replaced(page: &str, name: &str, text: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->\n"));
    let parts = page.split_once(&begin);
    let parts = parts.and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let (before, after) = parts.ok_or_else(|| format!("the page has no {}{end}", begin.trim_end()))?;
    Ok(format!("{before}{begin}{text}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn a_table_takes_the_place_of_the_last_one() {
        let page = "a\n<!-- begin t -->\nold\n<!-- end t -->\nb\n";
        let page = replaced(page, "t", "new\n").unwrap();
        assert_eq!(page, "a\n<!-- begin t -->\nnew\n<!-- end t -->\nb\n");
        assert_eq!(replaced(&page, "t", "new\n").unwrap(), page);
    }

    #[test]
    fn a_table_without_a_place_is_an_error() {
        let page = "<!-- begin t -->\n";
        assert!(
            replaced(page, "t", "new\n")
                .unwrap_err()
                .to_string()
                .contains("<!-- end t -->")
        );
    }
}

//! Tables for lists: no frame, so that they can be read, copied and cut.

use comfy_table::{ContentArrangement, Table, presets};
use jiff::{Timestamp, Unit};

/// A table as text. On a terminal it is no wider than that.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head);
    if let Some((_, columns)) = console::Term::stdout().size_checked() {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(columns);
    }
    for row in rows {
        table.add_row(row);
    }
    // Cells are padded on both sides, which no line needs at its ends.
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// How long ago it was, in its largest unit: `12s`, `3m`, `5h`, `2d`.
pub(crate) fn age(since: Timestamp) -> String {
    let seconds = (Timestamp::now() - since)
        .total(Unit::Second)
        .unwrap_or_default()
        .max(0.0);
    let units = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "m"), (1.0, "s")];
    let unit = units
        .into_iter()
        .find(|(size, _)| seconds >= *size)
        .unwrap_or((1.0, "s"));
    format!("{}{}", (seconds / unit.0).floor(), unit.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn a_table_has_a_head_and_no_space_at_its_ends() {
        let text = table(
            ["ID", "STATUS"],
            [["a".into(), "ok".into()], ["long id".into(), String::new()]],
        );
        assert_eq!(text, "ID       STATUS\na        ok\nlong id");
    }

    #[test]
    fn an_age_has_one_unit() {
        for (seconds, text) in [(-5, "0s"), (59, "59s"), (150, "2m"), (7_300, "2h"), (200_000, "2d")] {
            assert_eq!(age(Timestamp::now() - SignedDuration::from_secs(seconds)), text);
        }
    }
}

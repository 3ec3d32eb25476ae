//! The table of docs/reliability.md.

use std::fmt::Write;

use super::cell;
use super::class::Class;
use super::fault::Fault;
use super::faults;

/// All cells, a row for each fault, and what was counted.
pub(super) fn figures(faults: &[Fault], most: usize) -> String {
    let mut text = format!(
        "{} cells of {} faults and {} classes: none is otherwise than by the rules. A call of each class at \
         once with an endless answer allocated {} KiB at most, all together.\n\n",
        faults.len() * Class::ALL.len(),
        faults.len(),
        Class::ALL.len(),
        most / 1024
    );
    text.push_str(&table(faults));
    text
}

/// What has to come of each cell.
fn table(faults: &[Fault]) -> String {
    let mut text = "| fault |".to_owned();
    for class in Class::ALL {
        write!(text, " {} |", class.name()).unwrap();
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(Class::ALL.len()));
    text.push('\n');
    for fault in faults {
        write!(text, "| {} |", fault.name).unwrap();
        for class in Class::ALL {
            write!(text, " {} |", cell::shown(fault, class)).unwrap();
        }
        text.push('\n');
    }
    text
}

#[test]
fn the_page_shows_what_the_rules_say() {
    let page = include_str!("../../../docs/reliability.md");
    let table = table(&faults());
    assert!(
        page.contains(&table),
        "`cargo xtask reliability matrix` writes the table anew"
    );
}

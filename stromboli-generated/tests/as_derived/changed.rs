//! JSON with something changed.

use proptest::prelude::*;
use serde_json::Value;

/// All values that are inside of `tree`, and it.
pub(crate) fn count(tree: &Tree) -> usize {
    1 + match tree {
        Tree::Plain(_) => 0,
        Tree::List(items) => items.iter().map(count).sum(),
        Tree::Object(fields) => fields.iter().map(|(_, value)| count(value)).sum(),
    }
}

/// The value with this number.
pub(crate) fn nth<'a>(tree: &'a mut Tree, number: &mut usize) -> Option<&'a mut Tree> {
    if *number == 0 {
        return Some(tree);
    }
    *number -= 1;
    match tree {
        Tree::Plain(_) => None,
        Tree::List(items) => items.iter_mut().find_map(|item| nth(item, number)),
        Tree::Object(fields) => fields.iter_mut().find_map(|(_, value)| nth(value, number)),
    }
}

/// JSON that may repeat names and write numbers as nobody does.
#[derive(Clone)]
pub(crate) enum Tree {
    Plain(String),
    List(Vec<Tree>),
    /// Names as they are written, with their quotes.
    Object(Vec<(String, Tree)>),
}

pub(crate) fn tree(value: Value) -> Tree {
    match value {
        Value::Array(items) => Tree::List(items.into_iter().map(tree).collect()),
        Value::Object(fields) => Tree::Object(
            fields
                .into_iter()
                .map(|(name, value)| (format!("\"{name}\""), tree(value)))
                .collect(),
        ),
        plain => Tree::Plain(plain.to_string()),
    }
}

pub(crate) fn write(tree: &Tree) -> String {
    match tree {
        Tree::Plain(text) => text.clone(),
        Tree::List(items) => format!("[{}]", items.iter().map(write).collect::<Vec<_>>().join(",")),
        Tree::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}: {}", write(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
    }
}

/// Values that fit few places, and what is no JSON.
pub(crate) const ODD: [&str; 25] = [
    "null",
    "true",
    "0",
    "-1",
    "1.50",
    "1e2",
    "1e400",
    "2147483648",
    "9223372036854775808",
    "18446744073709551616",
    "\"\"",
    "\"text\"",
    "\"\\u0000\"",
    "\"\\ud83d\"",
    "\"running\"",
    "\"2026-05-06T07:08:09Z\"",
    "[]",
    "[null]",
    "[\"a\"]",
    "[1,2]",
    "{}",
    "{\"a\":\"b\"}",
    "{\"id\":\"a\",\"id\":\"b\"}",
    "{\"a\":[1.0,{\"a\":null}],\"a\":2}",
    "nul",
];

/// Names that are none of a field.
pub(crate) const NAMES: [&str; 6] = [
    "\"something_new\"",
    "\"extra\"",
    "\"\"",
    "\"Id\"",
    "\"\\u00e9\\n\"",
    "\"\\ud800\"",
];

/// Changes one place.
pub(crate) fn change(tree: &mut Tree, what: u8, place: prop::sample::Index, with: prop::sample::Index) {
    let mut number = place.index(count(tree));
    let Some(value) = nth(tree, &mut number) else { return };
    let odd = || Tree::Plain(ODD[with.index(ODD.len())].to_owned());
    let Tree::Object(fields) = value else {
        *value = odd();
        return;
    };
    let name = NAMES[with.index(NAMES.len())].to_owned();
    if fields.is_empty() {
        fields.push((name, odd()));
        return;
    }
    let at = with.index(fields.len());
    match what % 9 {
        0 => drop(fields.remove(at)),
        1 => fields[at].0 = name,
        2 => fields[at].1 = odd(),
        3 => fields.push((fields[at].0.clone(), odd())),
        4 => fields.insert(0, fields[at].clone()),
        5 => fields.reverse(),
        // The same name, written so that it cannot be lent.
        6 => fields[at].0 = fields[at].0.replace('i', "\\u0069").replace('e', "\\u0065"),
        7 => fields.insert(at, (name, odd())),
        _ => *value = odd(),
    }
}

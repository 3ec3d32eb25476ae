//! Lines that nobody prints: recorded ones with something changed, and ones put together from pieces of them.

use proptest::prelude::*;

use super::strict::{Tree, tree, units, write};

/// The lines that changes start from.
const SOURCES: [&str; 4] = [
    include_str!("../vectors/examples.jsonl"),
    include_str!("../vectors/bash-tool.jsonl"),
    include_str!("../vectors/permission-denied.jsonl"),
    include_str!("../vectors/api-error-400.jsonl"),
];

pub(crate) fn sources() -> impl Iterator<Item = &'static str> {
    SOURCES.into_iter().flat_map(str::lines)
}

/// Values that fit few places, by what they try.
const ODD: [&str; 26] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-1",
    "1.50",
    "1E+2",
    "1e400",
    "-1e-400",
    "18446744073709551616",
    "1234567890123456789012345678901234567890",
    "0.1000000000000000055511151231257827021181583404541015625",
    "\"\"",
    "\"text\"",
    "\"\\u0000\"",
    "\"\\ud83d\"",
    "\"a\\ud83d\\ude00b\\udc00\\\\ud83d\"",
    "\"something_new\"",
    "[]",
    "[null]",
    "[\"text\",1]",
    "{}",
    "{\"type\":\"something_new\",\"a\":[1.0]}",
    "{\"type\":5}",
    "{\"a\":1,\"a\":2.50,\"\\ud800\":null}",
];

/// A change: what is done, where, and with what.
type Change = (u8, prop::sample::Index, prop::sample::Index);

/// Recorded lines and examples with up to six changes, and the same ones with none.
pub(crate) fn changed_line() -> impl Strategy<Value = String> {
    let source = prop::sample::select(sources().collect::<Vec<_>>());
    let change = (any::<u8>(), any::<prop::sample::Index>(), any::<prop::sample::Index>());
    (source, prop::collection::vec(change, 0..6), any::<bool>()).prop_map(|(line, changes, escape)| {
        let mut line = tree(line);
        for change in changes {
            apply(&mut line, change);
        }
        write(&line, escape)
    })
}

/// Objects of the names and values that lines have, in shapes that they do not have.
pub(crate) fn generated_line() -> impl Strategy<Value = String> {
    let mut names = Vec::new();
    let mut values = Vec::new();
    for line in sources() {
        collect(&tree(line), &mut names, &mut values);
    }
    names.extend(["something_new", "", "extra", "raw"].map(units));
    values.extend(ODD.map(tree));
    let name = prop::sample::select(names);
    let value = prop::sample::select(values).prop_recursive(6, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Tree::List),
            prop::collection::vec((name.clone(), inner), 0..8).prop_map(Tree::Object),
        ]
    });
    let tags = prop::sample::select(sources().map(tags).collect::<Vec<_>>());
    (tags, value).prop_map(|(mut fields, value)| {
        fields.extend(match value {
            Tree::Object(fields) => fields,
            other => vec![(units("value"), other)],
        });
        write(&Tree::Object(fields), false)
    })
}

/// The fields that say what a line is.
fn tags(line: &str) -> Vec<(Vec<u16>, Tree)> {
    let Tree::Object(fields) = tree(line) else {
        unreachable!()
    };
    let tag = |name: &[u16]| [units("type"), units("subtype")].iter().any(|tag| tag == name);
    fields.into_iter().filter(|(name, _)| tag(name)).collect()
}

fn collect(value: &Tree, names: &mut Vec<Vec<u16>>, values: &mut Vec<Tree>) {
    match value {
        Tree::List(items) => items.iter().for_each(|item| collect(item, names, values)),
        Tree::Object(fields) => {
            for (name, value) in fields {
                names.push(name.clone());
                collect(value, names, values);
            }
        }
        _ => values.push(value.clone()),
    }
}

/// Changes one place of a line, which stays an object.
fn apply(line: &mut Tree, (what, place, with): Change) {
    let odd = || tree(ODD[with.index(ODD.len())]);
    let is_object = |tree: &Tree| matches!(tree, Tree::Object(_));
    if what % 3 == 0 {
        // Some value; number 0 is the line itself.
        let mut number = place.index(count(line, &|_| true));
        if let Some(value) = (number > 0).then(|| nth(line, &mut number, &|_| true)).flatten() {
            *value = if what % 16 == 0 { nested(with.index(300)) } else { odd() };
        }
        return;
    }
    let mut number = place.index(count(line, &is_object));
    let Some(Tree::Object(fields)) = nth(line, &mut number, &is_object) else {
        return;
    };
    let at = with.index(fields.len().max(1));
    match what / 3 % 7 {
        _ if fields.is_empty() => fields.push((units("something_new"), odd())),
        0 => drop(fields.remove(at)),
        1 => fields[at].0.extend(units("x")),
        2 => fields[at].0 = vec![0xd800],
        3 => fields.push((fields[at].0.clone(), odd())),
        4 => fields.insert(0, (fields[at].0.clone(), odd())),
        5 => fields.reverse(),
        _ => fields.push((units("something_new"), odd())),
    }
}

fn nested(depth: usize) -> Tree {
    (0..depth).fold(Tree::Plain("1.0".into()), |inner, level| match level % 2 {
        0 => Tree::List(vec![inner]),
        _ => Tree::Object(vec![(units("content"), inner)]),
    })
}

/// How many values there are of a kind.
fn count(tree: &Tree, kind: &dyn Fn(&Tree) -> bool) -> usize {
    let inside: usize = match tree {
        Tree::List(items) => items.iter().map(|item| count(item, kind)).sum(),
        Tree::Object(fields) => fields.iter().map(|(_, value)| count(value, kind)).sum(),
        _ => 0,
    };
    inside + usize::from(kind(tree))
}

/// One of the values of a kind; 0 is the first.
fn nth<'a>(tree: &'a mut Tree, number: &mut usize, kind: &dyn Fn(&Tree) -> bool) -> Option<&'a mut Tree> {
    if kind(tree) {
        if *number == 0 {
            return Some(tree);
        }
        *number -= 1;
    }
    match tree {
        Tree::List(items) => items.iter_mut().find_map(|item| nth(item, number, kind)),
        Tree::Object(fields) => fields.iter_mut().find_map(|(_, value)| nth(value, number, kind)),
        _ => None,
    }
}

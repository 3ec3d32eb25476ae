//! Messages are equal exactly when they say the same.

use serde_json::{Value, json};
use stromboli_messages::{Block, Message, transcript::Entry};

use crate::{
    mutate::sources,
    strict::{Tree, tree, write},
};

#[test]
fn a_change_anywhere_in_a_line_makes_another_message() {
    let mut changes = 0;
    for line in sources().chain([r#"{"type":"system","subtype":"hook_response","exit_code":-1}"#]) {
        let value: Value = serde_json::from_str(line).unwrap();
        let message = Message::parse(line).unwrap();
        let entry = Entry::parse(line).unwrap();
        let mut places = Vec::new();
        pointers(&value, String::new(), &mut places);
        for place in places {
            let mut changed = value.clone();
            change(changed.pointer_mut(&place).unwrap());
            let changed = changed.to_string();
            assert!(
                Message::parse(changed.as_str()).unwrap() != message,
                "{place} of {line}"
            );
            assert!(Entry::parse(changed).unwrap() != entry, "{place} of {line}");
            changes += 1;
        }
    }
    assert!(changes > 2000, "{changes}");
}

#[test]
fn the_order_of_fields_makes_no_other_message() {
    for line in sources() {
        let mut turned = tree(line);
        turn(&mut turned);
        let turned = write(&turned, false);
        assert_ne!(turned, line);
        assert!(
            Message::parse(turned).unwrap() == Message::parse(line).unwrap(),
            "{line}"
        );
    }
}

#[test]
fn what_is_of_another_type_is_another_block() {
    let text: Block = serde_json::from_str(r#"{"type":"text","text":"Hi"}"#).unwrap();
    let connector: Block = serde_json::from_str(r#"{"type":"connector_text","text":"Hi"}"#).unwrap();
    assert!(text != connector);
}

/// Puts the fields of all objects into the opposite order.
fn turn(value: &mut Tree) {
    match value {
        Tree::Object(fields) => {
            fields.reverse();
            fields.iter_mut().for_each(|(_, value)| turn(value));
        }
        Tree::List(items) => items.iter_mut().for_each(turn),
        _ => {}
    }
}

/// Where all values are inside of this one.
fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                pointers(value, format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
    if !at.is_empty() {
        found.push(at);
    }
}

/// Makes another value of it, of the same kind where there is one.
fn change(value: &mut Value) {
    match value {
        Value::Null => *value = json!(1),
        Value::Bool(flag) => *flag = !*flag,
        Value::Number(number) => {
            *value = match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => json!(number.wrapping_add(1)),
                (None, Some(number)) => json!(number - 1),
                _ => json!(number.as_f64().unwrap_or_default() + 1.0),
            }
        }
        Value::String(text) => text.push('!'),
        Value::Array(items) => items.push(Value::Null),
        Value::Object(fields) => drop(fields.insert("one more".to_owned(), Value::Null)),
    }
}

//! Whether two raw texts are the same JSON value.

use serde_json::value::RawValue;

use super::{MAX_DEPTH, fields, object};

/// Whether two values are the same: the order of fields, escapes and white space do not count, the digits of numbers
/// do. Beyond the depth that is typed, only equal texts are the same.
pub(crate) fn same(a: &RawValue, b: &RawValue) -> bool {
    same_at(a, b, 0)
}

fn same_at(a: &RawValue, b: &RawValue, depth: usize) -> bool {
    if a.get() == b.get() {
        return true;
    }
    let kinds = (a.get().as_bytes().first(), b.get().as_bytes().first());
    match kinds {
        (Some(b'"'), Some(b'"')) => object::text(a).is_some_and(|text| object::text(b) == Some(text)),
        (Some(b'{'), Some(b'{')) if depth < MAX_DEPTH => match (fields(a), fields(b)) {
            (Some(a), Some(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .zip(&b)
                        .all(|((a_name, a), (b_name, b))| a_name == b_name && same_at(a, b, depth + 1))
            }
            _ => false,
        },
        (Some(b'['), Some(b'[')) if depth < MAX_DEPTH => {
            let lists = [a, b].map(|raw| serde_json::from_str::<Vec<&RawValue>>(raw.get()));
            match lists {
                [Ok(a), Ok(b)] => a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| same_at(a, b, depth + 1)),
                _ => false,
            }
        }
        _ => false,
    }
}

//! The lenient way: each field is looked at on its own as raw text, and what does not fit stays raw.

use serde_json::value::RawValue;

use super::{MAX_DEPTH, Object, Owner, Place, Record, Shape, Tagged, Wire, Written, fields, strict::read_text, text};
use crate::{Block, Content, Extra, Unknown, UnknownMessage};

/// Reads valid JSON leniently; `None` when it does not fit at all.
pub(crate) fn recover<T: Wire>(raw: &RawValue) -> Option<T> {
    Option::filled(&mut |slot| recover_place(slot.place(), raw, 0), &mut |_| ())
}

/// Reads it to its place, inside of so many records; `false` when it does not fit.
pub(super) fn recover_place(place: Place<'_>, raw: &RawValue, depth: usize) -> bool {
    match place {
        Place::Record(record) => recover_record(record.begin(), &Object::new(raw), depth),
        Place::Tagged(tagged) => recover_tagged(tagged, &Object::new(raw), depth),
        // A list fits when each of its elements does, and a map when each of its values does.
        Place::List(list) => {
            let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else {
                return false;
            };
            let (mut items, mut fits) = (items.into_iter(), true);
            list.fill(&mut |place| {
                let item = items.next();
                fits = item.is_none_or(|item| recover_place(place, item, depth));
                item.is_some() && fits
            });
            fits
        }
        Place::Map(map) => {
            let Some(entries) = fields(raw) else { return false };
            let (mut entries, mut fits) = (entries.into_iter(), true);
            map.fill(&mut |name, place| {
                let Some((key, value)) = entries.next() else {
                    return false;
                };
                *name = key.into_owned();
                fits = recover_place(place, value, depth);
                fits
            });
            fits
        }
        Place::Content(content) if raw.get().starts_with('[') => {
            let mut blocks: Option<Vec<Block>> = None;
            let fits = recover_place(Place::List(&mut blocks), raw, depth);
            *content = blocks.map(Content::Blocks);
            fits
        }
        place => read_text(raw.get(), place, depth).is_ok(),
    }
}

fn recover_tagged(tagged: &mut dyn Tagged, object: &Object<'_>, depth: usize) -> bool {
    let value = object.text(tagged.tag());
    recover_shape(tagged.choose(value.as_deref()), object, depth) || recover_shape(tagged.choose(None), object, depth)
}

fn recover_shape(shape: Shape<'_>, object: &Object<'_>, depth: usize) -> bool {
    match shape {
        Shape::Record(record) => recover_record(record, object, depth),
        Shape::Tagged(tagged) => recover_tagged(tagged, object, depth),
        Shape::Unknown(unknown) => {
            *unknown = Unknown::of_object(object);
            true
        }
        Shape::UnknownMessage(unknown) => {
            // Of the JSON that is no object, nothing is a message.
            let fits = object.raw.get().starts_with('{');
            if fits {
                *unknown = UnknownMessage::of_object(object);
            }
            fits
        }
    }
}

/// `false` when it is of another type, too deep or no object.
fn recover_record(record: &mut dyn Record, object: &Object<'_>, depth: usize) -> bool {
    let Some(fields) = object.fields.as_ref().filter(|_| depth < MAX_DEPTH) else {
        return false;
    };
    let mut rest = Written::default();
    for (name, value) in fields {
        if recover_field(record, name, value, depth + 1) {
            continue;
        }
        if let Some((_, tag)) = record.layout().tags.iter().find(|(tag, _)| tag == name) {
            if text(value).is_some_and(|text| text == *tag) {
                continue;
            }
            return false;
        }
        rest.push(name.clone(), value);
    }
    *record.extra_mut() = Extra::of_fields(rest);
    true
}

/// `false` when there is no such field, or the value does not fit it.
fn recover_field(record: &mut dyn Record, name: &str, raw: &RawValue, depth: usize) -> bool {
    let Some((number, place)) = record.place(name) else {
        return false;
    };
    if raw.get() == "null" {
        record.nulls_mut().insert(number);
        return true;
    }
    let fits = recover_place(place, raw, depth);
    if !fits {
        // What has been read of it until then.
        if let Some((_, place)) = record.place(name) {
            place.clear();
        }
    }
    fits
}

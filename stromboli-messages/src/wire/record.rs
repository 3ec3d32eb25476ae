//! Records: objects with named fields, each optional, that keep what they have no field for.

/// Defines a record: a struct of optional fields and [`Extra`], with everything that depends on the list of fields.
///
/// A macro, because reading (strict and lenient), writing, comparing and showing each go through the fields one by one
/// with their types; written by hand, every field would stand in six places that must agree. A field's name on the wire
/// is its own unless given; `hidden` keeps its content out of `Debug`; `keeps line` adds the text of the line.
macro_rules! record {
    (
        $(#[$doc:meta])*
        pub struct $name:ident $([$($tag:literal = $value:literal),+])? $(keeps $line:ident)? {
            $($(#[$field_doc:meta])* $field:ident: $type:ty $(= $wire:literal)? $(, $hidden:ident)?;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Default)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* pub $field: Option<$type>,)*
            /// What has no place in the fields above.
            pub extra: $crate::Extra,
            pub(crate) nulls: $crate::wire::Nulls,
            $(pub(crate) $line: Option<::std::sync::Arc<String>>,)?
        }

        // A record may have no fields at all.
        #[allow(unused_variables, unused_mut)]
        const _: () = {
            use $crate::wire::{Lenient, Nulls, Record, Variant, Wire};

            #[allow(non_camel_case_types)]
            #[derive(Clone, Copy)]
            pub(crate) enum Slot { $($field,)* Count }

            const _: () = assert!(Slot::Count as usize <= Nulls::CAPACITY);

            impl Record for $name {
                const TAGS: &'static [(&'static str, &'static str)] = &[$($(($tag, $value)),+)?];
                type Slot = Slot;

                fn slot(name: &str) -> Option<Slot> {
                    match name {
                        $($crate::wire::record!(@wire $field $($wire)?) => Some(Slot::$field),)*
                        _ => None,
                    }
                }

                fn read_slot<'de, D: ::serde::Deserializer<'de>>(&mut self, slot: Slot, deserializer: D, depth: usize)
                    -> ::std::result::Result<(), D::Error>
                {
                    match slot {
                        $(Slot::$field => $crate::wire::read_field(
                            &mut self.$field, &mut self.nulls, slot as usize, deserializer, depth,
                        ),)*
                        Slot::Count => Ok(()),
                    }
                }
            }

            impl Lenient for $name {
                fn tags(&self) -> &'static [(&'static str, &'static str)] {
                    Self::TAGS
                }

                fn recover_named(
                    &mut self,
                    name: &str,
                    raw: &::serde_json::value::RawValue,
                    depth: usize,
                ) -> Option<bool> {
                    match name {
                        $($crate::wire::record!(@wire $field $($wire)?) => Some($crate::wire::recover_field(
                            &mut self.$field, &mut self.nulls, Slot::$field as usize, raw, depth,
                        )),)*
                        _ => None,
                    }
                }

                fn extra_mut(&mut self) -> &mut $crate::Extra {
                    &mut self.extra
                }
            }

            impl Wire for $name {
                fn read<'de, D: ::serde::Deserializer<'de>>(deserializer: D, depth: usize) -> ::std::result::Result<Self, D::Error> {
                    deserializer.deserialize_map($crate::wire::Whole::<Self>::new(depth))
                }

                fn recover(raw: &::serde_json::value::RawValue, depth: usize) -> Option<Self> {
                    Self::recover_object(&$crate::wire::Object::new(raw), depth)
                }
            }

            impl ::serde::Serialize for $name {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                    use ::serde::ser::SerializeMap;

                    let mut map = serializer.serialize_map(None)?;
                    for (tag, value) in Self::TAGS {
                        map.serialize_entry(tag, value)?;
                    }
                    let mut written = Nulls::default();
                    $(
                        let wire = $crate::wire::record!(@wire $field $($wire)?);
                        let slot = Slot::$field as usize;
                        if let Some(value) = &self.$field {
                            map.serialize_entry(wire, value)?;
                            written.insert(slot);
                        } else if self.nulls.contains(slot) && !self.extra.contains(wire) {
                            map.serialize_entry(wire, &())?;
                        }
                    )*
                    for (name, value) in self.extra.iter() {
                        let tag = Self::TAGS.iter().any(|(tag, _)| *tag == name);
                        if !tag && !Self::slot(name).is_some_and(|slot| written.contains(slot as usize)) {
                            map.serialize_entry(name, value)?;
                        }
                    }
                    map.end()
                }
            }

            /// Equal when they are written alike.
            impl PartialEq for $name {
                fn eq(&self, other: &Self) -> bool {
                    let null = |record: &Self, slot: Slot| record.nulls.contains(slot as usize);
                    $(
                        self.$field == other.$field
                            && (self.$field.is_some() || null(self, Slot::$field) == null(other, Slot::$field))
                            &&
                    )* self.extra == other.extra
                }
            }

            /// Shows the fields that are set, without the content of those that may hold secrets or text.
            impl ::std::fmt::Debug for $name {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    let mut shown = f.debug_struct(stringify!($name));
                    $(if let Some(_value) = &self.$field {
                        shown.field(stringify!($field), $crate::wire::record!(@show _value $($hidden)?));
                    })*
                    if !self.extra.is_empty() {
                        shown.field("extra", &self.extra);
                    }
                    shown.finish()
                }
            }
        };

        $crate::wire::deserialize_by_wire!($name);

        $(
            impl $name {
                /// The line this was parsed from, as it was, whatever has been changed since; `None` for what did not
                /// come from `parse`.
                pub fn raw(&self) -> Option<&str> {
                    self.$line.as_deref().map(String::as_str)
                }
            }

            impl $crate::wire::Line for $name {
                fn uuid(&self) -> Option<&str> {
                    self.uuid.as_deref()
                }

                fn session_id(&self) -> Option<&str> {
                    self.session_id.as_deref()
                }

                fn line(&self) -> Option<&str> {
                    self.$line.as_deref().map(String::as_str)
                }

                fn keep_line(&mut self, line: ::std::sync::Arc<String>) {
                    self.$line = Some(line);
                }
            }
        )?
    };
    (@wire $field:ident) => { stringify!($field) };
    (@wire $field:ident $wire:literal) => { $wire };
    (@show $value:ident) => { $value };
    (@show $value:ident hidden) => { &format_args!("[redacted]") };
}
pub(crate) use record;

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
            use $crate::wire::{Fields, Nulls, Place, Record, Wire};

            #[allow(non_camel_case_types)]
            #[derive(Clone, Copy)]
            enum Field { $($field,)* Count }

            const _: () = assert!(Field::Count as usize <= Nulls::CAPACITY);

            impl $name {
                const TAGS: &'static [(&'static str, &'static str)] = &[$($(($tag, $value)),+)?];
            }

            impl Record for $name {
                fn tags(&self) -> &'static [(&'static str, &'static str)] {
                    Self::TAGS
                }

                fn place(&mut self, name: &str) -> Option<(usize, Place<'_>)> {
                    match name {
                        $($crate::wire::record!(@wire $field $($wire)?) =>
                            Some((Field::$field as usize, Wire::place(&mut self.$field))),)*
                        _ => None,
                    }
                }

                fn nulls_mut(&mut self) -> &mut Nulls {
                    &mut self.nulls
                }

                fn extra_mut(&mut self) -> &mut $crate::Extra {
                    &mut self.extra
                }
            }

            impl Fields for $name {
                fn record(&mut self) -> &mut dyn Record {
                    self
                }
            }

            impl Wire for $name {
                fn place(slot: &mut Option<Self>) -> Place<'_> {
                    Place::Record(slot)
                }
            }

            impl ::serde::Serialize for $name {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                    use ::serde::ser::SerializeMap;

                    let mut map = serializer.serialize_map(None)?;
                    for (tag, value) in Self::TAGS {
                        map.serialize_entry(tag, value)?;
                    }
                    $(
                        let wire = $crate::wire::record!(@wire $field $($wire)?);
                        if let Some(value) = &self.$field {
                            map.serialize_entry(wire, value)?;
                        } else if self.nulls.contains(Field::$field as usize) && !self.extra.contains(wire) {
                            map.serialize_entry(wire, &())?;
                        }
                    )*
                    let is_set = |name: &str| match name {
                        $($crate::wire::record!(@wire $field $($wire)?) => self.$field.is_some(),)*
                        _ => false,
                    };
                    for (name, value) in self.extra.iter() {
                        let tag = Self::TAGS.iter().any(|(tag, _)| *tag == name);
                        if !tag && !is_set(name) {
                            map.serialize_entry(name, value)?;
                        }
                    }
                    map.end()
                }
            }

            /// Equal when they are written alike.
            impl PartialEq for $name {
                fn eq(&self, other: &Self) -> bool {
                    let mut set = Nulls::default();
                    $(if !$crate::wire::equal(&self.$field, &other.$field, &mut set, Field::$field as usize) {
                        return false;
                    })*
                    self.nulls.equal_beside(other.nulls, set) && self.extra == other.extra
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

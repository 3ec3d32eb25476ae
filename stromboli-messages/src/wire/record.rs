//! Records: objects with named fields, each optional, that keep what they have no field for.

use std::sync::Arc;

use super::{Place, Slot, View};
use crate::Extra;

/// What [`record!`](super::record!) implements.
pub(crate) trait Record {
    /// What is the same for all records of this type.
    fn layout(&self) -> &'static Layout;
    /// The field with this number.
    fn field(&self, number: usize) -> Option<&dyn Slot>;
    /// The number and the place of the field with this name on the wire.
    fn place(&mut self, name: &str) -> Option<(usize, Place<'_>)>;
    fn nulls(&self) -> Nulls;
    fn nulls_mut(&mut self) -> &mut Nulls;
    fn extra(&self) -> &Extra;
    fn extra_mut(&mut self) -> &mut Extra;

    /// The line it was read from, if it is one and has been read from it.
    fn line(&self) -> Option<&str> {
        None
    }

    fn keep_line(&mut self, _line: Arc<String>) {}
}

impl dyn Record + '_ {
    /// The value of the field with this number.
    pub(crate) fn value(&self, number: usize) -> Option<View<'_>> {
        self.field(number)?.view()
    }

    /// The text of the field with this name, one of the last.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let number = self.layout().fields.iter().rposition(|field| field.name == name)?;
        match self.value(number) {
            Some(View::Text(text)) => Some(text),
            _ => None,
        }
    }
}

/// What is the same for all records of a type.
pub(crate) struct Layout {
    /// The name of the type.
    pub(crate) name: &'static str,
    /// The fields with a fixed value that tell this record from its siblings, `type` and `subtype`.
    pub(crate) tags: &'static [(&'static str, &'static str)],
    /// The fields by number.
    pub(crate) fields: &'static [Field],
}

/// A field of such records.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// Its name on the wire.
    pub(crate) wire: &'static str,
    /// Whether `Debug` hides what is in it.
    pub(crate) hidden: bool,
}

/// Which fields of a record were `null`, so that they are written as `null` again: a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Nulls(u64);

impl Nulls {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const CAPACITY: usize = 64;

    pub(crate) fn insert(&mut self, field: usize) {
        self.0 |= 1 << field;
    }

    pub(crate) fn contains(self, field: usize) -> bool {
        self.0 & (1 << field) != 0
    }

    /// Whether they are the same, apart from the fields that are set and so were not written as `null`.
    pub(crate) fn equal_beside(self, other: Self, set: Self) -> bool {
        (self.0 ^ other.0) & !set.0 == 0
    }
}

/// Defines a record: a struct of optional fields and [`Extra`], with everything that depends on the list of fields.
///
/// A macro, because a field has its type, its name, its place and its value: written by hand, every field would stand in
/// five places that must agree. A field's name on the wire
/// is its own unless given; `hidden` keeps its content out of `Debug`; `keeps line` adds the text of the line.
macro_rules! record {
    (
        $(#[$doc:meta])*
        pub struct $name:ident $([$($tag:literal = $value:literal),+])? $(keeps $line:ident)? {
            $($(#[$field_doc:meta])* $field:ident: $type:ty $(= $wire:literal)? $(, $hidden:ident)?;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* pub $field: Option<$type>,)*
            /// What has no place in the fields above.
            pub extra: $crate::Extra,
            pub(crate) nulls: $crate::wire::Nulls,
            $(pub(crate) $line: Option<::std::sync::Arc<String>>,)?
        }

        // Not derived, which would be code for each field.
        impl Default for $name {
            fn default() -> Self {
                Self {
                    extra: $crate::Extra::NONE,
                    nulls: $crate::wire::Nulls::NONE,
                    $($field: None,)*
                    $($line: None,)?
                }
            }
        }

        // A record may have no fields at all.
        #[allow(dead_code, unused_imports, unused_variables)]
        const _: () = {
            use $crate::wire::{Field, Fields, Layout, Nulls, Owner, Place, Record, Shown, Slot, View, Wire};

            #[allow(non_camel_case_types)]
            enum Number { $($field,)* Count }

            const _: () = assert!(Number::Count as usize <= Nulls::CAPACITY);

            impl Record for $name {
                fn layout(&self) -> &'static Layout {
                    static LAYOUT: Layout = Layout {
                        name: stringify!($name),
                        tags: &[$($(($tag, $value)),+)?],
                        fields: &[$(Field {
                            name: stringify!($field),
                            wire: $crate::wire::record!(@wire $field $($wire)?),
                            hidden: $crate::wire::record!(@hidden $($hidden)?),
                        },)*],
                    };
                    &LAYOUT
                }

                fn field(&self, number: usize) -> Option<&dyn Slot> {
                    match number {
                        $(number if number == Number::$field as usize => Some(self.$field.slot()),)*
                        _ => None,
                    }
                }

                fn place(&mut self, name: &str) -> Option<(usize, Place<'_>)> {
                    match name {
                        $($crate::wire::record!(@wire $field $($wire)?) =>
                            Some((Number::$field as usize, Wire::place(&mut self.$field))),)*
                        _ => None,
                    }
                }

                fn nulls(&self) -> Nulls {
                    self.nulls
                }

                fn nulls_mut(&mut self) -> &mut Nulls {
                    &mut self.nulls
                }

                fn extra(&self) -> &$crate::Extra {
                    &self.extra
                }

                fn extra_mut(&mut self) -> &mut $crate::Extra {
                    &mut self.extra
                }

                $(
                    fn line(&self) -> Option<&str> {
                        self.$line.as_deref().map(String::as_str)
                    }

                    fn keep_line(&mut self, line: ::std::sync::Arc<String>) {
                        self.$line = Some(line);
                    }
                )?
            }

            impl Fields for $name {
                fn record(&mut self) -> &mut dyn Record {
                    Option::record_mut(self)
                }
            }

            impl Wire for $name {
                fn place(slot: &mut Option<Self>) -> Place<'_> {
                    Place::Record(slot.begin_slot())
                }
            }

            impl Shown for $name {
                // Not inlined into other crates, which would compile the record anew for that.
                #[inline(never)]
                fn view(&self) -> View<'_> {
                    View::Record(Option::record(self))
                }
            }

            /// Equal when they are written alike.
            impl PartialEq for $name {
                #[inline]
                fn eq(&self, other: &Self) -> bool {
                    Shown::view(self) == Shown::view(other)
                }
            }

            /// Shows the fields that are set, without the content of those that may hold secrets or text.
            impl ::std::fmt::Debug for $name {
                #[inline]
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    Shown::view(self).fmt(f)
                }
            }
        };

        $crate::wire::serialize_by_view!($name);
        $crate::wire::deserialize_by_wire!($name);

        $(
            impl $name {
                /// The line this was parsed from, as it was, whatever has been changed since; `None` for what did not
                /// come from `parse`.
                pub fn raw(&self) -> Option<&str> {
                    self.$line.as_deref().map(String::as_str)
                }
            }
        )?
    };
    (@wire $field:ident) => { stringify!($field) };
    (@wire $field:ident $wire:literal) => { $wire };
    (@hidden) => { false };
    (@hidden hidden) => { true };
}
pub(crate) use record;

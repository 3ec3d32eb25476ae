//! How a response's type says what its fields are.

/// Says it; `cargo xtask generate` writes the invocations. A macro because each is a type of its own.
macro_rules! record {
    ($name:ident $blocks:ident { $($presence:ident $field:ident = $wire:literal,)* }) => {
        const _: () = {
            use $crate::place::{Place, Presence, Record, Slot};

            #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
            enum Number { $($field,)* Count }

            // The reader keeps a bit for each field that it has seen.
            const _: () = assert!(Number::Count as usize <= u64::BITS as usize);

            impl Record for $name {
                fn label(&self) -> &'static str {
                    concat!("struct ", stringify!($name))
                }

                fn field(&self, name: &str) -> Option<usize> {
                    match name {
                        $($wire => Some(Number::$field as usize),)*
                        _ => None,
                    }
                }

                #[inline(never)]
                fn place_of(&mut self, field: usize) -> Option<Place<'_>> {
                    match field {
                        $(number if number == Number::$field as usize => Some(Slot::place(&mut self.$field)),)*
                        _ => None,
                    }
                }

                fn names(&self) -> &'static [&'static str] {
                    &[$($wire,)*]
                }

                fn required(&self) -> u64 {
                    0 $(| (Presence::$presence as u64) << Number::$field as u64)*
                }

                fn extra(&mut self) -> &mut ::serde_json::Map<String, ::serde_json::Value> {
                    &mut self.extra
                }
            }

            impl $crate::place::Answer for $name {
                type Blocks = $crate::read::$blocks;
            }

            impl Slot for $name {
                fn blank() -> Self {
                    Self { $($field: Slot::blank(),)* extra: ::serde_json::Map::new() }
                }

                // Not inlined into other crates, so that what a record says of itself is compiled in this one alone.
                #[inline(never)]
                fn place(&mut self) -> Place<'_> {
                    Place::Record(self)
                }
            }
        };

        $crate::record::deserialize!($name $blocks);
    };
}
pub(crate) use record;

/// Implements `Deserialize` by [`Slot`](crate::place::Slot).
macro_rules! deserialize {
    ($name:ident $blocks:ident) => {
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                $crate::read::deserialize::<$crate::read::$blocks, Self, D>(deserializer)
            }
        }
    };
}
pub(crate) use deserialize;

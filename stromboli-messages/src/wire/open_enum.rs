//! Enums of strings that survive values this version does not know: they arrive as `Other` and are written as they are.

/// Defines one. A macro because each is a type of its own with the same eight parts.
macro_rules! open_enum {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$value_doc:meta])* $variant:ident = $value:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$value_doc])* $variant,)+
            /// A value that this version does not name.
            Other(String),
        }

        impl $name {
            /// The value on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)+
                    Self::Other(value) => value,
                }
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                match value {
                    $($value => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl ::std::fmt::Display for $name {
            #[inline]
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::wire::Shown for $name {
            fn view(&self) -> $crate::wire::View<'_> {
                $crate::wire::View::Label(self)
            }
        }

        impl $crate::wire::Label for $name {
            fn as_text(&self) -> &str {
                self.as_str()
            }
        }

        impl $crate::wire::Named for Option<$name> {
            fn set(&mut self, value: &str) {
                *self = Some(value.into());
            }
        }

        impl $crate::wire::Wire for $name {
            fn place(slot: &mut Option<Self>) -> $crate::wire::Place<'_> {
                $crate::wire::Place::Name(slot)
            }
        }

        $crate::wire::deserialize_by_wire!($name);
        $crate::wire::serialize_by_view!($name);
    };
}
pub(crate) use open_enum;

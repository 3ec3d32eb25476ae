//! Objects of several shapes that one field tells apart.

/// Defines an enum of records that a field tells apart, each in a `Box` or as it is, and one variant for the rest.
/// `of lines` is for records that are whole lines.
///
/// A macro, because reading, writing and naming each go through the variants one by one.
macro_rules! tagged {
    (
        $(#[$doc:meta])*
        pub enum $name:ident of lines by $method:ident = $tag:literal {
            $($(#[$variant_doc:meta])* $variant:ident($record:ty) = $value:literal,)+
        } else $(#[$unknown_doc:meta])* Unknown($unknown:ty)
    ) => {
        $crate::wire::tagged! {
            $(#[$doc])*
            pub enum $name by $method = $tag {
                $($(#[$variant_doc])* $variant($record) = $value,)+
            } else $(#[$unknown_doc])* Unknown($unknown)
        }

        impl $crate::wire::Line for $name {
            fn uuid(&self) -> Option<&str> {
                match self {
                    $(Self::$variant(value) => $crate::wire::Line::uuid(value),)+
                    Self::Unknown(value) => $crate::wire::Line::uuid(value),
                }
            }

            fn session_id(&self) -> Option<&str> {
                match self {
                    $(Self::$variant(value) => $crate::wire::Line::session_id(value),)+
                    Self::Unknown(value) => $crate::wire::Line::session_id(value),
                }
            }

            fn line(&self) -> Option<&str> {
                match self {
                    $(Self::$variant(value) => $crate::wire::Line::line(value),)+
                    Self::Unknown(value) => $crate::wire::Line::line(value),
                }
            }

            fn keep_line(&mut self, line: ::std::sync::Arc<String>) {
                match self {
                    $(Self::$variant(value) => $crate::wire::Line::keep_line(value, line),)+
                    Self::Unknown(value) => $crate::wire::Line::keep_line(value, line),
                }
            }
        }
    };
    (
        $(#[$doc:meta])*
        pub enum $name:ident by $method:ident = $tag:literal {
            $($(#[$variant_doc:meta])* $variant:ident($record:ty) = $value:literal,)+
        } else $(#[$unknown_doc:meta])* Unknown($unknown:ty)
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant($record),)+
            $(#[$unknown_doc])*
            Unknown($unknown),
        }

        impl $name {
            #[doc = concat!("Its `", $tag, "` on the wire; empty where there is none.")]
            pub fn $method(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $value,)+
                    Self::Unknown(value) => value.$method().unwrap_or_default(),
                }
            }
        }

        impl $crate::wire::Variants for $name {
            const TAG: &'static str = $tag;

            fn of(value: Option<&str>) -> Self {
                match value {
                    $(Some($value) => Self::$variant($crate::wire::Variant::empty()),)+
                    _ => Self::Unknown($crate::wire::Variant::empty()),
                }
            }

            fn inner(&mut self) -> $crate::wire::Shape<'_> {
                match self {
                    $(Self::$variant(value) => $crate::wire::Variant::shape(value),)+
                    Self::Unknown(value) => $crate::wire::Variant::shape(value),
                }
            }
        }

        impl $crate::wire::Variant for $name {
            fn empty() -> Self {
                $crate::wire::Variants::of(None)
            }

            fn shape(&mut self) -> $crate::wire::Shape<'_> {
                $crate::wire::Shape::Tagged(self)
            }
        }

        impl $crate::wire::Wire for $name {
            // Not inlined into other crates, which would compile all records anew for that; as below.
            #[inline(never)]
            fn place(slot: &mut Option<Self>) -> $crate::wire::Place<'_> {
                $crate::wire::Place::Tagged(slot)
            }
        }

        impl $crate::wire::Shown for $name {
            #[inline(never)]
            fn view(&self) -> $crate::wire::View<'_> {
                $crate::wire::View::Tagged(self)
            }
        }

        impl $crate::wire::Choice for $name {
            fn chosen(&self) -> $crate::wire::View<'_> {
                match self {
                    $(Self::$variant(value) => $crate::wire::Shown::view(value),)+
                    Self::Unknown(value) => $crate::wire::Shown::view(value),
                }
            }
        }

        /// Equal when they are written alike.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                $crate::wire::Shown::view(self) == $crate::wire::Shown::view(other)
            }
        }

        $(impl From<$record> for $name {
            fn from(value: $record) -> Self {
                Self::$variant(value)
            }
        })+

        $crate::wire::deserialize_by_wire!($name);
        $crate::wire::serialize_by_view!($name);
    };
}
pub(crate) use tagged;

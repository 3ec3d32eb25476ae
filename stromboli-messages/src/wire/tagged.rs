//! Objects of several shapes that one field tells apart.

/// Defines an enum of records that a field tells apart, each in a `Box` or as it is, and one variant for the rest.
///
/// A macro, because reading, writing and naming each go through the variants one by one.
macro_rules! tagged {
    (
        $(#[$doc:meta])*
        pub enum $name:ident by $method:ident = $tag:literal {
            $($(#[$variant_doc:meta])* $variant:ident($record:ty) = $value:literal,)+
        } else $(#[$unknown_doc:meta])* Unknown($unknown:ty)
    ) => {
        $(#[$doc])*
        #[derive(Clone)]
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
                $crate::wire::Shape::Tagged(<Option<Self> as $crate::wire::Owner<Self>>::tagged(self))
            }
        }

        impl $crate::wire::Wire for $name {
            // Not inlined into other crates, which would compile all records anew for that; as below.
            #[inline(never)]
            fn place(slot: &mut Option<Self>) -> $crate::wire::Place<'_> {
                $crate::wire::Place::Tagged($crate::wire::Owner::tagged_slot(slot))
            }
        }

        impl $crate::wire::Shown for $name {
            #[inline(never)]
            fn view(&self) -> $crate::wire::View<'_> {
                $crate::wire::View::Tagged(<Option<Self> as $crate::wire::Owner<Self>>::choice(self))
            }
        }

        impl $crate::wire::Choice for $name {
            fn variant(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => stringify!($variant),)+
                    Self::Unknown(_) => "Unknown",
                }
            }

            fn chosen(&self) -> $crate::wire::View<'_> {
                match self {
                    $(Self::$variant(value) => $crate::wire::Shown::view(value),)+
                    Self::Unknown(value) => $crate::wire::Shown::view(value),
                }
            }
        }

        /// Equal when they are written alike.
        impl PartialEq for $name {
            #[inline]
            fn eq(&self, other: &Self) -> bool {
                $crate::wire::Shown::view(self) == $crate::wire::Shown::view(other)
            }
        }

        impl ::std::fmt::Debug for $name {
            #[inline]
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::wire::Shown::view(self).fmt(f)
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

//! Enums of strings that survive values this version does not know: they arrive as `Other` and are sent as they are.

/// Defines one; `cargo xtask generate` writes the invocations. A macro because each is a type of its own.
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $variant:ident = $value:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$value_doc])* $variant,)+
            /// A value that this version of the contract does not name.
            Other(::std::string::String),
        }

        impl $name {
            /// The value on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)+
                    Self::Other(value) => value,
                }
            }

            fn known(value: &str) -> ::std::option::Option<Self> {
                match value {
                    $($value => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                Self::known(value).unwrap_or_else(|| Self::Other(value.to_owned()))
            }
        }

        impl From<::std::string::String> for $name {
            fn from(value: ::std::string::String) -> Self {
                Self::known(&value).unwrap_or(Self::Other(value))
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = ::std::convert::Infallible;

            fn from_str(value: &str) -> ::std::result::Result<Self, Self::Err> {
                Ok(value.into())
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl $crate::place::Slot for $name {
            fn blank() -> Self {
                Self::Other(::std::string::String::new())
            }

            fn place(&mut self) -> $crate::place::Place<'_> {
                $crate::place::Place::Parsed(self)
            }
        }

        impl $crate::place::Parsed for $name {
            fn expected(&self) -> &'static str {
                "a string"
            }

            fn set(&mut self, text: &str) -> ::std::result::Result<(), ::std::string::String> {
                *self = text.into();
                Ok(())
            }
        }

        $crate::record::deserialize!($name WithoutBlocks);
    };
}
pub(crate) use open_enum;

#[cfg(test)]
mod tests {
    use crate::types::JobStatus;

    #[test]
    fn known_values_are_variants_and_unknown_ones_survive_a_round_trip() {
        for (wire, value) in [
            ("\"running\"", JobStatus::Running),
            ("\"paused\"", JobStatus::Other("paused".into())),
        ] {
            assert_eq!(serde_json::from_str::<JobStatus>(wire).unwrap(), value);
            assert_eq!(serde_json::to_string(&value).unwrap(), wire);
        }
    }

    #[test]
    fn a_known_value_written_as_a_string_is_the_variant() {
        assert_eq!(JobStatus::from("completed"), JobStatus::Completed);
        assert_eq!(JobStatus::from(String::from("completed")), JobStatus::Completed);
        assert_eq!("completed".parse(), Ok(JobStatus::Completed));
    }

    #[test]
    fn display_is_the_wire_value_and_honours_padding() {
        assert_eq!(format!("{:>10}|", JobStatus::Crashed), "   crashed|");
    }

    #[test]
    fn only_a_string_is_a_value() {
        assert!(serde_json::from_str::<JobStatus>("7").is_err());
    }
}

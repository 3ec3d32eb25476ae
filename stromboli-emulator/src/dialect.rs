//! The releases that the emulator can be like.

/// A release of the server, whose way of speaking the emulator takes on; a later one is greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Dialect {
    /// 0.4.3, the last release before agents, cost and authentication by default.
    V0_4_3,
    /// 0.5.7.
    #[default]
    V0_5_7,
}

impl Dialect {
    /// The version as `/health` reports it: the whole tag of the release.
    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::V0_4_3 => "v0.4.3-alpha",
            Self::V0_5_7 => "v0.5.7-alpha",
        }
    }
}

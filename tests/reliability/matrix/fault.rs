//! A fault: how it is brought about, and what of it reaches the client.

use std::sync::Arc;

use stromboli_emulator::Fault as Injected;

use super::class::Class;
use super::good::Good;
use super::peer::{Act, Reads, Script};
use super::rule::Sees;

pub(super) struct Fault {
    /// A row of the table in docs/reliability.md.
    pub(super) name: String,
    pub(super) how: How,
    /// More than one where it depends on the moment.
    sees: Vec<Sees>,
    /// Where something else reaches the client.
    but: &'static [(Class, Sees)],
    /// It sends so much that it is looked at alone, for the memory that it takes.
    pub(super) is_huge: bool,
}

/// How a fault is brought about.
pub(super) enum How {
    /// By the emulator.
    Injected(Box<Injected>),
    /// By the emulator, which does not listen any more.
    Refused,
    /// By a server on a socket.
    Played { tls: Tls, reads: Reads, script: Script },
    /// By a name that nobody has.
    Nameless,
}

/// Whether the client asks for TLS, which no server here speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tls {
    Wanted,
    Unwanted,
}

impl Fault {
    fn new(name: impl Into<String>, how: How, sees: Sees) -> Self {
        Self {
            name: name.into(),
            how,
            sees: vec![sees],
            but: &[],
            is_huge: false,
        }
    }

    pub(super) fn injected(name: impl Into<String>, fault: Injected, sees: Sees) -> Self {
        Self::new(name, How::Injected(Box::new(fault)), sees)
    }

    pub(super) fn refused() -> Self {
        Self::new("connection refused", How::Refused, Sees::NoConnection)
    }

    pub(super) fn nameless() -> Self {
        Self::new("name that does not resolve", How::Nameless, Sees::NoConnection)
    }

    /// Once the request has been read.
    pub(super) fn played(
        name: impl Into<String>,
        sees: Sees,
        script: impl Fn(&Good) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        let how = How::Played {
            tls: Tls::Unwanted,
            reads: Reads::All,
            script: Arc::new(script),
        };
        Self::new(name, how, sees)
    }

    /// In the place of TLS.
    pub(super) fn handshake(
        name: impl Into<String>,
        sees: Sees,
        script: impl Fn(&Good) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        let how = How::Played {
            tls: Tls::Wanted,
            reads: Reads::Nothing,
            script: Arc::new(script),
        };
        Self::new(name, how, sees)
    }

    /// When so much of the request has been read.
    pub(super) fn early(mut self, so_much: Reads) -> Self {
        if let How::Played { reads, .. } = &mut self.how {
            *reads = so_much;
        }
        self
    }

    pub(super) fn but(mut self, but: &'static [(Class, Sees)]) -> Self {
        self.but = but;
        self
    }

    pub(super) fn huge(mut self) -> Self {
        self.is_huge = true;
        self
    }

    /// The client may see this as well.
    pub(super) fn or(mut self, sees: Sees) -> Self {
        self.sees.push(sees);
        self
    }

    /// Whether it depends on the moment what the client sees, which may be another thing each time that it tries.
    pub(super) fn is_by_chance(&self) -> bool {
        self.sees.len() > 1
    }

    /// What of it reaches the client of a call.
    pub(super) fn sees(&self, class: Class) -> Vec<Sees> {
        let special = self.but.iter().find(|(of, _)| *of == class);
        special.map_or_else(|| self.sees.clone(), |(_, sees)| vec![*sees])
    }
}

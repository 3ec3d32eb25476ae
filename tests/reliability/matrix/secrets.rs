//! Looks for secrets wherever a program could print them: in errors and their causes, and in all that is logged.

use std::error::Error as _;
use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stromboli::Error;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::class::SECRET;

/// What was logged and should not have been.
static SHOWN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Looks at all spans and events of the process from now on, at every level.
pub(super) fn watch() {
    tracing::subscriber::set_global_default(Watch).unwrap();
}

pub(super) fn shown() -> Vec<String> {
    found().clone()
}

fn found() -> MutexGuard<'static, Vec<String>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where in the error's texts a secret stands, if it does.
pub(super) fn in_error(error: &Error) -> Option<String> {
    let mut texts = vec![
        format!("{error}"),
        format!("{error:?}"),
        format!("{error:#?}"),
        error.message().to_owned(),
    ];
    let mut cause = error.source();
    while let Some(current) = cause {
        texts.extend([format!("{current}"), format!("{current:?}"), format!("{current:#?}")]);
        cause = current.source();
    }
    texts.into_iter().find(|text| text.contains(SECRET))
}

struct Watch;

impl Subscriber for Watch {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Search);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Search);
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Search);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Search;

impl Visit for Search {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        if text.contains(SECRET) {
            found().push(format!("{}: {text}", field.name()));
        }
    }
}

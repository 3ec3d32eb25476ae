//! The parsers of what clients send, for the targets below `fuzz/`: without a socket and without a server. Nobody else
//! should use this; it follows the parsers and no version.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::agents;
use crate::clock::Clock;
use crate::dialect::Dialect;
use crate::images::name::{self, Name};
use crate::jwt::{self, Claims};
use crate::request::RunRequest;
use crate::sessions::glob::Pattern;
use crate::sessions::history;
use crate::{duration, json, percent, syntax};

/// Whether the first value of a body is JSON to Go, or else what it says.
pub fn syntax(body: &[u8]) -> Result<(), String> {
    syntax::check(body).map(|_| ())
}

/// What each route that takes a prompt makes of a body: `/run`, the same before 0.5, `/agents` and `/agents/{id}/send`.
pub fn prompts(body: &[u8]) -> [Result<String, String>; 4] {
    let run = |dialect| RunRequest::from_json(body, dialect).map(|request| request.prompt);
    [
        run(Dialect::V0_5_7),
        run(Dialect::V0_4_3),
        agents::CreateRequest::from_json(body).map(|request| request.prompt),
        agents::prompt(body),
    ]
}

/// A text in an answer.
pub fn written(text: &str) -> Option<String> {
    json::to_string(&text).ok()
}

/// A path as it is matched.
pub fn path(path: &str) -> Option<String> {
    percent::path(path).map(Cow::into_owned)
}

/// A parameter of a query.
pub fn query_value(query: &str, name: &str) -> Option<String> {
    percent::query_value(query, name)
}

/// A duration, or Go's words.
pub fn duration(text: &str) -> Result<Duration, String> {
    duration::parse(text)
}

/// The repository and the tag that podman takes a name for, if it may be one.
pub fn image(name: &str) -> Option<(String, String)> {
    name::check(name).ok()?;
    let Name { repository, tag } = Name::of_registry(name);
    Some((repository, tag))
}

/// Whether a session's file fits an id; none when the id is a pattern that is broken.
pub fn fits(id: &str, file: &str) -> Option<bool> {
    Some(Pattern::parse(id).ok()?.fits(file))
}

/// Whose a token is that was signed with `secret` and is valid in that second.
pub fn subject(token: &str, secret: &str, second: i64) -> Option<String> {
    let now = Timestamp::from_second(second).ok()?;
    Some(jwt::verify(token, secret, now)?.sub)
}

/// A token that is valid until that second.
pub fn token(subject: &str, secret: &str, second: i64) -> Option<String> {
    let claims = Claims {
        sub: subject.to_owned(),
        exp: Some(second as f64),
        ..Claims::default()
    };
    jwt::sign(&claims, secret)
}

/// The messages of a transcript as the server tells them, if it has no line that is too long.
pub fn messages(transcript: &str) -> Option<Vec<String>> {
    let messages = history::messages(transcript, &Clock::default(), Offset::UTC).ok()?;
    messages.iter().map(|message| json::to_string(message).ok()).collect()
}

//! `GET /sessions`, `DELETE /sessions/{id}`, `GET /sessions/{id}/messages` and `GET /sessions/{id}/messages/{uuid}`.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::dialect::Dialect;
use crate::percent;
use crate::reply;
use crate::sessions::history::{self, Message};
use crate::state::State;

/// How many messages a page has when the request does not say, and at most.
const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;

/// All sessions by their names; before 0.5.0 bare ids, and `null` when there are none.
pub(super) fn list(state: &State) -> Response {
    #[derive(Serialize)]
    struct Info {
        id: String,
        title: String,
    }
    #[derive(Serialize)]
    struct List<T> {
        sessions: T,
    }
    let sessions = state.sessions.list().into_iter();
    if state.settings.dialect < Dialect::V0_5_7 {
        let ids: Vec<_> = sessions.map(|(id, _)| id).collect();
        let sessions = Some(ids).filter(|ids| !ids.is_empty());
        return reply::json(StatusCode::OK, &List { sessions });
    }
    let sessions: Vec<_> = sessions.map(|(id, title)| Info { id, title }).collect();
    reply::json(StatusCode::OK, &List { sessions })
}

pub(super) fn delete(state: &State, id: &str) -> Response {
    #[derive(Serialize)]
    struct Destroyed<'a> {
        success: bool,
        #[serde(skip_serializing_if = "str::is_empty")]
        session_id: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        error: &'a str,
    }
    let answer = |status, session_id, error| {
        let success = status == StatusCode::OK;
        let body = Destroyed {
            success,
            session_id,
            error,
        };
        reply::json(status, &body)
    };
    if id.contains("..") {
        answer(StatusCode::BAD_REQUEST, "", "invalid session ID")
    } else if state.sessions.delete(id) {
        answer(StatusCode::OK, id, "")
    } else {
        answer(StatusCode::NOT_FOUND, "", &format!("session not found: {id}"))
    }
}

/// A page of the history. The server takes what it cannot use in the query for not given.
pub(super) fn messages(state: &State, id: &str, query: &str) -> Response {
    #[derive(Serialize)]
    struct Page {
        /// `null` when there are none at all.
        messages: Option<Vec<Message>>,
        total: usize,
        offset: usize,
        limit: usize,
        has_more: bool,
    }
    let messages = match history(state, id) {
        Ok(messages) => messages,
        Err(refused) => return *refused,
    };
    let number = |name| {
        let value = percent::query_value(query, name)?.parse::<i64>().ok()?;
        usize::try_from(value).ok()
    };
    let offset = number("offset").unwrap_or(0);
    let limit = number("limit").filter(|limit| *limit > 0).unwrap_or(DEFAULT_LIMIT);
    let limit = limit.min(MAX_LIMIT);
    let total = messages.len();
    let page = messages.into_iter().skip(offset).take(limit);
    let page = Page {
        messages: (total > 0).then(|| page.collect()),
        total,
        offset,
        limit,
        has_more: offset.saturating_add(limit) < total,
    };
    reply::json(StatusCode::OK, &page)
}

pub(super) fn message(state: &State, id: &str, uuid: &str) -> Response {
    #[derive(Serialize)]
    struct Found {
        message: Message,
    }
    let messages = match history(state, id) {
        Ok(messages) => messages,
        Err(refused) => return *refused,
    };
    match messages.into_iter().find(|message| message.uuid == uuid) {
        Some(message) => reply::json(StatusCode::OK, &Found { message }),
        None => reply::plain_error(StatusCode::NOT_FOUND, &format!("message not found: {uuid}")),
    }
}

/// The messages of the session, or of the first one that fits when `id` is a pattern.
fn history(state: &State, id: &str) -> Result<Vec<Message>, Box<Response>> {
    let refused = |status, error: &str| Box::new(reply::plain_error(status, error));
    let failed = |error| refused(StatusCode::INTERNAL_SERVER_ERROR, error);
    let transcript = state
        .sessions
        .find_transcript(id)
        .map_err(|_| failed("syntax error in pattern"))?;
    let not_found = || refused(StatusCode::NOT_FOUND, &format!("session history not found: {id}"));
    let transcript = transcript.ok_or_else(not_found)?;
    history::messages(&transcript, &state.clock, state.settings.utc_offset).map_err(failed)
}

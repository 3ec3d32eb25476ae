//! `GET` and `POST /secrets`, `GET` and `DELETE /secrets/{name}`.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::decode::{self, Kind, Record};
use crate::quote::text as quoted;
use crate::secrets::{Secret, Taken, check_name, check_value};
use crate::state::State;
use crate::{reply, timestamp};

#[derive(Serialize)]
struct Info {
    id: String,
    name: String,
    created_at: String,
}

impl Info {
    fn new(secret: Secret, created_at: String) -> Self {
        Self {
            id: secret.id,
            name: secret.name,
            created_at,
        }
    }
}

/// Kind C, with the name.
#[derive(Serialize)]
struct Outcome<'a> {
    success: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    error: &'a str,
}

static CREATE_SECRET_REQUEST: Record = Record {
    package: "api",
    name: "CreateSecretRequest",
    fields: &[("name", Kind::Text), ("value", Kind::Text)],
};

/// Podman says in its list how long ago a secret was made.
pub(super) fn list(state: &State) -> Response {
    #[derive(Serialize)]
    struct List {
        secrets: Option<Vec<Info>>,
        #[serde(skip_serializing_if = "str::is_empty")]
        error: &'static str,
    }
    if state.settings.podman_error().is_some() {
        let failed = List {
            secrets: None,
            error: "failed to list secrets",
        };
        return reply::json(StatusCode::INTERNAL_SERVER_ERROR, &failed);
    }
    let infos = state.secrets.list().into_iter().map(|secret| {
        let elapsed = state.clock.timestamp().duration_since(secret.created);
        let created_at = timestamp::ago(elapsed.try_into().unwrap_or_default());
        Info::new(secret, created_at)
    });
    let list = List {
        secrets: Some(infos.collect()),
        error: "",
    };
    reply::json(StatusCode::OK, &list)
}

pub(super) fn create(state: &State, body: &[u8]) -> Response {
    let bad = |error: &str| failure(StatusCode::BAD_REQUEST, "", error);
    let fields = match decode::decode(body, &CREATE_SECRET_REQUEST) {
        Ok(fields) => fields,
        Err(error) => return bad(&error),
    };
    if let Err(error) = decode::require(&fields, &CREATE_SECRET_REQUEST, &[("name", "Name"), ("value", "Value")]) {
        return bad(&error);
    }
    let (name, value) = (fields.text("name"), fields.text("value"));
    if let Err(error) = check_name(name).and_then(|()| check_value(value)) {
        return bad(&format!("secrets: create {}: {error}", quoted(name)));
    }
    if state.settings.podman_error().is_some() {
        return failure(StatusCode::INTERNAL_SERVER_ERROR, "", "failed to create secret");
    }
    match state.secrets.create(state.random_secret_id(), name, value.to_owned()) {
        Ok(()) => success(StatusCode::CREATED, name),
        Err(Taken) => failure(StatusCode::CONFLICT, name, "secret already exists"),
    }
}

/// Podman gives a timestamp when it is asked for one secret.
pub(super) fn get(state: &State, name: &str) -> Response {
    if let Err(error) = check_name(name) {
        return reply::plain_error(StatusCode::BAD_REQUEST, error);
    }
    if state.settings.podman_error().is_some() {
        return reply::plain_error(StatusCode::INTERNAL_SERVER_ERROR, "internal server error");
    }
    match state.secrets.get(name) {
        Some(secret) => {
            let created_at = timestamp::rfc3339(secret.created, state.settings.utc_offset);
            reply::json(StatusCode::OK, &Info::new(secret, created_at))
        }
        None => reply::plain_error(StatusCode::NOT_FOUND, "secret not found"),
    }
}

pub(super) fn delete(state: &State, name: &str) -> Response {
    if let Err(error) = check_name(name) {
        return failure(StatusCode::BAD_REQUEST, name, error);
    }
    if state.settings.podman_error().is_some() {
        return failure(StatusCode::INTERNAL_SERVER_ERROR, name, "failed to delete secret");
    }
    if state.secrets.delete(name) {
        success(StatusCode::OK, name)
    } else {
        failure(StatusCode::NOT_FOUND, name, "secret not found")
    }
}

fn success(status: StatusCode, name: &str) -> Response {
    let outcome = Outcome {
        success: true,
        name,
        error: "",
    };
    reply::json(status, &outcome)
}

fn failure(status: StatusCode, name: &str, error: &str) -> Response {
    let outcome = Outcome {
        success: false,
        name,
        error,
    };
    reply::json(status, &outcome)
}

//! `GET /images`, `GET /images/{name}`, `GET /images/search` and `POST /images/pull`.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::decode::{self, Kind, Record};
use crate::images::{Found, Image, Rank, name};
use crate::percent;
use crate::reply;
use crate::state::State;

/// How many results a search has when the request does not say, and at most.
const DEFAULT_LIMIT: usize = 25;
const MAX_LIMIT: usize = 100;
/// How many characters of a description podman shows unless it is told not to cut.
const DESCRIPTION: usize = 44;

#[derive(Serialize)]
struct Info {
    id: String,
    repository: String,
    tag: String,
    size: i64,
    created: String,
    compatibility_rank: u8,
    compatible: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<&'static str>,
    has_claude_cli: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'static str,
}

#[derive(Serialize)]
struct SearchResult {
    index: &'static str,
    name: String,
    description: String,
    stars: u32,
    official: bool,
    automated: bool,
}

static IMAGE_PULL_REQUEST: Record = Record {
    package: "api",
    name: "ImagePullRequest",
    fields: &[("image", Kind::Text), ("platform", Kind::Text), ("quiet", Kind::Flag)],
};

/// The list knows no labels: neither tools nor description, never a CLI, and only the two ranks that names tell.
pub(super) fn list(state: &State) -> Response {
    #[derive(Serialize)]
    struct List {
        images: Vec<Info>,
    }
    if state.settings.podman_error().is_some() {
        return failed("failed to list images");
    }
    let images = state.images.list().into_iter();
    let images = images.map(|image| info(state, &image, image.rank_by_name()));
    let list = List {
        images: images.collect(),
    };
    reply::json(StatusCode::OK, &list)
}

pub(super) fn get(state: &State, name: &str) -> Response {
    #[derive(Serialize)]
    struct Detail {
        #[serde(flatten)]
        info: Info,
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        labels: BTreeMap<&'static str, &'static str>,
        rank_description: &'static str,
    }
    if let Err(error) = name::check(name) {
        return reply::plain_error(StatusCode::BAD_REQUEST, error);
    }
    if state.settings.podman_error().is_some() {
        return failed("failed to inspect image");
    }
    let Some(image) = state.images.get(name) else {
        return reply::plain_error(StatusCode::NOT_FOUND, "image not found");
    };
    let rank = image.rank();
    let detail = Detail {
        info: Info {
            tools: image.tools(),
            has_claude_cli: image.has_claude(),
            description: image.description(),
            ..info(state, &image, rank)
        },
        labels: image.labels,
        rank_description: rank.description(),
    };
    reply::json(StatusCode::OK, &detail)
}

pub(super) fn search(state: &State, query: &str) -> Response {
    #[derive(Serialize)]
    struct Results {
        results: Vec<SearchResult>,
    }
    let bad = |error| reply::plain_error(StatusCode::BAD_REQUEST, error);
    let value = |name| percent::query_value(query, name).filter(|value| !value.is_empty());
    let Some(wanted) = value("q") else {
        return bad("query parameter 'q' is required");
    };
    let limit = value("limit").map(|limit| limit.parse::<i64>().ok().and_then(|limit| usize::try_from(limit).ok()));
    let limit = match limit {
        None => DEFAULT_LIMIT,
        Some(Some(limit @ 1..)) => limit.min(MAX_LIMIT),
        Some(_) => return bad("invalid limit parameter"),
    };
    if let Err(error) = name::check(&wanted) {
        return bad(error);
    }
    if !state.settings.registry_reachable || state.settings.podman_error().is_some() {
        return reply::plain_error(StatusCode::BAD_GATEWAY, "registry search failed");
    }
    let whole = value("no_trunc").is_some_and(|value| value == "true");
    let found = state.images.search(&wanted).into_iter().take(limit);
    let results = Results {
        results: found.map(|found| result(found, whole)).collect(),
    };
    reply::json(StatusCode::OK, &results)
}

pub(super) fn pull(state: &State, body: &[u8]) -> Response {
    #[derive(Serialize)]
    struct Pulled<'a> {
        success: bool,
        image_id: &'a str,
        image: &'a str,
    }
    let bad = |error: &str| reply::plain_error(StatusCode::BAD_REQUEST, error);
    let fields = match decode::decode(body, &IMAGE_PULL_REQUEST) {
        Ok(fields) => fields,
        Err(error) => return bad(&error),
    };
    if let Err(error) = decode::require(&fields, &IMAGE_PULL_REQUEST, &[("image", "Image")]) {
        return bad(&error);
    }
    let image = fields.text("image");
    if let Err(error) = name::check(image) {
        return bad(error);
    }
    if !state.settings.registry_reachable || state.settings.podman_error().is_some() {
        return failed("failed to pull image");
    }
    match state.images.pull(image, fields.text("platform")) {
        Some(id) => {
            let pulled = Pulled {
                success: true,
                image_id: &id,
                image,
            };
            reply::json(StatusCode::OK, &pulled)
        }
        None => failed("failed to pull image"),
    }
}

fn failed(error: &str) -> Response {
    reply::plain_error(StatusCode::INTERNAL_SERVER_ERROR, error)
}

fn info(state: &State, image: &Image, rank: Rank) -> Info {
    // The server's local time, which it takes for UTC.
    let created = state.settings.utc_offset.to_datetime(image.created);
    Info {
        id: image.id.clone(),
        repository: image.name.repository.clone(),
        tag: image.name.tag.clone(),
        size: image.size,
        created: format!("{created}Z"),
        compatibility_rank: rank as u8,
        compatible: rank.is_compatible(),
        tools: Vec::new(),
        has_claude_cli: false,
        description: "",
    }
}

fn result(found: Found, whole: bool) -> SearchResult {
    let mut description = found.description.to_owned();
    if !whole && let Some((end, _)) = description.char_indices().nth(DESCRIPTION) {
        description.truncate(end);
        description.push_str("...");
    }
    SearchResult {
        index: "docker.io",
        name: found.name,
        description,
        stars: found.stars,
        official: found.official,
        automated: false,
    }
}

//! Compares two documents from their operations down. Definitions are matched by where they are used and never by
//! name: the published names carry package prefixes and collide without them (WIRE §13.14).

pub mod streams;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ptr::from_ref;

use serde_json::Value;

use super::operation::{self, Body, Operation, Parameter, missing_media_types};
use super::shape::{Shape, core, is_later, since};
use super::version::{self, Version};

/// What `contract` says otherwise than `published`, a document of version `at`. One line for each difference:
/// the place in the API, a colon, what is different there.
pub fn differences(contract: &Value, published: &Value, at: Option<Version>) -> Vec<String> {
    let mut comparison = Comparison {
        contract,
        published,
        at,
        exact: false,
        compared: HashSet::new(),
        found: Vec::new(),
    };
    comparison.documents();
    comparison.found
}

struct Comparison<'a> {
    contract: &'a Value,
    published: &'a Value,
    at: Option<Version>,
    /// Whether the published side has `x-since`, and `required` for what the server sends.
    exact: bool,
    /// The pairs of schemas that were compared, so that circles end and each difference is reported once, at the
    /// first place it is seen. What is accepted in one role says nothing about another.
    compared: HashSet<(*const Value, *const Value, Role)>,
    found: Vec<String>,
}

/// What a value is a part of. A type that fits a failure can be wrong for a success, and who must send the value
/// decides how much `required` means.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Role {
    Request,
    Success,
    Failure,
}

impl<'a> Comparison<'a> {
    fn report(&mut self, place: &str, what: &str) {
        self.found.push(format!("{place}: {what}"));
    }

    fn documents(&mut self) {
        let published = operation::all(self.published);
        let ours = operation::all(self.contract);
        let mut both = self.matched("", &published, &ours, |operation| operation.source);
        // The oldest first: then a new operation does not become the first place of an old difference.
        both.sort_by_key(|(_, _, ours)| since(self.contract, ours.source).and_then(version::parse));
        for (place, published, ours) in both {
            self.operation(&place, published, ours);
        }
    }

    fn operation(&mut self, place: &str, published: &Operation<'a>, ours: &Operation<'a>) {
        let at = format!("{place} ");
        for media in missing_media_types(self.published, published.source, self.contract, ours.source) {
            self.report(&format!("{at}success as {media}"), "missing from openapi.yaml");
        }
        for (place, published, ours) in self.matched(&at, &published.parameters, &ours.parameters, |p| p.source) {
            self.parameter(&place, published, ours);
        }
        for (place, published, ours) in self.matched(&at, &published.request, &ours.request, |body| body.source) {
            self.required(&place, published.required, ours.required, Role::Request);
            self.body(&place, published, ours, Role::Request);
        }
        for (place, published, ours) in self.matched(&at, &published.responses, &ours.responses, |body| body.source) {
            let success = place.strip_prefix(&at).is_some_and(|status| status.starts_with('2'));
            let role = if success { Role::Success } else { Role::Failure };
            self.body(&place, published, ours, role);
        }
    }

    fn parameter(&mut self, place: &str, published: &Parameter<'a>, ours: &Parameter<'a>) {
        self.required(place, published.required, ours.required, Role::Request);
        self.schema(place, &[published.schema], &[ours.schema], Role::Request);
    }

    fn body(&mut self, place: &str, published: &Body<'a>, ours: &Body<'a>, role: Role) {
        match (published.schemas.is_empty(), ours.schemas.is_empty()) {
            (true, true) => {}
            (true, false) => self.report(place, "body only in openapi.yaml"),
            (false, true) => self.report(place, "body missing from openapi.yaml"),
            (false, false) => self.schema(place, &published.schemas, &ours.schemas, role),
        }
    }

    fn schema(&mut self, place: &str, published: &[&'a Value], ours: &[&'a Value], role: Role) {
        if let ([published], [ours]) = (published, ours) {
            let pair = (
                from_ref(core(self.published, published)),
                from_ref(core(self.contract, ours)),
            );
            if !self.compared.insert((pair.0, pair.1, role)) {
                return;
            }
            self.since(place, published, ours);
        }
        let published = Shape::of(self.published, published, None);
        let ours = Shape::of(self.contract, ours, self.at);
        if published.types != ours.types {
            self.report(
                place,
                &format!("type: published {}, ours {}", types(&published), types(&ours)),
            );
        } else if published.format.is_some() && ours.format.is_some() && published.format != ours.format {
            let [published, ours] = [published.format, ours.format].map(Option::unwrap_or_default);
            self.report(place, &format!("format: published {published}, ours {ours}"));
        }
        self.values(place, &published, &ours);
        if published.types.contains("object") && ours.types.contains("object") {
            self.properties(place, &published, &ours, role);
            self.part(&format!("{place}{{}}"), published.map, ours.map, role);
        }
        if published.types.contains("array") && ours.types.contains("array") {
            self.part(&format!("{place}[]"), published.items, ours.items, role);
        }
    }

    fn since(&mut self, place: &str, published: &Value, ours: &Value) {
        let versions = [since(self.published, published), since(self.contract, ours)];
        if self.exact && versions[0] != versions[1] {
            let [published, ours] = versions.map(|version| version.unwrap_or("none"));
            self.report(place, &format!("x-since: published {published}, ours {ours}"));
        }
    }

    fn values(&mut self, place: &str, published: &Shape<'a>, ours: &Shape<'a>) {
        if published.values.is_empty() {
            // An open set promises nothing that a plain string does not.
            if !ours.values.is_empty() && !ours.open {
                self.report(place, &format!("values: published any, ours {}", joined(&ours.values)));
            }
            return;
        }
        for value in published.values.difference(&ours.values) {
            self.report(place, &format!("value `{value}` missing from openapi.yaml"));
        }
        for value in ours.values.difference(&published.values) {
            self.report(place, &format!("value `{value}` only in openapi.yaml"));
        }
    }

    fn properties(&mut self, place: &str, published: &Shape<'a>, ours: &Shape<'a>, role: Role) {
        let at = format!("{place}.");
        for (place, a, b) in self.matched(&at, &published.properties, &ours.properties, |property| property) {
            let name = place.strip_prefix(&at).unwrap_or_default();
            self.required(
                &place,
                published.required.contains(name),
                ours.required.contains(name),
                role,
            );
            self.schema(&place, &[a], &[b], role);
        }
    }

    /// The items of an array or the values of a map.
    fn part(&mut self, place: &str, published: Option<&'a Value>, ours: Option<&'a Value>, role: Role) {
        match (published, ours) {
            (None, None) => {}
            (None, Some(_)) => self.report(place, "only in openapi.yaml"),
            (Some(_), None) => self.report(place, "missing from openapi.yaml"),
            (Some(published), Some(ours)) => self.schema(place, &[published], &[ours], role),
        }
    }

    /// The published documents know what a client must send, but of what a server sends they only know more than
    /// we do when they say so: all their responses are optional throughout (WIRE §13.2).
    fn required(&mut self, place: &str, published: bool, ours: bool, role: Role) {
        if published && !ours {
            self.report(place, "required: published yes, ours no");
        } else if ours && !published && (role == Role::Request || self.exact) {
            self.report(place, "required: published no, ours yes");
        }
    }

    /// Reports what only one side has, and returns what both have. What came after the published version is
    /// expected to be missing from it, and must be.
    fn matched<'m, P, O>(
        &mut self,
        at: &str,
        published: &'m BTreeMap<String, P>,
        ours: &'m BTreeMap<String, O>,
        source: impl Fn(&O) -> &'a Value,
    ) -> Vec<(String, &'m P, &'m O)> {
        let mut both = Vec::new();
        for (key, published) in published {
            let place = format!("{at}{key}");
            let Some(ours) = ours.get(key) else {
                self.report(&place, "missing from openapi.yaml");
                continue;
            };
            let source = source(ours);
            if is_later(self.contract, source, self.at) {
                let since = since(self.contract, source).unwrap_or_default();
                self.report(&place, &format!("x-since {since}, but published before"));
            }
            both.push((place, published, ours));
        }
        for (key, ours) in ours {
            if !published.contains_key(key) && !is_later(self.contract, source(ours), self.at) {
                self.report(&format!("{at}{key}"), "only in openapi.yaml");
            }
        }
        both
    }
}

fn types(shape: &Shape<'_>) -> String {
    if shape.types.is_empty() {
        "any".into()
    } else {
        shape.types.iter().copied().collect::<Vec<_>>().join("|")
    }
}

fn joined(values: &BTreeSet<String>) -> String {
    values.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

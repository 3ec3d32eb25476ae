//! Which fault strikes: a function of the request, of what struck before, and of the random numbers of each fault.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde::Deserialize;

use crate::fault::{Fault, Moment};
use crate::percent;
use crate::state::lock;

/// A fault that was injected, from [`Emulator::inject`](crate::Emulator::inject).
#[derive(Clone, Debug)]
pub struct Injected {
    fired: Arc<AtomicU64>,
}

impl Injected {
    /// How often it has struck so far. It stays readable after
    /// [`Emulator::clear_faults`](crate::Emulator::clear_faults).
    pub fn fired(&self) -> u64 {
        self.fired.load(Ordering::SeqCst)
    }
}

/// A request, as far as the choice of a fault depends on it.
pub(crate) struct Arrival<'a> {
    pub(crate) method: &'a str,
    /// Decoded.
    pub(crate) path: &'a str,
    pub(crate) prompt: Option<String>,
}

/// The prompt of a request; none when its body is nothing that has one.
pub(crate) fn prompt(query: &str, body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Prompted {
        prompt: Option<String>,
    }
    // What follows the first value does not matter, as to the server.
    let first = serde_json::Deserializer::from_slice(body)
        .into_iter::<Prompted>()
        .next();
    let prompted = first.and_then(Result::ok).and_then(|prompted| prompted.prompt);
    prompted.or_else(|| percent::query_value(query, "prompt"))
}

/// The faults of one emulator.
pub(crate) struct Faults(Mutex<Faulty>);

struct Faulty {
    injections: Vec<Injection>,
    random: fastrand::Rng,
}

struct Injection {
    fault: Arc<Fault>,
    fired: Arc<AtomicU64>,
    random: fastrand::Rng,
}

impl Faults {
    pub(crate) fn new(random: fastrand::Rng) -> Self {
        let injections = Vec::new();
        Self(Mutex::new(Faulty { injections, random }))
    }

    pub(crate) fn inject(&self, fault: Fault) -> Injected {
        let mut faulty = lock(&self.0);
        let random = match fault.seed {
            Some(seed) => fastrand::Rng::with_seed(seed),
            None => faulty.random.fork(),
        };
        let fired = Arc::<AtomicU64>::default();
        faulty.injections.push(Injection {
            fault: Arc::new(fault),
            fired: Arc::clone(&fired),
            random,
        });
        Injected { fired }
    }

    pub(crate) fn clear(&self) {
        lock(&self.0).injections.clear();
    }

    /// The fault that strikes a new connection.
    pub(crate) fn on_connect(&self) -> Option<Arc<Fault>> {
        self.first(|fault| fault.moment == Moment::OnConnect)
    }

    /// Whether the prompt must be known to choose a fault for requests with this method and path.
    pub(crate) fn ask_for_prompt(&self, method: &str, path: &str) -> bool {
        let faulty = lock(&self.0);
        let mut faults = faulty.injections.iter().map(|injection| &injection.fault);
        faults.any(|fault| fault.prompt.is_some() && fault.is_on(method, path))
    }

    /// The fault that strikes a request.
    pub(crate) fn on_request(&self, arrival: &Arrival<'_>) -> Option<Arc<Fault>> {
        self.first(|fault| fault.is_for(arrival))
    }

    fn first(&self, is_for: impl Fn(&Fault) -> bool) -> Option<Arc<Fault>> {
        let mut faulty = lock(&self.0);
        let mut concerned = faulty.injections.iter_mut().filter(|one| is_for(&one.fault));
        concerned.find_map(|one| one.strikes().then(|| Arc::clone(&one.fault)))
    }
}

impl Injection {
    /// Whether it strikes now, if it is for what arrived. Only then random numbers are drawn.
    fn strikes(&mut self) -> bool {
        if self
            .fault
            .times
            .is_some_and(|times| self.fired.load(Ordering::SeqCst) >= times)
        {
            return false;
        }
        let strikes = self.fault.probability.is_none_or(|p| self.random.f64() < p);
        self.fired.fetch_add(u64::from(strikes), Ordering::SeqCst);
        strikes
    }
}

impl Fault {
    fn is_for(&self, arrival: &Arrival<'_>) -> bool {
        let has_prompt = |part: &String| arrival.prompt.as_ref().is_some_and(|prompt| prompt.contains(part));
        self.moment != Moment::OnConnect
            && self.is_on(arrival.method, arrival.path)
            && self.prompt.as_ref().is_none_or(has_prompt)
    }

    fn is_on(&self, method: &str, path: &str) -> bool {
        let same_method = |wanted: &String| wanted.eq_ignore_ascii_case(method);
        self.method.as_ref().is_none_or(same_method) && self.path.as_ref().is_none_or(|template| is_of(path, template))
    }
}

/// Whether `path` is one of `template`, in which a part in braces stands for any that is not empty.
fn is_of(path: &str, template: &str) -> bool {
    let (mut parts, mut wanted) = (path.split('/'), template.split('/'));
    loop {
        match (parts.next(), wanted.next()) {
            (None, None) => return true,
            (Some(part), Some(wanted)) if part == wanted => {}
            (Some(part), Some(wanted)) if wanted.starts_with('{') && wanted.ends_with('}') && !part.is_empty() => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults() -> Faults {
        Faults::new(fastrand::Rng::with_seed(1))
    }

    /// The status of the fault that strikes such a request.
    fn strike(faults: &Faults, method: &str, path: &str, prompt: Option<&str>) -> Option<u16> {
        let prompt = prompt.map(str::to_owned);
        let arrival = Arrival { method, path, prompt };
        match faults.on_request(&arrival)?.effect {
            crate::fault::Effect::Status(status) => Some(status),
            _ => None,
        }
    }

    #[test]
    fn a_path_is_literal_or_a_template() {
        for (path, template) in [
            ("/run", "/run"),
            ("/jobs/job-1", "/jobs/{id}"),
            ("/jobs/job-1", "/jobs/job-1"),
            ("/agents/a/send", "/agents/{id}/send"),
            ("/agents/a/send", "/{any}/{id}/{verb}"),
        ] {
            assert!(is_of(path, template), "{path} {template}");
        }
        for (path, template) in [
            ("/run/async", "/run"),
            ("/run", "/run/"),
            ("/jobs", "/jobs/{id}"),
            ("/jobs/", "/jobs/{id}"),
            ("/jobs/a/b", "/jobs/{id}"),
            ("/jobs/{id}x", "/jobs/{id"),
        ] {
            assert!(!is_of(path, template), "{path} {template}");
        }
    }

    #[test]
    fn the_first_that_is_for_the_request_strikes_until_it_is_used_up() {
        let faults = faults();
        let first = faults.inject(Fault::status(501).on("/run").method("POST").times(2));
        let second = faults.inject(Fault::status(502).on_prompt("deploy").times(1));
        let third = faults.inject(Fault::status(503));
        let strikes: Vec<_> = (0..4)
            .map(|_| strike(&faults, "POST", "/run", Some("to deploy it")).unwrap())
            .collect();
        assert_eq!(strikes, [501, 501, 502, 503]);
        assert_eq!(strike(&faults, "GET", "/run", None), Some(503));
        assert_eq!((first.fired(), second.fired(), third.fired()), (2, 1, 2));
        faults.clear();
        assert_eq!(strike(&faults, "POST", "/run", None), None);
        assert_eq!(third.fired(), 2);
    }

    #[test]
    fn a_fault_of_connections_strikes_no_request_and_no_other_strikes_a_connection() {
        let faults = faults();
        faults.inject(Fault::status(503));
        assert!(faults.on_connect().is_none());
        faults.clear();
        faults.inject(Fault::reset_on_connect().times(1));
        assert_eq!(strike(&faults, "GET", "/health", None), None);
        assert!(faults.on_connect().is_some());
        assert!(faults.on_connect().is_none());
    }

    #[test]
    fn only_a_request_that_it_could_strike_takes_a_random_number() {
        let draw = |others: bool| -> Vec<bool> {
            let faults = faults();
            faults.inject(Fault::status(503).probability(0.5).on("/run"));
            (0..64)
                .map(|_| {
                    if others {
                        strike(&faults, "GET", "/health", None);
                    }
                    strike(&faults, "POST", "/run", None).is_some()
                })
                .collect()
        };
        let alone = draw(false);
        assert_eq!(alone, draw(true));
        assert!(alone.contains(&true) && alone.contains(&false));
    }

    #[test]
    fn a_probability_is_from_never_to_always() {
        for (probability, expected) in [(0.0, 0), (-1.0, 0), (f64::NAN, 0), (1.0, 100), (7.0, 100)] {
            let faults = faults();
            let fault = faults.inject(Fault::status(503).probability(probability));
            for _ in 0..100 {
                strike(&faults, "GET", "/health", None);
            }
            assert_eq!(fault.fired(), expected, "{probability}");
        }
    }

    #[test]
    fn a_prompt_is_found_in_body_and_query() {
        assert_eq!(prompt("", br#"{"prompt":"a","x":{}} rest"#).as_deref(), Some("a"));
        assert_eq!(prompt("prompt=b+c", b"").as_deref(), Some("b c"));
        for body in ["", "{", "[]", "{}", r#"{"prompt":1}"#] {
            assert_eq!(prompt("q=1", body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn the_prompt_is_asked_for_only_where_a_fault_wants_it() {
        let faults = faults();
        faults.inject(Fault::status(503).on("/run").on_prompt("x"));
        faults.inject(Fault::status(503).on("/jobs"));
        assert!(faults.ask_for_prompt("POST", "/run"));
        assert!(!faults.ask_for_prompt("GET", "/jobs"));
    }
}

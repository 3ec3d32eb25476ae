//! What the server counts of its requests, in Prometheus' text format. Only servers before 0.5 show it on this port.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::time::Duration;

use crate::state::lock;

/// The upper bounds of the histogram's buckets, in seconds: the Go client's defaults.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The counts since the start.
#[derive(Default)]
pub(crate) struct Metrics {
    counts: Mutex<Counts>,
}

/// By the server's labels, in their order: the path is that of the request and not of the route.
#[derive(Default)]
struct Counts {
    requests: BTreeMap<(String, String, u16), u64>,
    durations: BTreeMap<(String, String), Histogram>,
}

#[derive(Default)]
struct Histogram {
    /// For each bound, the requests that took no longer.
    within: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

impl Metrics {
    /// Counts a request that was answered.
    pub(crate) fn record(&self, method: &str, path: &str, status: u16, took: Duration) {
        let mut counts = lock(&self.counts);
        let labels = (method.to_owned(), path.to_owned());
        let durations = counts.durations.entry(labels).or_default();
        let seconds = took.as_secs_f64();
        for (within, bound) in durations.within.iter_mut().zip(BUCKETS) {
            *within += u64::from(seconds <= bound);
        }
        durations.count += 1;
        durations.seconds += seconds;
        let labels = (method.to_owned(), path.to_owned(), status);
        *counts.requests.entry(labels).or_default() += 1;
    }

    /// All of it, with the number of runs that go on as that of containers.
    pub(crate) fn text(&self, active_containers: u64) -> String {
        let counts = lock(&self.counts);
        let mut text = String::new();
        family(&mut text, "active_containers", "Containers that run", "gauge");
        line(&mut text, "active_containers", "", active_containers);

        let name = "http_request_duration_seconds";
        family(&mut text, name, "Time that requests took", "histogram");
        for ((method, path), histogram) in &counts.durations {
            let labels = format!("method={},path={}", quoted(method), quoted(path));
            let bounds = BUCKETS.map(|bound| bound.to_string());
            let bounds = bounds.iter().map(String::as_str).chain(["+Inf"]);
            for (bound, within) in bounds.zip(histogram.within.into_iter().chain([histogram.count])) {
                let labels = format!("{{{labels},le=\"{bound}\"}}");
                line(&mut text, &format!("{name}_bucket"), &labels, within);
            }
            line(
                &mut text,
                &format!("{name}_sum"),
                &format!("{{{labels}}}"),
                histogram.seconds,
            );
            line(
                &mut text,
                &format!("{name}_count"),
                &format!("{{{labels}}}"),
                histogram.count,
            );
        }

        family(&mut text, "http_requests_total", "Requests answered", "counter");
        for ((method, path, status), count) in &counts.requests {
            let labels = format!(
                "{{method={},path={},status=\"{status}\"}}",
                quoted(method),
                quoted(path)
            );
            line(&mut text, "http_requests_total", &labels, count);
        }
        text
    }
}

fn family(text: &mut String, name: &str, help: &str, kind: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(text: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _ = writeln!(text, "{name}{labels} {value}");
}

/// A label's value, with what the format escapes.
fn quoted(value: &str) -> String {
    let escaped = value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_and_timed_by_their_labels() {
        let metrics = Metrics::default();
        metrics.record("GET", "/a\"\\\n", 200, Duration::from_millis(7));
        metrics.record("GET", "/a\"\\\n", 404, Duration::from_secs(20));
        let text = metrics.text(3);
        let labels = r#"method="GET",path="/a\"\\\n""#;
        for expected in [
            "# TYPE active_containers gauge\nactive_containers 3\n".to_owned(),
            format!("http_request_duration_seconds_bucket{{{labels},le=\"0.005\"}} 0\n"),
            format!("http_request_duration_seconds_bucket{{{labels},le=\"0.01\"}} 1\n"),
            format!("http_request_duration_seconds_bucket{{{labels},le=\"10\"}} 1\n"),
            format!("http_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} 2\n"),
            format!("http_request_duration_seconds_sum{{{labels}}} 20.007\n"),
            format!("http_request_duration_seconds_count{{{labels}}} 2\n"),
            format!("http_requests_total{{{labels},status=\"200\"}} 1\n"),
            format!("http_requests_total{{{labels},status=\"404\"}} 1\n"),
        ] {
            assert!(text.contains(&expected), "{expected} in {text}");
        }
    }
}

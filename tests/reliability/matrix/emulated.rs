//! The faults of the emulator, each of them (docs/emulator.md).

use std::time::Duration;

use stromboli_emulator::Fault as Injected;

use super::class::Class;
use super::fault::Fault;
use super::rule::Sees;

/// The statuses that servers and proxies give, and some that none should.
const STATUSES: [u16; 26] = [
    300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 408, 409, 410, 413, 422, 429, 431, 451, 500, 501, 502,
    504, 511, 599,
];
/// Statuses that a proxy gives when it has lost its server in the middle.
const LATE: [u16; 5] = [408, 500, 502, 503, 504];
/// Texts of a server that has run nothing yet.
const REFUSALS: [(u16, &str); 3] = [
    (503, "Claude not configured. Run 'make claude-setup' first"),
    (503, "auth backend unavailable"),
    (500, "workdir validation failed: no"),
];

pub(super) fn faults() -> Vec<Fault> {
    let late = Duration::from_millis(1);
    let for_ever = Duration::from_secs(24 * 3600);
    let mut faults: Vec<Fault> = STATUSES
        .into_iter()
        .map(|status| {
            let fault = Injected::status(status).header("Location", "http://127.0.0.1:1/elsewhere");
            Fault::injected(format!("status {status}"), fault, Sees::Status(status))
        })
        .collect();
    faults.extend(LATE.map(|status| {
        let fault = Injected::status_after_executing(status)
            .header("Content-Type", "text/html")
            .body("<h1>proxy</h1>");
        Fault::injected(
            format!("status {status} of a proxy, executed"),
            fault,
            Sees::Status(status),
        )
    }));
    faults.extend(REFUSALS.map(|(status, words)| {
        let begin = words.split([':', '.']).next().unwrap_or_default();
        let fault = Injected::status(status)
            .header("Content-Type", "text/plain; charset=utf-8")
            .body(words);
        Fault::injected(format!("status {status}, “{begin}”"), fault, Sees::Refusal(status))
    }));
    faults.extend([
        Fault::refused(),
        Fault::injected("reset when connected", Injected::reset_on_connect(), Sees::Broken).or(Sees::NoConnection),
        Fault::injected(
            "reset before the body is read",
            Injected::reset_before_reading(),
            Sees::Broken,
        ),
        Fault::injected(
            "reset before executing",
            Injected::reset_before_executing(),
            Sees::Broken,
        ),
        Fault::injected("reset after executing", Injected::reset_after_executing(), Sees::Broken),
        Fault::injected(
            "closed before executing",
            Injected::close_before_executing(),
            Sees::Broken,
        ),
        Fault::injected("closed after executing", Injected::cut_after(0), Sees::Broken),
        Fault::injected(
            "silence before executing",
            Injected::silence_before_executing(),
            Sees::Silence,
        ),
        Fault::injected(
            "silence after executing",
            Injected::silence_after_executing(),
            Sees::Silence,
        ),
        Fault::injected(
            "head that never comes",
            Injected::delay_headers(for_ever),
            Sees::Silence,
        ),
        Fault::injected("body that never comes", Injected::delay_body(for_ever), Sees::Stall),
        Fault::injected("body that stalls", Injected::delay_chunks(for_ever), Sees::Stall),
        Fault::injected("late head", Injected::delay_headers(late), Sees::Answer),
        Fault::injected("late body", Injected::delay_body(late), Sees::Answer),
        Fault::injected("late chunks", Injected::delay_chunks(late), Sees::Answer),
        Fault::injected("byte by byte", Injected::drip(Duration::ZERO), Sees::Answer),
        Fault::injected(
            "byte by byte, slow",
            Injected::drip(Duration::from_millis(40)),
            Sees::Silence,
        ),
        Fault::injected("cut in the status line", Injected::cut_after(7), Sees::Broken),
        Fault::injected("cut in the head", Injected::cut_after(27), Sees::Broken),
        Fault::injected("cut before the body", Injected::cut_body_after(0), Sees::Cut),
        Fault::injected("cut in the body", Injected::cut_body_after(1), Sees::Cut),
        Fault::injected("reset in the body", Injected::cut_body_after(1).by_reset(), Sees::Cut),
        // The emulator collects the body first. Of an agent's stream it sends the first event alone, which a turn does not see:
        // its prompt goes out when the stream is open.
        Fault::injected("length too great", Injected::wrong_length(5), Sees::CutAtEnd)
            .but(&[(Class::Events, Sees::Cut), (Class::Turn, Sees::Silence)]),
        Fault::injected("length too small", Injected::wrong_length(-3), Sees::Short)
            .but(&[(Class::Events, Sees::EndsEarly), (Class::Turn, Sees::Silence)]),
        Fault::injected(
            "wrong content type",
            Injected::content_type("text/html"),
            Sees::WrongType,
        ),
        Fault::injected("no content type", without("Content-Type"), Sees::WrongType),
        Fault::injected("no request id", without("X-Request-ID"), Sees::Answer),
        Fault::injected(
            "garbage",
            Injected::garbage("\u{16}\u{3}\u{1} no HTTP\r\n\r\n"),
            Sees::NotHttp,
        ),
        Fault::injected("garbage for a chunk", Injected::garbage_chunk("zz\r\n"), Sees::Cut),
        Fault::injected("HTTP/1.0", Injected::http_1_0(), Sees::Answer),
        Fault::injected("100 before the answer", Injected::informational(100), Sees::Answer),
        Fault::injected("103 before the answer", Injected::informational(103), Sees::Answer),
        Fault::injected("101 before the answer", Injected::informational(101), Sees::Status(101)),
        Fault::injected("end after one event", Injected::end_events_after(1), Sees::EndsEarly),
        Fault::injected("no end marker", Injected::without_end_marker(), Sees::NoEndMarker),
        Fault::injected(
            "cut after the end marker",
            Injected::cut_after_end_marker(),
            Sees::Answer,
        ),
    ]);
    faults
}

/// The server's answer without this header.
fn without(header: &str) -> Injected {
    Injected::delay_headers(Duration::ZERO).without_header(header)
}

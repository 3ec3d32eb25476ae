//! The faults of a server on a socket: what the emulator cannot do.

use std::time::Duration;

use super::fault::Fault;
use super::good::{Good, chunk};
use super::peer::Act::{Again, Drip, Hold, Pace, Reset, Send};
use super::peer::Reads;
use super::rule::Sees;

/// Between two bytes of a server that is too slow.
const SLOW: Duration = Duration::from_millis(20);
/// As good as endless.
const ENDLESS: u64 = u64::MAX;
/// 1 GiB in blocks.
const BLOCK: usize = 64 * 1024;
const GIB: u64 = 1 << 30;

pub(super) fn faults() -> Vec<Fault> {
    [tls(), connections(), heads(), bodies(), chunks(), statuses(), huge()]
        .into_iter()
        .flatten()
        .collect()
}

fn tls() -> Vec<Fault> {
    // A fatal alert: the handshake has failed.
    let alert = || vec![Send(vec![0x15, 3, 3, 0, 2, 2, 40]), Hold];
    vec![
        Fault::nameless(),
        Fault::handshake("TLS: HTTP instead", Sees::NoTls, |_| {
            vec![Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()), Hold]
        }),
        Fault::handshake("TLS: refused", Sees::NoTls, move |_| alert()),
        Fault::handshake("TLS: garbage", Sees::NoTls, |_| vec![Send(vec![0xff; 64]), Hold]),
        Fault::handshake("TLS: closed", Sees::NoTls, |_| vec![]).or(Sees::NoConnection),
        Fault::handshake("TLS: half a record", Sees::NoTls, |_| {
            vec![Send(vec![0x16, 3, 3, 0, 80, 2])]
        })
        .or(Sees::NoConnection),
        Fault::handshake("TLS: silence", Sees::NoConnection, |_| vec![Hold]),
    ]
}

fn connections() -> Vec<Fault> {
    let half_a_head = || Send(b"HTTP/1.1 200 OK\r\nContent-".to_vec());
    vec![
        Fault::played("closed when connected", Sees::Broken, |_| vec![]).early(Reads::Nothing),
        Fault::played("closed after the request's head", Sees::Broken, |_| vec![]).early(Reads::Head),
        Fault::played("closed after the request", Sees::Broken, |_| vec![]),
        Fault::played("reset after the request", Sees::Broken, |_| vec![Reset]),
        Fault::played("half a head, closed", Sees::Broken, move |_| vec![half_a_head()]),
        Fault::played("half a head, reset", Sees::Broken, move |_| vec![half_a_head(), Reset]),
        Fault::played("nothing is read", Sees::Silence, |_| vec![Hold]).early(Reads::Nothing),
        Fault::played("half-open after the request", Sees::Silence, |_| vec![Hold]),
        Fault::played("half a head, then half-open", Sees::Silence, move |_| {
            vec![half_a_head(), Hold]
        }),
        Fault::played("half a body, then half-open", Sees::Stall, |good| {
            vec![Send(good.head(good.body.len())), Send(good.first_half().to_vec()), Hold]
        }),
        Fault::played("answer before the request is read", Sees::Answer, |good| {
            vec![Send(good.whole()), Hold]
        })
        .early(Reads::Head),
    ]
}

fn heads() -> Vec<Fault> {
    let raw =
        |name: &str, head: &'static [u8]| Fault::played(name, Sees::NotHttp, move |_| vec![Send(head.to_vec()), Hold]);
    vec![
        raw("status that is no number", b"HTTP/1.1 abc Nonsense\r\n\r\n"),
        raw("another protocol", b"SSH-2.0-OpenSSH_9.6\r\n"),
        raw("HTTP/2 unasked", b"\0\0\x0c\x04\0\0\0\0\0\0\x03\0\0\0d\0\x04\0\x10\0\0"),
        raw("zeros", &[0; 1024]),
        raw("header without a colon", b"HTTP/1.1 200 OK\r\nbroken header\r\n\r\n"),
        raw(
            "length that is no number",
            b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        ),
        raw("negative length", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
        raw(
            "length beyond 64 bits",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        ),
        raw(
            "two lengths",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        ),
        Fault::played("1,000 headers", Sees::NotHttp, |good| {
            vec![
                Send([good.start().as_bytes(), &b"X-A: b\r\n".repeat(1000), b"\r\n"].concat()),
                Hold,
            ]
        }),
        Fault::played("head byte by byte, slow", Sees::Silence, |good| {
            vec![Drip(good.whole(), SLOW), Hold]
        }),
        Fault::played("103 without end, slow", Sees::Silence, |_| {
            vec![Pace(b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec(), SLOW)]
        }),
        Fault::played("header without end, slow", Sees::Silence, |_| {
            vec![
                Send(b"HTTP/1.1 200 OK\r\n".to_vec()),
                Pace(b"X-A: b\r\n".to_vec(), SLOW),
            ]
        }),
        Fault::played("100, 102 and 103 first", Sees::Answer, |good| {
            let first = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
            vec![Send(first.to_vec()), Send(good.whole())]
        }),
        Fault::played("the same length twice", Sees::Answer, |good| {
            let length = format!("Content-Length: {}\r\n", good.body.len()).repeat(2);
            vec![Send(
                [good.start().as_bytes(), length.as_bytes(), b"\r\n", &good.body].concat(),
            )]
        }),
        Fault::played("lines ended by LF alone", Sees::Answer, |good| {
            let head = String::from_utf8(good.head(good.body.len())).unwrap().replace('\r', "");
            vec![Send([head.as_bytes(), &good.body].concat())]
        }),
    ]
}

fn bodies() -> Vec<Fault> {
    let body = |name: &str, body: &'static [u8]| {
        Fault::played(name, Sees::NotPromised, move |good| vec![Send(good.with(body))])
    };
    vec![
        body("empty body", b""),
        body("null", b"null"),
        body("half of the JSON", b"{\"id\":"),
        body("something after the JSON", b"{} {}"),
        body("invalid UTF-8", b"{\"id\":\"\xff\"}"),
        body("HTML", b"<html><body>It works!</body></html>"),
        Fault::played("JSON nested 50,000 deep", Sees::NotPromised, |good| {
            vec![Send(good.with(&[b'['; 50_000]))]
        }),
        Fault::played("compressed, unasked", Sees::NotPromised, |good| {
            let head = format!(
                "{}Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
                good.start(),
                BOMB.len()
            );
            vec![Send([head.as_bytes(), BOMB].concat())]
        }),
        Fault::played("half a body, closed", Sees::Cut, |good| {
            vec![Send(good.head(good.body.len())), Send(good.first_half().to_vec())]
        }),
        Fault::played("half a body, reset", Sees::Cut, |good| {
            vec![
                Send(good.head(good.body.len())),
                Send(good.first_half().to_vec()),
                Reset,
            ]
        }),
        Fault::played("body byte by byte, slow", Sees::Dribble, |good| {
            vec![Send(good.head(good.body.len())), Drip(good.body.clone(), SLOW)]
        }),
        Fault::played("body byte by byte", Sees::Answer, |good| {
            vec![
                Send(good.head(good.body.len())),
                Drip(good.body.clone(), Duration::ZERO),
            ]
        }),
        Fault::played("HTTP/1.0 without a length", Sees::Answer, |good| {
            vec![Send([good.start_as("1.0").as_bytes(), b"\r\n", &good.body].concat())]
        }),
        Fault::played("HTTP/1.1 without a length", Sees::Answer, |good| {
            vec![Send([good.start().as_bytes(), b"\r\n", &good.body].concat())]
        }),
        Fault::played("bytes after the answer", Sees::Answer, |good| {
            vec![Send(good.whole()), Send(good.whole())]
        }),
    ]
}

/// The beginning of a body in gzip, which nobody shall take apart.
const BOMB: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xed\xc1\x01\x01\x00\x00\x00\x80\x90\xfe\xaf\xee\x08\x0a\x00\x00\x00";

fn chunks() -> Vec<Fault> {
    let then = |name: &str, next: &'static [u8]| {
        Fault::played(name, Sees::Cut, move |good| {
            vec![Send(good.begun()), Send(next.to_vec()), Hold]
        })
    };
    let ended = |name: &str, sees, end: &'static [u8]| {
        Fault::played(name, sees, move |good: &Good| {
            vec![Send(good.unended()), Send(end.to_vec())]
        })
    };
    vec![
        then("chunk size of no digits", b"zz\r\n"),
        then("negative chunk size", b"-1\r\n"),
        then("chunk size beyond 64 bits", b"fffffffffffffffff\r\n"),
        then("chunk size without a number", b"\r\n"),
        then("chunk longer than its size", b"1\r\nab\r\n"),
        Fault::played("no last chunk, closed", Sees::CutAtEnd, |good| {
            vec![Send(good.unended())]
        }),
        Fault::played("no last chunk, reset", Sees::Cut, |good| {
            vec![Send(good.begun()), Reset]
        }),
        Fault::played("half a chunk, closed", Sees::Cut, |good| {
            vec![Send(good.begun()), Send(b"ff\r\nx".to_vec())]
        }),
        Fault::played("chunks, then half-open", Sees::Stall, |good| {
            vec![Send(good.begun()), Hold]
        }),
        ended("chunked", Sees::Answer, b"0\r\n\r\n"),
        ended("trailers", Sees::Answer, b"0\r\nX-Trailer: 1\r\nX-Other: 2\r\n\r\n"),
        ended("trailers that are none", Sees::CutAtEnd, b"0\r\nno trailer\r\n\r\n"),
        Fault::played("extensions of chunks", Sees::Answer, |good| {
            let first = format!("{:x};name=\"value\"\r\n", good.body.len());
            vec![Send(
                [&good.chunked_head(), first.as_bytes(), &good.body, b"\r\n0;x\r\n\r\n"].concat(),
            )]
        }),
        Fault::played("chunks and a length", Sees::Answer, |good| {
            let head = format!(
                "{}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                good.start()
            );
            vec![Send([head.as_bytes(), &chunk(&good.body), b"0\r\n\r\n"].concat())]
        }),
        Fault::played("chunks of one byte", Sees::Answer, |good| {
            let bytes = good.body.chunks(1).flat_map(chunk).collect();
            vec![Send(good.chunked_head()), Send(bytes), Send(b"0\r\n\r\n".to_vec())]
        }),
    ]
}

fn statuses() -> Vec<Fault> {
    let line = |status: u16, header: &str, body: &[u8]| {
        let head = format!(
            "HTTP/1.1 {status} Words\r\n{header}Connection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    };
    let status = |name: &str, status: u16, header: &'static str| {
        Fault::played(name, Sees::Status(status), move |_| {
            vec![Send(line(status, header, b"{}"))]
        })
    };
    vec![
        status("redirect to itself", 307, "Location: /health\r\n"),
        status("redirect without a place", 302, ""),
        status("redirect to a file", 308, "Location: file:///etc/passwd\r\n"),
        status("200 where another is due", 206, ""),
        Fault::played("204 without a body", Sees::Status(204), |_| {
            vec![Send(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_vec())]
        }),
        status("status 600", 600, ""),
        status("status 999", 999, ""),
        Fault::played("404 whose body is cut", Sees::Status(404), move |_| {
            let whole = line(
                404,
                "Content-Type: application/json\r\n",
                b"{\"error\":\"job not found\"}",
            );
            vec![Send(whole[..whole.len() - 5].to_vec())]
        }),
        Fault::played("500 whose body stalls", Sees::Status(500), |_| {
            vec![
                Send(b"HTTP/1.1 500 Words\r\nContent-Length: 100\r\n\r\nhalf".to_vec()),
                Hold,
            ]
        }),
    ]
}

/// What never ends, or is 1 GiB.
fn huge() -> Vec<Fault> {
    let blocks = GIB / BLOCK as u64;
    vec![
        Fault::played("headers without end", Sees::NotHttp, |good| {
            vec![
                Send(good.start().into_bytes()),
                Again(b"X-Header: and another one\r\n".repeat(100), ENDLESS),
            ]
        }),
        Fault::played("a header without end", Sees::NotHttp, |good| {
            vec![
                Send(good.start().into_bytes()),
                Send(b"X-Header: ".to_vec()),
                Again(vec![b'x'; BLOCK], ENDLESS),
            ]
        }),
        Fault::played("103 without end", Sees::Silence, |_| {
            vec![Again(b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100), ENDLESS)]
        }),
        Fault::played("body of 1 GiB", Sees::Endless, move |good| {
            vec![Send(good.head(GIB as usize)), Again(vec![b' '; BLOCK], blocks)]
        }),
        Fault::played("body without end", Sees::Endless, |good| {
            vec![Send(good.chunked_head()), Again(chunk(&[b' '; BLOCK]), ENDLESS)]
        }),
        Fault::played("body without end in small chunks", Sees::Endless, |good| {
            vec![
                Send(good.chunked_head()),
                Again(chunk(&[b' '; 16]).repeat(1000), ENDLESS),
            ]
        }),
        Fault::played("500 with 1 GiB", Sees::Status(500), move |_| {
            let head = format!("HTTP/1.1 500 Words\r\nContent-Length: {GIB}\r\n\r\n");
            vec![Send(head.into_bytes()), Again(vec![b'x'; BLOCK], blocks)]
        }),
        Fault::played("extension of a chunk without end", Sees::Cut, |good| {
            vec![
                Send(good.begun()),
                Send(b"1;".to_vec()),
                Again(vec![b'x'; BLOCK], ENDLESS),
            ]
        }),
        Fault::played("trailers without end", Sees::CutAtEnd, |good| {
            vec![
                Send(good.unended()),
                Send(b"0\r\n".to_vec()),
                Again(b"X-Trailer: x\r\n".repeat(1000), ENDLESS),
            ]
        }),
    ]
    .into_iter()
    .map(Fault::huge)
    .collect()
}

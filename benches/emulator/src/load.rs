//! How many requests a server answers, asked by wrk from outside.

use std::path::Path;

use crate::server::{Server, Side, pinned};
use crate::{Result, Row, THROUGHPUT, median};

/// Enough to keep a server busy.
const CONNECTIONS: &str = "32";
const SECONDS: u32 = 2;
const PROMPT: &str = r#"{"prompt":"ping"}"#;

struct Route {
    method: &'static str,
    path: &'static str,
    body: &'static str,
}

const ROUTES: [Route; 2] = [
    Route {
        method: "GET",
        path: "/health",
        body: "",
    },
    Route {
        method: "POST",
        path: "/run",
        body: PROMPT,
    },
];

/// Loads both servers in turns, for as many pairs.
pub async fn measure(pairs: usize) -> Result<Vec<Row>> {
    let (emulator, bare) = (Server::start("emulator").await?, Server::start("bare").await?);
    let script = std::env::current_exe()?.with_file_name("bench-emulator.lua");
    let mut rows = Vec::new();
    for route in &ROUTES {
        let Route { method, path, body } = route;
        let what = format!("{method} {path}");
        same(
            &emulator.exchange(method, path, body).await?,
            &bare.exchange(method, path, body).await?,
        )
        .map_err(|difference| format!("{what}: the servers do not send the same: {difference}"))?;
        let lua = format!("wrk.method = \"{method}\"\nwrk.body = [[{body}]]\n");
        std::fs::write(&script, lua)?;
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for pair in 1..=pairs {
            // In turns, and each first as often as the other: what else the machine does hits both.
            let (our, their) = if pair % 2 == 0 {
                let our = wrk(&emulator, path, &script).await?;
                (our, wrk(&bare, path, &script).await?)
            } else {
                let their = wrk(&bare, path, &script).await?;
                (wrk(&emulator, path, &script).await?, their)
            };
            println!(
                "{what}  pair {pair}/{pairs}: {our:.0} and {their:.0} per second, {:.2}",
                our / their
            );
            ours.push(our);
            theirs.push(their);
            ratios.push(our / their);
        }
        let ratio = median(ratios);
        rows.push(Row {
            what,
            emulator: format!("{:.0}/s", median(ours)),
            bare: format!("{:.0}/s", median(theirs)),
            measured: format!("{ratio:.2}"),
            budget: format!("≥ {THROUGHPUT}"),
            kept: ratio >= THROUGHPUT,
        });
    }
    Ok(rows)
}

/// Requests per second.
async fn wrk(server: &Server, path: &str, script: &Path) -> Result<f64> {
    let mut wrk = pinned("wrk", Side::Load);
    wrk.args(["--threads", "1", "--connections", CONNECTIONS]);
    wrk.arg(format!("--duration={SECONDS}s")).arg("--script").arg(script);
    wrk.arg(format!("http://{}{path}", server.address()));
    let output = wrk
        .output()
        .await
        .map_err(|e| format!("cannot run wrk ({e}): apt-get install wrk"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = |line: &str| line.strip_prefix("Requests/sec:").map(str::trim)?.parse().ok();
    let rate = said.lines().find_map(number);
    let failed = ["Non-2xx", "Socket errors"].iter().any(|mark| said.contains(mark));
    match rate {
        Some(rate) if output.status.success() && !failed => Ok(rate),
        _ => Err(format!("wrk failed: {said}{}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// Whether two responses are the same but for digits and the order of headers.
fn same(one: &str, other: &str) -> std::result::Result<(), String> {
    let lines = |response: &str| {
        let digits = |c: char| if c.is_ascii_hexdigit() { '0' } else { c };
        let mut lines: Vec<String> = response
            .lines()
            .map(|line| line.chars().map(digits).collect())
            .collect();
        lines.sort();
        lines
    };
    if lines(one) == lines(other) {
        Ok(())
    } else {
        Err(format!("\n{one}\n\n{other}"))
    }
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn responses_may_differ_in_ids_and_the_order_of_headers_only() {
        let one = "HTTP/1.1 200 OK\r\nVary: 1f\r\nHost: x\r\n\r\n{\"id\":\"00ff\"}";
        assert_eq!(
            same(one, "HTTP/1.1 200 OK\r\nHost: x\r\nVary: 23\r\n\r\n{\"id\":\"1234\"}"),
            Ok(())
        );
        assert!(same(one, "HTTP/1.1 200 OK\r\nVary: 1f\r\nHost: x\r\n\r\n{\"id\":\"00f\"}").is_err());
        assert!(same(one, "HTTP/1.1 200 OK\r\nVary: 1f\r\nhost: x\r\n\r\n{\"id\":\"00ff\"}").is_err());
        assert!(same(one, "HTTP/1.1 200 OK\r\nVary: 1f\r\n\r\n{\"id\":\"00ff\"}").is_err());
    }
}

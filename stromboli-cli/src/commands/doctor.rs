//! `stromboli doctor`: everything that must be right before a run can be, and what helps where it is not.

use std::path::Path;

use clap::Args;
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use stromboli::version::{self, Status};
use stromboli::{Client, ComponentStatus, Health};

use crate::context::{Context, Identity};
use crate::exit::{Code, Failure};
use crate::login::Logins;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  stromboli doctor
  stromboli doctor --output json | jq '.[] | select(.ok | not)'

The exit code is that of the first thing that is wrong: 2 for the settings, 5 when the server does not answer, 4 when it does \
not take your token, 1 for anything else.";

/// How far the clocks may be apart.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// Check the settings, the server and your access to it, and say what helps.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Doctor {}

/// One thing that was looked at.
#[derive(Serialize)]
struct Check {
    name: String,
    ok: bool,
    detail: String,
    fix: Option<String>,
    #[serde(skip)]
    code: Code,
}

impl Check {
    fn good(name: &str, detail: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            ok: true,
            detail: detail.into(),
            fix: None,
            code: Code::Done,
        }
    }

    fn bad(name: &str, detail: impl Into<String>, fix: &str) -> Self {
        Self {
            ok: false,
            fix: Some(fix.to_owned()),
            code: Code::Other,
            ..Self::good(name, detail)
        }
    }

    fn failed(name: &str, failure: &Failure) -> Self {
        Self {
            ok: false,
            fix: failure.hint(),
            code: failure.code(),
            ..Self::good(name, failure.clause())
        }
    }

    fn line(&self) -> String {
        let mark = if self.ok { '✓' } else { '✗' };
        let fix = self.fix.as_ref().map(|fix| format!("\n    {fix}"));
        format!("{mark} {}: {}{}", self.name, self.detail, fix.unwrap_or_default())
    }
}

impl Doctor {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let waiting = context.output.spinner("looking");
        let mut checks = Vec::new();
        match context.settings() {
            Ok(settings) => {
                checks.push(Check::good("settings", files(settings)));
                checks.extend(settings.files().iter().filter_map(|file| mode(file)));
                checks.push(logins());
                match settings.url.as_ref() {
                    Some(url) => {
                        checks.push(Check::good("address", format!("{}, from {}", url.value, url.origin)));
                        checks.extend(server(context).await);
                    }
                    None => checks.extend(settings.url().err().map(|none| Check::failed("address", &none))),
                }
            }
            Err(problem) => {
                checks.push(Check::failed("settings", &problem));
                checks.push(logins());
            }
        }
        drop(waiting);
        let printed = context.output.list(&checks, "", |checks| {
            checks.iter().map(Check::line).collect::<Vec<_>>().join("\n")
        });
        let bad: Vec<_> = checks.iter().filter(|check| !check.ok).collect();
        if let Some(first) = bad.first() {
            let names: Vec<_> = bad.iter().map(|check| check.name.as_str()).collect();
            return Err(Failure::found(
                first.code,
                format!("not as it should be: {}", names.join(", ")),
            ));
        }
        printed
    }
}

fn files(settings: &Settings) -> String {
    let files: Vec<_> = settings.files().iter().map(|file| file.display().to_string()).collect();
    match files.is_empty() {
        true => "no files, which is fine".into(),
        false => files.join(", "),
    }
}

/// Who can change where the settings point can have the prompts sent there.
#[cfg(unix)]
fn mode(file: &Path) -> Option<Check> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(file).ok()?.permissions().mode() & 0o777;
    let path = file.display();
    let detail = format!("others can change {path}, whose mode is {mode:o}");
    (mode & 0o022 != 0).then(|| Check::bad("file mode", detail, &format!("chmod go-w {path}")))
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<Check> {
    None
}

fn logins() -> Check {
    let Some(logins) = Logins::of_user() else {
        return Check::good("logins", "no home directory to keep any in");
    };
    match logins.count() {
        Ok(0) => Check::good("logins", "none"),
        Ok(count) => Check::good("logins", format!("{count} in {}", logins.path().display())),
        Err(failure) => Check::failed("logins", &failure),
    }
}

async fn server(context: &Context) -> Vec<Check> {
    // Without a token, which must not keep anybody from asking a server how it is.
    let asked = match context.bare_client() {
        Ok(client) => health(&client).await,
        Err(failure) => Err(failure),
    };
    let (health, skew) = match asked {
        Ok(answer) => answer,
        Err(failure) => return vec![Check::failed("server", &failure)],
    };
    let mut checks = vec![Check::good("server", format!("{} answers", health.name))];
    checks.push(compatible(&health.version));
    checks.extend(skew.map(clock));
    checks.extend(access(context).await);
    checks.extend(health.components.iter().map(|component| match component.status {
        ComponentStatus::Ok => Check::good(&component.name, "ok"),
        _ => {
            let error = component.error.clone().unwrap_or_else(|| component.status.to_string());
            Check::bad(&component.name, error, component_fix(&component.name))
        }
    }));
    checks
}

/// What the server says of itself, and how far its clock is ahead of ours.
async fn health(client: &Client) -> Result<(Health, Option<SignedDuration>), Failure> {
    let answer = client.request("GET", "/health", "").await?;
    let now = Timestamp::now();
    let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| rfc2822::parse(date).ok());
    let skew = date.map(|date| date.timestamp().duration_since(now));
    let health = serde_json::from_slice(&answer.bytes().await?).map_err(|_| {
        Failure::other("something answers there, but it is no Stromboli server").next("check the address")
    })?;
    Ok((health, skew))
}

fn compatible(server: &str) -> Check {
    let verdict = version::check(server);
    match verdict.status {
        Status::Compatible => Check::good("version", server),
        Status::Unknown => Check::good("version", verdict.to_string()),
        Status::Incompatible => Check::bad(
            "version",
            verdict.to_string(),
            "use a server of a supported version, or the `stromboli` that belongs to this one",
        ),
    }
}

fn clock(skew: SignedDuration) -> Check {
    let apart = skew.abs();
    if apart <= SKEW {
        return Check::good("clock", "less than a minute from the server's");
    }
    let side = if skew.is_positive() { "behind" } else { "ahead of" };
    Check::bad(
        "clock",
        format!(
            "this machine's is {:#} {side} the server's",
            SignedDuration::from_secs(apart.as_secs())
        ),
        "set the clock that is wrong: tokens end at other times than they seem to",
    )
}

/// Whether the server lets this user in, and whether it can run anything.
async fn access(context: &Context) -> Vec<Check> {
    let name = match context.identity() {
        Ok(Identity::Proof(_, variable)) => format!("{variable} is taken"),
        Ok(Identity::Login(_)) => "the login is taken".into(),
        Ok(Identity::None) => "the server asks for no token".into(),
        Err(failure) => return vec![Check::failed("access", &failure)],
    };
    let status = match context.client() {
        Ok(client) => client.claude_status().await.map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    match status {
        Ok(status) => vec![
            Check::good("access", name),
            match status.configured {
                true => Check::good("Claude", status.message),
                false => Check::bad("Claude", "the server has no credentials for it", &status.message),
            },
        ],
        Err(failure) => vec![Check::failed("access", &failure)],
    }
}

fn component_fix(name: &str) -> &'static str {
    match name {
        "podman" => "on the server, see that `podman version` works for the user that runs Stromboli",
        "claude-credentials-file" => "on the server, run `make claude-setup`",
        "claude-credentials-secret" => {
            "restart the server, which makes this secret of Podman's from the credentials file"
        }
        _ => "look into the server's log",
    }
}

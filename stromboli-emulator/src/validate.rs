//! The server's checks of a run, in its order. All of them come back as an error of the run, never as a 400.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::duration;
use crate::quote::text as quoted;
use crate::request::{RunRequest, text};
use crate::settings::Settings;

const MAX_WORKDIR: usize = 4096;
const MAX_SECRETS: usize = 50;
const MAX_SECRET_NAME: usize = 253;
const MAX_COMMANDS_PER_HOOK: usize = 100;
const MAX_COMMANDS: usize = 200;
const MAX_COMMAND: usize = 4096;
const MAX_ALL_COMMANDS: usize = 65_536;

/// Container paths that nothing may be mounted on or under; the server's own list is longer.
const BLOCKED_MOUNTS: [&str; 13] = [
    "/etc",
    "/root",
    "/bin",
    "/usr/bin",
    "/lib",
    "/run",
    "/proc",
    "/sys",
    "/dev",
    "/home/user/.claude",
    "/home/user/.ssh",
    "/home/user/.aws",
    "/home/user/.config",
];

const MOUNT_OPTIONS: [&str; 16] = [
    "ro", "rw", "z", "Z", "U", "noexec", "nosuid", "nodev", "rprivate", "private", "rshared", "shared", "rslave",
    "slave", "nocopy", "copy",
];

/// Checks `request` and returns the time that the run may take.
///
/// # Errors
/// The text of the first check that fails.
pub(crate) fn check(request: &RunRequest, settings: &Settings) -> Result<Duration, String> {
    let podman = &request.podman;
    if object(podman, "environment").is_some_and(|environment| text(environment, "type") == "compose") {
        return Err("the emulator does not run compose files".to_owned());
    }
    let timeout = match text(podman, "timeout") {
        "" => settings.run_timeout,
        given => duration::parse(given).map_err(|e| format!("invalid timeout duration: {e}"))?,
    };
    let image = text(podman, "image");
    if !image.is_empty() && !settings.allows_image(image) {
        return Err(format!(
            "image validation failed: image {} not in allowed patterns",
            quoted(image)
        ));
    }
    let session = request.session_id().unwrap_or_default();
    if session.contains(['/', '\0']) || session.contains("..") {
        return Err("invalid session ID".to_owned());
    }
    workdir(&request.workdir).map_err(|e| format!("workdir validation failed: {e}"))?;
    for volume in texts(podman, "volumes") {
        check_volume(volume, settings).map_err(|e| format!("volume validation failed: {e}"))?;
    }
    if let Some(secrets) = object(podman, "secrets_env") {
        check_secrets(secrets).map_err(|e| format!("secrets validation failed: {e}"))?;
    }
    if let Some(hooks) = object(podman, "lifecycle") {
        check_hooks(hooks).map_err(|e| format!("lifecycle hooks validation failed: {e}"))?;
    }
    Ok(timeout)
}

fn workdir(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Ok(());
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/_.-".contains(c);
    if path.len() > MAX_WORKDIR {
        Err(format!("path is longer than {MAX_WORKDIR} characters"))
    } else if !path.starts_with('/') {
        Err(format!("path {} is not absolute", quoted(path)))
    } else if !path.chars().all(allowed) {
        Err(format!("path {} contains invalid characters", quoted(path)))
    } else if path.contains("..") {
        Err(format!("path {} contains \"..\"", quoted(path)))
    } else {
        Ok(())
    }
}

fn check_volume(volume: &str, settings: &Settings) -> Result<(), String> {
    let mut parts = volume.splitn(3, ':');
    let (host, container) = match (parts.next(), parts.next()) {
        (Some(host), Some(container)) if !host.is_empty() && !container.is_empty() => (host, container),
        _ => return Err(format!("{} is not host:container[:options]", quoted(volume))),
    };
    if host.contains("..") || !settings.allows_volume(host) {
        return Err(format!("host path {} is not allowed", quoted(host)));
    }
    if !container.starts_with('/') || container.contains("..") {
        return Err(format!("container path {} is not absolute", quoted(container)));
    }
    if BLOCKED_MOUNTS.iter().any(|blocked| is_under(container, blocked)) {
        return Err(format!("container path {} is blocked", quoted(container)));
    }
    let known = |option: &str| MOUNT_OPTIONS.contains(&option);
    match parts
        .next()
        .into_iter()
        .flat_map(|options| options.split(','))
        .find(|o| !known(o))
    {
        Some(option) => Err(format!("unknown option {}", quoted(option))),
        None => Ok(()),
    }
}

/// Whether `path` is `parent` or below it.
pub(crate) fn is_under(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn check_secrets(secrets: &Map<String, Value>) -> Result<(), String> {
    if secrets.len() > MAX_SECRETS {
        return Err(format!("more than {MAX_SECRETS} secrets"));
    }
    for (variable, secret) in secrets {
        let starts = variable.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts || !variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(format!("invalid environment variable name {}", quoted(variable)));
        }
        if ["LD_PRELOAD", "LD_LIBRARY_PATH"].contains(&variable.as_str()) {
            return Err(format!("environment variable {} is not allowed", quoted(variable)));
        }
        let length = secret.as_str().map_or(0, |name| name.chars().count());
        if !(1..=MAX_SECRET_NAME).contains(&length) {
            return Err(format!(
                "the name of the secret for {} is empty or too long",
                quoted(variable)
            ));
        }
    }
    Ok(())
}

fn check_hooks(hooks: &Map<String, Value>) -> Result<(), String> {
    let (mut count, mut size) = (0, 0);
    for name in ["on_create_command", "post_create", "post_start"] {
        let Some(Value::Array(commands)) = hooks.get(name) else {
            continue;
        };
        if commands.is_empty() {
            return Err(format!("{name} is empty"));
        }
        if commands.len() > MAX_COMMANDS_PER_HOOK {
            return Err(format!("{name} has more than {MAX_COMMANDS_PER_HOOK} commands"));
        }
        for command in commands.iter().filter_map(Value::as_str) {
            if command.is_empty() || command.contains('\0') {
                return Err(format!("{name} has an empty command or one with a NUL"));
            }
            if command.len() > MAX_COMMAND {
                return Err(format!("{name} has a command longer than {MAX_COMMAND} characters"));
            }
            size += command.len();
        }
        count += commands.len();
    }
    if count > MAX_COMMANDS || size > MAX_ALL_COMMANDS {
        return Err(format!(
            "more than {MAX_COMMANDS} commands or {MAX_ALL_COMMANDS} characters in all"
        ));
    }
    match text(hooks, "hooks_timeout") {
        "" => Ok(()),
        given => duration::parse(given)
            .map(|_| ())
            .map_err(|e| format!("invalid hooks_timeout: {e}")),
    }
}

fn object<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
    fields.get(name).and_then(Value::as_object)
}

fn texts<'a>(fields: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a str> {
    let list = fields.get(name).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

//! Programs that run beside a task and never outlive it, however it ends.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Runs the rest of its arguments, and ends them when its own input ends: that is a pipe whose other end the task holds,
/// so the system closes it even when the task is killed.
const GUARD: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{ cat <&3 >/dev/null; kill "$child"; } 2>/dev/null &
watch=$!
exec 3<&-
wait "$child"
status=$?
# Its number may belong to another program by the time that the input ends.
kill "$watch"
exit "$status"
"#;

/// How long a program may take to end when it is told to.
const GRACE: Duration = Duration::from_secs(10);
/// The standard library cannot wait with a limit, so waiting is looking again and again.
const LOOK: Duration = Duration::from_millis(20);

/// A program on its way. Dropping it ends it.
pub struct Program {
    name: String,
    guard: Child,
    log: PathBuf,
}

impl Program {
    /// Starts `command`; what it says goes into `log`, and no input comes.
    pub fn start(command: &Command, log: PathBuf) -> Result<Self, String> {
        let path = Path::new(command.get_program());
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let failed = |e: io::Error| format!("cannot run {name}: {e}");
        let output = File::create(&log).map_err(|e| format!("cannot write {}: {e}", log.display()))?;
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD, "sh"]).arg(command.get_program());
        guard.args(command.get_args());
        for (variable, value) in command.get_envs() {
            match value {
                Some(value) => guard.env(variable, value),
                None => guard.env_remove(variable),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            guard.current_dir(folder);
        }
        guard.stdin(Stdio::piped());
        guard.stdout(output.try_clone().map_err(failed)?).stderr(output);
        let guard = guard.spawn().map_err(failed)?;
        Ok(Self { name, guard, log })
    }

    /// Waits for its end.
    pub fn ended(mut self, limit: Duration) -> Result<(ExitStatus, String), String> {
        let start = Instant::now();
        while start.elapsed() < limit {
            if let Some(status) = self.guard.try_wait().map_err(|e| e.to_string())? {
                return Ok((status, self.said()));
            }
            std::thread::sleep(LOOK);
        }
        Err(format!(
            "{} did not end within {} s. It said:\n{}",
            self.name,
            limit.as_secs(),
            self.said()
        ))
    }

    /// Waits until it says a URL on a line that contains `mark`.
    pub fn url(&mut self, mark: &str, limit: Duration) -> Result<String, String> {
        let start = Instant::now();
        loop {
            let said = self.said();
            let ended = self.guard.try_wait().map_err(|e| e.to_string())?;
            // The last line may still be on its way.
            let whole = said.rsplit_once('\n').map_or("", |(lines, _)| lines);
            if let Some(url) = whole.lines().filter(|line| line.contains(mark)).find_map(url_in) {
                return Ok(url);
            }
            if let Some(status) = ended {
                return Err(format!("{} did not start ({status}). It said:\n{said}", self.name));
            }
            if start.elapsed() > limit {
                let limit = limit.as_secs();
                return Err(format!(
                    "{} was not ready within {limit} s. It said:\n{said}",
                    self.name
                ));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// All it has said so far.
    pub fn said(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let start = Instant::now();
        while matches!(self.guard.try_wait(), Ok(None)) && start.elapsed() < GRACE {
            std::thread::sleep(LOOK);
        }
        // Nothing is left to do when this fails: it has ended, or the system does not let us.
        let _ = self.guard.kill();
        let _ = self.guard.wait();
    }
}

fn url_in(line: &str) -> Option<String> {
    let at = line.find("http://")?;
    line.get(at..)?.split_whitespace().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    /// A shell script as a program, with a log of its own.
    fn program(name: &str, script: &str) -> Program {
        let log = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", script]).env("GREETING", "hello");
        Program::start(&command, log).unwrap()
    }

    fn runs(id: &str) -> bool {
        Command::new("kill")
            .args(["-0", id])
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }

    #[test]
    fn what_a_program_says_and_how_it_ends_is_known() {
        let (status, said) = program("ends", "echo $GREETING; echo again >&2; exit 3")
            .ended(LIMIT)
            .unwrap();
        assert_eq!((status.code(), said.as_str()), (Some(3), "hello\nagain\n"));
    }

    #[test]
    fn a_server_is_ready_when_it_says_its_url() {
        let script = "echo at http://127.0.0.1:1/other; echo listening on http://127.0.0.1:2; exec sleep 60";
        let mut server = program("ready", script);
        assert_eq!(server.url("listening", LIMIT).unwrap(), "http://127.0.0.1:2");
    }

    #[test]
    fn a_server_that_does_not_start_is_an_error_with_its_words() {
        let error = program("fails", "echo no port; exit 1").url("", LIMIT).unwrap_err();
        assert!(error.contains("did not start") && error.contains("no port"), "{error}");
        let error = program("late", "exec sleep 60")
            .url("", Duration::from_millis(50))
            .unwrap_err();
        assert!(error.contains("was not ready"), "{error}");
    }

    #[test]
    fn a_program_does_not_outlive_its_handle_or_its_limit() {
        let started = Instant::now();
        let mut server = program("dropped", "echo http://$$ ; exec sleep 60");
        let id = server.url("", LIMIT).unwrap().replace("http://", "");
        assert!(runs(&id));
        drop(server);
        assert!(!runs(&id));

        let error = program("slow", "exec sleep 60")
            .ended(Duration::from_millis(50))
            .unwrap_err();
        assert!(error.contains("did not end within"), "{error}");
        assert!(started.elapsed() < GRACE, "it was killed and did not end by itself");
    }

    #[test]
    fn a_program_does_not_outlive_a_task_that_is_killed() {
        // The guard's input ends when the task is gone, whatever became of it.
        let mut server = program("orphan", "echo http://$$ ; exec sleep 60");
        let id = server.url("", LIMIT).unwrap().replace("http://", "");
        drop(server.guard.stdin.take());
        let start = Instant::now();
        while runs(&id) {
            assert!(start.elapsed() < LIMIT);
            std::thread::sleep(LOOK);
        }
    }
}

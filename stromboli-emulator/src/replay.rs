//! The answerer that replays recordings.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use crate::answer::{Answer, Answerer, Exit, Run, Step};
use crate::recording::{Played, Recording, Turn};

/// The time between two lines without timestamps.
const GAP: Duration = Duration::from_millis(50);
/// The exit status of the command when its result is an error.
const FAILED: i32 = 1;

/// Answers prompts with what Claude Code printed once, at the pace of then.
///
/// Each prompt gets the next turn: of the recordings whose text it contains, else of those without one, and after the
/// last the first again. The run's output format decides what is printed: all lines (`stream-json`), the result
/// (`json`) or its text. The turns of an agent are answered in the same way. A run whose result is an error exits with
/// status 1, as the command does; an agent goes on.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// use stromboli_emulator::{Emulator, Recording, Replay};
///
/// let replay = Replay::files(["hello.jsonl", "two-turns.jsonl"])?
///     .on_prompt("test", Recording::file("bash-tool.jsonl")?)
///     .speed(10.0);
/// let emulator = Emulator::builder().answerer(replay).start().await?;
/// # Ok(()) }
/// ```
pub struct Replay {
    by_prompt: Vec<(String, Turns)>,
    others: Turns,
    gap: Duration,
    speed: f64,
}

/// Turns that are taken one after the other.
#[derive(Default)]
struct Turns {
    turns: Vec<Turn>,
    next: AtomicUsize,
}

impl Replay {
    /// Replays these files in their order, and then again.
    ///
    /// # Errors
    /// When a file cannot be read or is not UTF-8; the error names it.
    pub fn files<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> io::Result<Self> {
        let recordings: Vec<_> = paths.into_iter().map(Recording::file).collect::<io::Result<_>>()?;
        Ok(Self::new(recordings))
    }

    /// Replays these lines, the turns among them one after the other.
    pub fn lines<L: Into<String>>(lines: impl IntoIterator<Item = L>) -> Self {
        Self::new([Recording::lines(lines)])
    }

    fn new(recordings: impl IntoIterator<Item = Recording>) -> Self {
        Self {
            by_prompt: Vec::new(),
            others: Turns {
                turns: recordings.into_iter().flat_map(|recording| recording.turns).collect(),
                next: AtomicUsize::new(0),
            },
            gap: GAP,
            speed: 1.0,
        }
    }

    /// Replays this for the prompts that contain `part`. The newest that matches counts.
    #[must_use]
    pub fn on_prompt(mut self, part: impl Into<String>, recording: Recording) -> Self {
        let turns = Turns {
            turns: recording.turns,
            next: AtomicUsize::new(0),
        };
        self.by_prompt.push((part.into(), turns));
        self
    }

    /// The time before a line without a timestamp; 50 ms if not set.
    #[must_use]
    pub fn gap(mut self, gap: Duration) -> Self {
        self.gap = gap;
        self
    }

    /// So many times as fast as it was recorded; what is no positive number changes nothing.
    #[must_use]
    pub fn speed(mut self, speed: f64) -> Self {
        if speed > 0.0 {
            self.speed = speed;
        }
        self
    }

    /// Without any waiting.
    #[must_use]
    pub fn instant(self) -> Self {
        self.speed(f64::INFINITY)
    }
}

impl Answerer for Replay {
    fn answer(&self, run: Run) -> Answer {
        let mut matching = self.by_prompt.iter().rev();
        let found = matching.find(|(part, _)| run.prompt.contains(part));
        let Some(turn) = found.map_or(&self.others, |(_, turns)| turns).next() else {
            return Answer::lines([""; 0]);
        };
        let Played { lines, usage, failed } = turn.play(&run, self.gap);
        let exit = match failed && !run.is_turn() {
            true => Exit::Failed { status: FAILED },
            false => Exit::Completed,
        };
        let speed = self.speed;
        let lines = lines
            .into_iter()
            .map(move |(at, line)| (faster(at, speed), Step::Line(line)));
        // Tokens come before what they were used for, and the end does not wait.
        let begin = usage.map(|usage| (Duration::ZERO, Step::Usage(usage)));
        let end = (Duration::ZERO, Step::Exit(exit));
        let steps = begin.into_iter().chain(lines).chain([end]);
        let mut start = None;
        Answer::new(stream::iter(steps).then(move |(at, step)| {
            let start = *start.get_or_insert_with(Instant::now);
            async move {
                if !at.is_zero() {
                    match start.checked_add(at) {
                        Some(then) => tokio::time::sleep_until(then).await,
                        None => std::future::pending().await,
                    }
                }
                step
            }
        }))
    }
}

/// A time at so many times the speed.
fn faster(time: Duration, speed: f64) -> Duration {
    if speed == 1.0 {
        return time;
    }
    Duration::try_from_secs_f64(time.as_secs_f64() / speed).unwrap_or(Duration::MAX)
}

impl Turns {
    fn next(&self) -> Option<&Turn> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.turns.get(number.checked_rem(self.turns.len())?)
    }
}

impl fmt::Debug for Replay {
    /// Without what was said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("turns", &self.others.turns.len())
            .field("gap", &self.gap)
            .field("speed", &self.speed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Lines one and three seconds apart, and after them one without a time.
    const TIMED: [&str; 4] = [
        r#"{"type":"user","timestamp":"2026-11-20T11:52:20Z"}"#,
        r#"{"type":"user","timestamp":"2026-11-20T11:52:21Z"}"#,
        r#"{"type":"user","timestamp":"2026-11-20T11:52:24Z"}"#,
        r#"{"type":"result","result":"ok"}"#,
    ];

    /// When each line of output comes, in milliseconds.
    async fn pace(replay: &Replay, format: &str) -> Vec<u128> {
        let run = Run {
            id: "run-1".to_owned(),
            prompt: "ping".to_owned(),
            session_id: "s-1".to_owned(),
            workdir: None,
            claude: json!({"output_format": format}),
            podman: Value::Null,
            conversation: None,
        };
        let start = Instant::now();
        let mut answer = replay.answer(run);
        let mut times = Vec::new();
        while let Some(step) = answer.next().await {
            if matches!(step, Step::Line(_)) {
                times.push(start.elapsed().as_millis());
            }
        }
        // Nothing waits after the last line.
        assert_eq!(times.last(), Some(&start.elapsed().as_millis()));
        times
    }

    #[tokio::test(start_paused = true)]
    async fn a_recording_is_replayed_at_its_pace() {
        let gap = |gap| Replay::lines(TIMED).gap(Duration::from_secs(gap));
        for (replay, expected) in [
            (Replay::lines(TIMED), [0, 1000, 4000, 4050]),
            (gap(60), [0, 1000, 4000, 64_000]),
            (gap(6).speed(2.0), [0, 500, 2000, 5000]),
            (gap(6).speed(0.5), [0, 2000, 8000, 20_000]),
            (gap(6).speed(0.0).speed(-1.0).speed(f64::NAN), [0, 1000, 4000, 10_000]),
            (gap(60).instant(), [0; 4]),
        ] {
            assert_eq!(pace(&replay, "stream-json").await, expected, "{replay:?}");
            // What prints only the result prints it then.
            for format in ["json", "text"] {
                assert_eq!(pace(&replay, format).await, expected[3..], "{replay:?} {format}");
            }
        }
    }
}

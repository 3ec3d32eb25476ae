//! A flaky server in a process of its own, to be killed. It writes down each prompt that it gives to an agent.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use stromboli_emulator::{Answer, Emulator, Fault, Run, Step};

/// Tell the process where its data lie, and its port.
const DATA: &str = "STROMBOLI_SOAK_DATA";
const PORT: &str = "STROMBOLI_SOAK_PORT";
/// The file in the data directory that lists the prompts, a line each.
const EXECUTIONS: &str = "executions";
/// Before each line that an agent prints.
const PACE: Duration = Duration::from_millis(15);

/// What an agent says to this prompt, in several lines.
pub(super) fn answer_to(prompt: &str) -> String {
    format!("answer to {prompt}\nand more of it\nand its end")
}

/// The server's process. Dropping it kills it.
pub(super) struct Server {
    child: Child,
    /// Its end is the end of a process whose parent is gone.
    _alive: ChildStdin,
    _output: BufReader<ChildStdout>,
    port: u16,
}

impl Server {
    /// On this port, or a free one if it is 0.
    pub(super) fn start(data: &Path, port: u16) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "soak::server::flaky", "--ignored", "--nocapture"])
            .env(DATA, data)
            .env(PORT, port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let port = loop {
            let mut line = String::new();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "it did not start");
            if let Some(port) = line.trim().strip_prefix("http://127.0.0.1:") {
                break port.parse().unwrap();
            }
        };
        Self {
            _alive: child.stdin.take().unwrap(),
            _output: output,
            child,
            port,
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// As `kill -9` does.
    pub(super) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The prompts that were given to an agent, in order, over all lives of the server.
pub(super) fn executions(data: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(data.join(EXECUTIONS)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Not a test: the process.
#[tokio::test]
#[ignore = "only another test starts it"]
async fn flaky() {
    let Some(data) = std::env::var_os(DATA).map(PathBuf::from) else {
        return;
    };
    let port: u16 = std::env::var(PORT).unwrap().parse().unwrap();
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    std::fs::create_dir_all(&data).unwrap();
    let list = OpenOptions::new().create(true).append(true).open(data.join(EXECUTIONS));
    let list = Arc::new(list.unwrap());
    let answerer = move |run: Run| {
        // One write, so that a kill leaves a whole line or none; what is written survives the process.
        (&*list).write_all(format!("{}\n", run.prompt).as_bytes()).unwrap();
        Answer::new(Answer::reply(&run, &answer_to(&run.prompt)).then(|step: Step| async {
            tokio::time::sleep(PACE).await;
            step
        }))
    };
    let emulator = Emulator::builder().data(data).port(port).answerer(answerer);
    let emulator = emulator.start().await.unwrap();
    for fault in faults() {
        emulator.inject(fault);
    }
    writeln!(std::io::stdout(), "\n{}", emulator.url()).unwrap();
    std::future::pending::<()>().await;
}

/// About one request in six meets one of these.
fn faults() -> Vec<Fault> {
    let html = |fault: Fault| fault.header("Content-Type", "text/html").body("<h1>nginx</h1>");
    let often = [
        html(Fault::status(502)),
        html(Fault::status(503)),
        Fault::status(429).header("Retry-After", "0.05"),
        html(Fault::status_after_executing(502)),
        Fault::reset_before_executing(),
        Fault::reset_after_executing(),
        Fault::cut_body_after(1),
        Fault::delay_headers(Duration::from_millis(300)),
        Fault::http_1_0(),
        Fault::informational(103),
        Fault::without_end_marker().on("/run/stream"),
        Fault::cut_after_end_marker().on("/run/stream"),
        Fault::end_events_after(2),
    ];
    let seldom = [
        Fault::reset_on_connect(),
        Fault::reset_before_reading(),
        Fault::close_before_executing(),
        Fault::silence_before_executing(),
        Fault::silence_after_executing(),
        Fault::drip(Duration::from_millis(1)),
        Fault::cut_after(27),
        Fault::cut_body_after(1).by_reset(),
        Fault::wrong_length(5),
        Fault::wrong_length(-3),
        Fault::garbage("\u{16}\u{3}\u{1} no HTTP\r\n\r\n"),
        Fault::garbage_chunk("zz\r\n"),
    ];
    let often = often.into_iter().map(|fault| fault.probability(0.01));
    often
        .chain(seldom.into_iter().map(|fault| fault.probability(0.004)))
        .collect()
}

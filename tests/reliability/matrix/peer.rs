//! A server on a socket that writes what no server should. It makes up what it sends as it goes, and counts who is there.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use super::class::Class;
use super::good::{Good, good};

/// What happens on a connection, one after the other; then it is closed.
pub(super) enum Act {
    Send(Vec<u8>),
    /// So many times, or as long as the client takes it.
    Again(Vec<u8>, u64),
    /// Byte by byte.
    Drip(Vec<u8>, Duration),
    /// The whole, again and again, with a pause before each.
    Pace(Vec<u8>, Duration),
    /// Nothing, until the client goes away.
    Hold,
    /// Closes with an error.
    Reset,
}

/// How much of a request is read before anything happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    Nothing,
    Head,
    All,
}

pub(super) type Script = Arc<dyn Fn(&Good) -> Vec<Act> + Send + Sync>;

pub(super) struct Peer {
    port: u16,
    playing: Arc<Mutex<Playing>>,
    open: Arc<AtomicUsize>,
    played: Arc<AtomicUsize>,
    /// Of its own: one that sends without end takes no time from the client's. None once it is dropped.
    runtime: Option<Runtime>,
}

/// What is played, after so much of a request.
#[derive(Clone)]
struct Playing {
    reads: Reads,
    script: Script,
}

impl Peer {
    /// Answers a call of `class` with what is played, and all else well.
    pub(super) async fn start(class: Class) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.unwrap();
        let listener = runtime.spawn(TcpListener::bind("127.0.0.1:0")).await.unwrap().unwrap();
        let port = listener.local_addr().unwrap().port();
        let open = Arc::<AtomicUsize>::default();
        let played = Arc::<AtomicUsize>::default();
        let counts = (Arc::clone(&open), Arc::clone(&played));
        let script: Script = Arc::new(|good| vec![Act::Send(good.whole())]);
        let reads = Reads::All;
        let playing = Arc::new(Mutex::new(Playing { reads, script }));
        let now = Arc::clone(&playing);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (playing, (open, played)) = (now.lock().unwrap().clone(), counts.clone());
                // An error is the client's going away.
                tokio::spawn(async move { serve(stream, class, playing, &open, &played).await });
            }
        });
        Self {
            port,
            playing,
            open,
            played,
            runtime: Some(runtime),
        }
    }

    /// Plays this from now on.
    pub(super) fn play(&self, reads: Reads, script: &Script) {
        let script = Arc::clone(script);
        *self.playing.lock().unwrap() = Playing { reads, script };
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The connections that are open and were used. A call that ends while it connects leaves one in its client's pool.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// How often anything was played in the place of a good answer.
    pub(super) fn played(&self) -> usize {
        self.played.load(Ordering::SeqCst)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It ends at the next moment that it waits, and is not waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A connection that is open.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn count(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(open))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn serve(
    mut stream: TcpStream,
    class: Class,
    playing: Playing,
    open: &Arc<AtomicUsize>,
    played: &AtomicUsize,
) -> io::Result<()> {
    let Playing { reads, script } = playing;
    stream.set_nodelay(true)?;
    if reads == Reads::Nothing {
        let _here = Open::count(open);
        played.fetch_add(1, Ordering::SeqCst);
        return play(&mut stream, script(&good("GET", "/health"))).await;
    }
    let mut request = Vec::new();
    let head = loop {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            break String::from_utf8_lossy(&request[..end + 4]).into_owned();
        }
    };
    let _here = Open::count(open);
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_meant = is_meant(class, method, target);
    if reads == Reads::All || !is_meant {
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let missing = (head.len() + length.unwrap_or(0)).saturating_sub(request.len());
        stream.read_exact(&mut vec![0; missing]).await?;
    }
    let good = good(method, target);
    if is_meant {
        played.fetch_add(1, Ordering::SeqCst);
        play(&mut stream, script(&good)).await
    } else {
        play(&mut stream, vec![Act::Send(good.whole())]).await
    }
}

fn is_meant(class: Class, method: &str, target: &str) -> bool {
    let (wanted, template) = class.target();
    let path = target.split('?').next().unwrap_or_default();
    let fits = path.split('/').count() == template.split('/').count()
        && path
            .split('/')
            .zip(template.split('/'))
            .all(|(part, wanted)| wanted == "{id}" || part == wanted);
    // The first page of a history comes.
    method == wanted && fits && (class != Class::History || target.contains("offset="))
}

async fn play(stream: &mut TcpStream, acts: Vec<Act>) -> io::Result<()> {
    for act in acts {
        match act {
            Act::Send(bytes) => stream.write_all(&bytes).await?,
            Act::Again(bytes, times) => {
                for _ in 0..times {
                    stream.write_all(&bytes).await?;
                }
            }
            Act::Drip(bytes, pause) => {
                for byte in bytes.chunks(1) {
                    stream.write_all(byte).await?;
                    tokio::time::sleep(pause).await;
                }
            }
            Act::Pace(bytes, pause) => loop {
                tokio::time::sleep(pause).await;
                stream.write_all(&bytes).await?;
            },
            Act::Hold => {
                let mut scrap = [0; 1024];
                while stream.read(&mut scrap).await? > 0 {}
            }
            Act::Reset => stream.set_zero_linger()?,
        }
    }
    Ok(())
}

//! What outlives the process: changes go to one thread, which has the database, and answers wait until they are on disk.

mod database;

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::jobs::Job;
use crate::secrets::Secret;

use database::Database;

/// Where changes are handed in.
#[derive(Clone)]
pub(crate) struct Store(Sender<Work>);

/// The thread that has the database, which is closed when this is dropped.
pub(crate) struct Writer {
    work: Sender<Work>,
    thread: Option<JoinHandle<()>>,
}

/// What lay in the database.
#[derive(Default)]
pub(crate) struct Contents {
    /// How often it was in use before.
    pub(crate) starts: u64,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) sessions: Vec<String>,
    /// In the order in which they were written, by session and conversation.
    pub(crate) transcripts: Vec<Lines>,
}

/// A part of a conversation: a run's lines, or what was there before its first run.
pub(crate) struct Lines {
    pub(crate) session: String,
    pub(crate) project: String,
    pub(crate) conversation: String,
    /// The place of this part in its session.
    pub(crate) number: u64,
    pub(crate) text: String,
}

/// One difference to what lies in the database.
pub(crate) enum Change {
    Starts(u64),
    Secret(Secret),
    NoSecret(String),
    Job(Job),
    NoJob(String),
    Session(String),
    /// Its transcripts go with it.
    NoSession(String),
    Lines(Lines),
}

enum Work {
    /// All of them, or none.
    Write(Vec<Change>),
    /// Tell when all that came before is on disk.
    Tell(oneshot::Sender<Result<(), String>>),
    Close,
}

/// Opens the database in `dir`, and makes both if they are not there.
///
/// # Errors
/// When another has it open, when it cannot be read or written, or when it is not one of ours.
pub(crate) async fn open(dir: &Path) -> io::Result<(Store, Writer, Contents)> {
    let (sender, work) = channel();
    let (tell, opened) = oneshot::channel();
    let path = dir.to_owned();
    let thread = std::thread::Builder::new().name("stromboli-emulator-store".to_owned());
    let thread = thread.spawn(move || match Database::open(&path) {
        Ok((database, contents)) => {
            // Nobody listens if the start was given up; then there is no work either.
            let _ = tell.send(Ok(contents));
            serve(&database, &work);
        }
        Err(error) => drop(tell.send(Err(error))),
    })?;
    let writer = Writer {
        work: sender.clone(),
        thread: Some(thread),
    };
    let contents = opened.await.unwrap_or_else(|_| Err(database::unreadable(dir)))?;
    Ok((Store(sender), writer, contents))
}

impl Store {
    /// Hands in changes that are made together; they are on disk when [`settle`](Self::settle) says so. Whoever guards
    /// the data with a lock holds it, so that changes come in the order in which they were made.
    pub(crate) fn write<const N: usize>(&self, changes: [Change; N]) {
        // Once it is closed, nobody is told that anything was done.
        let _ = self.0.send(Work::Write(changes.into()));
    }

    /// Waits until all changes so far are on disk.
    ///
    /// # Errors
    /// Why that will never be.
    pub(crate) async fn settle(&self) -> Result<(), String> {
        let (tell, told) = oneshot::channel();
        let _ = self.0.send(Work::Tell(tell));
        told.await.unwrap_or_else(|_| Err("the emulator ends".to_owned()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.work.send(Work::Close);
        // The directory can be opened again at once.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// All that waits goes to disk together, since a hundred changes take as long as one.
fn serve(database: &Database, work: &Receiver<Work>) {
    let mut outcome = Ok(());
    while let Ok(first) = work.recv() {
        let (mut changes, mut waiting, mut closes) = (Vec::new(), Vec::new(), false);
        for work in std::iter::once(first).chain(work.try_iter()) {
            match work {
                Work::Write(together) => changes.extend(together),
                Work::Tell(tell) => waiting.push(tell),
                Work::Close => closes = true,
            }
        }
        if !changes.is_empty() && outcome.is_ok() {
            // What comes after a failure is not written either: it may stand on what was lost.
            outcome = database.write(&changes).map_err(|error| error.to_string());
        }
        for tell in waiting {
            // Who has gone away need not be told.
            let _ = tell.send(outcome.clone());
        }
        if closes {
            return;
        }
    }
}

//! The tables, and what lies in them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use redb::{ReadableTable, Table, TableDefinition};

use crate::secrets::Secret;

use super::{Change, Contents, Lines};

const FILE: &str = "emulator.redb";

/// Another number is another form of the tables, which this release cannot read.
const FORM: u64 = 1;

const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
/// Name, id, time of creation, value.
const SECRETS: TableDefinition<'_, &str, (&str, &str, &str)> = TableDefinition::new("secrets");
/// Id, and the job as the wire shows it.
const JOBS: TableDefinition<'_, &str, &str> = TableDefinition::new("jobs");
const SESSIONS: TableDefinition<'_, &str, ()> = TableDefinition::new("sessions");
/// Session, project, conversation, number; and lines as they lie on disk.
const TRANSCRIPTS: TableDefinition<'_, (&str, &str, &str, u64), &str> = TableDefinition::new("transcripts");

/// An open database, which nobody else can open.
pub(super) struct Database {
    path: PathBuf,
    database: redb::Database,
}

/// What went wrong in the database.
enum Failure {
    Database(Box<redb::Error>),
    /// What lies in it makes no sense.
    Content(&'static str),
}

impl<E: Into<redb::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Database(Box::new(error.into()))
    }
}

/// The error for a directory whose database makes no sense.
pub(super) fn unreadable(dir: &Path) -> io::Error {
    corrupt(&dir.join(FILE), "it cannot be read")
}

fn corrupt(path: &Path, why: &str) -> io::Error {
    let text = format!("{}: {why}; remove it to begin anew", path.display());
    io::Error::new(io::ErrorKind::InvalidData, text)
}

impl Database {
    /// Opens it, or makes it, and reads what lies in it.
    pub(super) fn open(dir: &Path) -> io::Result<(Self, Contents)> {
        let path = dir.join(FILE);
        let at = |path: &Path| {
            let path = path.to_owned();
            move |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        };
        make_dir(dir).map_err(at(dir))?;
        let file = open_file(&path).map_err(at(&path))?;
        sync_dir(dir).map_err(at(dir))?;
        let explain = |error| explain(&path, error);
        let database = redb::Database::builder()
            .create_file(file)
            .map_err(|error| explain(error.into()))?;
        make_tables(&database).map_err(explain)?;
        let contents = read(&database).map_err(explain)?;
        Ok((Self { path, database }, contents))
    }

    /// Makes all changes, and returns when they are on disk.
    pub(super) fn write(&self, changes: &[Change]) -> io::Result<()> {
        self.commit(changes).map_err(|error| explain(&self.path, error))
    }

    fn commit(&self, changes: &[Change]) -> Result<(), Failure> {
        let transaction = self.database.begin_write()?;
        {
            let mut numbers = transaction.open_table(NUMBERS)?;
            let mut secrets = transaction.open_table(SECRETS)?;
            let mut jobs = transaction.open_table(JOBS)?;
            let mut sessions = transaction.open_table(SESSIONS)?;
            let mut transcripts = transaction.open_table(TRANSCRIPTS)?;
            for change in changes {
                match change {
                    Change::Starts(starts) => drop(numbers.insert("starts", starts)?),
                    Change::Secret(secret) => {
                        let created = secret.created.to_string();
                        let row = (secret.id.as_str(), created.as_str(), secret.value.as_str());
                        secrets.insert(secret.name.as_str(), row)?;
                    }
                    Change::NoSecret(name) => drop(secrets.remove(name.as_str())?),
                    Change::Job(job) => {
                        let written = serde_json::to_string(job).map_err(io::Error::from)?;
                        jobs.insert(job.id(), written.as_str())?;
                    }
                    Change::NoJob(id) => drop(jobs.remove(id.as_str())?),
                    Change::Session(id) => drop(sessions.insert(id.as_str(), ())?),
                    Change::NoSession(id) => {
                        sessions.remove(id.as_str())?;
                        remove_transcripts(&mut transcripts, id)?;
                    }
                    Change::Lines(lines) => {
                        let key = (&*lines.session, &*lines.project, &*lines.conversation, lines.number);
                        transcripts.insert(key, lines.text.as_str())?;
                    }
                }
            }
        }
        Ok(transaction.commit()?)
    }
}

fn remove_transcripts(
    transcripts: &mut Table<'_, (&'static str, &'static str, &'static str, u64), &'static str>,
    session: &str,
) -> Result<(), Failure> {
    // The next longer name comes right after this one.
    let next = format!("{session}\0");
    let of_session = (session, "", "", 0)..(next.as_str(), "", "", 0);
    Ok(transcripts.retain_in(of_session, |_, _| false)?)
}

/// Only its owner looks into a directory that is made here; one that is there already stays as it is.
fn make_dir(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Only its owner reads the file, in which there are secrets.
fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Puts on disk that there is a file of that name. Elsewhere directories cannot be opened for it.
fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(dir)?.sync_all()
    } else {
        Ok(())
    }
}

fn make_tables(database: &redb::Database) -> Result<(), Failure> {
    let transaction = database.begin_write()?;
    {
        let mut numbers = transaction.open_table(NUMBERS)?;
        if numbers.get("form")?.is_none() {
            numbers.insert("form", FORM)?;
        }
        transaction.open_table(SECRETS)?;
        transaction.open_table(JOBS)?;
        transaction.open_table(SESSIONS)?;
        transaction.open_table(TRANSCRIPTS)?;
    }
    Ok(transaction.commit()?)
}

/// All that lies in the tables.
fn read(database: &redb::Database) -> Result<Contents, Failure> {
    let transaction = database.begin_read()?;
    let numbers = transaction.open_table(NUMBERS)?;
    let number = |name| Ok::<_, Failure>(numbers.get(name)?.map_or(0, |number| number.value()));
    if number("form")? != FORM {
        return Err(Failure::Content("another release of the emulator made it"));
    }
    let mut contents = Contents {
        starts: number("starts")?,
        ..Contents::default()
    };
    for row in transaction.open_table(SECRETS)?.iter()? {
        let (name, row) = row?;
        let (id, created, value) = row.value();
        let Ok(created) = created.parse() else {
            return Err(Failure::Content("there is a secret without a time"));
        };
        contents.secrets.push(Secret {
            id: id.to_owned(),
            name: name.value().to_owned(),
            created,
            value: value.to_owned(),
        });
    }
    for row in transaction.open_table(JOBS)?.iter()? {
        let Ok(job) = serde_json::from_str(row?.1.value()) else {
            return Err(Failure::Content("there is a job that cannot be read"));
        };
        contents.jobs.push(job);
    }
    for row in transaction.open_table(SESSIONS)?.iter()? {
        contents.sessions.push(row?.0.value().to_owned());
    }
    for row in transaction.open_table(TRANSCRIPTS)?.iter()? {
        let (key, text) = row?;
        let (session, project, conversation, number) = key.value();
        contents.transcripts.push(Lines {
            session: session.to_owned(),
            project: project.to_owned(),
            conversation: conversation.to_owned(),
            number,
            text: text.value().to_owned(),
        });
    }
    Ok(contents)
}

fn explain(path: &Path, failure: Failure) -> io::Error {
    let error = match failure {
        Failure::Database(error) => *error,
        Failure::Content(why) => return corrupt(path, why),
    };
    match error {
        redb::Error::DatabaseAlreadyOpen => {
            let text = format!("{}: another emulator has it open", path.display());
            io::Error::new(io::ErrorKind::ResourceBusy, text)
        }
        redb::Error::Io(error) if error.kind() != io::ErrorKind::InvalidData => {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        }
        error => corrupt(path, &error.to_string()),
    }
}

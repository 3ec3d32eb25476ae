//! `stromboli config`: what applies, where it comes from, and changing it.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use stromboli::Client;

use crate::context::Context;
use crate::exit::Failure;
use crate::login::Logins;
use crate::output::table;
use crate::settings::{PROJECT_FILE, Set, Settings, check_key, known_profile, project_file, set_in_file, user_file};

const EXAMPLES: &str = "\
Examples:
  stromboli config list
  stromboli config set url http://localhost:8080
  stromboli config set profiles.work.url https://agents.example.com
  stromboli config set --local profile work
  $EDITOR \"$(stromboli config path)\"

What is named first counts: the flag, the environment (STROMBOLI_URL, STROMBOLI_PROFILE, STROMBOLI_TOKEN, or \
STROMBOLI_CLIENT_ID with STROMBOLI_API_TOKEN), .stromboli.toml of the directory or the nearest above it, the user's file, the \
default. In a file, the profile counts before what stands above all profiles. Tokens stand in no settings file. A token of \
the environment is not sent to a server that only a .stromboli.toml names: the file may have come with somebody else's \
repository.";

/// Show and change the settings.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Config {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(List),
    Get(Get),
    Set(SetArgs),
    Path(PathArgs),
}

impl Config {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.command {
            Command::List(command) => command.run(context),
            Command::Get(command) => command.run(context),
            Command::Set(command) => command.run(context),
            Command::Path(command) => command.run(context),
        }
    }
}

/// Show each setting that applies here, and where it comes from.
#[derive(Args)]
#[command(visible_alias = "ls")]
#[command(after_help = "Examples:
  stromboli config list
  stromboli config list --output json | jq -r '.[] | .origin'")]
struct List {}

#[derive(Serialize)]
struct Row {
    key: &'static str,
    value: Option<String>,
    origin: Option<String>,
}

impl List {
    fn run(self, context: &Context) -> Result<(), Failure> {
        context.output.list(&rows(context.settings()?), "", |rows| {
            let cell = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
            let rows = rows
                .iter()
                .map(|row| [row.key.into(), cell(&row.value), cell(&row.origin)]);
            table(["KEY", "VALUE", "FROM"], rows)
        })
    }
}

/// All settings, in the words of the files.
fn rows(settings: &Settings) -> [Row; 5] {
    fn row<T>(key: &'static str, set: Option<&Set<T>>, text: impl Fn(&T) -> String) -> Row {
        Row {
            key,
            value: set.map(|set| text(&set.value)),
            origin: set.map(|set| set.origin.to_string()),
        }
    }
    [
        row("url", settings.url.as_ref(), String::clone),
        row("profile", settings.profile.as_ref(), String::clone),
        row("output", Some(&settings.output), word),
        row("color", Some(&settings.color), word),
        row("token", settings.token.as_ref(), |_| "(not shown)".to_owned()),
    ]
}

/// The word that stands for a value on the command line and in files.
fn word(value: &impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

/// Show the value of one setting that applies here.
///
/// The exit code is 1 when nothing sets it.
#[derive(Args)]
#[command(after_help = "Examples:
  stromboli config get url")]
struct Get {
    /// One of those that `config list` shows.
    key: String,
}

impl Get {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let rows = rows(context.settings()?);
        let Some(row) = rows.into_iter().find(|row| row.key == self.key) else {
            check_key(&self.key).map_err(Failure::Usage)?;
            return Err(Failure::usage(format!("{} is not looked up by itself", self.key))
                .next("give the profile with --profile, and then the key alone"));
        };
        match (row.key, &row.value) {
            ("token", Some(_)) => {
                Err(Failure::usage("the token is not shown").next("`stromboli auth token` prints it"))
            }
            (_, Some(_)) => context.output.value(&row, |row| row.value.clone().unwrap_or_default()),
            (key, None) => Err(Failure::other(format!("nothing sets {key}"))),
        }
    }
}

/// Write a setting into the user's file, or into that of this directory.
///
/// Comments and everything else in the file stay as they are.
#[derive(Args)]
#[command(after_help = "Examples:
  stromboli config set url http://localhost:8080
  stromboli config set profiles.work.url https://agents.example.com
  stromboli config set --local profile work")]
struct SetArgs {
    /// url, profile, output or color; below a profile, profiles.NAME.url and so on.
    key: String,
    value: String,
    /// Write into .stromboli.toml of this directory.
    #[arg(long)]
    local: bool,
}

impl SetArgs {
    fn run(self, context: &Context) -> Result<(), Failure> {
        check_key(&self.key).map_err(Failure::Usage)?;
        if self.key.rsplit('.').next() == Some("url") {
            // The library knows best what it can be given.
            if let Err(error) = Client::builder(&self.value).build() {
                let refused = Failure::usage(format!("{} is no address of a server: {error}", self.value));
                return Err(match self.value.contains("://") {
                    true => refused,
                    false => refused.next(format!("did you mean `http://{}`?", self.value)),
                });
            }
        }
        let path = match self.local {
            true => std::env::current_dir()?.join(PROJECT_FILE),
            false => user_path()?,
        };
        if self.key == "profile" {
            // The user's file is read everywhere, and one of a directory only there.
            known_profile(&self.value, [path.clone()].into_iter().chain(user_file()).collect())
                .map_err(Failure::Usage)?;
        }
        set_in_file(&path, &self.key, &self.value)?;
        context
            .output
            .note(&format!("{} = {} in {}", self.key, self.value, path.display()));
        Ok(())
    }
}

fn user_path() -> Result<PathBuf, Failure> {
    user_file().ok_or_else(|| Failure::other("this user has no home directory to keep settings in"))
}

/// Show where the user's file lies, whether it is there or not.
///
/// JSON names the other files, too: that of this directory, if there is one, and that of the logins.
#[derive(Args)]
#[command(after_help = r#"Examples:
  $EDITOR "$(stromboli config path)""#)]
struct PathArgs {
    /// The file of this directory, or the nearest above it.
    #[arg(long)]
    local: bool,
}

#[derive(Serialize)]
struct Paths {
    user: PathBuf,
    local: Option<PathBuf>,
    logins: Option<PathBuf>,
}

impl PathArgs {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let paths = Paths {
            user: user_path()?,
            local: project_file(&std::env::current_dir()?),
            logins: Logins::of_user().map(|logins| logins.path().to_owned()),
        };
        if self.local && paths.local.is_none() {
            let clause = format!("there is no {PROJECT_FILE} here or above");
            return Err(Failure::other(clause).next("`stromboli config set --local` makes one"));
        }
        context.output.value(&paths, |paths| {
            let path = if self.local { paths.local.as_ref() } else { None };
            path.unwrap_or(&paths.user).display().to_string()
        })
    }
}

//! `stromboli images`: the server's container images, and those of the public registry.

use clap::{Args, Subcommand};
use stromboli::{ImageInfo, ImagePullRequest, ImageSearch};

use crate::context::Context;
use crate::exit::{Code, Failure, clause_of};
use crate::interrupt;
use crate::output::table;

const EXAMPLES: &str = "\
Examples:
  stromboli images list
  stromboli images get python:3.12
  stromboli images search python --limit 5
  stromboli images pull node:22 --platform linux/arm64
  stromboli run \"Which Python is this?\" --podman image=python:3.12

RANK says how well agents run in an image: 1 made for it, 2 has Claude Code, 3 will do, 4 will not.";

/// List, search and fetch container images.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Images {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(List),
    Get(Get),
    Search(Search),
    Pull(Pull),
}

impl Images {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.command {
            Command::List(command) => command.run(context).await,
            Command::Get(command) => command.run(context).await,
            Command::Search(command) => command.run(context).await,
            Command::Pull(command) => command.run(context).await,
        }
    }
}

/// List the images on the server, those that agents run in best first.
#[derive(Args)]
#[command(visible_alias = "ls")]
#[command(after_help = "Examples:
  stromboli images list
  stromboli images list --output json | jq -r '.[0].repository'")]
struct List {}

impl List {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let images = context.client()?.images().list().await?;
        context.output.list(&images, "no images", |images| {
            let row = |image: &ImageInfo| {
                let name = format!("{}:{}", image.repository, image.tag);
                [name, size(image.size), image.compatibility_rank.to_string()]
            };
            table(["IMAGE", "SIZE", "RANK"], images.iter().map(row))
        })
    }
}

/// Show an image on the server, with what its labels say.
///
/// Servers find only names without a slash; `images list` shows the others.
#[derive(Args)]
#[command(after_help = "Examples:
  stromboli images get python:3.12")]
struct Get {
    /// Its name, such as python:3.12.
    image: String,
}

impl Get {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let image = match context.client()?.images().get(&self.image).await {
            Err(error) if error.is_not_found() && self.image.contains('/') => {
                return Err(Failure::found(Code::NotFound, clause_of(&error))
                    .next("servers find no name with a slash; `stromboli images list` shows those"));
            }
            image => image?,
        };
        context.output.value(&image, |image| {
            let mut rows = vec![
                ["image".into(), format!("{}:{}", image.repository, image.tag)],
                ["id".into(), image.id.clone()],
                ["size".into(), size(image.size)],
                ["created".into(), image.created.clone()],
                [
                    "rank".into(),
                    format!("{}, {}", image.compatibility_rank, image.rank_description),
                ],
                ["tools".into(), image.tools.join(", ")],
                ["description".into(), image.description.clone().unwrap_or_default()],
            ];
            rows.extend(
                image
                    .labels
                    .iter()
                    .map(|(key, value)| [format!("label {key}"), value.clone()]),
            );
            rows.retain(|[_, value]| !value.is_empty());
            table(["", ""], rows).trim_start().to_owned()
        })
    }
}

/// Search the public registry, from the server's network.
#[derive(Args)]
#[command(after_help = "Examples:
  stromboli images search python --limit 5")]
struct Search {
    /// A part of the name: no spaces.
    query: String,
    /// Show so many at most; the server takes 25 without it, and 100 for more than that.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u32>,
    /// Do not cut descriptions off.
    #[arg(long)]
    no_trunc: bool,
}

impl Search {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let mut search = ImageSearch::new(self.query);
        search.limit = self.limit;
        search.no_trunc = self.no_trunc.then_some(true);
        let waiting = context.output.spinner("registry is searched");
        let found = interrupt::or_stop(context.client()?.images().search(search), "interrupted").await;
        drop(waiting);
        context.output.list(&found?, "nothing found", |found| {
            let rows = found.iter().map(|image| {
                let official = if image.official { "yes" } else { "" };
                [
                    image.name.clone(),
                    image.stars.to_string(),
                    official.into(),
                    image.description.clone(),
                ]
            });
            table(["IMAGE", "STARS", "OFFICIAL", "DESCRIPTION"], rows)
        })
    }
}

/// Fetch an image from a registry, and wait until it is there.
///
/// The server says nothing of how far it is, and gives up after ten minutes.
#[derive(Args)]
#[command(after_help = "Examples:
  stromboli images pull node:22
  stromboli images pull node:22 --platform linux/arm64")]
struct Pull {
    /// Its name, such as python:3.12.
    image: String,
    /// The platform, such as linux/arm64.
    #[arg(long)]
    platform: Option<String>,
}

const STOPPED: &str =
    "interrupted: whether the server goes on is up to it, and `stromboli images list` shows the image when it is there";

impl Pull {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        let mut request = ImagePullRequest::new(&self.image);
        request.platform = self.platform;
        let client = context.client()?;
        let waiting = context.output.spinner("image is being pulled");
        let pulled = interrupt::or_stop(client.images().pull(request), STOPPED).await;
        drop(waiting);
        let pulled = pulled?;
        let printed = context
            .output
            .value(&pulled, |pulled| pulled.image_id.clone().unwrap_or_default());
        context.output.note(&format!("{} is there", pulled.image));
        printed
    }
}

/// Bytes as people read them, in powers of 1000 as Podman shows them.
fn size(bytes: i64) -> String {
    const UNITS: [(i64, &str); 4] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"), (1, "B")];
    let (unit, name) = UNITS.into_iter().find(|(unit, _)| bytes >= *unit).unwrap_or((1, "B"));
    match unit {
        1 => format!("{bytes} {name}"),
        unit => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_the_largest_unit_and_one_decimal() {
        for (bytes, text) in [(0, "0 B"), (999, "999 B"), (1_540, "1.5 kB"), (1_240_000_000, "1.2 GB")] {
            assert_eq!(size(bytes), text);
        }
    }
}

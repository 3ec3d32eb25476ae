//! What every command is handed: the settings, where it prints, and the client.

use std::io::IsTerminal;
use std::sync::OnceLock;

use stromboli::{Client, Token};

use crate::args::GlobalArgs;
use crate::exit::{Complaint, Failure};
use crate::output::Output;
use crate::settings::{Settings, Sources};

/// How this program names itself to servers.
const USER_AGENT: &str = concat!("stromboli-cli/", env!("CARGO_PKG_VERSION"));

pub(crate) struct Context {
    /// Kept with its problem, because some commands work without settings.
    settings: Result<Settings, Complaint>,
    pub(crate) output: Output,
    /// Whether there is somebody to be asked: both ends are a terminal.
    pub(crate) interactive: bool,
    /// Whether every question is answered with yes.
    #[expect(dead_code, reason = "for the commands that ask before they remove something")]
    pub(crate) yes: bool,
    client: OnceLock<Client>,
}

impl Context {
    pub(crate) fn new(global: &GlobalArgs) -> Self {
        let settings = Settings::resolve(&Sources::of_process(global));
        let output = match &settings {
            Ok(settings) => Output::new(settings.output.value, settings.color.value, global.quiet),
            Err(_) => Output::new(
                global.output.unwrap_or_default(),
                global.color.unwrap_or_default(),
                global.quiet,
            ),
        };
        Self {
            settings,
            output,
            interactive: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            yes: global.yes,
            client: OnceLock::new(),
        }
    }

    /// The settings, or what is wrong with them.
    pub(crate) fn settings(&self) -> Result<&Settings, Failure> {
        self.settings
            .as_ref()
            .map_err(|problem| Failure::Usage(problem.clone()))
    }

    /// The client of the configured server, made when it is first asked for. Nothing is sent.
    pub(crate) fn client(&self) -> Result<&Client, Failure> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let settings = self.settings()?;
        let mut builder = Client::builder(settings.url()?).user_agent(USER_AGENT);
        if let Some(token) = &settings.token {
            builder = builder.token(Token::new(&token.value)?);
        }
        let client = builder.build()?;
        Ok(self.client.get_or_init(|| client))
    }
}

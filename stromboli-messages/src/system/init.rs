//! What a session starts with.

use crate::{
    result::{FastModeDisabledReason, FastModeState},
    wire::{message, open_enum, record},
};

message! {
    /// What a session starts with; comes again with every turn of a conversation that is fed from outside.
    pub struct Init ["type" = "system", "subtype" = "init"] {
        /// The working directory.
        cwd: String;
        /// The tools that the model may call.
        tools: Vec<String>;
        /// The MCP servers.
        mcp_servers: Vec<McpServer>;
        /// The model.
        model: String;
        /// What happens when a tool needs a permission.
        permission_mode: PermissionMode = "permissionMode";
        /// The slash commands.
        slash_commands: Vec<String>;
        /// The slash commands that work in a terminal only.
        terminal_slash_commands: Vec<String>;
        /// Where the API key is from.
        api_key_source: ApiKeySource = "apiKeySource";
        /// The version of Claude Code.
        claude_code_version: String;
        /// The style of answers.
        output_style: String;
        /// The agents that may be started.
        agents: Vec<String>;
        /// The skills.
        skills: Vec<String>;
        /// The plugins.
        plugins: Vec<Plugin>;
        /// The plugins that could not be used.
        plugin_errors: Vec<PluginError>;
        /// The features of the API that are being tried.
        betas: Vec<String>;
        /// Whether answers come fast.
        fast_mode_state: FastModeState;
        /// Why they do not.
        fast_mode_disabled_reason: FastModeDisabledReason;
        /// How hard the model tries.
        effort: Effort;
        /// How much of the work is shown.
        view_mode: ViewMode;
        /// What the process can do beyond the ordinary.
        capabilities: Vec<String>;
        /// Whether no statistics are sent.
        analytics_disabled: bool;
        /// Whether the user is not asked for an opinion.
        product_feedback_disabled: bool;
        /// Where memories are kept.
        memory_paths: MemoryPaths;
    }
}

record! {
    /// An MCP server.
    pub struct McpServer {
        /// Its name.
        name: String;
        /// Whether it is connected, as `connected`, `failed`, `needs-auth`, `pending`.
        status: String;
        /// Where it is configured.
        source: String;
    }
}

record! {
    /// A plugin.
    pub struct Plugin {
        /// Its name.
        name: String;
        /// Where it is.
        path: String;
        /// Its version.
        version: String;
        /// Where it was got from.
        source: String;
    }
}

record! {
    /// A plugin that could not be used.
    pub struct PluginError {
        /// The plugin.
        plugin: String;
        /// The kind of failure.
        kind: String = "type";
        /// What failed.
        message: String, hidden;
        /// Where it is.
        path: String;
        /// What an administrator decided about it.
        managed_lock: ManagedLock;
    }
}

record! {
    /// What an administrator decided about a plugin.
    pub struct ManagedLock {
        /// Whether it must be on.
        plugin_enabled: bool;
        /// The plugin.
        name: String;
        /// Where it is from.
        marketplace: String;
    }
}

record! {
    /// Where memories are kept.
    pub struct MemoryPaths {
        /// Those that the model writes by itself.
        auto: String;
    }
}

open_enum! {
    /// What happens when a tool needs a permission.
    pub enum PermissionMode {
        /// The user is asked.
        Default = "default",
        /// Changes of files are allowed.
        AcceptEdits = "acceptEdits",
        /// Everything is allowed.
        BypassPermissions = "bypassPermissions",
        /// Nothing is changed.
        Plan = "plan",
        /// It is refused.
        DontAsk = "dontAsk",
        /// A model decides.
        Auto = "auto",
    }
}

open_enum! {
    /// Where the API key is from.
    pub enum ApiKeySource {
        /// The environment.
        AnthropicApiKey = "ANTHROPIC_API_KEY",
        /// A program of the user's.
        ApiKeyHelper = "apiKeyHelper",
        /// A login.
        LoginManagedKey = "/login managed key",
        /// There is none.
        None = "none",
        /// The user's settings.
        User = "user",
        /// The project's settings.
        Project = "project",
        /// The organisation's settings.
        Org = "org",
        /// It is there for a while.
        Temporary = "temporary",
        /// A login without a key.
        Oauth = "oauth",
    }
}

open_enum! {
    /// How hard the model tries.
    pub enum Effort {
        /// A little.
        Low = "low",
        /// Somewhat.
        Medium = "medium",
        /// Hard.
        High = "high",
        /// Very hard.
        Xhigh = "xhigh",
        /// As hard as it can.
        Max = "max",
    }
}

open_enum! {
    /// How much of the work is shown.
    pub enum ViewMode {
        /// Little.
        Focus = "focus",
        /// All.
        Default = "default",
    }
}

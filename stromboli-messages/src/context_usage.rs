//! What fills the context, and what the session has used: reports that some `assistant` lines carry.

use std::collections::BTreeMap;

use crate::{
    Json, Number,
    usage::ModelUsage,
    wire::{open_enum, record},
};

record! {
    /// What fills the context.
    pub struct ContextUsage {
        /// The model.
        model: String;
        /// The tokens in the context.
        total_tokens: u64;
        /// How many tokens the context holds.
        raw_max_tokens: u64;
        /// How full it is, in percent.
        percentage: Number;
        /// By how much it is too full.
        over_limit: OverLimit;
        /// What fills it, by category.
        categories: Vec<ContextCategory>;
        /// What MCP tools take.
        mcp_tools: Vec<McpToolTokens>;
        /// What memory files take.
        memory_files: Vec<MemoryFileTokens>;
        /// What descriptions of agents take.
        agents: Vec<AgentTokens>;
        /// What descriptions of skills take.
        skills: Vec<SkillTokens>;
    }
}

record! {
    /// By how much a context is too full.
    pub struct OverLimit {
        /// The tokens too many.
        tokens_over: u64;
        /// Which limit: `hard_limit` or `compaction_window`.
        kind: String;
    }
}

record! {
    /// A category of what fills a context.
    pub struct ContextCategory {
        /// Its name.
        name: String;
        /// Its tokens.
        tokens: u64;
        /// How it counts.
        kind: ContextKind;
    }
}

open_enum! {
    /// How a category of a context counts.
    pub enum ContextKind {
        /// It is used.
        Used = "used",
        /// It is free.
        Free = "free",
        /// It is kept free.
        Buffer = "buffer",
        /// It is loaded when needed.
        Deferred = "deferred",
    }
}

record! {
    /// The tokens of an MCP tool.
    pub struct McpToolTokens {
        /// The tool.
        name: String;
        /// Its server.
        server_name: String;
        /// Its tokens.
        tokens: u64;
    }
}

record! {
    /// The tokens of a memory file.
    pub struct MemoryFileTokens {
        /// Where it is.
        path: String;
        /// The kind of memory.
        kind: String = "type";
        /// Its tokens.
        tokens: u64;
    }
}

record! {
    /// The tokens of an agent's description.
    pub struct AgentTokens {
        /// The agent.
        agent_type: String;
        /// Where it is from.
        source: String;
        /// Its tokens.
        tokens: u64;
    }
}

record! {
    /// The tokens of a skill's description.
    pub struct SkillTokens {
        /// The skill.
        name: String;
        /// Where it is from.
        source: String;
        /// The plugin it belongs to.
        plugin_name: String;
        /// Its tokens.
        tokens: u64;
    }
}

record! {
    /// What the session has used.
    pub struct UsageReport {
        /// Costs and times.
        session: SessionUsage;
        /// How much of the account's limits is used.
        rate_limits: RateLimits;
    }
}

record! {
    /// Costs and times of a session.
    pub struct SessionUsage {
        /// The cost in US dollars.
        total_cost_usd: Number;
        /// Milliseconds in API calls.
        total_api_duration_ms: Number;
        /// Milliseconds in all.
        total_duration_ms: Number;
        /// Lines of code added.
        total_lines_added: u64;
        /// Lines of code removed.
        total_lines_removed: u64;
        /// By model.
        model_usage: BTreeMap<String, ModelUsage>;
    }
}

record! {
    /// How much of an account's limits is used.
    pub struct RateLimits {
        /// The limits.
        limits: Vec<RateLimit>;
        /// What may be used beyond them.
        extra_usage: ExtraUsage;
    }
}

record! {
    /// A limit of an account.
    pub struct RateLimit {
        /// Which one.
        kind: String;
        /// The group it belongs to.
        group: String;
        /// How much of it is used, in percent.
        percent: Number;
        /// When it starts anew.
        resets_at: String;
        /// What it is for.
        scope: Json;
        /// How serious it is.
        severity: String;
        /// Whether it counts now.
        is_active: bool;
    }
}

record! {
    /// What may be used beyond an account's limits.
    pub struct ExtraUsage {
        /// Whether anything may.
        is_enabled: bool;
        /// How much in a month.
        monthly_limit: Number;
        /// How much was.
        used_credits: Number;
        /// How much was, in percent.
        utilization: Number;
        /// The currency.
        currency: String;
    }
}

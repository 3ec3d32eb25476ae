//! Tokens and what they cost.

use crate::{
    Json, Number,
    wire::{open_enum, record},
};

record! {
    /// The tokens of an API call, or of a whole turn in a `result`.
    pub struct Usage {
        /// Tokens read that were not cached.
        input_tokens: u64;
        /// Tokens written.
        output_tokens: u64;
        /// Tokens put into the cache.
        cache_creation_input_tokens: u64;
        /// Tokens read from the cache.
        cache_read_input_tokens: u64;
        /// Calls of tools that the API carries out itself.
        server_tool_use: ServerToolUsage;
        /// The tier that the API served the call in.
        service_tier: String;
        /// The tokens put into the cache, by how long they stay.
        cache_creation: CacheCreation;
        /// Where the model ran; empty in a `result`.
        inference_geo: String;
        /// The usage of each pass, where there was more than one.
        iterations: Vec<Json>;
        /// How fast a variant of the model was asked for.
        speed: String;
        /// The tokens written, by what for.
        output_tokens_details: OutputTokensDetails;
        /// What a credit for an earlier refusal did.
        fallback_credit: Json;
    }
}

impl Usage {
    /// All tokens read: not cached, put into the cache, and read from it.
    pub fn total_input_tokens(&self) -> u64 {
        [
            self.input_tokens,
            self.cache_creation_input_tokens,
            self.cache_read_input_tokens,
        ]
        .into_iter()
        .flatten()
        .fold(0, u64::saturating_add)
    }

    /// Takes over what a later report says.
    pub(crate) fn update(&mut self, later: &Self) {
        fn update<T: Clone>(field: &mut Option<T>, later: &Option<T>) {
            if later.is_some() {
                field.clone_from(later);
            }
        }
        update(&mut self.input_tokens, &later.input_tokens);
        update(&mut self.output_tokens, &later.output_tokens);
        update(
            &mut self.cache_creation_input_tokens,
            &later.cache_creation_input_tokens,
        );
        update(&mut self.cache_read_input_tokens, &later.cache_read_input_tokens);
        update(&mut self.server_tool_use, &later.server_tool_use);
        update(&mut self.service_tier, &later.service_tier);
        update(&mut self.cache_creation, &later.cache_creation);
        update(&mut self.inference_geo, &later.inference_geo);
        update(&mut self.iterations, &later.iterations);
        update(&mut self.speed, &later.speed);
        update(&mut self.output_tokens_details, &later.output_tokens_details);
        update(&mut self.fallback_credit, &later.fallback_credit);
    }
}

record! {
    /// Calls of tools that the API carries out itself.
    pub struct ServerToolUsage {
        /// Searches of the web.
        web_search_requests: u64;
        /// Pages fetched.
        web_fetch_requests: u64;
    }
}

record! {
    /// Tokens put into the cache, by how long they stay.
    pub struct CacheCreation {
        /// For an hour.
        ephemeral_1h_input_tokens: u64;
        /// For five minutes.
        ephemeral_5m_input_tokens: u64;
    }
}

record! {
    /// Tokens written, by what for.
    pub struct OutputTokensDetails {
        /// For thinking.
        thinking_tokens: u64;
    }
}

record! {
    /// What one model has used in the session so far.
    pub struct ModelUsage {
        /// Tokens read that were not cached.
        input_tokens: u64 = "inputTokens";
        /// Tokens written.
        output_tokens: u64 = "outputTokens";
        /// Of those, for thinking.
        thinking_tokens: u64 = "thinkingTokens";
        /// Tokens read from the cache.
        cache_read_input_tokens: u64 = "cacheReadInputTokens";
        /// Tokens put into the cache.
        cache_creation_input_tokens: u64 = "cacheCreationInputTokens";
        /// Of those, for five minutes.
        cache_creation_ephemeral_5m_input_tokens: u64 = "cacheCreationEphemeral5mInputTokens";
        /// Of those, for an hour.
        cache_creation_ephemeral_1h_input_tokens: u64 = "cacheCreationEphemeral1hInputTokens";
        /// Searches of the web.
        web_search_requests: u64 = "webSearchRequests";
        /// The cost in US dollars.
        cost_usd: Number = "costUSD";
        /// How many tokens fit the model's context.
        context_window: u64 = "contextWindow";
        /// How many tokens the model may write at once.
        max_output_tokens: u64 = "maxOutputTokens";
        /// The model's canonical name.
        canonical_model: String = "canonicalModel";
        /// Who serves the model.
        provider: String;
        /// What the cost was computed from.
        cost_basis: CostBasis = "costBasis";
    }
}

open_enum! {
    /// What a cost was computed from.
    pub enum CostBasis {
        /// The public price list.
        List = "list",
        /// A price list of the organisation's.
        Managed = "managed",
        /// Nothing certain.
        Unknown = "unknown",
    }
}

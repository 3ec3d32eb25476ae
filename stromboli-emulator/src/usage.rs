//! Tokens and what they cost.

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use crate::sessions::history::Message;

/// Tokens that were used: by one run when an answer says so, by a whole session when the server reports them. The total
/// and the cost are worked out from these when the report is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The model, which decides the price. Without one it is the model that the request names; without that too, the
    /// tokens cost nothing.
    pub model: Option<String>,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Tokens written to the prompt cache.
    pub cache_creation_input_tokens: u64,
    /// Tokens read from the prompt cache.
    pub cache_read_input_tokens: u64,
}

/// USD per million tokens: a part of the model's name, then input, output, cache write, cache read.
const PRICES: [(&str, [f64; 4]); 3] = [
    ("haiku", [0.25, 1.25, 0.30, 0.025]),
    ("sonnet", [3.0, 15.0, 3.75, 0.30]),
    ("opus", [15.0, 75.0, 18.75, 1.5]),
];

impl Usage {
    /// What the messages of a session have used together, by the model that spoke last; none if none says.
    pub(crate) fn of(messages: &[Message]) -> Option<Self> {
        let mut usage = None::<Self>;
        for content in messages.iter().map(|message| &message.content) {
            let Some(counts) = &content.usage else { continue };
            let sum = usage.get_or_insert_default();
            let add = |sum: &mut u64, tokens| *sum = sum.saturating_add(u64::try_from(tokens).unwrap_or(0));
            add(&mut sum.input_tokens, counts.input_tokens);
            add(&mut sum.output_tokens, counts.output_tokens);
            add(&mut sum.cache_creation_input_tokens, counts.cache_creation_input_tokens);
            add(&mut sum.cache_read_input_tokens, counts.cache_read_input_tokens);
            if !content.model.is_empty() {
                sum.model = Some(content.model.clone());
            }
        }
        usage
    }

    fn total(&self) -> u64 {
        self.counts().into_iter().fold(0, u64::saturating_add)
    }

    fn counts(&self) -> [u64; 4] {
        [
            self.input_tokens,
            self.output_tokens,
            self.cache_creation_input_tokens,
            self.cache_read_input_tokens,
        ]
    }

    /// Adds the tokens of another.
    pub(crate) fn add(&mut self, other: &Self) {
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cache_creation_input_tokens += other.cache_creation_input_tokens;
        self.cache_read_input_tokens += other.cache_read_input_tokens;
    }

    /// In USD, to six decimals; 0 for a model without a price.
    pub(crate) fn cost(&self) -> f64 {
        let Some(model) = &self.model else { return 0.0 };
        let Some((_, prices)) = PRICES.iter().find(|(part, _)| model.contains(part)) else {
            return 0.0;
        };
        let micro_usd: f64 = self
            .counts()
            .into_iter()
            .zip(prices)
            .map(|(tokens, usd_per_million)| tokens as f64 * usd_per_million)
            .sum();
        micro_usd.round() / 1e6
    }
}

impl Serialize for Usage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Usage", 7)?;
        if let Some(model) = &self.model {
            fields.serialize_field("model", model)?;
        }
        fields.serialize_field("input_tokens", &self.input_tokens)?;
        fields.serialize_field("output_tokens", &self.output_tokens)?;
        let written = self.cache_creation_input_tokens;
        fields.serialize_field("cache_creation_input_tokens", &written)?;
        fields.serialize_field("cache_read_input_tokens", &self.cache_read_input_tokens)?;
        fields.serialize_field("total_tokens", &self.total())?;
        fields.serialize_field("estimated_cost_usd", &self.cost())?;
        fields.end()
    }
}

//! The differences between the published documents and `openapi.yaml` that are meant, each with its reason.

use serde_json::Value;

use crate::contract;
use crate::glob::fits;

/// Where the list is, from the repository's root.
pub const FILE: &str = "xtask/accepted-drift.yaml";

/// The lines of `drift` that are accepted; `*` stands for any text.
#[derive(Debug)]
pub struct Accepted(pub Vec<String>);

impl Accepted {
    /// Parses a list whose entries have a `reason`, the `keys` that it is the reason for, and nothing else.
    pub fn parse(text: &str) -> Result<Self, String> {
        let list = contract::parse(text).map_err(|e| format!("{FILE}: {e}"))?;
        let entries = list.as_array().ok_or_else(|| format!("{FILE} is not a list"))?;
        let mut keys = Vec::new();
        for entry in entries {
            keys.extend(read(entry).ok_or_else(|| {
                format!("{FILE}: an entry must have a `reason`, a list of `keys`, and nothing else: {entry}")
            })?);
        }
        Ok(Self(keys))
    }

    pub fn covers(&self, line: &str) -> bool {
        self.0.iter().any(|key| fits(key, line))
    }
}

fn read(entry: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
    text(&entry["reason"])?;
    let keys = entry["keys"].as_array().filter(|keys| !keys.is_empty())?;
    (entry.as_object()?.len() == 2).then(|| keys.iter().map(text).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_needs_a_reason_and_keys() {
        assert_eq!(Accepted::parse("[{reason: a, keys: [b, c]}]").unwrap().0, ["b", "c"]);
        for bad in [
            "[{keys: [a]}]",
            "[{reason: ' ', keys: [a]}]",
            "[{reason: a}]",
            "[{reason: a, keys: []}]",
            "[{reason: a, keys: ['']}]",
            "[{reason: a, keys: [b], more: c}]",
            "[a]",
        ] {
            assert!(
                Accepted::parse(bad).unwrap_err().contains("must have a `reason`"),
                "{bad}"
            );
        }
        assert!(Accepted::parse("{reason: a}").unwrap_err().contains("is not a list"));
    }
}

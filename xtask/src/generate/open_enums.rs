//! String enums that survive values a newer server sends: one `open_enum!` item per string schema that names its
//! values, whether the contract closes the set (`enum`) or leaves it open (`x-extensible-enum`).

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;

use crate::contract;

/// The schemas that become open enums.
pub fn names(contract: &Value) -> Vec<String> {
    contract::object(&contract["components"]["schemas"])
        .filter(|(_, schema)| !contract::known_values(schema).is_empty())
        .map(|(name, _)| name.clone())
        .collect()
}

/// The items that define them.
pub fn items(contract: &Value, names: &[String]) -> Result<Vec<syn::Item>, String> {
    names
        .iter()
        .map(|name| item(name, contract::schema(contract, name)))
        .collect()
}

fn item(name: &str, schema: &Value) -> Result<syn::Item, String> {
    let values = contract::known_values(schema);
    let given = contract::strings(&schema["x-enum-varnames"]);
    if !given.is_empty() && given.len() != values.len() {
        return Err(format!(
            "openapi.yaml: {name} has {} values but {} x-enum-varnames",
            values.len(),
            given.len()
        ));
    }
    let variants: Vec<TokenStream> = values
        .iter()
        .enumerate()
        .map(|(i, value)| {
            let variant = given.get(i).map_or_else(|| pascal_case(value), |v| (*v).to_owned());
            let variant = syn::parse_str::<syn::Ident>(&variant).map_err(|_| {
                format!("openapi.yaml: {name}: `{value}` is no name in Rust; give it one in x-enum-varnames")
            })?;
            let doc = format!(" `{value}` on the wire.");
            Ok(quote!(#[doc = #doc] #variant = #value,))
        })
        .collect::<Result<_, String>>()?;
    let doc = format!(" {}", schema["description"].as_str().unwrap_or(name).trim());
    let name = format_ident!("{name}");
    Ok(syn::parse_quote!(
        crate::open_enum::open_enum! { #[doc = #doc] #name { #(#variants)* } }
    ))
}

/// `stream-json` -> `StreamJson`, `acceptEdits` -> `AcceptEdits`.
fn pascal_case(value: &str) -> String {
    let words = value
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty());
    words
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn wire_values_become_rust_names() {
        assert_eq!(pascal_case("stream-json"), "StreamJson");
        assert_eq!(pascal_case("acceptEdits"), "AcceptEdits");
        assert_eq!(pascal_case("queue-operation"), "QueueOperation");
    }

    #[test]
    fn a_value_that_cannot_be_a_name_asks_for_one() {
        let error = item("Ttl", &json!({"x-extensible-enum": ["5m"]})).unwrap_err();
        assert_eq!(
            error,
            "openapi.yaml: Ttl: `5m` is no name in Rust; give it one in x-enum-varnames"
        );
    }

    #[test]
    fn given_names_must_cover_every_value() {
        let error = item("Ttl", &json!({"enum": ["5m", "1h"], "x-enum-varnames": ["A"]})).unwrap_err();
        assert_eq!(error, "openapi.yaml: Ttl has 2 values but 1 x-enum-varnames");
    }
}

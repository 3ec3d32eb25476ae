//! How response types are read: not by code that serde derives for each, but by one reader, which is told of their fields.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{File, Ident, Item, ItemStruct, Meta, Token, parse_quote};

use super::rewrite::{drop_derive, types_module};
use super::setters::{argument_of, wire_name};

/// Takes the derived reading out of each response type and gives the items that stand for it.
pub fn items(file: &mut File, responses: &BTreeSet<String>) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    let holders = holders_of_blocks(file);
    for item in types_module(file)? {
        match item {
            Item::Struct(record) if responses.contains(&record.ident.to_string()) => {
                drop_derive(&mut record.attrs, "Deserialize")?;
                items.push(fields(record, &holders));
            }
            // One of several types, of which `place.rs` knows.
            Item::Enum(either) => {
                drop_derive(&mut either.attrs, "Deserialize")?;
                let name = &either.ident;
                let blocks = blocks(name, &holders);
                items.push(parse_quote!(crate::record::deserialize! { #name #blocks }));
            }
            _ => {}
        }
    }
    Ok(items)
}

/// What a record says of its fields.
fn fields(record: &mut ItemStruct, holders: &BTreeSet<String>) -> Item {
    let fields = record.fields.iter_mut().filter_map(|field| {
        let (ident, wire) = (field.ident.clone()?, wire_name(field));
        let hints = reading_hints(&mut field.attrs);
        let may_be_missing = match argument_of(&field.ty, "Option") {
            // It says that null is not the same as nothing.
            Some(_) => !hints.contains("deserialize_with"),
            None => hints.contains("default"),
        };
        let presence: Ident = if may_be_missing {
            parse_quote!(Optional)
        } else {
            parse_quote!(Required)
        };
        (!hints.contains("flatten")).then(|| quote!(#presence #ident = #wire,))
    });
    let fields: Vec<TokenStream> = fields.collect();
    let name = &record.ident;
    let blocks = blocks(name, holders);
    parse_quote!(crate::record::record! { #name #blocks { #(#fields)* } })
}

/// Which of the two readers reads it.
fn blocks(name: &Ident, holders: &BTreeSet<String>) -> Ident {
    if holders.contains(&name.to_string()) {
        parse_quote!(WithBlocks)
    } else {
        parse_quote!(WithoutBlocks)
    }
}

/// The types that hold blocks of messages, themselves or in others.
fn holders_of_blocks(file: &mut File) -> BTreeSet<String> {
    let Ok(types) = types_module(file) else {
        return BTreeSet::new();
    };
    let types: Vec<(String, BTreeSet<String>)> = types
        .iter()
        .filter_map(|item| match item {
            Item::Struct(item) => Some((item.ident.to_string(), words(&item.fields))),
            Item::Enum(item) => Some((item.ident.to_string(), words(&item.variants))),
            _ => None,
        })
        .collect();
    let mut found = BTreeSet::from(["stromboli_messages".to_owned()]);
    loop {
        let before = found.len();
        let holders = types.iter().filter(|(_, words)| !words.is_disjoint(&found));
        found = holders.map(|(name, _)| name.clone()).chain(found.clone()).collect();
        if found.len() == before {
            return found;
        }
    }
}

fn words(tokens: &impl ToTokens) -> BTreeSet<String> {
    let between = |c: char| c != '_' && !c.is_alphanumeric();
    let text = tokens.to_token_stream().to_string();
    text.split(between).map(str::to_owned).collect()
}

/// What a field's attributes say of reading, by name; taken out, since only writing is derived.
fn reading_hints(attrs: &mut Vec<syn::Attribute>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    attrs.retain_mut(|attr| {
        if !attr.path().is_ident("serde") {
            return true;
        }
        let Ok(keys) = attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
            return true;
        };
        let name = |meta: &Meta| meta.path().get_ident().map(ToString::to_string).unwrap_or_default();
        found.extend(keys.iter().map(name));
        let kept: Vec<Meta> = keys
            .into_iter()
            .filter(|meta| !["default", "deserialize_with"].contains(&name(meta).as_str()))
            .collect();
        *attr = parse_quote!(#[serde(#(#kept),*)]);
        !kept.is_empty()
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generated(source: &str) -> (String, String) {
        let mut file = syn::parse_str(&format!("pub mod types {{ {source} }}")).unwrap();
        let items = items(&mut file, &BTreeSet::from(["Job".to_owned()])).unwrap();
        let types = prettyplease::unparse(&file);
        (types, quote!(#(#items)*).to_string())
    }

    #[test]
    fn a_response_is_read_by_what_is_said_of_its_fields() {
        let (types, items) = generated(
            r#"#[derive(::serde::Deserialize, ::serde::Serialize, Clone)] pub struct Job {
                pub id: String,
                #[serde(rename = "type", skip_serializing_if = "Option::is_none")] pub type_: Option<String>,
                #[serde(deserialize_with = "Option::deserialize")] pub list: Option<Vec<String>>,
                #[serde(default, skip_serializing_if = "Vec::is_empty")] pub names: Vec<String>,
                #[serde(flatten)] pub extra: Map<String, Value>,
            }"#,
        );
        let fields =
            r#"Required id = "id" , Optional type_ = "type" , Required list = "list" , Optional names = "names" ,"#;
        assert!(
            items.contains(&format!("record ! {{ Job WithoutBlocks {{ {fields} }} }}")),
            "{items}"
        );
        // It is written as before.
        assert!(types.contains("derive(::serde::Serialize, Clone)"), "{types}");
        assert!(
            types.contains(r#"#[serde(rename = "type", skip_serializing_if = "Option::is_none")]"#),
            "{types}"
        );
        assert!(
            types.contains(r#"#[serde(skip_serializing_if = "Vec::is_empty")]"#),
            "{types}"
        );
        assert!(
            types.contains("#[serde(flatten)]") && !types.contains("deserialize"),
            "{types}"
        );
    }

    #[test]
    fn a_response_of_one_of_several_types_has_a_place_of_its_own() {
        let (types, items) = generated(
            "#[derive(::serde::Deserialize, Debug)] #[serde(untagged)] pub enum Entry { Job(Job), String(String) }",
        );
        assert!(items.contains("deserialize ! { Entry WithoutBlocks }"), "{items}");
        assert!(types.contains("#[derive(Debug)]"), "{types}");
    }

    #[test]
    fn what_holds_blocks_is_read_with_them() {
        let source = "pub struct Job { pub page: Option<Page> } pub enum Page { Line(Line), String(String) }
            pub struct Line { pub blocks: Vec<stromboli_messages::Block> } pub enum Other { Text(String) }";
        let (_, items) = generated(source);
        assert!(items.contains("record ! { Job WithBlocks {"), "{items}");
        assert!(items.contains("deserialize ! { Page WithBlocks }"), "{items}");
        assert!(items.contains("deserialize ! { Other WithoutBlocks }"), "{items}");
    }

    #[test]
    fn requests_are_read_as_derived() {
        let source = "#[derive(::serde::Deserialize)] pub struct RunRequest { #[serde(default)] pub a: Vec<String> }";
        let (types, items) = generated(source);
        assert!(types.contains("Deserialize") && types.contains("default"), "{types}");
        assert_eq!(items, "");
    }
}

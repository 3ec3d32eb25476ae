//! How response types are read: not by code that serde derives for each, but by one reader, which is told of their fields.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{Fields, File, Ident, Item, ItemStruct, Meta, Token, parse_quote};

use super::rewrite::{drop_derive, types_module};
use super::setters::{argument_of, wire_name};

/// Takes the derived reading out of each response type and gives the items that stand for it.
pub fn items(file: &mut File, responses: &BTreeSet<String>) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    let holders = holders_of_blocks(file);
    let in_responses: BTreeSet<String> = types_module(file)?
        .iter()
        .filter_map(|item| match item {
            Item::Struct(item) if responses.contains(&item.ident.to_string()) => Some(words(&item.fields)),
            _ => None,
        })
        .flatten()
        .collect();
    for item in types_module(file)? {
        match item {
            Item::Struct(record) if responses.contains(&record.ident.to_string()) => {
                drop_derive(&mut record.attrs, "Deserialize")?;
                items.push(fields(record, &holders)?);
            }
            // One of several types, of which `place.rs` knows.
            Item::Enum(either) if in_responses.contains(&either.ident.to_string()) => {
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
fn fields(record: &mut ItemStruct, holders: &BTreeSet<String>) -> Result<Item, String> {
    let name = record.ident.clone();
    let mut fields: Vec<TokenStream> = Vec::new();
    for field in &mut record.fields {
        let Some(ident) = field.ident.clone() else { continue };
        let wire = wire_name(field);
        if has_default_value(&field.attrs) {
            // The reader has nothing but blanks to put there.
            return Err(format!(
                "openapi.yaml: {name}.{wire}: a response's `default` is not read, leave it out"
            ));
        }
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
        if !hints.contains("flatten") {
            fields.push(quote!(#presence #ident = #wire,));
        }
    }
    let blocks = blocks(&name, holders);
    Ok(parse_quote!(crate::record::record! { #name #blocks { #(#fields)* } }))
}

/// Whether the contract says what a field is when it is missing: serde's `default = "…"`, where an empty list has `default`.
fn has_default_value(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().filter(|attr| attr.path().is_ident("serde")).any(|attr| {
        attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
            .is_ok_and(|keys| {
                keys.iter()
                    .any(|key| matches!(key, Meta::NameValue(key) if key.path.is_ident("default")))
            })
    })
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
            Item::Enum(item) => {
                let fields = item.variants.iter().flat_map(|variant| words(&variant.fields));
                Some((item.ident.to_string(), fields.collect()))
            }
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

/// All that is named in the types of fields.
fn words(fields: &Fields) -> BTreeSet<String> {
    let between = |c: char| c != '_' && !c.is_alphanumeric();
    let types = fields.iter().map(|field| field.ty.to_token_stream().to_string());
    types
        .flat_map(|ty| ty.split(between).map(str::to_owned).collect::<Vec<_>>())
        .collect()
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
            "pub struct Job { pub entries: Vec<Entry> }
            #[derive(::serde::Deserialize, Debug)] #[serde(untagged)] pub enum Entry { Job(Job), String(String) }",
        );
        assert!(items.contains("deserialize ! { Entry WithoutBlocks }"), "{items}");
        assert!(types.contains("#[derive(Debug)]"), "{types}");
    }

    #[test]
    fn what_holds_blocks_is_read_with_them() {
        let source = "pub struct Job { pub page: Option<Page>, pub other: Other }
            pub enum Page { Line(Line), String(String) } pub enum Other { #[doc = \"No Line.\"] Text(String) }
            pub struct Line { pub blocks: Vec<stromboli_messages::Block> } pub enum Asked { Text(String) }";
        let (_, items) = generated(source);
        assert!(!items.contains("Asked"), "{items}");
        assert!(items.contains("record ! { Job WithBlocks {"), "{items}");
        assert!(items.contains("deserialize ! { Page WithBlocks }"), "{items}");
        assert!(items.contains("deserialize ! { Other WithoutBlocks }"), "{items}");
    }

    #[test]
    fn a_default_that_would_not_be_read_is_refused() {
        let mut file = syn::parse_str(
            r#"pub mod types { pub struct Job { #[serde(default = "defaults::default_bool::<true>")] pub ok: bool } }"#,
        )
        .unwrap();
        let error = items(&mut file, &BTreeSet::from(["Job".to_owned()])).unwrap_err();
        assert_eq!(
            error,
            "openapi.yaml: Job.ok: a response's `default` is not read, leave it out"
        );
    }

    #[test]
    fn requests_are_read_as_derived() {
        let source = "#[derive(::serde::Deserialize)] pub struct RunRequest { #[serde(default)] pub a: Vec<String> }";
        let (types, items) = generated(source);
        assert!(types.contains("Deserialize") && types.contains("default"), "{types}");
        assert_eq!(items, "");
    }
}

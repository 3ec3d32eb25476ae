//! How response types are read: not by code that serde derives for each, but by one reader, which is told of their fields.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{File, Ident, Item, ItemStruct, Meta, Token, parse_quote};

use super::rewrite::{drop_derive, types_module};
use super::setters::{argument_of, wire_name};

/// Takes the derived reading out of each response type and gives the items that stand for it.
pub fn items(file: &mut File, responses: &BTreeSet<String>) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    for item in types_module(file)? {
        match item {
            Item::Struct(record) if responses.contains(&record.ident.to_string()) => {
                drop_derive(&mut record.attrs, "Deserialize")?;
                items.push(fields(record));
            }
            // One of several types, of which `place.rs` knows.
            Item::Enum(either) => {
                drop_derive(&mut either.attrs, "Deserialize")?;
                let name = &either.ident;
                items.push(parse_quote!(crate::record::deserialize! { #name }));
            }
            _ => {}
        }
    }
    Ok(items)
}

/// What a record says of its fields.
fn fields(record: &mut ItemStruct) -> Item {
    let fields = record.fields.iter_mut().filter_map(|field| {
        let (ident, wire) = (field.ident.clone()?, wire_name(field));
        let hints = reading_hints(&mut field.attrs);
        let may_be_missing = match argument_of(&field.ty, "Option") {
            // It says that null is not the same as nothing.
            Some(_) => !hints.contains("deserialize_with"),
            None => hints.contains("default"),
        };
        let kind: Ident = if may_be_missing {
            parse_quote!(Optional)
        } else {
            parse_quote!(Required)
        };
        (!hints.contains("flatten")).then(|| quote!(#kind #ident = #wire,))
    });
    let fields: Vec<TokenStream> = fields.collect();
    let name = &record.ident;
    parse_quote!(crate::record::record! { #name { #(#fields)* } })
}

/// What a field's attributes say of reading, by name; taken out, since only writing is derived.
fn reading_hints(attrs: &mut Vec<syn::Attribute>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    attrs.retain_mut(|attr| {
        let Some(keys) = (attr.path().is_ident("serde"))
            .then(|| {
                attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
                    .ok()
            })
            .flatten()
        else {
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

//! No twin types: what the contract describes has one Rust type, in `stromboli_generated::types`, and `stromboli`
//! re-exports it by name.

use std::collections::BTreeSet;

use syn::{Item, UseTree, Visibility};

use super::files::{File, find};

const GENERATED: &str = "stromboli-generated/src/generated.rs";

/// Fails on a public type of the wrapper that has the name of a generated one, and on re-exports of all types at once.
pub fn check(files: &[File]) -> Result<Vec<String>, String> {
    let mut nouns = BTreeSet::new();
    for item in parse(find(files, GENERATED)?)? {
        match item {
            Item::Mod(module) if module.ident == "types" => {
                nouns.extend(
                    module
                        .content
                        .iter()
                        .flat_map(|(_, items)| items)
                        .filter_map(public_type),
                );
            }
            _ => {}
        }
    }
    if nouns.is_empty() {
        return Err(format!(
            "{GENERATED} has no `types` module with types; run `cargo xtask generate`"
        ));
    }
    let mut problems = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.path.starts_with("stromboli/src/") && file.path.ends_with(".rs"))
    {
        visit(&parse(file)?, &file.path, &nouns, &mut problems);
    }
    Ok(problems)
}

fn parse(file: &File) -> Result<Vec<Item>, String> {
    syn::parse_file(&file.text)
        .map(|file| file.items)
        .map_err(|e| format!("{}: {e}", file.path))
}

fn public_type(item: &Item) -> Option<String> {
    let (visibility, name) = match item {
        Item::Struct(item) => (&item.vis, &item.ident),
        Item::Enum(item) => (&item.vis, &item.ident),
        _ => return None,
    };
    matches!(visibility, Visibility::Public(_)).then(|| name.to_string())
}

fn visit(items: &[Item], path: &str, nouns: &BTreeSet<String>, problems: &mut Vec<String>) {
    for item in items {
        if let Some(name) = public_type(item).filter(|name| nouns.contains(name)) {
            problems.push(format!(
                "{path}: `{name}` is a twin of stromboli_generated::types::{name}; re-export that one from \
                 stromboli/src/lib.rs, or give this type another name"
            ));
        }
        match item {
            Item::Mod(module) => {
                let items = module.content.as_ref().map(|(_, items)| items.as_slice());
                visit(items.unwrap_or_default(), path, nouns, problems);
            }
            Item::Use(item) if matches!(item.vis, Visibility::Public(_)) => {
                for exported in everything(&item.tree, "") {
                    if exported.starts_with("stromboli_generated") {
                        problems.push(format!(
                            "{path}: `pub use {exported}` re-exports whatever is generated; name each type instead"
                        ));
                    }
                }
            }
            _ => {}
        }
    }
}

/// The parts of a `use` that name no single type: globs, and the module `types` as a whole.
fn everything(tree: &UseTree, prefix: &str) -> Vec<String> {
    match tree {
        UseTree::Path(path) => everything(&path.tree, &format!("{prefix}{}::", path.ident)),
        UseTree::Group(group) => group.items.iter().flat_map(|tree| everything(tree, prefix)).collect(),
        UseTree::Glob(_) => vec![format!("{prefix}*")],
        UseTree::Name(leaf) if leaf.ident == "types" => vec![format!("{prefix}types")],
        UseTree::Rename(leaf) if leaf.ident == "types" => vec![format!("{prefix}types")],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::sample;
    use super::*;

    const TYPES: &str = "pub mod types { pub struct Job {} pub enum JobStatus {} struct Hidden; }";

    fn problems(wrapper: &str) -> Vec<String> {
        check(&sample(&[(GENERATED, TYPES), ("stromboli/src/lib.rs", wrapper)])).unwrap()
    }

    #[test]
    fn types_of_its_own_and_named_re_exports_are_fine() {
        let wrapper = "
            pub use stromboli_generated::types::{Job, JobStatus};
            pub use client::*;
            pub struct Client; pub struct Hidden; struct JobStatus; mod private { pub(crate) struct Job; }";
        assert_eq!(problems(wrapper), [""; 0]);
    }

    #[test]
    fn a_type_with_the_name_of_a_generated_one_is_found() {
        assert!(problems("pub struct Job { id: u8 }")[0].starts_with("stromboli/src/lib.rs: `Job` is a twin"));
        assert!(problems("pub mod a { pub enum JobStatus {} }")[0].contains("`JobStatus` is a twin"));
    }

    #[test]
    fn a_re_export_of_everything_is_found() {
        for wrapper in [
            "pub use stromboli_generated::types::*;",
            "pub use stromboli_generated::*;",
            "pub use stromboli_generated::{Client, types::*};",
            "pub use stromboli_generated::types;",
            "pub mod types { pub use stromboli_generated::types as all; }",
        ] {
            assert!(problems(wrapper)[0].contains("name each type instead"), "{wrapper}");
        }
    }

    #[test]
    fn generated_code_without_types_is_an_error() {
        assert!(
            check(&sample(&[(GENERATED, "pub mod types {}")]))
                .unwrap_err()
                .contains("no `types` module")
        );
        assert!(check(&[]).unwrap_err().contains("is missing"));
    }
}

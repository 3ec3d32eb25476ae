use std::collections::HashMap;

use super::*;

/// A directory below one with a project file, and a user's file.
struct Place {
    folder: tempfile::TempDir,
    variables: HashMap<&'static str, &'static str>,
    flags: GlobalArgs,
}

impl Place {
    fn new(project: &str, user: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("project/below")).unwrap();
        std::fs::write(folder.path().join("project").join(PROJECT_FILE), project).unwrap();
        std::fs::write(folder.path().join("user.toml"), user).unwrap();
        Self {
            folder,
            variables: HashMap::new(),
            flags: GlobalArgs {
                url: None,
                profile: None,
                output: None,
                color: None,
                quiet: false,
                yes: false,
            },
        }
    }

    fn resolve(&self) -> Result<Settings, Complaint> {
        Settings::resolve(&Sources {
            flags: &self.flags,
            variable: Box::new(|name| self.variables.get(name).map(|value| (*value).to_owned())),
            directory: self.folder.path().join("project/below"),
            user_file: Some(self.folder.path().join("user.toml")),
        })
    }

    fn url(&self) -> (String, Origin) {
        let url = self.resolve().unwrap().url.unwrap();
        (url.value, url.origin)
    }

    fn project(&self) -> PathBuf {
        self.folder.path().join("project").join(PROJECT_FILE)
    }

    fn user(&self) -> PathBuf {
        self.folder.path().join("user.toml")
    }
}

#[test]
fn the_nearest_source_counts_and_is_named() {
    let mut place = Place::new("", "url = 'http://user'");
    assert_eq!(place.url(), ("http://user".into(), Origin::File(place.user(), None)));
    std::fs::write(place.project(), "url = 'http://project'").unwrap();
    assert_eq!(
        place.url(),
        ("http://project".into(), Origin::File(place.project(), None))
    );
    place.variables.insert("STROMBOLI_URL", "http://variable");
    assert_eq!(
        place.url(),
        ("http://variable".into(), Origin::Variable("STROMBOLI_URL"))
    );
    place.flags.url = Some("http://flag".into());
    assert_eq!(place.url(), ("http://flag".into(), Origin::Flag("--url")));
}

#[test]
fn a_profile_lies_over_its_file_and_is_chosen_like_any_setting() {
    let user = "profile = 'a'\nurl = 'http://none'\n[profiles.a]\nurl = 'http://a'\n[profiles.b]\nurl = 'http://b'\n\
                [profiles.c]\noutput = 'json'";
    let mut place = Place::new("", user);
    assert_eq!(
        place.url(),
        ("http://a".into(), Origin::File(place.user(), Some("a".into())))
    );
    place.variables.insert("STROMBOLI_PROFILE", "b");
    assert_eq!(place.url().0, "http://b");
    place.flags.profile = Some("c".into());
    assert_eq!(place.url(), ("http://none".into(), Origin::File(place.user(), None)));
    assert_eq!(place.resolve().unwrap().output.value, Format::Json);
    place.flags.profile = Some("aa".into());
    let problem = place.resolve().err().unwrap();
    assert_eq!(problem.clause, "there is no profile aa");
    assert_eq!(problem.next.as_deref(), Some("did you mean `a`?"));
}

#[test]
fn nothing_set_is_the_default_and_no_server() {
    let settings = Place::new("", "").resolve().unwrap();
    assert_eq!(settings.output, default());
    assert_eq!(settings.color, default());
    assert_eq!(settings.token, None);
    assert!(settings.url().is_err());
}

#[test]
fn a_slip_in_a_file_names_the_file_and_the_nearest_key() {
    for (text, clause, next) in [
        ("ulr = 'x'", "the file has no key `ulr`", Some("did you mean `url`?")),
        (
            "[profiles.a]\ncolour = 'auto'",
            "profile a has no key `colour`",
            Some("did you mean `color`?"),
        ),
        ("output = 'yaml'", "the file: unknown variant `yaml`", None),
        ("url = ", "TOML parse error", None),
    ] {
        let place = Place::new(text, "");
        let problem = place.resolve().err().unwrap();
        let start = format!("{}: {clause}", place.project().display());
        assert!(problem.clause.starts_with(&start), "{}", problem.clause);
        assert_eq!(problem.next.as_deref(), next);
    }
}

#[test]
fn a_server_is_foreign_when_only_the_file_of_the_directory_names_it() {
    let user = "url = 'http://user'\n[profiles.work]\nurl = 'http://work'";
    let mut place = Place::new("", user);
    let foreign = |place: &Place| place.resolve().unwrap().foreign().map(Path::to_owned);
    assert_eq!(foreign(&place), None);
    std::fs::write(place.project(), "profile = 'work'").unwrap();
    assert_eq!(foreign(&place), None, "it chooses, and the user's file names");
    std::fs::write(place.project(), "[profiles.work]\nurl = 'http://theirs'").unwrap();
    assert_eq!(foreign(&place), None);
    place.variables.insert("STROMBOLI_PROFILE", "work");
    assert_eq!(
        foreign(&place),
        Some(place.project()),
        "its profile lies over the user's"
    );
    place.variables.insert("STROMBOLI_URL", "http://theirs");
    assert_eq!(foreign(&place), None);
}

#[test]
fn the_environment_proves_who_the_user_is_but_not_with_half_a_proof() {
    let mut place = Place::new("", "");
    place.variables.insert("STROMBOLI_CLIENT_ID", "ci");
    let problem = place.resolve().err().unwrap();
    assert_eq!(problem.clause, "STROMBOLI_CLIENT_ID is set without STROMBOLI_API_TOKEN");
    place.variables.insert("STROMBOLI_API_TOKEN", "topsecret");
    let proof = place.resolve().unwrap().token.unwrap();
    assert_eq!(proof.origin, Origin::Variable("STROMBOLI_API_TOKEN"));
    assert!(!format!("{proof:?}").contains("topsecret"));
    place.variables.insert("STROMBOLI_TOKEN", "token");
    assert_eq!(
        place.resolve().unwrap().token.unwrap().value,
        Proof::Token("token".into())
    );
}

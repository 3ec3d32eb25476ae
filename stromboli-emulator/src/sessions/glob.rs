//! File name patterns as Go's `path/filepath` reads them.

/// A pattern that Go calls malformed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadPattern;

/// A pattern for one file name.
#[derive(Debug)]
pub(crate) struct Pattern(Vec<Term>);

#[derive(Debug)]
enum Term {
    /// `*`: any text.
    Any,
    /// One character.
    One(Set),
}

/// The characters that stand at one place: those in the ranges, or with `except` all others.
#[derive(Debug)]
struct Set {
    ranges: Vec<(char, char)>,
    except: bool,
}

impl Pattern {
    /// Whether `text` could fit more names than itself, or another.
    pub(crate) fn is_one(text: &str) -> bool {
        text.contains(['*', '?', '[', '\\'])
    }

    /// Reads `*`, `?`, `[a-z]`, `[^a-z]` and `\` before a character that means itself.
    ///
    /// # Errors
    /// When a `[` is not closed or empty, or a `\` stands last.
    pub(crate) fn parse(pattern: &str) -> Result<Self, BadPattern> {
        let mut chars = pattern.chars();
        let mut terms = Vec::new();
        while let Some(c) = chars.next() {
            terms.push(match c {
                '*' => Term::Any,
                '?' => Term::One(Set::except(Vec::new())),
                '[' => Term::One(class(&mut chars)?),
                '\\' => Term::One(Set::only(chars.next().ok_or(BadPattern)?)),
                _ => Term::One(Set::only(c)),
            });
        }
        Ok(Self(terms))
    }

    /// Whether the whole of `name` fits.
    pub(crate) fn fits(&self, name: &str) -> bool {
        let (mut terms, mut name) = (self.0.as_slice(), name.chars());
        // Where to go on after a mismatch: behind the last `*`, which takes one character more each time.
        let mut retry = None;
        loop {
            let mut next = name.clone();
            match (terms.split_first(), next.next()) {
                (Some((Term::Any, rest)), _) => {
                    retry = Some((rest, name.clone()));
                    terms = rest;
                    continue;
                }
                (Some((Term::One(set), rest)), Some(c)) if set.has(c) => {
                    (terms, name) = (rest, next);
                    continue;
                }
                (None, None) => return true,
                _ => {}
            }
            let Some((rest, mut from)) = retry.take() else {
                return false;
            };
            if from.next().is_none() {
                return false;
            }
            (terms, name) = (rest, from.clone());
            retry = Some((rest, from));
        }
    }
}

impl Set {
    fn only(c: char) -> Self {
        Self {
            ranges: vec![(c, c)],
            except: false,
        }
    }

    fn except(ranges: Vec<(char, char)>) -> Self {
        Self { ranges, except: true }
    }

    fn has(&self, c: char) -> bool {
        self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != self.except
    }
}

/// What stands between brackets, the first of which was read.
fn class(chars: &mut std::str::Chars<'_>) -> Result<Set, BadPattern> {
    let except = chars.as_str().starts_with('^');
    if except {
        chars.next();
    }
    let mut ranges = Vec::new();
    while ranges.is_empty() || !chars.as_str().starts_with(']') {
        let low = bound(chars)?;
        let high = if chars.as_str().starts_with('-') {
            chars.next();
            bound(chars)?
        } else {
            low
        };
        ranges.push((low, high));
    }
    chars.next();
    Ok(Set { ranges, except })
}

fn bound(chars: &mut std::str::Chars<'_>) -> Result<char, BadPattern> {
    match chars.next() {
        Some('\\') => chars.next(),
        Some('-' | ']') | None => None,
        other => other,
    }
    .ok_or(BadPattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_as_go_reads_them() {
        let cases = [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*", "", true),
            ("*c", "abc", true),
            ("a*", "a", true),
            ("a*b", "ab-b", true),
            ("a*b", "ab-c", false),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[e-g]", "abc", false),
            ("ab[^c]", "abc", false),
            ("ab[^e-g]", "abc", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a?b", "aéb", true),
            ("a[\\]b]", "a]", true),
            ("[x\\-]", "-", true),
            ("", "", true),
            ("", "a", false),
            ("?", "", false),
        ];
        for (pattern, name, fits) in cases {
            assert_eq!(Pattern::parse(pattern).unwrap().fits(name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_that_is_not_closed_is_bad() {
        for pattern in [
            "[", "[a", "[]", "[]a]", "[-]", "[a-]", "[x-", "[x-]]", "[^", "a\\", "[\\",
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap_err(), BadPattern, "{pattern}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = Pattern::parse(&"a*".repeat(1000)).unwrap();
        assert!(!pattern.fits(&format!("{}b", "a".repeat(900))));
    }
}

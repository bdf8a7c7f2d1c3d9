//! Walks a document with spans and collects every fault instead of stopping at the first.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use ipnet::IpNet;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::declare::shape::one_of;
use crate::declare::{Setting, Table, Value};
use crate::error::{Fault, Found};
use crate::text::{Domain, NetworkName, PortRange, RouteName};

/// A value of the document with its place.
pub(crate) type Node<'n> = &'n Spanned<DeValue<'n>>;

/// What a name is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Network,
    Trunk,
    Profile,
}

impl Kind {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Trunk => "trunk",
            Self::Profile => "profile",
        }
    }
}

/// Something that only one setting may have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Claim {
    Udp { address: SocketAddr },
    Tcp { address: SocketAddr },
    MediaPorts { address: IpAddr, ports: PortRange },
    Source { network: NetworkName, from: IpNet },
    Identity { network: NetworkName, identity: Domain },
    Route { name: RouteName },
    Domain { domain: String },
}

/// A claim and where it was made.
pub(crate) struct Claimed {
    pub(crate) claim: Claim,
    pub(crate) path: String,
}

/// A fault with its place in the text.
pub(crate) struct Entry {
    pub(crate) span: Range<usize>,
    pub(crate) path: String,
    pub(crate) fault: Fault,
    pub(crate) found: Found,
    pub(crate) expected: String,
}

/// The state of one reading.
pub(crate) struct Reader<'t> {
    source: &'t str,
    path: String,
    /// Above zero while a default is read: its spans mean nothing in the document.
    defaults: usize,
    spans: BTreeMap<String, Range<usize>>,
    /// For lists that lost elements at fault: the written index of each one kept.
    kept: BTreeMap<String, Vec<usize>>,
    defined: BTreeSet<(Kind, String)>,
    references: Vec<(Kind, String, String, Range<usize>)>,
    pub(crate) claims: Vec<Claimed>,
    pub(crate) entries: Vec<Entry>,
}

impl<'t> Reader<'t> {
    pub(crate) fn new(source: &'t str) -> Self {
        Self {
            source,
            path: String::new(),
            defaults: 0,
            spans: BTreeMap::new(),
            kept: BTreeMap::new(),
            defined: BTreeSet::new(),
            references: Vec::new(),
            claims: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Reads something one step down, under `step` (a key, or `[index]`).
    pub(crate) fn at<T>(&mut self, step: &str, span: Range<usize>, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if !self.path.is_empty() && !step.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(step);
        if self.defaults == 0 {
            self.spans.insert(self.path.clone(), span);
        }
        let result = read(self);
        self.path.truncate(length);
        result
    }

    /// Says which elements of the list at hand were read.
    pub(crate) fn keep(&mut self, indices: Vec<usize>) {
        self.kept.insert(self.path.clone(), indices);
    }

    /// The path of an element of the list at `list` (absolute), as the document counts.
    pub(crate) fn element_of(&self, list: &str, index: usize) -> String {
        let written = self.kept.get(list).and_then(|kept| kept.get(index)).copied().unwrap_or(index);
        format!("{list}[{written}]")
    }

    /// The path of an element of a list of the table at hand, for [`Self::conflict`] and [`Self::claim`].
    pub(crate) fn element(&self, list: &str, index: usize) -> String {
        let path = self.element_of(&self.absolute(list), index);
        path.strip_prefix(&self.path).map(|path| path.trim_start_matches('.').to_owned()).unwrap_or(path)
    }

    fn absolute(&self, name: &str) -> String {
        match (self.path.as_str(), name) {
            ("", name) => name.to_owned(),
            (path, "") => path.to_owned(),
            (path, name) => format!("{path}.{name}"),
        }
    }

    /// The place of a setting by its path, or of the nearest table around it that the document has.
    pub(crate) fn span_of(&self, path: &str) -> Range<usize> {
        let mut path = path;
        loop {
            if let Some(span) = self.spans.get(path) {
                return span.clone();
            }
            match path.rfind(['.', '[']).and_then(|end| path.get(..end)) {
                Some(shorter) => path = shorter,
                None => return 0..0,
            }
        }
    }

    /// Whether a fault was found at `path` or below.
    pub(crate) fn faulty(&self, path: &str) -> bool {
        self.entries.iter().any(|entry| {
            entry.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    /// Whether a fault was found in the table at hand.
    pub(crate) fn faulty_here(&self) -> bool {
        self.faulty(&self.path)
    }

    fn entry(&mut self, span: Range<usize>, fault: Fault, found: Found, expected: String) {
        let path = self.path.clone();
        let span = if self.defaults == 0 { span } else { self.span_of(&path) };
        self.entries.push(Entry { span, path, fault, found, expected });
    }

    /// The value as the operator wrote it.
    pub(crate) fn written(&self, node: Node<'_>) -> Found {
        Found::Text(self.source.get(node.span()).unwrap_or_default().to_owned())
    }

    /// A value of the wrong type or form.
    pub(crate) fn refuse<T>(&mut self, node: Node<'_>, fault: Fault, expected: &str) -> Option<T> {
        let found = if self.defaults == 0 { self.written(node) } else { Found::Nothing };
        self.entry(node.span(), fault, found, expected.to_owned());
        None
    }

    /// As [`Self::refuse`], for a value that must not be printed.
    pub(crate) fn refuse_unseen<T>(
        &mut self,
        node: Node<'_>,
        what: &'static str,
        expected: &str,
    ) -> Option<T> {
        self.entry(node.span(), Fault::Form, Found::Described(what), expected.to_owned());
        None
    }

    /// A key of the wrong form.
    pub(crate) fn refuse_key<T>(&mut self, span: Range<usize>, key: &str, expected: &str) -> Option<T> {
        self.entry(span, Fault::Form, Found::Text(format!("the key {key:?}")), expected.to_owned());
        None
    }

    /// A word that is not in the list, with the nearest one that is.
    pub(crate) fn refuse_choice<T>(&mut self, node: Node<'_>, words: &[&str], expected: &str) -> Option<T> {
        let fault = match node.get_ref() {
            DeValue::String(text) => Fault::Choice { did_you_mean: nearest(text, words.iter().copied()) },
            _ => Fault::Type,
        };
        self.refuse(node, fault, expected)
    }

    /// A fault of the table at hand, at its setting `name` (relative; "" is the table itself).
    pub(crate) fn conflict(&mut self, name: &str, found: Found, expected: impl Into<String>) {
        let path = self.absolute(name);
        self.conflict_at(path, found, expected);
    }

    /// A fault at an absolute path.
    pub(crate) fn conflict_at(&mut self, path: String, found: Found, expected: impl Into<String>) {
        let span = self.span_of(&path);
        self.entries.push(Entry { span, path, fault: Fault::Conflict, found, expected: expected.into() });
    }

    /// Records a claim of the table at hand, made by its setting `name`.
    pub(crate) fn claim(&mut self, name: &str, claim: Claim) {
        self.claims.push(Claimed { claim, path: self.absolute(name) });
    }

    pub(crate) fn define(&mut self, kind: Kind, name: &str) {
        self.defined.insert((kind, name.to_owned()));
    }

    pub(crate) fn reference(&mut self, node: Node<'_>, kind: Kind, name: &str) {
        self.references.push((kind, name.to_owned(), self.path.clone(), node.span()));
    }

    /// Reports every reference to a name that the document does not define.
    pub(crate) fn resolve_references(&mut self) {
        for (kind, name, path, span) in std::mem::take(&mut self.references) {
            if self.defined.contains(&(kind, name.clone())) {
                continue;
            }
            let names = || self.defined.iter().filter(|(of, _)| *of == kind).map(|(_, name)| name.as_str());
            let known = names().count();
            let expected = if known == 0 {
                format!("the name of a {}, of which the document has none", kind.word())
            } else if known <= 8 {
                format!("the name of a {}: {}", kind.word(), one_of(names().map(|name| format!("{name:?}"))))
            } else {
                format!("the name of one of the {known} {}s", kind.word())
            };
            let fault = Fault::Reference { did_you_mean: nearest(&name, names()) };
            self.entries.push(Entry { span, path, fault, found: Found::Text(format!("{name:?}")), expected });
        }
    }

    /// Takes `node` as a table and reports the keys that it must not have.
    pub(crate) fn table<'n>(&mut self, node: Node<'n>, of: &Table) -> Option<&'n DeTable<'n>> {
        let DeValue::Table(table) = node.get_ref() else {
            return self.refuse(node, Fault::Type, "a table");
        };
        for key in table.keys() {
            let text: &str = key.get_ref();
            if of.settings.iter().any(|setting| setting.name == text) {
                continue;
            }
            let names = || of.settings.iter().map(|setting| setting.name);
            let fault = Fault::UnknownKey { did_you_mean: nearest(text, names()) };
            let expected = one_of(names().map(str::to_owned));
            self.at(text, key.span(), |reader| {
                reader.entry(key.span(), fault, Found::Text(format!("the key {text:?}")), expected);
            });
        }
        Some(table)
    }

    /// Reads one setting of a table. A value at fault is reported and stands in as its default, so that the rest of
    /// the document is still checked.
    pub(crate) fn setting<T: Value>(
        &mut self,
        node: Node<'_>,
        table: &DeTable<'_>,
        of: &Table,
        name: &str,
    ) -> Option<T> {
        let setting = of.settings.iter().find(|setting| setting.name == name)?;
        let written = table.iter().find(|(key, _)| key.get_ref() == name);
        if let Some((key, value)) = written {
            let read = self.at(name, value.span(), |reader| reader.ranged(value, setting));
            // An empty span belongs to a table that only its sub-tables spell out: the key places it better.
            if value.span().is_empty() {
                self.at(name, key.span(), |_| ());
            }
            return read.or_else(|| self.substitute(setting));
        }
        if setting.required() {
            let expected = setting.expected();
            self.at(name, node.span(), |reader| {
                reader.entry(node.span(), Fault::Missing, Found::Nothing, expected);
            });
            return None;
        }
        self.substitute(setting)
    }

    fn ranged<T: Value>(&mut self, value: Node<'_>, setting: &Setting) -> Option<T> {
        let faults = self.entries.len();
        let read = T::read(value, self);
        if self.entries.len() > faults {
            // The setting's own words say more than the type's.
            if let Some(entry) = self.entries.get_mut(faults)
                && entry.path == self.path
                && matches!(entry.fault, Fault::Type | Fault::Form)
                && !matches!(entry.found, Found::Described(_))
            {
                entry.expected = setting.expected();
            }
            return read;
        }
        let read = read?;
        let (Some(size), Some((low, high))) = (read.magnitude(), setting.range) else { return Some(read) };
        let low = T::bound(low).unwrap_or(0);
        let high = T::bound(high).unwrap_or(u128::MAX);
        if (low..=high).contains(&size) {
            return Some(read);
        }
        self.refuse(value, Fault::Range, &setting.expected())
    }

    fn substitute<T: Value>(&mut self, setting: &Setting) -> Option<T> {
        let Some(text) = setting.default else { return T::absent() };
        let value = DeValue::parse(text).ok()?;
        self.defaults += 1;
        let read = self.at(setting.name, 0..0, |reader| T::read(&value, reader));
        self.defaults -= 1;
        read
    }
}

/// The word that `word` is most likely a slip of.
fn nearest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<String> {
    words
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| distance * 3 <= candidate.len().max(3))
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

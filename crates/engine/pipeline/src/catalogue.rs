//! The kinds of stage that a pipeline may use.

use std::collections::BTreeMap;

use scarce_stage::Description;

/// Kinds by name, gathered from all hosts.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    kinds: BTreeMap<String, Description>,
}

impl Catalogue {
    /// A catalogue of these kinds. Of two with the same name the later one counts.
    pub fn new(kinds: impl IntoIterator<Item = Description>) -> Self {
        let mut catalogue = Self::default();
        catalogue.extend(kinds);
        catalogue
    }

    /// Adds a kind and returns the one that it displaces.
    pub fn insert(&mut self, kind: Description) -> Option<Description> {
        self.kinds.insert(kind.kind.clone(), kind)
    }

    /// The kind of this name.
    pub fn get(&self, kind: &str) -> Option<&Description> {
        self.kinds.get(kind)
    }

    /// All kinds, by name.
    pub fn kinds(&self) -> impl ExactSizeIterator<Item = &Description> {
        self.kinds.values()
    }
}

impl Extend<Description> for Catalogue {
    fn extend<I: IntoIterator<Item = Description>>(&mut self, kinds: I) {
        for kind in kinds {
            self.insert(kind);
        }
    }
}

//! From the tokens of a query to the names that are worth a comparison.
//!
//! Whether a name is worth one depends on the query and on that name alone: there is no best so
//! many, and no weight that other entries of the list could move. So a part of a list finds
//! exactly what the whole finds in it.

use super::{View, is_sought, keys, weights};
use crate::screening::normalise::Class;
use crate::screening::score::{EVIDENT, ONE_TOKEN, Part, estimate, letters, similarity};

/// What a name of the list has in common with the query so far.
#[derive(Clone, Copy, Debug, Default)]
struct Common {
    /// Which query this is of; anything else means nothing yet.
    query: u32,
    /// The last token of the query that was counted.
    turn: u16,
    /// Pairs of significant tokens.
    significant: u16,
    /// Pairs of a significant token with one that is not.
    mixed: u16,
    weight: f32,
    similar: f32,
    of_query: f32,
    of_name: f32,
}

/// Room for retrieval, kept between queries so that none of it is cleared.
#[derive(Debug, Default)]
pub(in crate::screening) struct Accumulator {
    query: u32,
    turn: u16,
    names: Vec<Common>,
    touched: Vec<u32>,
    /// When each token of the list was last looked at.
    seen: Vec<u64>,
    looks: u64,
    near: Vec<(u32, f32)>,
}

/// What is sought: the parts of a query, and the least score that counts.
#[derive(Clone, Copy)]
pub(in crate::screening) struct Wanted<'q> {
    pub parts: &'q [Part<'q>],
    pub least: f32,
}

/// An estimate may be too low by what little words and initials add.
const MARGIN: f32 = 0.03;

impl Accumulator {
    /// The names to compare, into `names`: ascending, each once.
    pub(in crate::screening) fn retrieve(
        &mut self,
        view: &View<'_>,
        wanted: Wanted<'_>,
        names: &mut Vec<u32>,
    ) {
        self.begin(view);
        for part in wanted.parts.iter().filter(|part| is_sought(part.class)) {
            self.near(view, part, |part, key| keys::all(part, key));
            self.count(view, part.weight(), u16::from(part.class.is_significant()));
            self.split(view, part);
        }
        self.join(view, wanted.parts);
        let query = weights(wanted.parts);
        names.clear();
        for &name in &self.touched {
            let Some(common) = self.names.get(name as usize) else { continue };
            let Some(record) = view.name(name) else { continue };
            let listed = record.weights;
            let most = u16::from(query.significant.max(listed.significant));
            let initials = query.initials + listed.initials;
            let needed = most.saturating_sub(common.mixed + u16::from(initials)).clamp(1, 2);
            if wanted.least > ONE_TOKEN && common.significant < needed {
                continue;
            }
            let small = query.small.min(listed.small);
            // An initial may stand for any token of the other name.
            let rest = (
                query.sought - common.of_query - f32::from(listed.initials),
                listed.sought - common.of_name - f32::from(query.initials),
            );
            let estimate = estimate(common.weight, common.similar, small, rest);
            if estimate >= wanted.least - MARGIN {
                names.push(name);
            }
        }
        names.sort_unstable();
    }

    fn begin(&mut self, view: &View<'_>) {
        if self.names.len() < view.names_count() {
            self.names.resize(view.names_count(), Common::default());
        }
        if self.seen.len() < view.tokens_count() {
            self.seen.resize(view.tokens_count(), 0);
        }
        self.touched.clear();
        self.turn = 0;
        self.query = self.query.wrapping_add(1);
        if self.query == 0 {
            // Around once: what was left from four thousand million queries ago must not count.
            self.names.fill(Common::default());
            self.query = 1;
        }
    }

    /// The tokens of the list that are similar to one of the query, the most similar first.
    fn near(
        &mut self,
        view: &View<'_>,
        part: &Part<'_>,
        keys: impl Fn(&Part<'_>, &mut dyn FnMut(u32)),
    ) {
        self.near.clear();
        self.looks += 1;
        let (seen, near, looks) = (&mut self.seen, &mut self.near, self.looks);
        keys(part, &mut |key| {
            for token in view.with_key(key) {
                let Some(last) = seen.get_mut(token as usize) else { continue };
                if std::mem::replace(last, looks) == looks {
                    continue;
                }
                let found = view.token(token).and_then(|found| similarity(part, &found));
                if let Some((similarity, _)) = found {
                    near.push((token, similarity));
                }
            }
        });
        // Tokens are numbered by their text, so that ties fall alike in every list.
        near.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    }

    /// Counts the tokens that were found for every name that has them; of each name the most
    /// similar one.
    fn count(&mut self, view: &View<'_>, weight: f32, significant: u16) {
        self.turn += 1;
        let near = std::mem::take(&mut self.near);
        for &(token, similarity) in &near {
            let Some(part) = view.token(token) else { continue };
            let listed = if is_sought(part.class) { part.weight() } else { 0.0 };
            let both = part.class.is_significant() && similarity >= EVIDENT;
            let mixed = part.class.is_significant() != (significant > 0);
            let shared = Shared {
                weight: weight.min(part.weight()),
                similarity,
                of_query: weight,
                of_name: listed,
                significant: if both { significant } else { 0 },
                mixed: u16::from(mixed),
            };
            for name in view.postings.between(view.posting_offsets, token as usize).iter() {
                self.add(name, shared);
            }
        }
        self.near = near;
    }

    fn add(&mut self, name: u32, shared: Shared) {
        let Some(common) = self.names.get_mut(name as usize) else { return };
        if common.query != self.query {
            *common = Common { query: self.query, ..Common::default() };
            self.touched.push(name);
        } else if common.turn == self.turn {
            return;
        }
        common.turn = self.turn;
        common.significant += shared.significant;
        common.mixed += shared.mixed;
        common.weight += shared.weight;
        common.similar += shared.weight * shared.similarity;
        common.of_query += shared.of_query;
        common.of_name += shared.of_name;
    }

    /// A token of the query that the list writes apart: names that have both halves of it.
    fn split(&mut self, view: &View<'_>, part: &Part<'_>) {
        if part.text.len() < 4 {
            return;
        }
        self.turn += 1;
        for at in 1..part.text.len() {
            let Some((left, right)) = part.text.split_at_checked(at) else { continue };
            for left in view.named(left) {
                let Some(first) = view.token(left) else { continue };
                for right in view.named(right) {
                    let Some(second) = view.token(right) else { continue };
                    let weight = first.weight() + second.weight();
                    let sought = |part: &Part<'_>| {
                        if is_sought(part.class) { part.weight() } else { 0.0 }
                    };
                    let shared = Shared {
                        weight: weight.min(part.weight()),
                        similarity: 1.0,
                        of_query: part.weight(),
                        of_name: sought(&first) + sought(&second),
                        significant: 2,
                        mixed: 0,
                    };
                    let of = |token| view.postings.between(view.posting_offsets, token as usize);
                    let (few, many) = (of(left), of(right));
                    let (few, many) =
                        if few.len() < many.len() { (few, many) } else { (many, few) };
                    for name in few.iter().filter(|name| many.contains(*name)) {
                        self.add(name, shared);
                    }
                }
            }
        }
    }

    /// Tokens of the query that the list writes together.
    fn join(&mut self, view: &View<'_>, parts: &[Part<'_>]) {
        for count in [2, 3] {
            for span in
                parts.windows(count).filter(|span| span.iter().any(|part| part.text.len() > 2))
            {
                let text = span.iter().flat_map(|part| part.text).copied().collect::<Vec<u8>>();
                let skeleton =
                    span.iter().flat_map(|part| part.skeleton).copied().collect::<Vec<u8>>();
                let digits = span.iter().any(|part| part.class == Class::Number);
                let part = Part {
                    text: &text,
                    skeleton: &skeleton,
                    class: if digits { Class::Number } else { Class::Word },
                    letters: letters(&text),
                    variant: 0,
                    ..*span.first().unwrap_or(&Part::EMPTY)
                };
                self.near(view, &part, |part, key| keys::joined(part, key));
                let weight = span.iter().map(Part::weight).sum();
                // One word of the list stands for more than one of the query.
                self.count(view, weight, 2);
            }
        }
    }
}

/// What one token adds to a name.
#[derive(Clone, Copy)]
struct Shared {
    weight: f32,
    similarity: f32,
    of_query: f32,
    of_name: f32,
    significant: u16,
    mixed: u16,
}

impl View<'_> {
    /// The tokens with exactly this text: one of each class and origin.
    fn named(&self, text: &[u8]) -> impl Iterator<Item = u32> {
        let same = move |token: &u32| self.token(*token).is_some_and(|token| token.text == text);
        self.with_key(keys::exact(text)).filter(same)
    }
}

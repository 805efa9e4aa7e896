//! From the tokens of a query to the names that are worth a comparison: all that can reach the
//! score that is asked for.
//!
//! Whether a name is worth one depends on the query and on that name alone: there is no best so
//! many, and no weight that other entries of the list could move. So a part of a list finds
//! exactly what the whole finds in it.

use super::{View, is_sought, weights};
use crate::score::{
    EVIDENT, INITIAL, JOINED, LONGEST_SPAN, ONE_TOKEN, Part, keys, least_gain, may_be_joined,
    similarity,
};

/// What a name of the list has in common with the query so far.
#[derive(Clone, Copy, Debug, Default)]
struct Common {
    /// Which query this is of; anything else means nothing yet.
    query: u32,
    /// Which token or span of the query was counted last.
    turn: u16,
    /// Whether tokens are written together on one side.
    joined: bool,
    /// What those turns before the last came to.
    before: Sum,
    last: Shared,
}

/// Added up over the turns.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    /// Of pairs above the score that is asked for, and of those below it.
    gain: f32,
    loss: f32,
    of_query: f32,
    of_name: f32,
    significant: u16,
    mixed: u16,
}

/// What a token or a span of the query has in common with a name: the most that any pair of
/// theirs may have.
#[derive(Clone, Copy, Debug, Default)]
struct Shared {
    /// The weight of the pair times what its similarity is above the score that is asked for.
    gain: f32,
    of_query: f32,
    of_name: f32,
    /// Tokens of a pair of significant ones.
    significant: u16,
    /// A pair of a significant token with one that is not.
    mixed: u16,
}

impl Shared {
    fn most(self, other: Shared) -> Shared {
        Shared {
            gain: self.gain.max(other.gain),
            of_query: self.of_query.max(other.of_query),
            of_name: self.of_name.max(other.of_name),
            significant: self.significant.max(other.significant),
            mixed: self.mixed.max(other.mixed),
        }
    }
}

impl Sum {
    fn and(self, shared: Shared) -> Sum {
        Sum {
            gain: self.gain + shared.gain.max(0.0),
            loss: self.loss + shared.gain.min(0.0),
            of_query: self.of_query + shared.of_query,
            of_name: self.of_name + shared.of_name,
            significant: self.significant + shared.significant,
            mixed: self.mixed + shared.mixed,
        }
    }
}

/// Room for retrieval, kept between queries so that none of it is cleared.
#[derive(Debug, Default)]
pub(crate) struct Accumulator {
    query: u32,
    turn: u16,
    names: Vec<Common>,
    touched: Vec<u32>,
    /// When each token of the list was last looked at.
    seen: Vec<u64>,
    looks: u64,
}

/// What is sought: the parts of a query, and the least score that counts.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'q> {
    pub parts: &'q [Part<'q>],
    pub least: f32,
}

/// What sums of a few dozen rounded numbers may be off by.
const ROUNDING: f32 = 1e-3;

impl Accumulator {
    /// The names to compare, into `names`: ascending, each once. Every name that shares a token
    /// of weight with the query and reaches the score is among them.
    pub(crate) fn retrieve(&mut self, view: &View<'_>, wanted: Wanted<'_>, names: &mut Vec<u32>) {
        self.begin(view);
        for part in wanted.parts {
            self.near(view, part, wanted.least);
            self.split(view, part, wanted.least);
        }
        self.join(view, wanted);
        names.clear();
        let query = weights(wanted.parts);
        for &name in &self.touched {
            let Some(common) = self.names.get(name as usize) else { continue };
            let Some(record) = view.name(name) else { continue };
            let (sum, listed) = (common.before.and(common.last), record.weights);
            let most = u16::from(query.significant.max(listed.significant));
            let initials = query.initials + listed.initials;
            let needed = most.saturating_sub(sum.mixed + u16::from(initials)).clamp(1, 2);
            if wanted.least > ONE_TOKEN && sum.significant < needed {
                continue;
            }
            // A token with no good pair costs more without one than with it, unless it is written
            // together with its neighbour.
            let pairs = sum.gain + if common.joined { 0.0 } else { sum.loss };
            let small = query.small.min(listed.small) * (1.0 - wanted.least);
            let initial = f32::from(initials) * (INITIAL - wanted.least).max(0.0);
            // An initial may stand for any token of the other name.
            let rest_query = query.sought - sum.of_query - f32::from(listed.initials);
            let rest_listed = listed.sought - sum.of_name - f32::from(query.initials);
            let needed = least_gain(rest_query, rest_listed, wanted.least);
            if pairs + small + initial >= needed - ROUNDING {
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

    /// The names with a token that is similar to one of the query. By little words alone no name
    /// is found, but one side's `Company` may be the other's `Compay`.
    fn near(&mut self, view: &View<'_>, part: &Part<'_>, least: f32) {
        self.turn += 1;
        self.looks += 1;
        let weight = if is_sought(part.class) { part.weight() } else { 0.0 };
        keys::all(part, |key| {
            for token in view.with_key(key) {
                let Some(last) = self.seen.get_mut(token as usize) else { continue };
                if std::mem::replace(last, self.looks) == self.looks {
                    continue;
                }
                let Some(listed) = view.token(token) else { continue };
                if !is_sought(part.class) && !is_sought(listed.class) {
                    continue;
                }
                let Some((similarity, _)) = similarity(part, &listed) else { continue };
                let (one, other) = (part.class.is_significant(), listed.class.is_significant());
                let shared = Shared {
                    gain: part.weight().min(listed.weight()) * (similarity - least),
                    of_query: weight,
                    of_name: if is_sought(listed.class) { listed.weight() } else { 0.0 },
                    significant: u16::from(one && other && similarity >= EVIDENT),
                    mixed: u16::from(one != other),
                };
                for name in view.with_token(token).iter() {
                    self.add(name, shared, false);
                }
            }
        });
    }

    fn add(&mut self, name: u32, shared: Shared, joined: bool) {
        let Some(common) = self.names.get_mut(name as usize) else { return };
        if common.query != self.query {
            *common = Common { query: self.query, ..Common::default() };
            self.touched.push(name);
        }
        if common.turn == self.turn {
            common.last = common.last.most(shared);
        } else {
            common.turn = self.turn;
            common.before = common.before.and(common.last);
            common.last = shared;
        }
        common.joined |= joined;
    }

    /// A token of the query that the list writes apart: names that have all parts of it.
    fn split(&mut self, view: &View<'_>, part: &Part<'_>, least: f32) {
        if may_be_joined(part.text) {
            self.turn += 1;
            let mut apart = Apart { part, least, weight: 0.0, of_name: 0.0, tokens: Vec::new() };
            self.split_rest(view, &mut apart, part.text);
        }
    }

    fn split_rest(&mut self, view: &View<'_>, apart: &mut Apart<'_>, rest: &[u8]) {
        if rest.is_empty() {
            return self.add_split(view, apart);
        }
        if apart.tokens.len() == LONGEST_SPAN {
            return;
        }
        let last = apart.tokens.len() + 1 == LONGEST_SPAN;
        let first = if last { rest.len() } else { 1 };
        for at in first..=rest.len() {
            let Some((text, behind)) = rest.split_at_checked(at) else { continue };
            if behind.is_empty() && apart.tokens.is_empty() {
                continue;
            }
            for token in view.named(text) {
                let Some(listed) = view.token(token) else { continue };
                if listed.origin != apart.part.origin {
                    continue;
                }
                let (weight, of_name) = (apart.weight, apart.of_name);
                apart.weight += listed.weight();
                apart.of_name += if is_sought(listed.class) { listed.weight() } else { 0.0 };
                apart.tokens.push(token);
                self.split_rest(view, apart, behind);
                apart.tokens.pop();
                (apart.weight, apart.of_name) = (weight, of_name);
            }
        }
    }

    fn add_split(&mut self, view: &View<'_>, apart: &Apart<'_>) {
        let rarest = apart.tokens.iter().min_by_key(|token| view.with_token(**token).len());
        let Some(&rarest) = rarest else { return };
        let weight = apart.part.weight();
        let shared = Shared {
            gain: apart.weight.min(weight) * (JOINED - apart.least),
            of_query: if is_sought(apart.part.class) { weight } else { 0.0 },
            of_name: apart.of_name,
            significant: 2,
            mixed: 0,
        };
        for name in view.with_token(rarest).iter() {
            if apart.tokens.iter().all(|token| view.with_token(*token).contains(name)) {
                self.add(name, shared, true);
            }
        }
    }

    /// Tokens of the query that the list writes together.
    fn join(&mut self, view: &View<'_>, wanted: Wanted<'_>) {
        let mut text = Vec::new();
        for count in 2..=LONGEST_SPAN {
            for span in wanted.parts.windows(count) {
                text.clear();
                text.extend(span.iter().flat_map(|part| part.text));
                let Some(first) = span.first().filter(|_| may_be_joined(&text)) else { continue };
                if span.iter().any(|part| part.origin != first.origin) {
                    continue;
                }
                self.turn += 1;
                let weight: f32 = span.iter().map(Part::weight).sum();
                for token in view.named(&text) {
                    let Some(listed) = view.token(token) else { continue };
                    if listed.origin != first.origin {
                        continue;
                    }
                    let shared = Shared {
                        gain: weight.min(listed.weight()) * (JOINED - wanted.least),
                        of_query: weight,
                        of_name: if is_sought(listed.class) { listed.weight() } else { 0.0 },
                        significant: 2,
                        mixed: 0,
                    };
                    for name in view.with_token(token).iter() {
                        self.add(name, shared, true);
                    }
                }
            }
        }
    }
}

/// A token of a query, and those of the list that its beginning is written as.
struct Apart<'q> {
    part: &'q Part<'q>,
    least: f32,
    weight: f32,
    of_name: f32,
    tokens: Vec<u32>,
}

impl<'a> View<'a> {
    /// The tokens with exactly this text: one of each class and origin.
    fn named<'t>(&self, text: &'t [u8]) -> impl Iterator<Item = u32> + use<'a, 't> {
        let view = *self;
        let same = move |token: &u32| view.token(*token).is_some_and(|token| token.text == text);
        self.with_key(keys::exact(text)).filter(same)
    }

    /// The names that have a token, ascending.
    fn with_token(&self, token: u32) -> super::Numbers<'a> {
        self.postings.between(self.posting_offsets, token as usize)
    }
}

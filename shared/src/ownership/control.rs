//! Determines who controls which companies.
//!
//! A party controls a company if control by other means is declared, or if the party has the
//! majority of the company's votes. The votes of companies that the party controls count as the
//! party's own votes.
#![expect(clippy::indexing_slicing, reason = "a group refers to its parties by valid indices")]

use super::group::Group;

/// A fraction of the votes above this value is a majority. The margin above one half absorbs the
/// rounding of doubles.
const HALF: f64 = 0.5 + 1e-9;

/// Votes and other means of control in a group.
pub(super) struct Control {
    /// By owner: the companies in which it has votes, each with the fraction of the votes.
    votes: Vec<Vec<(usize, f64)>>,
    /// By owner: the companies it controls by other means.
    other_means: Vec<Vec<usize>>,
}

/// The companies that a party controls. The first step is the party itself.
pub(super) struct Controlled(Vec<Step>);

/// A controlled company, or the party itself.
struct Step {
    place: usize,
    /// Index of the step that completes the control of this company, by its votes or by other
    /// means.
    through: usize,
}

impl Control {
    pub(super) fn of(group: &Group<'_>) -> Control {
        let mut votes: Vec<Vec<(usize, f64)>> = vec![Vec::new(); group.len()];
        let mut other_means: Vec<Vec<usize>> = vec![Vec::new(); group.len()];
        for held in &group.votes {
            votes[held.owner].push((held.owned, held.fraction));
        }
        for &(owner, owned) in &group.controls {
            other_means[owner].push(owned);
        }
        Control { votes, other_means }
    }

    /// Returns the companies that a party controls by votes or by other means.
    pub(super) fn controlled_by(&self, party: usize) -> Controlled {
        self.follow(party, true)
    }

    /// Returns the companies that a party controls by votes alone.
    pub(super) fn controlled_by_votes_of(&self, party: usize) -> Controlled {
        self.follow(party, false)
    }

    fn follow(&self, party: usize, by_other_means: bool) -> Controlled {
        let mut steps = vec![Step { place: party, through: 0 }];
        let mut is_controlled = vec![false; self.votes.len()];
        let mut votes = vec![0.0; self.votes.len()];
        let mut index = 0;
        while index < steps.len() {
            let place = steps[index].place;
            let mut gained =
                if by_other_means { self.other_means[place].clone() } else { Vec::new() };
            for &(company, fraction) in &self.votes[place] {
                votes[company] += fraction;
                if votes[company] > HALF {
                    gained.push(company);
                }
            }
            for company in gained {
                if company != party && !is_controlled[company] {
                    is_controlled[company] = true;
                    steps.push(Step { place: company, through: index });
                }
            }
            index += 1;
        }
        Controlled(steps)
    }

    /// Returns whether the party of `controlled`, or a company that this party controls, controls
    /// `company` by other means.
    pub(super) fn includes_other_means(&self, controlled: &Controlled, company: usize) -> bool {
        controlled.0.iter().any(|step| self.other_means[step.place].contains(&company))
    }
}

impl Controlled {
    /// Iterates over the controlled companies, the nearest to the party first.
    pub(super) fn companies(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().skip(1).map(|step| step.place)
    }

    pub(super) fn contains(&self, company: usize) -> bool {
        self.companies().any(|controlled| controlled == company)
    }

    /// Returns the chain of control from the party down to a company.
    ///
    /// # Panics
    /// If the company is not one of [`Controlled::companies`].
    #[expect(clippy::expect_used, reason = "callers take the company from `companies`")]
    pub(super) fn chain_to(&self, company: usize) -> Vec<usize> {
        let position = self.0.iter().position(|step| step.place == company);
        let mut index = position.expect("the company is controlled");
        let mut chain = vec![company];
        while index > 0 {
            index = self.0[index].through;
            chain.push(self.0[index].place);
        }
        chain.reverse();
        chain
    }
}

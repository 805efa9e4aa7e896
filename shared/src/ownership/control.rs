//! Who controls what: by other means, where that is declared, and by the majority of the votes,
//! one's own and those of the companies one controls.

use super::group::Group;

/// More than this is a majority.
const HALF: f64 = 0.5 + 1e-9;

/// What a party controls, itself first: each company with the place in this list of whom it is
/// controlled through.
pub(super) struct Controlled(Vec<(usize, usize)>);

pub(super) struct Control {
    /// By owner: the votes it has.
    votes: Vec<Vec<(usize, f64)>>,
    /// By owner: whom it controls by other means.
    means: Vec<Vec<usize>>,
}

impl Control {
    pub(super) fn of(group: &Group<'_>) -> Control {
        let mut votes: Vec<Vec<(usize, f64)>> = vec![Vec::new(); group.len()];
        let mut means: Vec<Vec<usize>> = vec![Vec::new(); group.len()];
        for held in &group.votes {
            if let Some(votes) = votes.get_mut(held.owner) {
                votes.push((held.owned, held.fraction));
            }
        }
        for &(owner, owned) in &group.controls {
            if let Some(means) = means.get_mut(owner) {
                means.push(owned);
            }
        }
        Control { votes, means }
    }

    /// What the party controls; without `other_means` by votes alone.
    pub(super) fn by(&self, party: usize, other_means: bool) -> Controlled {
        let mut controlled = vec![(party, 0)];
        let mut is_controlled = vec![false; self.votes.len()];
        let mut gathered = vec![0.0; self.votes.len()];
        let mut at = 0;
        while let Some(&(place, _)) = controlled.get(at) {
            let means = self.means.get(place).into_iter().flatten().filter(|_| other_means);
            let mut gained: Vec<usize> = means.copied().collect();
            for &(company, fraction) in self.votes.get(place).into_iter().flatten() {
                if let Some(votes) = gathered.get_mut(company) {
                    *votes += fraction;
                    if *votes > HALF {
                        gained.push(company);
                    }
                }
            }
            for company in gained {
                let seen = is_controlled.get_mut(company).filter(|seen| !**seen);
                if let Some(seen) = seen.filter(|_| company != party) {
                    *seen = true;
                    controlled.push((company, at));
                }
            }
            at += 1;
        }
        Controlled(controlled)
    }

    /// Whether the party, or a company it controls, controls this one by other means.
    pub(super) fn has_by_means(&self, controlled: &Controlled, company: usize) -> bool {
        let mut holders = controlled.0.iter().filter_map(|(place, _)| self.means.get(*place));
        holders.any(|means| means.contains(&company))
    }
}

impl Controlled {
    /// The companies, nearest first.
    pub(super) fn companies(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().skip(1).map(|(company, _)| *company)
    }

    pub(super) fn has(&self, company: usize) -> bool {
        self.companies().any(|controlled| controlled == company)
    }

    /// From the party down to the company.
    pub(super) fn chain_to(&self, company: usize) -> Vec<usize> {
        let mut chain = Vec::new();
        let mut at = self.0.iter().skip(1).position(|(controlled, _)| *controlled == company);
        at = at.map(|position| position + 1);
        while let Some(&(place, through)) = at.and_then(|at| self.0.get(at)) {
            chain.push(place);
            at = (at != Some(0)).then_some(through);
        }
        chain.reverse();
        chain
    }
}

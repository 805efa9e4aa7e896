//! Tests chains and views: properties on random groups, and single examples.

use proptest::prelude::*;

use super::chains::Chains;
use super::{Basis, Holding, View, WarningCode, effective};
use crate::model::organization::Structure;

/// Generates groups of 2 to 11 parties without rings. A party only holds parties with a lower
/// place.
fn layered() -> impl Strategy<Value = (usize, Vec<Holding>)> {
    (2..12usize).prop_flat_map(|parties| {
        let holding = (1..parties, 0..parties, 1..10u32);
        let holdings = prop::collection::vec(holding, 1..14).prop_map(move |list| {
            let mut holdings: Vec<Holding> = list
                .into_iter()
                .filter(|(owner, owned, _)| owned < owner)
                .map(|(owner, owned, percent)| Holding {
                    owner,
                    owned,
                    fraction: f64::from(percent) / 100.0,
                })
                .collect();
            holdings.sort_by_key(|holding| (holding.owner, holding.owned));
            holdings.dedup_by_key(|holding| (holding.owner, holding.owned));
            holdings
        });
        (Just(parties), holdings)
    })
}

/// Finds every chain from a party to place 0 by brute force, each with the fraction that it
/// carries.
fn all_chains(holdings: &[Holding], from: usize) -> Vec<(Vec<usize>, f64)> {
    if from == 0 {
        return vec![(vec![0], 1.0)];
    }
    let mut chains = Vec::new();
    for holding in holdings.iter().filter(|holding| holding.owner == from) {
        for (mut parties, carried) in all_chains(holdings, holding.owned) {
            parties.insert(0, from);
            chains.push((parties, carried * holding.fraction));
        }
    }
    chains
}

/// Builds a structure. A party whose id starts with `c` is a company.
fn structure(parties: &[&str], relationships: serde_json::Value) -> Structure {
    let party = |id: &&str| {
        let kind = if id.starts_with('c') { "company" } else { "individual" };
        serde_json::json!({ "party_id": id, "kind": kind, "name": "N", "country": "DE" })
    };
    let parties: Vec<serde_json::Value> = parties.iter().map(party).collect();
    let json = serde_json::json!({ "parties": parties, "relationships": relationships });
    serde_json::from_value(json).unwrap()
}

fn relationships_of(holdings: &[Holding]) -> serde_json::Value {
    let id = |place: usize| if place == 0 { "self".to_owned() } else { format!("p{place}") };
    let relationship = |holding: &Holding| {
        let percentage = (holding.fraction * 1e6).round() / 1e4;
        serde_json::json!({
            "owner": id(holding.owner),
            "owned": id(holding.owned),
            "percentage": percentage,
        })
    };
    holdings.iter().map(relationship).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_ten_best_chains_are_listed_best_first((parties, holdings) in layered()) {
        let chains = Chains::of(&holdings, parties);
        for party in 1..parties {
            let mut all = all_chains(&holdings, party);
            all.sort_by(|a, b| b.1.total_cmp(&a.1));
            let listed = chains.from(party);
            prop_assert_eq!(listed.len(), all.len().min(10));
            for ((parties, carried), (_, best)) in listed.iter().zip(&all) {
                prop_assert!((carried - best).abs() < 1e-6 * best, "{} is not {}", carried, best);
                let is_a_chain =
                    all.iter().any(|chain| chain.0 == *parties && (chain.1 - carried).abs() < 1e-12);
                prop_assert!(is_a_chain);
            }
            let shortest = all.iter().map(|(parties, _)| parties.len() as u32 - 1).min();
            prop_assert_eq!(chains.layers(party), shortest);
            // Without rings, the chains add up to the effective share.
            let companies = vec![true; parties];
            let share = effective(&companies, 0, &holdings).shares[party];
            let sum: f64 = all.iter().map(|(_, carried)| carried).sum();
            prop_assert!((share - sum).abs() < 1e-12);
        }
    }

    /// Checks on random groups with rings that the shares add up, and that every owner is listed
    /// exactly once.
    #[test]
    fn a_view_is_consistent(
        holdings in prop::collection::vec((0..8usize, 0..8usize, 1..200u32), 0..24),
        controls in prop::collection::vec((0..8usize, 0..8usize), 0..3),
        threshold in 1..100u32,
    ) {
        // Places 1 to 4 are companies, and places 5 to 7 are individuals.
        let id = |place: usize| match place {
            0 => "self".to_owned(),
            1..5 => format!("c{place}"),
            _ => format!("p{place}"),
        };
        let mut declared = [0; 8];
        let mut relationships = Vec::new();
        let mut pairs = Vec::new();
        for (owner, owned, tenths) in holdings {
            if owned < 5 && declared[owned] + tenths <= 1_000 && !pairs.contains(&(owner, owned)) {
                declared[owned] += tenths;
                pairs.push((owner, owned));
                relationships.push(serde_json::json!({
                    "owner": id(owner),
                    "owned": id(owned),
                    "percentage": f64::from(tenths) / 10.0,
                }));
            }
        }
        for (owner, owned) in controls {
            if owned < 5 && !pairs.contains(&(owner, owned)) {
                pairs.push((owner, owned));
                relationships.push(serde_json::json!({
                    "owner": id(owner),
                    "owned": id(owned),
                    "control": true,
                }));
            }
        }
        let names: Vec<String> = (1..8).map(id).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let structure = structure(&names, relationships.into());
        let threshold = f64::from(threshold);
        let view = View::of(&structure, true, threshold);
        for ubo in &view.ubos {
            let by_share = ubo.effective_percentage >= threshold - 1e-9;
            let by_votes = ubo.voting_percentage >= threshold - 1e-9;
            match ubo.basis {
                Basis::Ownership => prop_assert!(by_share),
                Basis::Voting => prop_assert!(by_votes && !by_share),
                Basis::Control => prop_assert!(!by_share && !by_votes),
                Basis::SeniorManager => prop_assert!(false, "no party is a senior manager"),
            }
            for path in &ubo.paths {
                prop_assert_eq!(&path.parties[0], ubo.party_id.as_str());
                prop_assert_eq!(path.parties.last().unwrap(), "self");
                for link in path.parties.windows(2) {
                    let is_declared = structure.relationships.iter().any(|relationship| {
                        relationship.owner.as_str() == link[0]
                            && relationship.owned.as_str() == link[1]
                    });
                    prop_assert!(is_declared, "{:?}", link);
                }
            }
            prop_assert!(!ubo.paths.is_empty());
        }
        // Every individual whose share reaches the threshold is listed once.
        let mut sum = view.undisclosed_percentage;
        for (party, share) in structure.parties.iter().zip(&view.effective_percentages) {
            let entries = view.ubos.iter().filter(|ubo| ubo.party_id == party.party_id).count();
            let is_individual = party.party_id.as_str().starts_with('p');
            prop_assert!(entries <= 1);
            prop_assert!(entries == 1 || !is_individual || *share < threshold);
            if is_individual {
                sum += share;
            }
        }
        let is_closed =
            view.warnings.iter().any(|warning| warning.code == WarningCode::ClosedRing);
        prop_assert!(is_closed || (sum - 100.0).abs() < 1e-6, "{sum}");
    }

    #[test]
    fn the_result_does_not_depend_on_the_order_of_the_structure((parties, holdings) in layered()) {
        let names: Vec<String> = (1..parties).map(|place| format!("p{place}")).collect();
        let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
        let forwards = View::of(&structure(&names, relationships_of(&holdings)), true, 1.0);
        names.reverse();
        let reversed: Vec<Holding> = holdings.iter().rev().copied().collect();
        let backwards = View::of(&structure(&names, relationships_of(&reversed)), true, 1.0);
        prop_assert_eq!(forwards.undisclosed_percentage, backwards.undisclosed_percentage);
        let by_id = |view: &View| {
            let mut ubos: Vec<(String, u64)> = view
                .ubos
                .iter()
                .map(|ubo| {
                    let share = (ubo.effective_percentage * 1e8).round() as u64;
                    (ubo.party_id.as_str().to_owned(), share)
                })
                .collect();
            ubos.sort();
            ubos
        };
        prop_assert_eq!(by_id(&forwards), by_id(&backwards));
    }
}

/// Checks that a party with 30 % of the votes has the majority if it controls a company with
/// another 25 %.
#[test]
fn votes_of_controlled_companies_add_up_to_a_majority() {
    let relationships = serde_json::json!([
        { "owner": "p1", "owned": "c1", "percentage": 60 },
        { "owner": "p1", "owned": "c2", "percentage": 30 },
        { "owner": "c1", "owned": "c2", "percentage": 25 },
        { "owner": "c2", "owned": "self", "percentage": 26 },
    ]);
    let view = View::of(&structure(&["p1", "c1", "c2"], relationships), true, 25.0);
    assert_eq!(view.ubos, []);
    let majority = view.warnings.iter().find(|w| w.code == WarningCode::MajorityOfVotes).unwrap();
    assert_eq!(majority.parties, ["p1"]);
}

/// Checks that declared control makes an individual a beneficial owner, with or without the
/// majority of the votes.
#[test]
fn declared_control_counts_in_addition_to_a_majority() {
    for share in [10, 51] {
        let relationships = serde_json::json!([
            { "owner": "p1", "owned": "c1", "percentage": share, "control": true },
            { "owner": "c1", "owned": "self", "percentage": 40, "voting_percentage": 0 },
        ]);
        let view = View::of(&structure(&["p1", "c1"], relationships), true, 25.0);
        let [owner] = view.ubos.as_slice() else { panic!("{share}: {:?}", view.ubos) };
        assert_eq!((owner.basis, owner.layers), (Basis::Control, Some(2)));
        assert_eq!(owner.paths[0].parties, ["p1", "c1", "self"]);
    }
    let chain = serde_json::json!([
        { "owner": "p1", "owned": "c1", "percentage": 51 },
        { "owner": "c1", "owned": "self", "percentage": 45 },
        { "owner": "c2", "owned": "self", "percentage": 10 },
        { "owner": "p1", "owned": "c2", "percentage": 51 },
        { "owner": "p1", "owned": "self", "control": true },
    ]);
    let view = View::of(&structure(&["p1", "c1", "c2"], chain), true, 50.0);
    assert_eq!(view.ubos[0].basis, Basis::Control);
}

/// Checks that a circle among companies that the customer owns does not count as a circle in the
/// customer's own ownership.
#[test]
fn only_circles_that_lead_to_the_customer_are_circular() {
    let relationships = serde_json::json!([
        { "owner": "self", "owned": "c1", "percentage": 50 },
        { "owner": "c1", "owned": "c2", "percentage": 50 },
        { "owner": "c2", "owned": "c1", "percentage": 50 },
        { "owner": "p1", "owned": "self", "percentage": 100 },
    ]);
    let view = View::of(&structure(&["p1", "c1", "c2"], relationships), true, 25.0);
    assert!(view.circular.is_empty());
    assert!(view.warnings.iter().any(|w| w.code == WarningCode::CircularOwnership));
}

/// Checks a structure of a hundred layers with two companies each, which has too many chains to
/// enumerate.
#[test]
fn the_search_for_chains_is_bounded() {
    let mut holdings = Vec::new();
    for layer in 0..100 {
        for (from, to) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
            let owned = if layer == 0 { 0 } else { 2 * layer - 2 + to };
            if layer > 0 || to == 1 {
                holdings.push(Holding { owner: 2 * layer + from, owned, fraction: 0.5 });
            }
        }
    }
    let chains = Chains::of(&holdings, 201);
    assert_eq!((chains.from(200).len(), chains.layers(200)), (10, Some(100)));
}

//! Declared ownership structure of a customer: the parties and the relationships between them.

use super::value::one_of;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use strum::{AsRefStr, EnumString, VariantNames};
use time::Date;

use super::customer::Customer;
use super::fields::Fields;
use super::id::CustomerId;
use super::percentage::Percentage;
use super::profile::EntityType;
use super::time::Timestamp;
use super::value::{CalendarDate, Country, Name, PartyId, TaxId};
use crate::error::Faults;

/// Maximum number of parties of a structure.
pub const MAX_PARTIES: usize = 500;
/// Maximum number of relationships of a structure.
pub const MAX_RELATIONSHIPS: usize = 2_000;

/// Tolerance for rounding, in units of 0.0001 %. The percentages declared in one company may add up
/// to 100.01 %.
pub const ROUNDING_UNITS: u32 = 100;

/// Kind of a party: individual or company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PartyKind {
    /// A natural person.
    Individual,
    /// A legal entity.
    Company,
}

/// Function of a party in the customer's organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Role {
    /// Member of the board or the management body.
    Director,
    /// Legal representative.
    Representative,
    /// Senior manager. Senior managers are the beneficial owners if there are no others.
    SeniorManager,
    /// Authorised signatory.
    Signatory,
}

/// Source of the data about a party: a declaration, a company register, a document or a KYC
/// session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Source {
    /// Declared by the customer.
    Declared,
    /// Taken from a company register.
    Registry,
    /// Taken from a document.
    Document,
    /// Collected in a KYC session.
    Session,
}

/// An individual or a company in the structure of a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Party {
    /// Id of the party, chosen by the caller and unique within the structure. `self` is reserved
    /// for the customer.
    pub party_id: PartyId,
    /// Whether the party is an individual or a company.
    pub kind: PartyKind,
    /// Name of the party.
    pub name: Name,
    /// Country of residence or incorporation: ISO 3166-1 alpha-2, or `XK` for Kosovo.
    pub country: Option<Country>,
    /// Date of birth, in the past. Allowed only for an individual.
    pub date_of_birth: Option<CalendarDate>,
    /// Date of incorporation, not in the future. Allowed only for a company.
    pub incorporated_on: Option<CalendarDate>,
    /// Tax or registration number.
    pub tax_id: Option<TaxId>,
    /// Roles of the party in the customer, without duplicates.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Id of the customer, if the party is also a customer.
    pub customer_id: Option<CustomerId>,
    /// Source of the data about the party.
    pub source: Option<Source>,
}

/// A holding of one party in another, or the control of one party over another. At least one of
/// `percentage`, `voting_percentage` and `control` must be given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Relationship {
    /// The owner: a `party_id`, or `self` for the customer.
    pub owner: PartyId,
    /// The owned company: the `party_id` of a company, or `self` for the customer.
    pub owned: PartyId,
    /// Share of the capital, in percent, from 0 to 100.
    pub percentage: Option<Percentage>,
    /// Share of the votes, in percent, from 0 to 100. The default is `percentage`.
    pub voting_percentage: Option<Percentage>,
    /// Whether the owner has control by other means than shares and votes.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(default = false))]
    pub control: bool,
    /// Date on which the relationship began, not in the future.
    pub since: Option<CalendarDate>,
}

/// Body of `PUT /customers/{id}/organization`: the declared structure of a customer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Structure {
    /// Individuals and companies, at most 500.
    #[cfg_attr(feature = "openapi", schema(max_items = 500))]
    pub parties: Vec<Party>,
    /// Holdings and control between the parties and the customer, at most 2,000.
    #[cfg_attr(feature = "openapi", schema(max_items = 2000))]
    pub relationships: Vec<Relationship>,
}

/// A declared structure with its version and the time of its latest change.
#[derive(Clone, Debug, PartialEq)]
pub struct Organization {
    /// Version: 1 at first, and one more with every change. The `ETag` is the version in quotes.
    pub version: u64,
    /// Time of the latest change.
    pub updated_at: Timestamp,
    /// The declared structure.
    pub structure: Structure,
}

impl Structure {
    /// Reads the fields and records every fault. If a fault was recorded, the result is incomplete.
    pub fn read(fields: &mut Fields<'_>, today: Option<Date>) -> Structure {
        // Position and kind of each party, by id. A party with other faults is included, so that
        // relationships with it are not reported as additional faults.
        let mut registered: HashMap<PartyId, (usize, Option<PartyKind>)> = HashMap::new();
        for list in ["parties", "relationships"] {
            if !fields.gives(list) {
                fields.fault(list, "is required");
            }
        }
        let parties = fields.objects("parties", MAX_PARTIES, |at, fields| {
            Party::read(fields, today, |id, kind| match registered.get(id) {
                Some((first, _)) => Err(format!("must be unique, but is that of /parties/{first}")),
                None => {
                    registered.insert(id.clone(), (at, kind));
                    Ok(())
                }
            })
        });
        let kind_of = |id: &PartyId| {
            if id.is_customer() {
                Some(Some(PartyKind::Company))
            } else {
                registered.get(id).map(|(_, kind)| *kind)
            }
        };
        let mut declared = Declared::default();
        let relationships = fields.objects("relationships", MAX_RELATIONSHIPS, |at, fields| {
            Relationship::read(at, fields, today, kind_of, &mut declared)
        });
        Structure { parties, relationships }
    }

    /// Checks the rule that depends on the customer: if the customer is an individual, no party can
    /// own it. Records a fault for each relationship that breaks the rule.
    pub fn check(&self, customer: &Customer, faults: &mut Faults) {
        if customer.profile.entity_type == EntityType::Company {
            return;
        }
        for (i, relationship) in self.relationships.iter().enumerate() {
            if relationship.owned.is_customer() {
                let issue = "must not be self, because the customer is an individual";
                faults.add(format!("/relationships/{i}/owned"), issue);
            }
        }
    }
}

impl Party {
    fn read(
        fields: &mut Fields<'_>,
        today: Option<Date>,
        mut register: impl FnMut(&PartyId, Option<PartyKind>) -> Result<(), String>,
    ) -> Option<Party> {
        let party_id = fields.required("party_id", PartyId::parse);
        let kind = fields.required("kind", one_of::<PartyKind>);
        if let Some(id) = &party_id {
            let result = if id.is_customer() {
                Err("must not be self, which is reserved for the customer".to_owned())
            } else {
                register(id, kind)
            };
            if let Err(issue) = result {
                fields.fault("party_id", issue);
            }
        }
        let name = fields.required("name", Name::parse);
        let country = fields.text("country", Country::parse);
        let date_of_birth = fields.text("date_of_birth", CalendarDate::parse);
        let incorporated_on = fields.text("incorporated_on", CalendarDate::parse);
        if date_of_birth.is_some() && kind == Some(PartyKind::Company) {
            fields.fault("date_of_birth", "must not be given for a company");
        } else if is_past(&date_of_birth, today) == Some(false) {
            fields.fault("date_of_birth", "must be in the past");
        }
        if incorporated_on.is_some() && kind == Some(PartyKind::Individual) {
            fields.fault("incorporated_on", "must not be given for an individual");
        } else if is_future(&incorporated_on, today) {
            fields.fault("incorporated_on", "must not be in the future");
        }
        let tax_id = fields.text("tax_id", TaxId::parse);
        let roles = fields.texts("roles", Role::VARIANTS.len(), one_of::<Role>);
        if roles.iter().enumerate().any(|(i, role)| roles.iter().take(i).any(|r| r == role)) {
            fields.fault("roles", "must not contain duplicates");
        }
        let customer_id = fields.text("customer_id", |text| {
            CustomerId::parse(text)
                .ok_or_else(|| "must be a customer id as returned by the API".to_owned())
        });
        let source = fields.text("source", one_of::<Source>);
        Some(Party {
            party_id: party_id?,
            kind: kind?,
            name: name?,
            country,
            date_of_birth,
            incorporated_on,
            tax_id,
            roles,
            customer_id,
            source,
        })
    }
}

/// The pairs and sums of the relationships that were read so far. They reveal a repeated pair and a
/// company in which more than 100 % is declared.
#[derive(Default)]
struct Declared {
    /// Position of each pair of owner and owned.
    pairs: HashMap<(PartyId, PartyId), usize>,
    /// Sum of the shares declared in each company, in units of 0.0001 %.
    percentage: HashMap<PartyId, u32>,
    /// Sum of the votes declared in each company, in units of 0.0001 %.
    votes: HashMap<PartyId, u32>,
}

impl Relationship {
    fn read(
        at: usize,
        fields: &mut Fields<'_>,
        today: Option<Date>,
        kind_of: impl Fn(&PartyId) -> Option<Option<PartyKind>>,
        declared: &mut Declared,
    ) -> Option<Relationship> {
        let owner = fields.required("owner", PartyId::parse);
        let owned = fields.required("owned", PartyId::parse);
        for (field, id) in [("owner", &owner), ("owned", &owned)] {
            match id.as_ref().map(&kind_of) {
                Some(None) => fields.fault(field, "must be self or a party_id of this structure"),
                Some(Some(Some(PartyKind::Individual))) if field == "owned" => {
                    fields.fault(field, "must be a company, because an individual cannot be owned");
                }
                _ => {}
            }
        }
        let has_no_share = !fields.gives("percentage") && !fields.gives("voting_percentage");
        let percentage = fields.number("percentage", Percentage::parse);
        let voting_percentage = fields.number("voting_percentage", Percentage::parse);
        let control = fields.flag("control");
        let since = fields.text("since", CalendarDate::parse);
        if is_future(&since, today) {
            fields.fault("since", "must not be in the future");
        }
        if has_no_share && !control {
            let issue = "is required, unless voting_percentage is given or control is true";
            fields.fault("percentage", issue);
        }
        let (owner, owned) = (owner?, owned?);
        let pair = (owner.clone(), owned.clone());
        if let Some(first) = declared.pairs.get(&pair) {
            let issue = format!("must not repeat the pair of /relationships/{first}");
            fields.fault("owner", issue);
        } else {
            declared.pairs.insert(pair, at);
            let votes = voting_percentage.or(percentage);
            let held = [
                ("percentage", percentage, &mut declared.percentage),
                ("voting_percentage", votes, &mut declared.votes),
            ];
            for (field, held, sums) in held {
                let sum = sums.entry(owned.clone()).or_default();
                let before = *sum;
                *sum += held.map_or(0, Percentage::units);
                // A fault is recorded for the relationship that exceeds the limit, and for each
                // later relationship that adds to the sum.
                let limit = 1_000_000 + ROUNDING_UNITS;
                if *sum > limit && *sum > before {
                    let total = f64::from(*sum) / 10_000.0;
                    let issue = format!(
                        "must not bring the total in this company above 100 %; it is {total} %"
                    );
                    fields.fault(field, issue);
                }
            }
        }
        Some(Relationship { owner, owned, percentage, voting_percentage, control, since })
    }

    /// Returns the share of the votes: `voting_percentage`, or `percentage` if the former is not
    /// given.
    pub fn votes(&self) -> Option<Percentage> {
        self.voting_percentage.or(self.percentage)
    }
}

/// Returns whether a date is in the past, or `None` if the date or today is unknown.
fn is_past(date: &Option<CalendarDate>, today: Option<Date>) -> Option<bool> {
    let day = date.as_ref().and_then(CalendarDate::date);
    day.zip(today).map(|(day, today)| day < today)
}

/// Returns whether a date is in the future. If the date or today is unknown, returns `false`.
fn is_future(date: &Option<CalendarDate>, today: Option<Date>) -> bool {
    let day = date.as_ref().and_then(CalendarDate::date);
    day.zip(today).is_some_and(|(day, today)| day > today)
}

//! Implements the command `screen`, which screens one name and explains each match.

use clap::Args;
use local::Failure;
use serde_json::json;
use shared::model::value::one_of;
use shared::screening::entity::{EntityKind, Gender, Identifier, ListedDate};
use shared::screening::index::Index;
use shared::screening::lists::{IDENTIFIER_KINDS, countries, dates};
use shared::screening::normalise::prepare;
use shared::screening::score::{Comparison, Limit, NameMatch, Outcome, Reason, Strength};
use shared::screening::{Match, Query, Screener};

use super::indexes::Against;
use super::output::{count, print_json};
use crate::output::out;

#[derive(Args)]
pub(crate) struct Screen {
    /// Name to screen, in any script
    #[arg(value_name = "NAME", allow_hyphen_values = true)]
    name: String,
    /// Country of the person or entity, as ISO 3166-1 code or English name; can occur more than once
    #[arg(long = "country", value_name = "XX", value_parser = country)]
    countries: Vec<String>,
    /// Date of birth, founding or building: YYYY, YYYY-MM or YYYY-MM-DD
    #[arg(long, value_name = "YYYY", value_parser = date)]
    born: Option<ListedDate>,
    /// Kind: person, organization, vessel or aircraft
    #[arg(long, value_parser = one_of::<EntityKind>)]
    kind: Option<EntityKind>,
    /// Gender: male or female
    #[arg(long, value_parser = one_of::<Gender>)]
    gender: Option<Gender>,
    /// Number of a document or register, such as passport:AB123456, or passport/RU:AB123456 with its
    /// issuing country; can occur more than once
    #[arg(long = "identifier", value_name = "KIND:NUMBER", value_parser = identifier)]
    identifiers: Vec<Identifier>,
    #[command(flatten)]
    against: Against,
    /// Print the whole result as JSON
    #[arg(long)]
    json: bool,
}

fn country(text: &str) -> Result<String, String> {
    let code = countries::code(text);
    code.map(str::to_owned)
        .ok_or_else(|| "must be an ISO 3166-1 code or the English name of a country".to_owned())
}

fn date(text: &str) -> Result<ListedDate, String> {
    dates::parse(text).ok_or_else(|| "must be YYYY, YYYY-MM or YYYY-MM-DD".to_owned())
}

/// Parses `KIND:NUMBER` or `KIND/COUNTRY:NUMBER`.
fn identifier(text: &str) -> Result<Identifier, String> {
    let form = "must be KIND:NUMBER, or KIND/COUNTRY:NUMBER with the issuing country";
    let (kind, value) = text.split_once(':').ok_or(form)?;
    let (kind, issuer) = match kind.split_once('/') {
        Some((kind, issuer)) => (kind, Some(country(issuer)?)),
        None => (kind, None),
    };
    if !IDENTIFIER_KINDS.contains(&kind) {
        return Err(format!("must start with one of {}", IDENTIFIER_KINDS.join(", ")));
    }
    match value.trim() {
        "" => Err(form.to_owned()),
        value => Ok(Identifier { kind: kind.to_owned(), value: value.to_owned(), country: issuer }),
    }
}

pub(crate) fn run(options: &Screen) -> Result<(), Failure> {
    // A name may start with a hyphen, so clap takes a misspelled option as the name. Two hyphens
    // are not the start of a name.
    if options.name.starts_with("--") {
        return Err(format!("{} is not an option: see screen --help", options.name));
    }
    if prepare(&options.name).tokens.is_empty() {
        return Err("NAME must have letters or digits".to_owned());
    }
    let indexes = options.against.indexes()?;
    let countries: Vec<&str> = options.countries.iter().map(String::as_str).collect();
    let query = Query {
        kind: options.kind,
        date: options.born,
        countries: &countries,
        identifiers: &options.identifiers,
        gender: options.gender,
        ..Query::of_name(&options.name)
    };
    let matches = Screener::new(&indexes).screen(&query, options.against.threshold);
    if options.json {
        return print_json(&json!({
            "name": options.name,
            "threshold": options.against.threshold,
            "lists": indexes.iter().map(list_json).collect::<Vec<_>>(),
            "matches": matches,
        }));
    }
    if options.against.lists.is_empty() {
        out!("No --list was given. This is a sample of invented people and companies.");
    }
    for meta in indexes.iter().map(Index::meta) {
        let date = meta.date.as_deref().map(|date| format!(" of {date}")).unwrap_or_default();
        let entries = count(u64::from(meta.entities));
        out!("{}{date}, version {}: {entries} entries", meta.list, meta.version);
    }
    let threshold = options.against.threshold;
    match matches.len() {
        0 => out!("\nNo match with a score of {threshold} or more."),
        1 => out!("\nOne match with a score of {threshold} or more:"),
        n => out!("\n{n} matches with a score of {threshold} or more:"),
    }
    matches.iter().for_each(print_match);
    Ok(())
}

fn list_json(index: &Index) -> serde_json::Value {
    let meta = index.meta();
    json!({
        "list": meta.list,
        "version": meta.version,
        "date": meta.date,
        "entities": meta.entities,
    })
}

fn print_match(result: &Match) {
    out!("\n{:.2}  {}", result.score, result.name);
    let explanation = &result.explanation;
    let strength = match explanation.strength {
        Strength::Identifier => "an identifier",
        Strength::NameAndDate => "name and date",
        Strength::NameAndCountry => "name and country",
        Strength::NameOnly => "the name alone",
    };
    out!(
        "      {} {}, {}; {} name; based on {strength}",
        result.list,
        result.id,
        result.kind.into_str(),
        result.name_kind.into_str().replace('_', " "),
    );
    print_names(explanation.name_score, &explanation.name);
    if let Some(limit) = explanation.limit {
        let why = match limit {
            Limit::NoWord => "no word of weight in common: at most 0.5",
            Limit::OneWord => "one word of weight in common: at most 0.65",
            Limit::MixedReadings => "few characters, or read in different languages: times 0.85",
            Limit::FatherAndSon => "the names of father and son are swapped: times 0.7",
            Limit::WeakAlias => "a weak alias: at most 0.8",
        };
        print_field("limit", why);
    }
    for comparison in &explanation.context {
        print_comparison(comparison);
    }
    let entity = &result.entity;
    let names = entity.names.iter().map(|name| name.text.as_str());
    let other_names: Vec<&str> = names.filter(|text| *text != result.name).collect();
    print_field("also named", &other_names.join("; "));
    print_field("programs", &entity.programs.join("; "));
    print_field("remarks", entity.remarks.as_deref().unwrap_or_default());
}

fn print_names(score: f32, name: &NameMatch) {
    print_field("name", &format!("{score:.2}"));
    for aligned in &name.aligned {
        let reason = match aligned.reason {
            Reason::Equal => "equal",
            Reason::Spelling => "similar spelling",
            Reason::Sound => "the same sound",
            Reason::Initial => "an initial",
            Reason::Variant => "another form of the name",
            Reason::Joined => "written together",
            Reason::Script => "the same in another script",
        };
        let pair = format!("{} = {}", aligned.query, aligned.listed);
        out!(
            "        {pair:<36} {reason}, {:.2}, weight {:.2}",
            aligned.similarity,
            aligned.weight
        );
    }
    for (words, side) in
        [(&name.only_query, "only in the query"), (&name.only_listed, "only listed")]
    {
        for word in words {
            out!("        {:<36} {side}, weight {:.2}", word.token, word.weight);
        }
    }
}

fn print_comparison(comparison: &Comparison) {
    let (query, listed) = (comparison.query.join(", "), comparison.listed.join(", "));
    let outcome = match comparison.outcome {
        Outcome::Equal => "agrees",
        Outcome::Near => "nearly agrees",
        Outcome::Different => "contradicts",
        Outcome::NotCompared => "not compared",
    };
    let values = match (query.as_str(), listed.as_str()) {
        ("", "") => return,
        ("", listed) => format!("not in the query, listed {listed}"),
        (query, "") => format!("query {query}, not listed"),
        (query, listed) => format!("query {query}, listed {listed}"),
    };
    print_field(comparison.field.into(), &format!("{outcome}: {values}"));
}

/// Prints a labelled line, unless the text is empty.
fn print_field(label: &str, text: &str) {
    if !text.is_empty() {
        out!("      {label:<11} {text}");
    }
}

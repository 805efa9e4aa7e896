//! `screen`: one name, and whom the lists may mean by it.

use clap::Args;
use local::Failure;
use serde_json::json;
use shared::model::value::one_of;
use shared::screening::entity::{EntityKind, ListedDate};
use shared::screening::index::Index;
use shared::screening::lists::{countries, dates};
use shared::screening::normalise::prepare;
use shared::screening::score::{Comparison, Limit, NameMatch, Outcome, Reason, Strength};
use shared::screening::{Match, Query, Screener};

use super::{Against, counted, json};

#[derive(Args)]
pub(crate) struct Name {
    /// Who is asked for, in any script
    #[arg(value_name = "NAME")]
    name: String,
    /// A country of theirs, as ISO 3166-1 code or in English; may be given more than once
    #[arg(long = "country", value_name = "XX", value_parser = country)]
    countries: Vec<String>,
    /// Born, founded or built: YYYY, YYYY-MM or YYYY-MM-DD
    #[arg(long, value_name = "YYYY", value_parser = date)]
    born: Option<ListedDate>,
    /// person, organization, vessel or aircraft
    #[arg(long, value_parser = one_of::<EntityKind>)]
    kind: Option<EntityKind>,
    #[command(flatten)]
    against: Against,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

fn country(text: &str) -> Result<String, String> {
    let code = countries::code(text);
    code.map(str::to_owned).ok_or_else(|| "is no country or ISO 3166-1 code".to_owned())
}

fn date(text: &str) -> Result<ListedDate, String> {
    dates::parse(text).ok_or_else(|| "must be YYYY, YYYY-MM or YYYY-MM-DD".to_owned())
}

pub(crate) fn screen(asked: &Name) -> Result<(), Failure> {
    if prepare(&asked.name).tokens.is_empty() {
        return Err("the name has no letters or digits that could be compared".to_owned());
    }
    let lists = asked.against.indexes()?;
    let countries: Vec<&str> = asked.countries.iter().map(String::as_str).collect();
    let query = Query {
        kind: asked.kind,
        date: asked.born,
        countries: &countries,
        ..Query::of_name(&asked.name)
    };
    let matches = Screener::new(&lists).screen(&query, asked.against.threshold);
    if asked.json {
        let list = |index: &Index| {
            let meta = index.meta();
            json!({
                "list": meta.list,
                "version": meta.version,
                "date": meta.date,
                "entities": meta.entities,
            })
        };
        let lists: Vec<_> = lists.iter().map(list).collect();
        return json(&json!({
            "name": asked.name,
            "threshold": asked.against.threshold,
            "lists": lists,
            "matches": matches,
        }));
    }
    if asked.against.lists.is_empty() {
        println!("No --list was given: this is a sample of people and firms that don't exist.");
    }
    for meta in lists.iter().map(Index::meta) {
        let date = meta.date.as_deref().map(|date| format!(" of {date}")).unwrap_or_default();
        println!(
            "{}{date}, version {}: {} entries",
            meta.list,
            meta.version,
            counted(u64::from(meta.entities))
        );
    }
    match matches.len() {
        0 => println!("\nNobody with a score of {} or more.", asked.against.threshold),
        1 => println!("\nOne match with a score of {} or more:", asked.against.threshold),
        n => println!("\n{n} matches with a score of {} or more:", asked.against.threshold),
    }
    matches.iter().for_each(print_match);
    Ok(())
}

fn print_match(found: &Match) {
    println!("\n{:.2}  {}", found.score, found.name);
    let (told, kind) = (&found.explanation, found.name_kind.into_str().replace('_', " "));
    println!(
        "      {} {}, {}; {kind} name; rests on {}",
        found.list,
        found.id,
        found.kind.into_str(),
        match told.strength {
            Strength::Identifier => "an identifier",
            Strength::NameAndDate => "name and date",
            Strength::NameAndCountry => "name and country",
            Strength::NameOnly => "the name alone",
        }
    );
    print_names(told.name_score, &told.name);
    if let Some(limit) = told.limit {
        let why = match limit {
            Limit::NoWord => "no word of weight in common: 0.5 at most",
            Limit::OneWord => "one word of weight in common: 0.65 at most",
            Limit::FatherAndSon => "father and son have changed places: 0.7 of it",
            Limit::WeakAlias => "a weak alias: 0.8 at most",
        };
        line("limit", why);
    }
    for comparison in &told.context {
        print_comparison(comparison);
    }
    let entity = &found.entity;
    let names = entity.names.iter().map(|name| name.text.as_str());
    let others: Vec<&str> = names.filter(|text| *text != found.name).collect();
    line("also named", &others.join("; "));
    line("programs", &entity.programs.join("; "));
    line("remarks", entity.remarks.as_deref().unwrap_or_default());
}

fn print_names(score: f32, name: &NameMatch) {
    line("name", &format!("{score:.2}"));
    for aligned in &name.aligned {
        let why = match aligned.reason {
            Reason::Equal => "the same",
            Reason::Spelling => "a slip apart",
            Reason::Sound => "the same sound",
            Reason::Initial => "the initial",
            Reason::Variant => "another form of the name",
            Reason::Joined => "written together",
            Reason::Script => "the same in another script",
        };
        let pair = format!("{} = {}", aligned.query, aligned.listed);
        println!(
            "        {pair:<36} {why}, {:.2}, counts {:.2}",
            aligned.similarity, aligned.weight
        );
    }
    for (rest, whose) in [(&name.only_query, "only asked for"), (&name.only_listed, "only listed")]
    {
        for leftover in rest {
            println!("        {:<36} {whose}, counts {:.2}", leftover.token, leftover.weight);
        }
    }
}

fn print_comparison(comparison: &Comparison) {
    let (asked, listed) = (comparison.query.join(", "), comparison.listed.join(", "));
    let outcome = match comparison.outcome {
        Outcome::Equal => "agrees",
        Outcome::Near => "nearly agrees",
        Outcome::Different => "contradicts",
        Outcome::NotCompared => "not compared",
    };
    let values = match (asked.as_str(), listed.as_str()) {
        ("", "") => return,
        ("", listed) => format!("not asked for, listed {listed}"),
        (asked, "") => format!("asked for {asked}, not listed"),
        (asked, listed) => format!("asked for {asked}, listed {listed}"),
    };
    line(comparison.field.into(), &format!("{outcome}: {values}"));
}

fn line(label: &str, text: &str) {
    if !text.is_empty() {
        println!("      {label:<11} {text}");
    }
}

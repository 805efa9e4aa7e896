//! OFAC's remarks: pieces of `label value` with `; ` between.
//!
//! What is read here stays in [`Entity::remarks`] as well, word for word: a label that is not
//! known is still there for a person to read.

use super::entry::{country, name, person_name, push};
use super::report::Tally;
use super::text::value;
use super::{countries, dates, identifiers};
use crate::entity::{CountryKind, Entity, EntityKind, Gender, Identifier, NameKind};
use std::str::FromStr;

pub(super) fn read(remarks: &str, entity: &mut Entity, tally: &mut Tally<'_>) {
    for piece in remarks.split(';') {
        let piece = piece.trim().trim_end_matches('.');
        let piece = piece.strip_prefix("alt. ").unwrap_or(piece);
        read_piece(piece, entity, tally);
    }
}

fn read_piece(piece: &str, entity: &mut Entity, tally: &mut Tally<'_>) {
    for label in [
        "DOB ",
        "Organization Established Date ",
        "Aircraft Manufacture Date ",
        "Vessel Year of Build ",
    ] {
        if let Some(text) = piece.strip_prefix(label) {
            return match dates::parse(text) {
                Some(date) => entity.dates.push(date),
                None => tally.unread("date", text),
            };
        }
    }
    for (label, kind) in [
        ("nationality ", CountryKind::Nationality),
        ("citizen ", CountryKind::Nationality),
        ("Nationality of Registration ", CountryKind::Registration),
        ("Vessel Flag ", CountryKind::Registration),
        ("Former Vessel Flag ", CountryKind::Other),
    ] {
        if let Some(text) = piece.strip_prefix(label) {
            return country(text, kind, entity, tally);
        }
    }
    if let Some(place) = piece.strip_prefix("POB ") {
        // The country comes last; `Congo, Democratic Republic of the` has its own comma.
        let last = place.rsplit(',').next().unwrap_or_default();
        let tail = place.rsplitn(3, ',').take(2).collect::<Vec<_>>();
        let two = tail.iter().rev().copied().collect::<Vec<_>>().join(",");
        let code = countries::code(&two).or_else(|| countries::code(last));
        return match code {
            Some(code) => push(code, CountryKind::Birth, entity),
            None => tally.unread("birth country", place),
        };
    }
    if let Some(gender) = piece.strip_prefix("Gender ") {
        return match Gender::from_str(&gender.to_ascii_lowercase()) {
            Ok(gender) => entity.gender = Some(gender),
            Err(_) => tally.unread("gender", gender),
        };
    }
    for label in ["a.k.a. ", "f.k.a. ", "n.k.a. "] {
        if let Some(quoted) = piece.strip_prefix(label) {
            return weak_alias(quoted, entity, tally);
        }
    }
    if let Some(identifier) = identifier(piece, tally) {
        entity.identifiers.push(identifier);
    }
}

/// OFAC sets in quotes the aliases that it calls weak, see
/// <https://ofac.treasury.gov/faqs/122>; they stand in the remarks only.
fn weak_alias(quoted: &str, entity: &mut Entity, tally: &mut Tally<'_>) {
    let within = quoted.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    match within.and_then(value) {
        Some(text) if entity.kind == EntityKind::Person => {
            entity.names.push(person_name(text, NameKind::WeakAlias));
        }
        Some(text) => entity.names.push(name(text, NameKind::WeakAlias)),
        None => tally.unread("alias", quoted),
    }
}

fn identifier(piece: &str, tally: &mut Tally<'_>) -> Option<Identifier> {
    let whole = |kind: &str, text: &str| {
        let value = value(text)?;
        Some(Identifier { kind: kind.to_owned(), value, country: None })
    };
    if let Some(address) = piece.strip_prefix("Digital Currency Address - ") {
        let (_, address) = address.split_once(' ')?;
        return whole("crypto", address);
    }
    let (kind, rest) = identifiers::labelled(piece).or_else(|| numbered(piece))?;
    if matches!(kind, "email" | "phone" | "website") {
        return whole(kind, rest);
    }
    let rest = rest.trim_start_matches("No.").trim_start_matches([':', '#', ' ']);
    if rest.starts_with("issued ") || rest.starts_with("expires ") {
        return None;
    }
    let until = [" issued ", " expires ", " (", ", Issue Date"];
    let end = until.iter().filter_map(|word| rest.find(word)).min().unwrap_or(rest.len());
    let (number, after) = rest.split_at_checked(end)?;
    let number = value(number)?;
    if !number.contains(|c: char| c.is_ascii_digit())
        && !matches!(kind, "swift" | "call_sign" | "tail_number")
    {
        return None;
    }
    Some(Identifier { kind: kind.to_owned(), value: number, country: issuer(after, tally) })
}

/// A label that is not known, with a number and a country behind it.
fn numbered(piece: &str) -> Option<(&'static str, &str)> {
    let (_, rest) = [" No. ", " Number ", " # "].iter().find_map(|word| piece.split_once(word))?;
    let (_, country) = rest.split_once(" (")?;
    countries::code(country.trim_end_matches(')')).map(|_| ("other", rest))
}

/// The last brackets that hold a country; before them may stand its registry (`(Stuttgart)`).
fn issuer(text: &str, tally: &mut Tally<'_>) -> Option<String> {
    let within = |part: &str| part.split_once(')').map(|(within, _)| within.to_owned());
    let brackets: Vec<String> = text.split('(').skip(1).filter_map(within).collect();
    let code = brackets.iter().rev().find_map(|name| countries::code(name));
    if let (None, Some(last)) = (code, brackets.last()) {
        tally.unread("issuer", last);
    }
    code.map(str::to_owned)
}

//! Reads the remarks in OFAC's CSV files, which consist of pieces such as `DOB 1970` separated by
//! `; `.
//!
//! The remarks also stay in [`Entity::remarks`], word for word, so a person can read the pieces
//! whose labels are not known here.

use super::entry::{add_country, add_date, comma_name, identifier, push_country, set_gender};
use super::report::Tally;
use super::text::non_empty;
use super::{countries, identifiers};
use crate::entity::{CountryKind, Entity, Identifier, NameKind};

/// Adds the data in the remarks to the entity.
pub(super) fn read(remarks: &str, entity: &mut Entity, tally: &mut Tally<'_>) {
    for piece in remarks.split(';') {
        let piece = piece.trim().trim_end_matches('.');
        read_piece(piece.strip_prefix("alt. ").unwrap_or(piece), entity, tally);
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
            return add_date(text, entity, tally);
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
            return add_country(text, kind, entity, tally);
        }
    }
    if let Some(place) = piece.strip_prefix("POB ") {
        return match birth_country(place) {
            Some(code) => push_country(code, CountryKind::Birth, entity),
            None => tally.note_unread("birth country", place),
        };
    }
    if let Some(gender) = piece.strip_prefix("Gender ") {
        return set_gender(gender, entity, tally);
    }
    for label in ["a.k.a. ", "f.k.a. ", "n.k.a. "] {
        if let Some(text) = piece.strip_prefix(label) {
            return add_weak_alias(text, entity, tally);
        }
    }
    entity.identifiers.extend(read_identifier(piece, tally));
}

/// Returns the code of the country at the end of a place of birth, or `None` if the country is not
/// known. The country is the text after the last comma. If the country itself has a comma, as in
/// `Congo, Democratic Republic of the`, it is the text after the second-to-last comma.
fn birth_country(place: &str) -> Option<&'static str> {
    let mut commas = place.rmatch_indices(',').map(|(at, _)| at);
    let (last, last_but_one) = (commas.next(), commas.next());
    let after = |comma: Option<usize>| comma.map_or(place, |at| place.split_at(at + 1).1);
    countries::code(after(last_but_one)).or_else(|| countries::code(after(last)))
}

/// Adds an alias that occurs only in the remarks. OFAC writes an alias that it considers weak in
/// quotes, see <https://ofac.treasury.gov/faqs/122>. An alias without quotes is reported as
/// unreadable.
fn add_weak_alias(text: &str, entity: &mut Entity, tally: &mut Tally<'_>) {
    let name = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    match name.and_then(non_empty) {
        Some(name) => entity.names.push(comma_name(entity.kind, name, NameKind::WeakAlias)),
        None => tally.note_unread("alias", text),
    }
}

fn read_identifier(piece: &str, tally: &mut Tally<'_>) -> Option<Identifier> {
    if let Some(currency_and_address) = piece.strip_prefix("Digital Currency Address - ") {
        let (_, address) = currency_and_address.split_once(' ')?;
        return Some(identifier("crypto", non_empty(address)?));
    }
    let (kind, rest) = identifiers::split_label(piece).or_else(|| split_unknown_label(piece))?;
    if matches!(kind, "email" | "phone" | "website") {
        return Some(identifier(kind, non_empty(rest)?));
    }
    let rest = rest.trim_start_matches("No.").trim_start_matches([':', '#', ' ']);
    if rest.starts_with("issued ") || rest.starts_with("expires ") {
        return None;
    }
    let ends = [" issued ", " expires ", " (", ", Issue Date"];
    let end = ends.iter().filter_map(|word| rest.find(word)).min().unwrap_or(rest.len());
    let (number, after) = rest.split_at(end);
    let value = non_empty(number)?;
    let may_lack_digits = matches!(kind, "swift" | "call_sign" | "tail_number");
    if !may_lack_digits && !value.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    Some(Identifier { kind: kind.to_owned(), value, country: issuer(after, tally) })
}

/// Splits a piece that has an unknown label, followed by a number and a country in brackets, such
/// as `Export Permit No. 77 (Malta)`. Returns the kind `other` and the text that begins with the
/// number, or `None` for any other piece.
fn split_unknown_label(piece: &str) -> Option<(&'static str, &str)> {
    let (_, rest) = [" No. ", " Number ", " # "].iter().find_map(|word| piece.split_once(word))?;
    let (_, country) = rest.split_once(" (")?;
    countries::code(country.trim_end_matches(')')).map(|_| ("other", rest))
}

/// Returns the code of the issuing country, which is in the last brackets that contain a country.
/// Other brackets may contain the name of a registry, as in `(Stuttgart) (Germany)`. If there are
/// brackets but none contains a country, the text of the last ones is reported as unreadable.
fn issuer(text: &str, tally: &mut Tally<'_>) -> Option<String> {
    let brackets: Vec<&str> = text
        .split('(')
        .skip(1)
        .filter_map(|part| part.split_once(')'))
        .map(|(inside, _)| inside)
        .collect();
    let code = brackets.iter().rev().find_map(|name| countries::code(name));
    if let (None, Some(last)) = (code, brackets.last()) {
        tally.note_unread("issuer", last);
    }
    code.map(str::to_owned)
}

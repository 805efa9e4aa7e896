//! Reads names as travel documents and reservation systems write them.

/// Returns a name in the order `FAMILY, GIVEN` if a machine wrote it: as in the first line of the
/// machine-readable zone of a passport (`P<FRADOVELLO<<MIRKA<ILIN`, ICAO Doc 9303) or as in a
/// reservation (`DOVELLO/MIRKAMRS`). Returns `None` for any other name.
pub(super) fn from_document(name: &str) -> Option<String> {
    if name.contains("<<") {
        let line = name.trim();
        let is_first_line = line.starts_with("P<") && line.is_char_boundary(5) && line.len() > 5;
        let line = if is_first_line { line.get(5..)? } else { line };
        let (family, given) = line.split_once("<<")?;
        return Some(format!("{}, {}", family.replace('<', " "), given.replace('<', " ")));
    }
    let (family, given) = name.trim().split_once('/')?;
    let is_capital = |text: &str| {
        text.len() >= 3 && text.chars().all(|c| c.is_ascii_uppercase() || matches!(c, ' ' | '-'))
    };
    if !is_capital(family) || !is_capital(given) {
        return None;
    }
    let titles = ["MISS", "MSTR", "MRS", "MS", "MR"];
    let untitled = titles
        .iter()
        .find_map(|title| given.strip_suffix(title))
        .filter(|given| given.trim().len() >= 3);
    Some(format!("{family}, {}", untitled.unwrap_or(given)))
}

#[cfg(test)]
mod tests {
    use super::from_document;

    #[test]
    fn names_of_machines_are_read() {
        for (name, expected) in [
            ("P<FRADOVELLO<<MIRKA<ILIN<<<<<", Some("DOVELLO, MIRKA ILIN     ")),
            ("DOVELLO<<MIRKA", Some("DOVELLO, MIRKA")),
            ("DOVELLO/MIRKAMRS", Some("DOVELLO, MIRKA")),
            ("DOVELLO/MIRKA MR", Some("DOVELLO, MIRKA ")),
            ("DOVELLO/AMR", Some("DOVELLO, AMR")),
            ("M/V TARN", None),
            ("Research/Production Tarn", None),
        ] {
            assert_eq!(from_document(name).as_deref(), expected, "{name}");
        }
    }
}

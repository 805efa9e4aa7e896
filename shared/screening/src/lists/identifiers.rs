//! Kinds of identifiers, and the labels by which lists name them.

/// All kinds of identifiers that the readers produce.
pub const KINDS: &[&str] = &[
    "passport",
    "national_id",
    "tax_id",
    "registration",
    "license",
    "driving_license",
    "social_security",
    "birth_certificate",
    "lei",
    "swift",
    "duns",
    "isin",
    "imo",
    "mmsi",
    "call_sign",
    "aircraft_serial",
    "tail_number",
    "crypto",
    "email",
    "phone",
    "website",
    "other",
];

/// Returns the kind of an identifier for one of OFAC's labels, or `None` if the label is not known.
/// Case and trailing punctuation do not matter.
pub(super) fn kind_of_label(label: &str) -> Option<&'static str> {
    let normalised = normalise_label(label);
    if let Some((_, kind)) = LABELS.iter().find(|(label, _)| normalise_label(label) == normalised) {
        return Some(kind);
    }
    label.starts_with("Digital Currency Address").then_some("crypto")
}

fn normalise_label(label: &str) -> String {
    label.trim_end_matches(['.', ':', '#', ' ']).to_ascii_lowercase()
}

/// Returns the kind of a document for one of OFAC's labels, or for any label that contains a known
/// word. Returns `other` if the label does not reveal the kind.
pub(super) fn document_kind(label: &str) -> &'static str {
    const WORDS: [(&str, &str); 6] = [
        ("tax", "tax_id"),
        ("vat", "tax_id"),
        ("fiscal", "tax_id"),
        ("imo", "imo"),
        ("mmsi", "mmsi"),
        ("lei", "lei"),
    ];
    const PARTS: [(&str, &str); 12] = [
        ("passport", "passport"),
        ("travel doc", "passport"),
        ("swift", "swift"),
        ("driv", "driving_license"),
        ("social security", "social_security"),
        ("birth certificate", "birth_certificate"),
        ("national id", "national_id"),
        ("identity card", "national_id"),
        ("identification card", "national_id"),
        ("registration", "registration"),
        ("registry", "registration"),
        ("licen", "license"),
    ];
    if let Some(kind) = kind_of_label(label) {
        return kind;
    }
    let lower = label.to_ascii_lowercase();
    let has_word = |word: &str| lower.split(|c: char| !c.is_alphanumeric()).any(|w| w == word);
    let by_word = WORDS.iter().find(|(word, _)| has_word(word));
    let kind = by_word.or_else(|| PARTS.iter().find(|(part, _)| lower.contains(part)));
    kind.map_or("other", |(_, kind)| kind)
}

/// Splits a remark that begins with one of OFAC's labels. Returns the kind of the identifier and
/// the text after the label, or `None` if the remark begins with no known label. If several labels
/// match, the longest one is used.
pub(super) fn split_label(remark: &str) -> Option<(&'static str, &str)> {
    LABELS
        .iter()
        .filter_map(|(label, kind)| Some((label.len(), *kind, remark.strip_prefix(label)?)))
        .filter(|(.., rest)| rest.starts_with([' ', ':']))
        .max_by_key(|(length, ..)| *length)
        .map(|(_, kind, rest)| (kind, rest.trim_start_matches([' ', ':'])))
}

/// Labels with their kinds, as OFAC writes them in remarks and in the reference values of the
/// advanced format.
const LABELS: &[(&str, &str)] = &[
    ("Passport", "passport"),
    ("Diplomatic Passport", "passport"),
    ("British National Overseas Passport", "passport"),
    ("U.S.A. Passport", "passport"),
    ("Stateless Person Passport", "passport"),
    ("Passport Booklet", "passport"),
    ("Travel Document Number", "passport"),
    ("National ID No.", "national_id"),
    ("National Identification Number", "national_id"),
    ("National Foreign ID Number", "national_id"),
    ("Identification Number", "national_id"),
    ("Turkish Identification Number", "national_id"),
    ("UAE Identification", "national_id"),
    ("Personal ID Card", "national_id"),
    ("Bosnian Personal ID No.", "national_id"),
    ("Moroccan Personal ID No.", "national_id"),
    ("Citizen's Card Number", "national_id"),
    ("Numero de Identidad", "national_id"),
    ("Kenyan ID No.", "national_id"),
    ("Tazkira National ID Card", "national_id"),
    ("CNP (Personal Numerical Code)", "national_id"),
    ("Refugee ID Card", "national_id"),
    ("Stateless Person ID Card", "national_id"),
    ("Residency Number", "national_id"),
    ("Cedula No.", "national_id"),
    ("Cedula de Ciudadania", "national_id"),
    ("Cedula de Residencia", "national_id"),
    ("C.U.R.P.", "national_id"),
    ("C.U.I.", "national_id"),
    ("C.U.I.P.", "national_id"),
    ("D.N.I.", "national_id"),
    ("I.F.E.", "national_id"),
    ("N.I.E.", "national_id"),
    ("LE Number", "national_id"),
    ("Credencial electoral", "national_id"),
    ("Electoral Registry No.", "national_id"),
    ("Cartilla de Servicio Militar Nacional", "national_id"),
    ("Military Registration Number", "national_id"),
    ("SSN", "social_security"),
    ("Driver's License No.", "driving_license"),
    ("Birth Certificate Number", "birth_certificate"),
    ("Tax ID No.", "tax_id"),
    ("R.F.C.", "tax_id"),
    ("RFC", "tax_id"),
    ("NIT #", "tax_id"),
    ("RUC #", "tax_id"),
    ("RIF #", "tax_id"),
    ("RTN", "tax_id"),
    ("C.U.I.T.", "tax_id"),
    ("C.I.F.", "tax_id"),
    ("C.N.P.J.", "tax_id"),
    ("V.A.T. Number", "tax_id"),
    ("US FEIN", "tax_id"),
    ("Italian Fiscal Code", "tax_id"),
    ("Fiscal Code", "tax_id"),
    ("N.I.F.", "tax_id"),
    ("Romanian Tax Registration", "tax_id"),
    ("Paraguayan tax identification number", "tax_id"),
    ("Numero Unico de Identificacao Tributaria (NUIT)", "tax_id"),
    ("Registration Number", "registration"),
    ("Registration ID", "registration"),
    ("Business Registration Number", "registration"),
    ("Business Registration Document #", "registration"),
    ("Business Number", "registration"),
    ("Company Number", "registration"),
    ("UK Company Number", "registration"),
    ("Company ID", "registration"),
    ("Commercial Registry Number", "registration"),
    ("Central Registration System Number", "registration"),
    ("Public Registration Number", "registration"),
    ("Certificate of Incorporation Number", "registration"),
    ("Chamber of Commerce Number", "registration"),
    ("Istanbul Chamber of Comm. No.", "registration"),
    ("Dubai Chamber of Commerce Membership No.", "registration"),
    ("Economic Register Number (CBLS)", "registration"),
    ("Enterprise Number", "registration"),
    ("Folio Mercantil No.", "registration"),
    ("Matricula Mercantil No", "registration"),
    ("Government Gazette Number", "registration"),
    ("Organization Code", "registration"),
    ("Branch Unit Number", "registration"),
    ("Registered Charity No.", "registration"),
    ("Romanian C.R.", "registration"),
    ("C.R. No.", "registration"),
    ("Unified Social Credit Code (USCC)", "registration"),
    ("United Social Credit Code Certificate (USCCC)", "registration"),
    ("License", "license"),
    ("Trade License No.", "license"),
    ("Pilot License Number", "license"),
    ("Afghan Money Service Provider License Number", "license"),
    ("SRE Permit No.", "license"),
    ("Permit Number", "license"),
    ("Legal Entity Number", "lei"),
    ("SWIFT/BIC", "swift"),
    ("D-U-N-S Number", "duns"),
    ("ISIN", "isin"),
    ("Identification Number ISIN", "isin"),
    ("BIK (RU)", "other"),
    ("File Number", "other"),
    ("VisaNumberID", "other"),
    ("Aircraft Mode S Transponder Code", "other"),
    ("Vessel Registration Identification", "registration"),
    ("Vessel Registration Identification IMO", "imo"),
    ("Vessel Registration Number", "imo"),
    ("Identification Number IMO", "imo"),
    ("Company Number IMO", "imo"),
    ("MMSI", "mmsi"),
    ("Vessel Call Sign", "call_sign"),
    ("Other Vessel Call Sign", "call_sign"),
    ("Aircraft Manufacturer's Serial Number (MSN)", "aircraft_serial"),
    ("Aircraft Construction Number (also called L/N or S/N or F/N)", "aircraft_serial"),
    ("Aircraft Serial Identification", "aircraft_serial"),
    ("Aircraft Tail Number", "tail_number"),
    ("Previous Aircraft Tail Number", "tail_number"),
    ("Email Address", "email"),
    ("Website", "website"),
    ("Phone Number", "phone"),
    ("Telephone", "phone"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_known_kinds() {
        assert!(LABELS.iter().all(|(_, kind)| KINDS.contains(kind)));
        assert_eq!(split_label("Passport A1 (Iran)"), Some(("passport", "A1 (Iran)")));
        let imo = split_label("Vessel Registration Identification IMO 1234567");
        assert_eq!(imo, Some(("imo", "1234567")));
        assert_eq!(split_label("Passports of many"), None);
        assert_eq!(kind_of_label("Digital Currency Address - XBT"), Some("crypto"));
        assert_eq!(kind_of_label("National Identification Number"), Some("national_id"));
        assert_eq!(kind_of_label("Tax ID No."), Some("tax_id"));
        assert_eq!(kind_of_label("Private Company"), None);
        assert_eq!(document_kind("National passport"), "passport");
        assert_eq!(document_kind("National identification card"), "national_id");
        assert_eq!(document_kind("Private testimony"), "other");
        assert_eq!(document_kind("VAT number"), "tax_id");
    }
}

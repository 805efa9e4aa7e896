//! Types for the values of text fields. A type's `parse` enforces the rule of the type. Values may
//! be personal data, so `Debug` prints `[redacted]` for all types except [`TenantId`].

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};
use serde_json::Number;
use strum::VariantNames;
use time::Date;
use unicode_normalization::is_nfc;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use url::Url;
#[cfg(feature = "openapi")]
use utoipa::openapi::schema::ObjectBuilder;

use super::time::{format_date, parse_date};

/// Description of the rule that a value breaks. The caller reads it after the name of the field:
/// `must be ...`.
pub type Issue = String;

/// Defines a text type by its rule (`parse`) and its OpenAPI schema. The doc comment of the type
/// becomes the description of the schema.
macro_rules! text {
    ($(#[doc = $doc:literal])* $name:ident, parse: $parse:expr, schema: $schema:expr $(,)?) => {
        $(#[doc = $doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Parses and normalises the text that a caller gives.
            ///
            /// # Errors
            /// Returns the rule that the text breaks.
            pub fn parse(text: &str) -> Result<$name, Issue> {
                let parse: fn(&str) -> Result<String, Issue> = $parse;
                parse(text).map($name)
            }

            /// Returns the value in its normalised form.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[redacted]")
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                use utoipa::openapi::schema::{ObjectBuilder, Type};
                let build: fn(ObjectBuilder) -> ObjectBuilder = $schema;
                let description = [$($doc.trim()),*].join("\n");
                let text = ObjectBuilder::new().schema_type(Type::String);
                build(text.description(Some(description))).into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}
    };
}

text! {
    /// Name of a customer or party: 1 to 200 characters after trimming, without control characters.
    Name,
    parse: |text| trimmed(text, 200),
    schema: |schema| one_line(schema, 200),
}

text! {
    /// The tenant's own id of a customer: 1 to 255 printable characters of any script, in Unicode
    /// normalization form C, without a leading or trailing space. The only space is U+0020.
    ClientId,
    parse: client_id,
    schema: |schema| schema.min_length(Some(1)).max_length(Some(255)).pattern(Some(
        r"^[^\x00-\x20\x7f-\xa0]([^\x00-\x1f\x7f-\xa0]*[^\x00-\x20\x7f-\xa0])?$",
    )),
}

text! {
    /// An absolute http or https URL of at most 2,048 characters.
    Website,
    parse: |text| {
        let fault = || "must be an absolute http or https URL of at most 2048 characters".to_owned();
        let plain = text.len() <= 2048 && !text.chars().any(|c| c.is_whitespace() || c.is_control());
        let url = plain.then(|| Url::parse(text).ok()).flatten().ok_or_else(fault)?;
        let absolute = text.split_once("://").is_some_and(|(_, rest)| !rest.starts_with('/'));
        let supported = matches!(url.scheme(), "http" | "https") && url.has_host();
        if supported && absolute { Ok(text.to_owned()) } else { Err(fault()) }
    },
    schema: |schema| schema.format(Some(utoipa::openapi::SchemaFormat::Custom("uri".into()))).max_length(Some(2048)),
}

text! {
    /// Id of a party, chosen by the caller: 1 to 64 characters of `A-Z a-z 0-9 . _ : @ / -`. The id
    /// `self` stands for the customer and cannot be given to a party.
    PartyId,
    parse: |text| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._:@/-".contains(c);
        if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
            Ok(text.to_owned())
        } else {
            Err("must be 1 to 64 characters of A-Z a-z 0-9 . _ : @ / -".to_owned())
        }
    },
    schema: |schema| schema.pattern(Some("^[A-Za-z0-9._:@/-]{1,64}$")).min_length(Some(1)).max_length(Some(64)),
}

impl PartyId {
    /// Returns whether the id is `self`.
    pub fn is_customer(&self) -> bool {
        self.0 == "self"
    }
}

text! {
    /// Name of a watchlist, as the operator configures it: 1 to 64 characters of `a-z 0-9 . _ -`.
    ListName,
    parse: |text| {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
            Ok(text.to_owned())
        } else {
            Err("must be 1 to 64 characters of a-z 0-9 . _ -".to_owned())
        }
    },
    schema: |schema| schema.pattern(Some("^[a-z0-9._-]{1,64}$")).min_length(Some(1)).max_length(Some(64)),
}

text! {
    /// Free text: 1 to 2,000 characters after trimming, without control characters except line feed
    /// and tab.
    Note,
    parse: |text| {
        let trimmed = text.trim();
        let printable = |c: char| !c.is_control() || c == '\n' || c == '\t';
        if (1..=2_000).contains(&trimmed.chars().count()) && trimmed.chars().all(printable) {
            Ok(trimmed.to_owned())
        } else {
            Err("must be 1 to 2000 characters without control characters".to_owned())
        }
    },
    schema: |schema| schema.min_length(Some(1)).max_length(Some(2_000)).pattern(Some(
        r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x08\x0b-\x1f\x7f-\x9f]*$",
    )),
}

text! {
    /// Tax or registration number in the notation of its authority: 1 to 64 characters after
    /// trimming, without control characters.
    TaxId,
    parse: |text| trimmed(text, 64),
    schema: |schema| one_line(schema, 64),
}

text! {
    /// ISO 3166-1 alpha-2 country code, or `XK` for Kosovo, which has no code of its own in that
    /// standard. Lower case is accepted and converted to upper case.
    Country,
    parse: |text| {
        let code = text.to_ascii_uppercase();
        let is_assigned = code.len() == 2 && rust_iso3166::from_alpha2(&code).is_some();
        let issue = "must be an ISO 3166-1 alpha-2 country code, like DE, or XK";
        (is_assigned || code == "XK").then_some(code).ok_or_else(|| issue.to_owned())
    },
    schema: |schema| schema.pattern(Some("^[A-Za-z]{2}$")).examples([serde_json::json!("DE")]),
}

text! {
    /// Email address (RFC 5321) of at most 254 characters, without a display name and with a
    /// top-level domain.
    Email,
    parse: |text| {
        let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
        if text.len() <= 254 && EmailAddress::parse_with_options(text, options).is_ok() {
            Ok(text.to_owned())
        } else {
            let issue = "must be an email address of at most 254 characters, like ann@example.com";
            Err(issue.to_owned())
        }
    },
    schema: |schema| schema.format(Some(utoipa::openapi::SchemaFormat::Custom("email".into()))).max_length(Some(254)),
}

text! {
    /// Phone number in E.164 format: `+` and 2 to 15 digits, of which the first is not 0.
    Phone,
    parse: |text| {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let fits = (2..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if fits && !digits.starts_with('0') {
            Ok(text.to_owned())
        } else {
            Err("must be a phone number in E.164 format, like +4930123456".to_owned())
        }
    },
    schema: |schema| schema.pattern(Some("^\\+[1-9][0-9]{1,14}$")),
}

text! {
    /// Industry or occupation, in the tenant's own words or codes: 1 to 100 characters after
    /// trimming, without control characters.
    Industry,
    parse: |text| trimmed(text, 100),
    schema: |schema| one_line(schema, 100),
}

text! {
    /// Label that the tenant gives a customer: 1 to 64 characters after trimming, without control
    /// characters.
    Tag,
    parse: |text| trimmed(text, 64),
    schema: |schema| one_line(schema, 64),
}

text! {
    /// Key of a metadata entry: 1 to 40 characters, without control characters.
    MetadataKey,
    parse: |text| {
        if text.is_empty() || text.chars().count() > 40 || text.chars().any(char::is_control) {
            return Err("must have a key of 1 to 40 characters without control characters".to_owned());
        }
        Ok(text.to_owned())
    },
    schema: |schema| schema.min_length(Some(1)).max_length(Some(40)).pattern(Some("^[^\\x00-\\x1f\\x7f-\\x9f]*$")),
}

text! {
    /// Value of a metadata entry: at most 500 characters of any kind.
    MetadataValue,
    parse: |text| {
        if text.chars().count() > 500 {
            return Err("must be at most 500 characters".to_owned());
        }
        Ok(text.to_owned())
    },
    schema: |schema| schema.max_length(Some(500)),
}

text! {
    /// Id of a verification workflow of the tenant or its provider: a UUID with hyphens.
    WorkflowId,
    parse: |text| {
        let id = uuid::Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
        id.map(|id| id.to_string()).ok_or_else(|| "must be a UUID with hyphens".to_owned())
    },
    schema: |schema| schema.format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::Uuid))),
}

text! {
    /// Calendar date in the form `YYYY-MM-DD`, from year 1.
    CalendarDate,
    parse: |text| {
        let issue = "must be a calendar date like 1970-12-31";
        parse_date(text).map(format_date).ok_or_else(|| issue.to_owned())
    },
    schema: |schema| schema.format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::Date))),
}

impl CalendarDate {
    /// Returns the date, or `None` for an invalid value that was deserialised without `parse`.
    pub fn date(&self) -> Option<Date> {
        parse_date(&self.0)
    }
}

/// Restricts a schema to texts that [`trimmed`] accepts: at most `most` characters, no control
/// characters, and at least one character that is not white space.
#[cfg(feature = "openapi")]
fn one_line(schema: ObjectBuilder, most: usize) -> ObjectBuilder {
    let pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";
    schema.min_length(Some(1)).max_length(Some(most)).pattern(Some(pattern))
}

/// Trims a text and checks that the result has 1 to `most` characters and no control characters.
fn trimmed(text: &str, most: usize) -> Result<String, Issue> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > most || text.chars().any(char::is_control) {
        return Err(format!("must be 1 to {most} characters without control characters"));
    }
    Ok(text.to_owned())
}

/// Checks a client id. Two ids that look the same must not be different, so invisible characters and
/// other normalization forms are refused.
fn client_id(text: &str) -> Result<String, Issue> {
    if !(1..=255).contains(&text.chars().count()) || text.starts_with(' ') || text.ends_with(' ') {
        let issue = "must be 1 to 255 printable characters without a leading or trailing space";
        return Err(issue.to_owned());
    }
    if let Some(c) = text.chars().find(|c| !is_printable(*c)) {
        return Err(format!("must not contain U+{:04X}, which is not printable", u32::from(c)));
    }
    if !is_nfc(text) {
        let issue = "must be in Unicode normalization form C; normalize it before you send it";
        return Err(issue.to_owned());
    }
    Ok(text.to_owned())
}

/// Returns whether a character is visible, or is the space U+0020.
fn is_printable(c: char) -> bool {
    use GeneralCategory as Category;
    // Invisible letters and marks. The other characters with the property
    // Default_Ignorable_Code_Point are in the categories below.
    let is_invisible = matches!(
        c,
        '\u{34f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{e0100}'..='\u{e01ef}'
    );
    let is_excluded = matches!(
        c.general_category(),
        Category::Control
            | Category::Format
            | Category::LineSeparator
            | Category::ParagraphSeparator
            | Category::PrivateUse
            | Category::SpaceSeparator
            | Category::Surrogate
            | Category::Unassigned
    );
    c == ' ' || !is_invisible && !is_excluded
}

/// Parses a boolean query parameter.
///
/// # Errors
/// Returns `must be true or false` for any other text.
pub fn flag(text: &str) -> Result<bool, Issue> {
    text.parse().map_err(|_| "must be true or false".to_owned())
}

/// Parses a whole number in a query parameter. Only digits are accepted, without a sign.
///
/// # Errors
/// Returns the allowed range if the text is not a whole number in `range`.
pub fn whole_number(text: &str, range: RangeInclusive<usize>) -> Result<usize, Issue> {
    let has_only_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = has_only_digits
        .then(|| text.parse().ok())
        .flatten()
        .filter(|number| range.contains(number));
    number
        .ok_or_else(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
}

/// Reads a whole number from a JSON body. `7.0` is accepted as `7`, because JSON does not
/// distinguish the two.
///
/// # Errors
/// Returns the allowed range if the number is not whole or not in `range`.
pub fn whole(number: &Number, range: RangeInclusive<u64>) -> Result<u64, Issue> {
    let from_float = || number.as_f64().filter(|float| float.fract() == 0.0 && *float >= 0.0);
    let whole = number.as_u64().or_else(|| from_float().map(|float| float as u64));
    whole
        .filter(|whole| range.contains(whole))
        .ok_or_else(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
}

/// Parses the name of an enum variant as the API writes it, such as `high` for a risk level.
///
/// # Errors
/// Returns `must be one of ...` with all names if the text is not one of them.
pub fn one_of<T: FromStr + VariantNames>(text: &str) -> Result<T, Issue> {
    text.parse().map_err(|_| format!("must be one of {}", T::VARIANTS.join(", ")))
}

/// Id of a tenant, as access tokens contain it: 1 to 128 characters of `A-Z a-z 0-9 . _ : @ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TenantId(String);

impl FromStr for TenantId {
    type Err = Issue;

    fn from_str(text: &str) -> Result<TenantId, Issue> {
        // `#` is not allowed, because it separates the parts of the table's keys, which contain
        // this id.
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._:@-".contains(c);
        let fits = (1..=128).contains(&text.len()) && text.chars().all(allowed);
        let issue = "must be 1 to 128 characters of A-Z a-z 0-9 . _ : @ -";
        fits.then(|| TenantId(text.to_owned())).ok_or_else(|| issue.to_owned())
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parse_accepts_valid_values_and_rejects_others() {
        for good in ["https://example.com", "http://example.com:8080/a?b=c", "https://[::1]/"] {
            assert!(Website::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "example.com",
            "ftp://example.com",
            "https:///x",
            "http:/x",
            "http:x",
            "javascript:alert(1)",
            "https://a b",
            "",
        ] {
            assert!(Website::parse(bad).is_err(), "{bad}");
        }
        for bad in
            ["a", "a@b", "Ann <a@example.com>", "a@example.com\n", "@example.com", "a@@example.com"]
        {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
        assert!(Email::parse("a.b+c@example.co.uk").is_ok());
        for bad in ["+0123456", "4930123456", "+49 30 123", "+1234567890123456", "+", "+1"] {
            assert!(Phone::parse(bad).is_err(), "{bad}");
        }
        for (given, code) in [("de", "DE"), ("XK", "XK"), ("xk", "XK")] {
            assert_eq!(Country::parse(given).unwrap().as_str(), code);
        }
        for bad in ["XX", "DEU", "D", "", "d\u{e9}", "Ǆ"] {
            assert!(Country::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Name::parse("  Ann \t").unwrap().as_str(), "Ann");
        assert!(Name::parse("a\u{0}b").is_err());
        assert!("a#b".parse::<TenantId>().is_err());
    }

    #[test]
    fn a_client_id_is_printable_and_normalized() {
        for good in [
            "crm-42",
            "a b",
            "A#1",
            "T#acme#C#1",
            "%20",
            "Müller & Söhne",
            "顧客-７",
            "клиент/1",
            "عميل-١",
            "ग्राहक",
            "\u{1f600}",
            &"ä".repeat(255),
        ] {
            assert_eq!(ClientId::parse(good).unwrap().as_str(), good);
        }
        for (bad, rule) in [
            ("", "1 to 255"),
            (" a", "leading"),
            ("a ", "leading"),
            (&"ä".repeat(256), "1 to 255"),
            ("a\tb", "U+0009"),
            ("a\u{0}", "U+0000"),
            ("a\u{7f}", "U+007F"),
            ("a\u{a0}b", "U+00A0"),
            ("\u{3000}a", "U+3000"),
            ("a\u{200b}b", "U+200B"),
            ("a\u{200d}b", "U+200D"),
            ("\u{feff}a", "U+FEFF"),
            ("a\u{202e}b", "U+202E"),
            ("a\u{2028}b", "U+2028"),
            ("a\u{3164}b", "U+3164"),
            ("a\u{fe0f}", "U+FE0F"),
            ("a\u{e000}", "U+E000"),
            ("a\u{378}", "U+0378"),
            ("Mu\u{308}ller", "normalization form C"),
            ("\u{212b}", "normalization form C"),
        ] {
            let issue = ClientId::parse(bad).unwrap_err();
            assert!(issue.contains(rule), "{bad:?}: {issue}");
        }
    }

    #[test]
    fn debug_output_is_redacted() {
        assert_eq!(format!("{:?}", Name::parse("Ann").unwrap()), "[redacted]");
    }

    proptest! {
        #[test]
        fn parse_does_not_panic_on_any_text(text in any::<String>()) {
            let _ = (Name::parse(&text), ClientId::parse(&text), Website::parse(&text), Country::parse(&text));
            let _ = (Email::parse(&text), Phone::parse(&text), CalendarDate::parse(&text), Tag::parse(&text));
        }

        #[test]
        fn parsing_a_parsed_name_changes_nothing(text in ".{1,220}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(Name::parse(name.as_str()).unwrap(), name);
            }
        }
    }
}

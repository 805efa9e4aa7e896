//! Brings the words of firms into one form: legal forms, abbreviations and numbers.
//!
//! The lists were written for this project from common knowledge. They are part of the matching
//! model, so a change requires a new model version.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::token::{Class, Origin};
use super::word::Word;
use super::words;

/// Returns a name without the notes that banks and registers write after it, such as an account
/// number, `c/o` or `in liquidation`. A name that begins with such a note is returned unchanged.
pub(super) fn without_notes(name: &str) -> &str {
    if name.len() > MAX_NOTED_LENGTH {
        return name;
    }
    let lower = name.to_ascii_lowercase();
    let mut letters = 0;
    let mut previous = None;
    for (at, c) in lower.char_indices() {
        let starts_word = previous.is_some_and(|c: char| !c.is_alphanumeric());
        if starts_word && letters >= 2 && starts_with_note(lower.get(at..).unwrap_or_default()) {
            return name.get(..at).unwrap_or(name);
        }
        letters += usize::from(c.is_alphabetic());
        previous = Some(c);
    }
    name
}

fn starts_with_note(text: &str) -> bool {
    NOTES.iter().any(|note| {
        text.strip_prefix(note).is_some_and(|after| !after.starts_with(char::is_alphanumeric))
    })
}

/// Maximum length in bytes of a name that may have a note after it.
const MAX_NOTED_LENGTH: usize = 2_000;

const NOTES: &[&str] = &[
    "attn",
    "attention:",
    "c/o",
    "a/c",
    "acct",
    "account no",
    "account number",
    "iban",
    "swift:",
    "bic:",
    "ref no",
    "ref:",
    "ref.",
    "ref inv",
    "our ref",
    "your ref",
    "payment ref",
    "invoice no",
    "inv no",
    "in liquidation",
    "in administration",
    "in receivership",
    "in bankruptcy",
    "under liquidation",
    "as trustee",
    "as nominee",
    "as agent",
    "on behalf of",
    "formerly known",
    "previously known",
    "f/k/a",
    "head office",
    "representative office",
    "registered office",
    "post office box",
    "po box",
    "p.o. box",
    "tax id",
    "reg no",
    "registration no",
];

/// Replaces legal forms in scripts without spaces between words, or in scripts that are not
/// transliterated word by word, with English ones.
pub(super) fn without_native_forms(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        return Cow::Borrowed(name);
    }
    let mut name = Cow::Borrowed(name);
    for (native, english) in NATIVE_FORMS {
        if name.contains(native) {
            name = Cow::Owned(name.replace(native, english));
        }
    }
    name
}

/// Legal forms and their English counterparts. A form precedes any shorter form that it contains.
const NATIVE_FORMS: &[(&str, &str)] = &[
    ("股份有限公司", " co ltd "),
    ("有限责任公司", " co ltd "),
    ("有限責任公司", " co ltd "),
    ("有限公司", " co ltd "),
    ("集团公司", " group "),
    ("集團公司", " group "),
    ("公司", " co "),
    ("株式会社", " co ltd "),
    ("有限会社", " co ltd "),
    ("合同会社", " llc "),
    ("주식회사", " co ltd "),
    ("유한회사", " llc "),
    ("(주)", " co ltd "),
    ("บริษัท", " co "),
    ("จำกัด (มหาชน)", " plc "),
    ("จำกัด", " ltd "),
    ("ห้างหุ้นส่วน", " co "),
    ("בע״מ", " ltd "),
    ("בע\"מ", " ltd "),
    ("प्राइवेट लिमिटेड", " ltd "),
    ("लिमिटेड", " ltd "),
    ("شركة", " company "),
    ("شرکت", " company "),
    ("القابضة", " holding "),
    ("المحدودة", " ltd "),
    ("مؤسسة", " establishment "),
];

/// Brings the words of a name into one form. Legal forms of several words become one word, and words
/// for numbers and Roman numerals become numbers.
pub(super) fn write_forms(words: &mut Vec<Word>) {
    drop_ship_number(words);
    join_legal_forms(words);
    let is_business = words.iter().any(|word| {
        let class = word.class.or_else(|| words::class(&word.text));
        matches!(class, Some(Class::Generic | Class::Legal))
            || translation(&word.text).is_some()
            || is_clear_abbreviation(&word.text)
    });
    let count = words.len();
    let first_is_sc = words.first().is_some_and(|word| word.text == "sc");
    let last_is_legal =
        words.last().is_some_and(|word| matches!(words::class(&word.text), Some(Class::Legal)));
    for (position, word) in words.iter_mut().enumerate() {
        if word.origin == Origin::Reading || word.class.is_some() {
            continue;
        }
        if let Some(english) = translation(&word.text) {
            word.text = english.to_owned();
        } else if let Some(full) = ABBREVIATIONS.get(word.text.as_str()).filter(|_| is_business) {
            word.text = (*full).to_owned();
        } else if let Some(number) = number(&word.text, position, count, is_business) {
            word.text = number;
        }
    }
    // `S.C.` before the name of a Romanian firm.
    if let Some(first) = words.first_mut().filter(|_| first_is_sc && last_is_legal && count > 2) {
        first.class = Some(Class::Legal);
    }
}

/// Returns whether a word is an abbreviation and not a name, because it has no vowel, such as `trdg`.
fn is_clear_abbreviation(word: &str) -> bool {
    word.len() >= 3
        && !word.contains(['a', 'e', 'i', 'o', 'u', 'y'])
        && ABBREVIATIONS.contains_key(word)
}

/// Drops `IMO` and the number after it, which identify a ship and are not part of its name.
fn drop_ship_number(words: &mut Vec<Word>) {
    let is_number =
        |word: &Word| word.text.len() == 7 && word.text.bytes().all(|b| b.is_ascii_digit());
    let at = words.windows(2).position(|pair| match pair {
        [imo, number] => imo.text == "imo" && is_number(number),
        _ => false,
    });
    if let Some(at) = at.filter(|_| words.len() > 2) {
        words.drain(at..at + 2);
    }
}

fn join_legal_forms(words: &mut Vec<Word>) {
    let mut position = 1;
    while position < words.len() {
        let form = LEGAL_FORMS.iter().find_map(|(form, short)| {
            let length = form.split(' ').count();
            let rest = words.get(position..position + length)?;
            let is_equal = rest.iter().map(|word| word.text.as_str()).eq(form.split(' '));
            is_equal.then_some((length, *short))
        });
        if let Some((length, short)) = form {
            let legal = Word::new(short, Origin::Letters);
            let legal = legal.map(|word| Word { class: Some(Class::Legal), ..word });
            drop(words.splice(position..position + length, legal));
        }
        position += 1;
    }
    // The only forms that precede the name of a firm.
    for (form, short) in PREFIX_FORMS {
        let length = form.split(' ').count();
        let is_prefix = words.len() > length
            && words.iter().map(|word| word.text.as_str()).take(length).eq(form.split(' '));
        if is_prefix {
            let legal = Word::new(short, Origin::Letters);
            let legal = legal.map(|word| Word { class: Some(Class::Legal), ..word });
            drop(words.splice(..length, legal));
        }
    }
}

/// Legal forms of several words that are not legal forms one by one, and their abbreviations.
const LEGAL_FORMS: &[(&str, &str)] = &[
    ("dubai multi commodities centre", "dmcc"),
    ("dubai multi commodities center", "dmcc"),
    ("free zone establishment", "fze"),
    ("free zone company", "fzco"),
    ("free zone limited liability company", "fzllc"),
    ("capital variable", "cv"),
    ("societe a responsabilite limitee", "sarl"),
    ("societa a responsabilita limitata", "srl"),
    ("societe par actions simplifiee", "sas"),
    ("sociedad por acciones", "sa"),
    ("drustvo s ogranicenom odgovornoscu", "doo"),
    ("drustvo sa ogranicenom odgovornoscu", "doo"),
    ("ednolichno druzhestvo s ogranichena otgovornost", "eood"),
    ("druzhestvo s ogranichena otgovornost", "ood"),
    ("spolka z ograniczona odpowiedzialnoscia", "spzoo"),
    ("spolka z o o", "spzoo"),
    ("sp z o o", "spzoo"),
    ("s r o", "sro"),
    ("tovarystvo z obmezhenoiu vidpovidalnistiu", "tov"),
    ("obshchestvo s ogranichennoy otvetstvennostyu", "ooo"),
    ("besloten vennootschap met beperkte aansprakelijkheid", "bv"),
    ("besloten vennootschap", "bv"),
    ("naamloze vennootschap", "nv"),
    ("met beperkte aansprakelijkheid", "bv"),
    ("e u", "eu"),
    ("limited sirketi", "ltdsti"),
    ("gesellschaft mit beschrankter haftung", "gmbh"),
    ("s en c", "sc"),
    ("private military company", "pmc"),
];

/// Legal forms of several words that precede the name of a firm.
const PREFIX_FORMS: &[(&str, &str)] = &[
    ("cong ty co phan", "jsc"),
    ("cong ty trach nhiem huu han", "llc"),
    ("cong ty tnhh", "llc"),
    ("doanh nghiep tu nhan", "llc"),
    ("obshchestvo s ogranichennoy otvetstvennostyu", "ooo"),
    ("tovarystvo z obmezhenoiu vidpovidalnistiu", "tov"),
    ("chvk", "pmc"),
    ("private military company", "pmc"),
];

/// Returns the English form of a Russian or Ukrainian word for a kind of firm.
fn translation(word: &str) -> Option<&'static str> {
    Some(match word {
        "korporatsiya" | "korporatsiia" | "corporacion" | "korporacija" => "corporation",
        "kompaniya" | "kompaniia" | "kompania" | "kompani" | "compania" | "compagnie" => "company",
        "kontsern" | "konzern" => "concern",
        "gosudarstvennaya" | "gosudarstvennoe" | "gosudarstvennoye" | "gosudarstvennyy" => "state",
        "gruppa" | "grupp" | "grupo" | "groupe" | "gruppe" => "group",
        "kholding" | "kholdinh" => "holding",
        _ => return None,
    })
}

static ABBREVIATIONS: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let entries = ABBREVIATED
        .iter()
        .flat_map(|(full, short)| short.split(' ').map(move |short| (short, *full)));
    entries.collect()
});

/// Words in names of firms, and their abbreviations.
const ABBREVIATED: &[(&str, &str)] = &[
    ("administration", "admin admn"),
    ("advertising", "advg advtg"),
    ("agency", "agcy"),
    ("agricultural", "agri agric agr"),
    ("associates", "assoc assocs assc"),
    ("association", "assn assoctn"),
    ("authority", "auth"),
    ("automotive", "autom"),
    ("aviation", "avn aviat"),
    ("bank", "bk bnk"),
    ("brothers", "bros"),
    ("building", "bldg bldgs"),
    ("bureau", "bur"),
    ("business", "bus busn"),
    ("center", "ctr cntr centr centre"),
    ("chemical", "chem chems"),
    ("commercial", "comml cml coml"),
    ("commission", "commn"),
    ("committee", "cttee ctte"),
    ("communications", "comm comms commun communication"),
    ("company", "comp cmpny compny coy"),
    ("computer", "comptr"),
    ("construction", "constr const constn cons"),
    ("consulting", "conslt consult consltg"),
    ("cooperative", "coop"),
    ("corporation", "corpn crp"),
    ("council", "cncl"),
    ("department", "dept dpt"),
    ("development", "dev devt devel dvlpmt develop"),
    ("distribution", "distr dist distrib"),
    ("division", "div"),
    ("education", "educ"),
    ("electric", "elec"),
    ("electronics", "elecs electr electron"),
    ("energy", "enrgy"),
    ("engineering", "engg engrg engr engrs eng"),
    ("enterprises", "ent entp entps enterpr"),
    ("equipment", "eqpt equip eqp"),
    ("establishment", "est estab"),
    ("exchange", "exch xchg"),
    ("export", "exp expt"),
    ("federal", "fed"),
    ("federation", "fedn"),
    ("finance", "fin"),
    ("foundation", "fdn fndn found"),
    ("general", "gen genl"),
    ("government", "govt gov"),
    ("group", "grp gp"),
    ("holding", "hldg hldgs hldng hdg holdg"),
    ("hospital", "hosp"),
    ("import", "imp impt"),
    ("industrial", "indl indust"),
    ("industries", "ind inds"),
    ("information", "info inf"),
    ("institute", "inst instit"),
    ("insurance", "ins insur"),
    ("international", "intl int internat intnl internl"),
    ("investment", "inv invt invest investm"),
    ("investments", "invs invts"),
    ("laboratory", "lab labs"),
    ("limited", "lmtd ltda lim"),
    ("logistics", "logist"),
    ("machinery", "mach machy"),
    ("management", "mgmt mgt mngt mngmt mgnt"),
    ("manufacturing", "mfg manuf mnfg manufg"),
    ("manufacturers", "mfrs mfr"),
    ("marine", "mar"),
    ("maritime", "marit"),
    ("marketing", "mktg mkting"),
    ("medical", "med"),
    ("military", "mil"),
    ("ministry", "min"),
    ("mining", "mng"),
    ("national", "natl nat nl"),
    ("operations", "ops oper"),
    ("organization", "org orgn organisation"),
    ("partners", "prtnrs ptnrs"),
    ("petroleum", "petr petrol"),
    ("petrochemical", "petrochem"),
    ("pharmaceutical", "pharm pharma"),
    ("production", "prod prodn"),
    ("products", "prods"),
    ("project", "proj"),
    ("properties", "props prop"),
    ("refinery", "refy"),
    ("representative", "rep"),
    ("republic", "repub"),
    ("research", "res rsch rsrch"),
    ("resources", "rsrcs resrcs"),
    ("science", "sci"),
    ("security", "sec"),
    ("services", "svcs srvcs svc serv srvc servs srv"),
    ("shipping", "shpg shipg shp"),
    ("society", "soc"),
    ("solutions", "soln solns"),
    ("supply", "sup"),
    ("systems", "sys syst systs"),
    ("technical", "technl"),
    ("technologies", "techs technols"),
    ("technology", "tech techn technol tec"),
    ("telecommunications", "telecom telecomm telcom"),
    ("trading", "trdg trd trad tradg tdg"),
    ("transport", "transp trans trpt tpt"),
    ("university", "univ"),
];

/// Returns the number that a word means, in digits and without zeros at its beginning.
fn number(word: &str, position: usize, count: usize, is_business: bool) -> Option<String> {
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits = word.trim_start_matches('0');
        return (digits.len() < word.len() && !digits.is_empty()).then(|| digits.to_owned());
    }
    if count < 2 {
        return None;
    }
    if let Some(number) = ORDINALS.iter().position(|ordinal| *ordinal == word) {
        return Some((number + 2).to_string());
    }
    if let Some(digits) = ["nd", "rd", "th", "st"].iter().find_map(|end| word.strip_suffix(end))
        && !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        return (digits != "1").then(|| digits.to_owned());
    }
    if let Some(number) = CARDINALS.iter().position(|cardinal| *cardinal == word) {
        return Some((number + 1).to_string());
    }
    let is_last = position + 1 == count || is_business;
    let roman = match word {
        "ii" => 2,
        "iii" => 3,
        "iv" => 4,
        "vii" => 7,
        "viii" => 8,
        "ix" => 9,
        "xii" => 12,
        "xiii" => 13,
        "xiv" => 14,
        "xv" => 15,
        "xvi" => 16,
        // These are also names and initials.
        "vi" if is_last && position >= 2 => 6,
        "v" if is_business && position >= 2 => 5,
        "x" if is_business && position >= 2 => 10,
        _ => return None,
    };
    (position > 0).then(|| roman.to_string())
}

/// Numbers from 1 in words. `Ten` is left out because it is also a Dutch particle.
const CARDINALS: [&str; 9] =
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
/// Ordinal numbers from 2. `First` is left out because firms use it for their rank.
const ORDINALS: [&str; 9] =
    ["second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::prepare;

    fn texts(name: &str) -> String {
        let texts: Vec<String> = prepare(name).tokens.into_iter().map(|token| token.text).collect();
        texts.join(" ")
    }

    #[test]
    fn abbreviations_and_numbers_are_written_in_full() {
        for (one, other) in [
            ("Brindal Gen Trdg Co", "Brindal General Trading Co"),
            ("Brindal Intl Svcs", "Brindal International Services"),
            ("Old Tarn Two", "Old Tarn 2"),
            ("Old Tarn II", "Old Tarn 2"),
            ("2nd Tarn Committee", "Second Tarn Committee"),
            ("Old Tarn 007", "Old Tarn 7"),
            ("Brindal Free Zone Establishment", "Brindal FZE"),
        ] {
            assert_eq!(texts(one), texts(other), "{one}");
        }
        assert_eq!(texts("Old Tarn IMO 9588885"), texts("Old Tarn"));
        assert_ne!(texts("Old Tarn II"), texts("Old Tarn III"));
        // A personal name has no business word that would make Dev an abbreviation.
        assert_eq!(texts("Mirka Dev"), "mirka dev");
        assert_eq!(texts("Xi Mirka"), "xi mirka");
    }

    #[test]
    fn notes_behind_a_name_are_dropped() {
        for (name, expected) in [
            ("Brindal Ltd ATTN FINANCE DEPT", "Brindal Ltd "),
            ("Brindal (in liquidation)", "Brindal ("),
            ("Brindal c/o Post Office Box 1", "Brindal "),
            ("Ibano Attnes", "Ibano Attnes"),
            ("IBAN", "IBAN"),
        ] {
            assert_eq!(without_notes(name), expected, "{name}");
        }
    }

    #[test]
    fn legal_forms_of_other_scripts_are_recognised() {
        for name in
            ["شركة بريندال", "บริษัท บรินดัล จำกัด", "CÔNG TY CỔ PHẦN BRINDAL", "S.C. Brindal S.R.L."]
        {
            let tokens = prepare(name).tokens;
            let significant = tokens.iter().filter(|token| token.class.is_significant()).count();
            assert_eq!(significant, 1, "{name}: {tokens:?}");
        }
    }
}

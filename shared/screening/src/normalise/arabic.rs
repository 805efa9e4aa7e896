//! Folds words in Arabic script.
//!
//! The script does not write short vowels. Frequent names are therefore looked up in a table, and
//! the consonants of all other words are transliterated. The rules and the table were written for
//! this project.

use std::collections::HashMap;
use std::sync::LazyLock;

use any_ascii::any_ascii_char;

use super::token::Origin;
use super::word::Word;

/// Returns whether a character belongs to the Arabic script. Presentation forms are not included,
/// because NFKC normalisation has already replaced them.
pub(super) fn is_arabic(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{8a0}'..='\u{8ff}')
}

/// Returns whether a character is a vowel sign or another mark of the Arabic script.
pub(super) fn is_sign(c: char) -> bool {
    matches!(c, '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{610}'..='\u{61a}' | '\u{6d6}'..='\u{6ed}')
}

/// Folds one written word to Latin letters and appends the result to `out`. A frequent name becomes
/// one word. In any other word the prefixes `abd`, `abu` and `ibn` and the article become words of
/// their own, and the suffix `al-din` becomes the word `din`.
pub(super) fn words(word: &str, is_persian: bool, out: &mut Vec<Word>) {
    let simplified: String = word.chars().filter_map(simplify).collect();
    // The letter that Arabic reads as d is z in Persian and Urdu: Rida is Reza.
    let known = |latin: &str| {
        let is_z = is_persian && word.contains(['ض', 'ذ']);
        Word::new(&if is_z { latin.replace('d', "z") } else { latin.to_owned() }, Origin::Sound)
    };
    let mut rest = simplified.as_str();
    if rest == "د" {
        // The abbreviation of doctor.
        out.extend(Word::new("dr", Origin::Letters));
        return;
    }
    if rest == "شركه" {
        out.extend(Word::new("company", Origin::Letters));
        return;
    }
    if let Some(latin) = frequent_name(rest) {
        out.extend(known(latin));
        return;
    }
    let before_al_din = rest.strip_suffix("الدين").filter(|name| name.chars().count() >= 2);
    if let Some(name) = before_al_din {
        words(name, is_persian, out);
        out.extend(Word::new("din", Origin::Letters));
        return;
    }
    for abd in ["عبدال", "عبد"] {
        let name = rest.strip_prefix(abd).filter(|name| name.chars().count() >= 3);
        if let Some(name) = name {
            out.extend(Word::new("abd", Origin::Letters));
            rest = name;
            break;
        }
    }
    for (prefix, latin) in [("ابو", "abu"), ("ابن", "ibn")] {
        let name = rest.strip_prefix(prefix).filter(|name| name.chars().count() >= 3);
        if let Some(name) = name.filter(|_| frequent_name(rest).is_none()) {
            out.extend(Word::new(latin, Origin::Letters));
            rest = name;
            break;
        }
    }
    let article = rest.strip_prefix("ال").filter(|name| name.chars().count() >= 2);
    if let Some(name) = article.filter(|_| frequent_name(rest).is_none()) {
        out.extend(Word::new("al", Origin::Letters));
        rest = name;
        // Some writers repeat the article by mistake.
        rest = rest.strip_prefix("ال").filter(|name| name.chars().count() >= 3).unwrap_or(rest);
    }
    match frequent_name(rest) {
        Some(latin) => out.extend(known(latin)),
        None => {
            let digits = rest.chars().any(|c| c.is_ascii_digit());
            let origin = if digits { Origin::Letters } else { Origin::Consonants };
            out.extend(Word::new(&consonants(rest, is_persian), origin));
        }
    }
}

/// Replaces variants of a letter with one form, and Arabic digits with ASCII digits. Returns `None`
/// for vowel signs and for a hamza without a carrier letter.
fn simplify(c: char) -> Option<char> {
    let letter = match c {
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ى' | 'ی' | 'ي' | 'ے' => 'ي',
        'ئ' => 'ي',
        'ؤ' => 'و',
        'ة' | 'ۀ' | 'ە' | 'ہ' | 'ھ' => 'ه',
        'ک' | 'ڪ' => 'ك',
        '\u{660}'..='\u{669}' => char::from_digit(u32::from(c) - 0x660, 10)?,
        '\u{6f0}'..='\u{6f9}' => char::from_digit(u32::from(c) - 0x6f0, 10)?,
        'ء' => return None,
        sign if is_sign(sign) => return None,
        other => other,
    };
    Some(letter)
}

/// Transliterates the consonants and long vowels of a word. `و` and `ي` can be consonants or
/// vowels: they count as consonants at the beginning of a word and as vowels elsewhere. The
/// comparison of skeletons tolerates one missing consonant, which covers most words for which this
/// rule is wrong. In Persian and Urdu, three letters are read as z and s.
fn consonants(word: &str, is_persian: bool) -> String {
    let mut out = String::new();
    for (position, c) in word.chars().enumerate() {
        // Otherwise s and h would look like sh, which is another letter.
        if matches!(c, 'ح' | 'ه' | 'خ') && out.ends_with(['s', 't', 'k', 'd', 'z', 'g', 'c', 'p'])
        {
            out.push('a');
        }
        out.push_str(match c {
            'ا' => "a",
            'ب' => "b",
            'پ' => "p",
            'ت' | 'ط' => "t",
            'ث' => {
                if is_persian {
                    "s"
                } else {
                    "th"
                }
            }
            'ج' => "j",
            'چ' => "ch",
            'ح' | 'ه' | 'خ' => "h",
            'ض' | 'ذ' if is_persian => "z",
            'د' | 'ض' | 'ذ' | 'ڈ' => "d",
            'ٹ' => "t",
            'ر' | 'ڑ' => "r",
            'ں' => "n",
            'ز' | 'ظ' => "z",
            'ژ' => "zh",
            'س' | 'ص' => "s",
            'ش' => "sh",
            'غ' | 'گ' => "g",
            'ف' => "f",
            'ق' => "q",
            'ك' => "k",
            'ل' => "l",
            'م' => "m",
            'ن' => "n",
            'و' if position == 0 => "w",
            'و' => "u",
            'ي' if position == 0 => "y",
            'ي' => "i",
            'ع' | '\u{600}'..='\u{605}' => "",
            // Letters of Urdu, Pashto, Kurdish and Uyghur.
            other if is_arabic(other) => any_ascii_char(other),
            _ => "",
        });
        out.extend(Some(c).filter(char::is_ascii_digit));
    }
    // A word that has only letters without a Latin counterpart, such as ayn, must not vanish.
    if out.is_empty() { "a".to_owned() } else { out }
}

fn frequent_name(word: &str) -> Option<&'static str> {
    FREQUENT_NAMES.get(word).copied()
}

static FREQUENT_NAMES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let words: Vec<&str> = NAMES.iter().flat_map(|line| line.split_ascii_whitespace()).collect();
    let (pairs, _) = words.as_chunks();
    let simplified = |word: &str| word.chars().filter_map(simplify).collect();
    pairs.iter().map(|[arabic, latin]| (simplified(arabic), *latin)).collect()
});

/// Frequent given and family names and particles. Each Arabic word is followed by its Latin form.
const NAMES: &[&str] = &[
    "محمد muhammad أحمد ahmad محمود mahmud حامد hamid حميد hamid حمد hamad حمدان hamdan",
    "حمدي hamdi حمزة hamza حسن hasan حسين husayn حسني husni حسان hassan محسن muhsin علي ali",
    "عليا aliya عمر umar عمار ammar عمرو amr عامر amir عمران imran معمر muammar عثمان uthman",
    "إبراهيم ibrahim اسماعيل ismail يوسف yusuf يونس yunus يحيى yahya ياسين yasin ياسر yasir",
    "يعقوب yaqub عيسى isa موسى musa داود dawud داوود dawud سليمان sulayman هارون harun",
    "زكريا zakariya نوح nuh ادم adam آدم adam لوط lut إدريس idris أيوب ayyub إسحاق ishaq",
    "عبدالله abdullah عبد abd الله allah عباس abbas عبيد ubayd عبود abbud عبده abduh عابد abid",
    "خالد khalid خليل khalil خلف khalaf خميس khamis خضر khidr صالح salih صلاح salah صابر sabir",
    "صادق sadiq صباح sabah صدام saddam صفاء safa سالم salim سليم salim سلمان salman سلام salam",
    "سلطان sultan سامي sami سمير samir سعيد said سعد saad سعود saud سيف sayf سيد sayyid",
    "السيد sayyid شيخ shaykh الشيخ shaykh حاج hajj الحاج hajj دكتور doctor شريف sharif",
    "شاكر shakir شهاب shihab رشيد rashid راشد rashid رشاد rashad رضا rida رحمن rahman رحيم rahim",
    "رمضان ramadan رامي rami رائد raid رفيق rafiq رياض riyad ربيع rabi كريم karim كامل kamil",
    "كمال kamal كاظم kazim جمال jamal جميل jamil جابر jabir جاسم jasim جعفر jafar جلال jalal",
    "جهاد jihad جواد jawad ماجد majid مجيد majid مجدي majdi ماهر mahir مازن mazin مالك malik",
    "مبارك mubarak مصطفى mustafa مختار mukhtar مراد murad مرتضى murtada مروان marwan مسعود masud",
    "مسلم muslim معاذ muadh مفتاح miftah مقتدى muqtada منصور mansur منير munir مهدي mahdi",
    "مهند muhannad ناصر nasir نصر nasr نصرالله nasrallah نزار nizar نعيم naim نعمان numan",
    "نور nur نوري nuri نبيل nabil ناجي naji نايف nayif نواف nawaf قاسم qasim قادر qadir قدير qadir",
    "فؤاد fuad فادي fadi فارس faris فاروق faruq فاضل fadil فاطمة fatima فتحي fathi فخري fakhri",
    "فرج faraj فرحان farhan فريد farid فضل fadl فهد fahd فوزي fawzi فيصل faysal فايز fayiz",
    "طارق tariq طالب talib طاهر tahir طه taha طلال talal ظافر zafir عادل adil عارف arif عاصم asim",
    "عبدالرحمن abdulrahman عدنان adnan عدي uday عزت izzat عزالدين izzaldin عز izz عزيز aziz",
    "عصام isam عطية atiya عقيل aqil علاء ala عماد imad عوض awad عواد awwad عويد uwayd عيد id",
    "غازي ghazi غسان ghassan غالب ghalib أبو abu أبي abi ابن ibn بن bin بنت bint أم umm آل al",
    "أسامة usama أسعد asad اسد asad أشرف ashraf أكرم akram أمين amin أمير amir أنس anas أنور anwar",
    "أيمن ayman أكبر akbar اصغر asghar إياد iyad إيهاب ihab إحسان ihsan باسم basim باقر baqir",
    "بدر badr بشار bashar بشير bashir بكر bakr بلال bilal بهاء baha تامر tamir توفيق tawfiq",
    "ثابت thabit حاتم hatim حارث harith حازم hazim حافظ hafiz حبيب habib حكيم hakim حيدر haydar",
    "دين din الدين din وليد walid وائل wail وسيم wasim هاشم hashim هاني hani هادي hadi هشام hisham",
    "هيثم haytham زاهر zahir زيد zayd زياد ziyad زين zayn زهير zuhayr زيدان zaydan لطيف latif",
    "مريم maryam عائشة aisha خديجة khadija زينب zaynab ليلى layla نادية nadia سارة sara هدى huda",
    "سمية sumaya رانيا ranya سعاد suad أمل amal منى muna هند hind اسماء asma لينا lina دينا dina",
    "خان khan غلام ghulam پرويز parviz رستم rustam شاه shah بهروز bahruz بهمن bahman داريوش daryush",
    "فرهاد farhad جهان jahan نجيب najib نجم najm نادر nadir ناظم nazim عراقي iraqi مصري masri",
    "سوري suri شامي shami حلبي halabi بغدادي baghdadi تكريتي tikriti موصلي mawsili دوري duri",
    "كويتي kuwayti قطري qatari يمني yamani سوداني sudani ليبي libi تونسي tunisi مغربي maghribi",
    "جزائري jazairi أردني urduni فلسطيني filistini لبناني lubnani سعودي saudi عدني adani",
    "نجار najjar حداد haddad خياط khayyat عطار attar صباغ sabbagh قاضي qadi خطيب khatib",
    "أسد asad اسدي asadi عطا ata يزيد yazid وهاب wahhab رزاق razzaq غني ghani غفار ghaffar",
    "غفور ghafur جبار jabbar ستار sattar سلامة salama خالق khaliq وحيد wahid واحد wahid",
    "باري bari حق haqq هادى hadi حليم halim عظيم azim رؤوف rauf ودود wadud قهار qahhar مجد majd",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn latin(word: &str) -> String {
        let mut out = Vec::new();
        words(word, false, &mut out);
        let texts: Vec<String> = out.into_iter().map(|word| word.text).collect();
        texts.join(" ")
    }

    #[test]
    fn names_and_prefixes_are_recognised_before_transliteration() {
        for (word, expected) in [
            ("محمد", "muhammad"),
            ("مُحَمَّد", "muhammad"),
            ("عبدالرحيم", "abd rahim"),
            ("الطرابلسي", "al trablsi"),
            ("ابوبكر", "abu bakr"),
            ("١٢", "12"),
            ("ع", "a"),
        ] {
            assert_eq!(latin(word), expected, "{word}");
        }
        assert_eq!(NAMES.iter().flat_map(|line| line.split_ascii_whitespace()).count() % 2, 0);
    }
}

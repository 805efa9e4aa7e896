//! Tests files that are cut off, damaged or hostile.

use proptest::prelude::*;

use super::*;

/// A file that consists of a beginning and many repetitions of a pattern.
struct RepeatingFile<'a> {
    beginning: Cursor<Vec<u8>>,
    pattern: &'a [u8],
    /// Place of the next byte in the pattern.
    place: usize,
    /// Number of bytes that are left to read, rounded up to a whole buffer.
    remaining: u64,
}

impl std::io::Read for RepeatingFile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.beginning.read(buffer)?;
        if length > 0 || self.remaining == 0 {
            return Ok(length);
        }
        for byte in buffer.iter_mut() {
            *byte = self.pattern[self.place];
            self.place = (self.place + 1) % self.pattern.len();
        }
        self.remaining = self.remaining.saturating_sub(buffer.len() as u64);
        Ok(buffer.len())
    }
}

/// Reads a file that consists of `beginning` and five mebibytes of repetitions of `pattern`. The
/// file must be refused. Returns the text of the error.
fn refusal_of_repetition(beginning: &str, pattern: &str) -> String {
    let file = RepeatingFile {
        beginning: Cursor::new(beginning.as_bytes().to_vec()),
        pattern: pattern.as_bytes(),
        place: 0,
        remaining: 5 << 20,
    };
    let input = Input { name: "list", read: Box::new(BufReader::new(file)) };
    super::read(vec![input], &mut |_| {}).unwrap_err().to_string()
}

#[test]
fn a_file_that_is_not_a_list_is_refused_with_the_reason() {
    for (bytes, expected) in [
        (b"".as_slice(), "is empty"),
        (b" \n ", "is empty"),
        (b"\x1f\x8b\x08\x00", "is compressed"),
        (b"PK\x03\x04", "is compressed"),
        (b"\xff\xfe<\x00", "is UTF-16"),
        (b"<!DOCTYPE html><html>", "has a DOCTYPE"),
        (b"<html><body>Service unavailable", "is a web page"),
        (b"<?xml version=\"1.0\"?><sdnList>", "OFAC's older XML format is not supported"),
        (b"<rss/>", "the format is not recognised"),
        (b"1,2,3\n", "has 3 columns"),
        (b"name;kind\nA;person\n", "the columns are separated by semicolons"),
        (b"hello", "the format is not recognised"),
        (
            b"Last Updated,03/06/2026\nName 6,Name 1,Group ID\n",
            "OFSI's former consolidated list is not supported",
        ),
        (b"<Sanctions></Sanctions>", "the file has no entries"),
        (b"<export/>", "the file has no entries"),
        (b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><export/>", "the encoding is ISO-8859-1"),
        (b"<export><a></b></export>", "is not well-formed XML"),
        (b"<export><sanctionEntity a=1/></export>", "is not well-formed XML"),
        (b"{\"a\":\n", "none of the records can be read"),
        (b"{\"id\": \"a\"", "is cut off"),
    ] {
        let reason = refusal(&[bytes]);
        assert!(reason.contains(expected), "{:?}: {reason}", String::from_utf8_lossy(bytes));
    }
    assert!(read(Vec::new(), &mut |_| {}).is_err());
}

/// Checks that an unclosed quote, which joins many rows into one, causes an error.
#[test]
fn a_list_with_a_stray_quote_is_refused() {
    let row = |id: usize| format!("{id},Mirka Dovello {id},person\n");
    let rows = |from: usize, to: usize| (from..to).map(row).collect::<String>();
    let odd_quotes = format!(
        "id,name,kind\n1,\"Mirka Dovello,person\n{}400,\"Tamoun, Yusuf\",person\n{}",
        rows(2, 400),
        rows(401, 2_000)
    );
    assert!(refusal(&[odd_quotes.as_bytes()]).contains("a quote that is not closed"));
    let even_quotes = format!(
        "id,name\n1,\"Mirka\n{}400,x\"\n{}",
        (2..400).map(|id| format!("{id},Mirka {id}\n")).collect::<String>(),
        (401..2_000).map(|id| format!("{id},Mirka {id}\n")).collect::<String>()
    );
    assert!(refusal(&[even_quotes.as_bytes()]).contains("a quote that is not closed"));
}

#[test]
fn a_list_that_is_cut_off_is_refused() {
    for list in [ADVANCED, UN, EU] {
        let end = list.trim_ascii_end().len();
        for cut in (1_500..end).step_by(97) {
            let reason = refusal(&[&list[..cut]]);
            let is_expected = reason.contains("is cut off") || reason.contains("well-formed");
            assert!(is_expected, "{cut}: {reason}");
        }
    }
    // The following two files end inside a quoted field and inside a row.
    let quoted = SDN.windows(9).position(|window| window == b"\"VARDEKA,").unwrap() + 4;
    assert!(refusal(&[&SDN[..quoted]]).contains("is cut off inside a quoted field"));
    let row = SDN.windows(4).position(|window| window == b"\n105").unwrap() + 30;
    assert!(refusal(&[&SDN[..row]]).contains("the last row must have 12 columns, not 3"));
    let quoted = UK.windows(6).position(|window| window == b"\"\"old\"").unwrap();
    assert!(refusal(&[&UK[..quoted]]).contains("is cut off inside a quoted field"));
    assert!(refusal(&[&UK[..UK.len() - 500]]).contains("is cut off: the last row must have"));
    assert!(refusal(&[&PLAIN[..PLAIN.len() - 14]]).contains("is cut off: the last row must have"));
    assert!(refusal(&[&FTM[..FTM.len() - 40]]).contains("is cut off"));
}

#[test]
fn expanding_entities_and_deep_nesting_are_refused() {
    let bomb = "<!DOCTYPE export [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>\
         <export>&b;</export>";
    assert!(refusal(&[bomb.as_bytes()]).contains("has a DOCTYPE"));
    let late_doctype = format!("<export>{bomb}</export>");
    assert!(refusal(&[late_doctype.as_bytes()]).contains("has a DOCTYPE"));
    assert!(refusal_of_repetition("<export>", "<a>").contains("nested more than 64 deep"));
    let entity = "<export><sanctionEntity>";
    assert!(refusal_of_repetition(entity, "<a>").contains("nested more than 64 deep"));
    let wide = format!("<export><sanctionEntity {}/></export>", "a=\"\" ".repeat(100_000));
    assert!(refusal(&[wide.as_bytes()]).contains("more than 256 attributes"));
    let deep = format!(
        "{{\"id\":\"a\",\"schema\":\"Person\",\"properties\":{{\"name\":{}",
        "[".repeat(9_999)
    );
    assert!(refusal(&[deep.as_bytes(), b"\n"]).contains("is empty"));
    assert!(refusal(&[format!("{deep}\n").as_bytes()]).contains("none of the records can be read"));
}

#[test]
fn a_record_of_unlimited_length_is_refused() {
    let long = "longer than 4194304 bytes";
    for (beginning, pattern) in [
        ("<export><sanctionEntity a=\"", "a"),
        ("<export><", "a"),
        ("<export><!--", "a"),
        ("<export><![CDATA[", "a"),
        ("name\n\"", "a,\n"),
        ("name\nx", ","),
        ("101,\"", "a"),
        ("Entity_LogicalId;NameAlias_WholeName\n1;", "a"),
    ] {
        let reason = refusal_of_repetition(beginning, pattern);
        let is_unknown_format = reason.contains("not recognised") || reason.contains("columns");
        assert!(reason.contains(long) || is_unknown_format, "{beginning:?}: {reason}");
    }
    let reason = refusal_of_repetition("<export><sanctionEntity>", "<a>b</a>");
    assert!(reason.contains("is cut off"), "{reason}");
}

#[test]
fn a_record_that_is_too_long_is_skipped_if_the_next_one_can_be_read() {
    let aliases = "<nameAlias wholeName=\"Anna\"/>".repeat(150_000);
    let subject = "<subjectType code=\"person\"/>";
    let xml = format!(
        "<export><sanctionEntity logicalId=\"1\">{subject}{aliases}</sanctionEntity>\
         <sanctionEntity logicalId=\"2\">{subject}<nameAlias wholeName=\"Bert\"/>\
         </sanctionEntity></export>"
    );
    let (entities, report) = read_files(&[xml.as_bytes()]).unwrap();
    assert_eq!((entities[0].id.as_str(), entities.len()), ("2", 1));
    assert_eq!(skipped_records(&report), [(1, "", "the record is longer than 4194304 bytes")]);

    let person = |id: &str, name: &str| {
        format!(
            "{{\"id\":\"{id}\",\"schema\":\"Person\",\"properties\":{{\"name\":[\"{name}\"]}}}}\n"
        )
    };
    let lines =
        person("1", &"a".repeat(5 << 20)) + &person("2", "Bert") + &person("3", &"a".repeat(3_000));
    let (entities, report) = read_files(&[lines.as_bytes()]).unwrap();
    assert_eq!((entities[0].id.as_str(), entities.len()), ("2", 1));
    let expected =
        [(1, "", "the line is longer than 4194304 bytes"), (3, "3", "the record has no name")];
    assert_eq!(skipped_records(&report), expected);
    assert_eq!(report.unread[0].field, "name", "the name is longer than the limit");
}

#[test]
fn a_list_with_more_than_one_bad_record_in_twenty_is_refused() {
    let list = |good: usize, bad: usize| {
        let good: String = (0..good).map(|n| format!("Name {n},person\n")).collect();
        format!("name,kind\n{good}{}", "short\n".repeat(bad))
    };
    assert_eq!(read_files(&[list(2, 2).as_bytes()]).unwrap().1.skipped_total, 2);
    assert_eq!(read_files(&[list(95, 5).as_bytes()]).unwrap().1.skipped_total, 5);
    assert!(
        refusal(&[list(94, 6).as_bytes()]).contains("line 96: 6 of 100 records cannot be read")
    );
}

#[test]
fn text_that_is_not_in_the_encoding_of_the_format_is_skipped() {
    let (_, report) = read_files(&[b"name\nAnna\nM\xfcller\n"]).unwrap();
    assert_eq!(skipped_records(&report), [(3, "", "a field is not UTF-8")]);
    let neither = b"1,\"M\x81LLER\",individual,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n";
    assert!(refusal(&[neither]).contains("is neither UTF-8 nor Windows-1252"));
}

/// Generates fixtures with a few edits: bytes are changed or inserted, and parts are removed or
/// repeated.
fn edited_fixture() -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4u8, any::<u8>());
    (0..ALL.len(), prop::collection::vec(edit, 1..6)).prop_map(|(list, edits)| {
        let mut bytes = ALL[list].to_vec();
        for (from, to, edit, byte) in edits {
            if bytes.is_empty() {
                break;
            }
            let (one, other) = (from.index(bytes.len()), to.index(bytes.len()));
            let start = one.min(other);
            let end = one.max(other).min(start + 400);
            match edit {
                0 => bytes[start] = byte,
                1 => drop(bytes.drain(start..end)),
                2 => bytes.extend_from_within(start..end),
                _ => bytes.insert(start, b"\"<>&;,\n{}"[usize::from(byte) % 9]),
            }
        }
        bytes
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_make_a_reader_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
    ) {
        let _ = read_files(&[&bytes]);
    }

    #[test]
    fn arbitrary_bytes_after_the_beginning_of_a_list_never_make_its_reader_panic(
        list in 0..ALL.len(),
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
        cut in 1..2_000usize,
    ) {
        let beginning = &ALL[list][..cut.min(ALL[list].len())];
        let _ = read_files(&[&[beginning, &bytes].concat()]);
    }

    #[test]
    fn an_edited_list_never_makes_its_reader_panic(
        list in edited_fixture(),
        other in edited_fixture(),
    ) {
        for entity in read_files(&[&list]).map(|(entities, _)| entities).unwrap_or_default() {
            prop_assert!(!entity.names.is_empty() && !entity.id.is_empty());
            prop_assert_eq!(entity.names[0].kind.into_str(), "primary");
        }
        let _ = read_files(&[SDN, &list, &other]);
    }
}

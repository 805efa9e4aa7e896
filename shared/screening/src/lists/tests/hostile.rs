//! Files that are cut, damaged or meant to harm.

use proptest::prelude::*;

use super::*;

/// A file that grows while it is read, as long as anybody reads.
struct Endless<'a> {
    begin: Cursor<Vec<u8>>,
    again: &'a [u8],
    place: usize,
    left: u64,
}

impl std::io::Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let begun = self.begin.read(buffer)?;
        if begun > 0 || self.left == 0 {
            return Ok(begun);
        }
        for byte in buffer.iter_mut() {
            *byte = self.again[self.place];
            self.place = (self.place + 1) % self.again.len();
        }
        self.left = self.left.saturating_sub(buffer.len() as u64);
        Ok(buffer.len())
    }
}

/// Reads a beginning and megabytes of the same behind it.
fn read_endless(begin: &str, again: &str) -> Result<Report, String> {
    let read = Endless {
        begin: Cursor::new(begin.as_bytes().to_vec()),
        again: again.as_bytes(),
        place: 0,
        left: 5 << 20,
    };
    let input = Input { name: "list", read: Box::new(BufReader::new(read)) };
    super::read(vec![input], &mut |_| {}).map_err(|refused| refused.to_string())
}

#[test]
fn what_is_no_list_is_refused_by_name() {
    for (bytes, why) in [
        (b"".as_slice(), "is empty"),
        (b" \n ", "is empty"),
        (b"\x1f\x8b\x08\x00", "is compressed"),
        (b"PK\x03\x04", "is compressed"),
        (b"\xff\xfe<\x00", "is UTF-16"),
        (b"<!DOCTYPE html><html>", "has a DOCTYPE"),
        (b"<html><body>Service unavailable", "is a web page"),
        (b"<?xml version=\"1.0\"?><sdnList>", "is OFAC's older XML"),
        (b"<rss/>", "is XML of no format that is known"),
        (b"1,2,3\n", "has 3 columns"),
        (b"name;kind\nA;person\n", "is separated by semicolons"),
        (b"hello", "is of no format that is known"),
        (b"Last Updated,03/06/2026\nName 6,Name 1,Group ID\n", "is OFSI's former"),
        (b"<Sanctions></Sanctions>", "has no entry"),
        (b"<export/>", "has no entry"),
        (b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><export/>", "is written in ISO-8859-1"),
        (b"<export><a></b></export>", "is not well-formed XML"),
        (b"<export><sanctionEntity a=1/></export>", "is not well-formed XML"),
        (b"{\"a\":\n", "has no entry that can be read"),
        (b"{\"id\": \"a\"", "is cut off"),
    ] {
        let said = refused(&[bytes]);
        assert!(said.contains(why), "{:?}: {said}", String::from_utf8_lossy(bytes));
    }
    assert!(read(Vec::new(), &mut |_| {}).is_err());
}

/// A quote that is never closed makes one row of many: none of them may go unnoticed.
#[test]
fn a_stray_quote_swallows_nobody() {
    let row = |id: usize| format!("{id},Mirka Dovello {id},person\n");
    let rows = |from: usize, to: usize| (from..to).map(row).collect::<String>();
    let odd = format!(
        "id,name,kind\n1,\"Mirka Dovello,person\n{}400,\"Tamoun, Yusuf\",person\n{}",
        rows(2, 400),
        rows(401, 2_000)
    );
    assert!(refused(&[odd.as_bytes()]).contains("a quote that is not closed"));
    let even = format!(
        "id,name\n1,\"Mirka\n{}400,x\"\n{}",
        (2..400).map(|id| format!("{id},Mirka {id}\n")).collect::<String>(),
        (401..2_000).map(|id| format!("{id},Mirka {id}\n")).collect::<String>()
    );
    assert!(refused(&[even.as_bytes()]).contains("a quote that is not closed"));
}

#[test]
fn a_list_that_is_cut_off_is_refused() {
    for list in [ADVANCED, UN, EU] {
        let end = list.trim_ascii_end().len();
        for cut in (1_500..end).step_by(97) {
            let said = refused(&[&list[..cut]]);
            assert!(said.contains("is cut off") || said.contains("well-formed"), "{cut}: {said}");
        }
    }
    // Within a quoted field, and within a row.
    let quoted = SDN.windows(9).position(|window| window == b"\"VARDEKA,").unwrap() + 4;
    assert!(refused(&[&SDN[..quoted]]).contains("it ends within a quoted field"));
    let row = SDN.windows(4).position(|window| window == b"\n105").unwrap() + 30;
    assert!(refused(&[&SDN[..row]]).contains("its last row has 3 columns instead of 12"));
    let quoted = UK.windows(6).position(|window| window == b"\"\"old\"").unwrap();
    assert!(refused(&[&UK[..quoted]]).contains("it ends within a quoted field"));
    assert!(refused(&[&UK[..UK.len() - 500]]).contains("is cut off: its last row has"));
    assert!(refused(&[&PLAIN[..PLAIN.len() - 14]]).contains("is cut off: its last row has"));
    assert!(refused(&[&FTM[..FTM.len() - 40]]).contains("is cut off"));
}

#[test]
fn nothing_expands_and_nothing_nests_without_end() {
    let bomb = "<!DOCTYPE export [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><export>&b;</export>";
    assert!(refused(&[bomb.as_bytes()]).contains("has a DOCTYPE"));
    let late = format!("<export>{bomb}</export>");
    assert!(refused(&[late.as_bytes()]).contains("has a DOCTYPE"));
    assert!(read_endless("<export>", "<a>").unwrap_err().contains("nests deeper than 64"));
    let entity = "<export><sanctionEntity>";
    assert!(read_endless(entity, "<a>").unwrap_err().contains("nests deeper than 64"));
    let wide = format!("<export><sanctionEntity {}/></export>", "a=\"\" ".repeat(100_000));
    assert!(refused(&[wide.as_bytes()]).contains("more than 256 attributes"));
    let deep = format!(
        "{{\"id\":\"a\",\"schema\":\"Person\",\"properties\":{{\"name\":{}",
        "[".repeat(9_999)
    );
    assert!(refused(&[deep.as_bytes(), b"\n"]).contains("is empty"));
    assert!(refused(&[format!("{deep}\n").as_bytes()]).contains("has no entry"));
}

#[test]
fn no_record_grows_without_end() {
    let long = "longer than 4194304 bytes";
    for (begin, again) in [
        ("<export><sanctionEntity a=\"", "a"),
        ("<export><", "a"),
        ("<export><!--", "a"),
        ("<export><![CDATA[", "a"),
        ("name\n\"", "a,\n"),
        ("name\nx", ","),
        ("101,\"", "a"),
        ("Entity_LogicalId;NameAlias_WholeName\n1;", "a"),
    ] {
        let said = read_endless(begin, again).unwrap_err();
        let sniffed = said.contains("no format") || said.contains("columns");
        assert!(said.contains(long) || sniffed, "{begin:?}: {said}");
    }
    let said = read_endless("<export><sanctionEntity>", "<a>b</a>").unwrap_err();
    assert!(said.contains("is cut off"), "{said}");
}

#[test]
fn a_record_that_is_too_long_is_passed_by_where_the_next_can_be_found() {
    let aliases = "<nameAlias wholeName=\"Anna\"/>".repeat(150_000);
    let subject = "<subjectType code=\"person\"/>";
    let xml = format!(
        "<export><sanctionEntity logicalId=\"1\">{subject}{aliases}</sanctionEntity>\
         <sanctionEntity logicalId=\"2\">{subject}<nameAlias wholeName=\"Bert\"/></sanctionEntity></export>"
    );
    let (entities, report) = read_files(&[xml.as_bytes()]).unwrap();
    assert_eq!((entities[0].id.as_str(), entities.len()), ("2", 1));
    assert_eq!(skipped(&report), [(1, "", "is longer than 4194304 bytes")]);

    let person = |id: &str, name: &str| {
        format!(
            "{{\"id\":\"{id}\",\"schema\":\"Person\",\"properties\":{{\"name\":[\"{name}\"]}}}}\n"
        )
    };
    let lines =
        person("1", &"a".repeat(5 << 20)) + &person("2", "Bert") + &person("3", &"a".repeat(3_000));
    let (entities, report) = read_files(&[lines.as_bytes()]).unwrap();
    assert_eq!((entities[0].id.as_str(), entities.len()), ("2", 1));
    let why = [(1, "", "is longer than 4194304 bytes"), (3, "3", "has no name")];
    assert_eq!(skipped(&report), why);
    assert_eq!(report.unread[0].field, "name", "longer than a name can be");
}

#[test]
fn a_list_with_one_bad_record_in_twenty_is_refused() {
    let list = |good: usize, bad: usize| {
        let good: String = (0..good).map(|n| format!("Name {n},person\n")).collect();
        format!("name,kind\n{good}{}", "short\n".repeat(bad))
    };
    assert_eq!(read_files(&[list(2, 2).as_bytes()]).unwrap().1.skipped_total, 2);
    assert_eq!(read_files(&[list(95, 5).as_bytes()]).unwrap().1.skipped_total, 5);
    assert!(refused(&[list(94, 6).as_bytes()]).contains("line 96: 6 of 100 records can't be read"));
}

#[test]
fn what_is_not_utf8_is_told_from_what_is() {
    let said = read_files(&[b"name\nAnna\nM\xfcller\n"]).unwrap().1;
    assert_eq!(skipped(&said), [(3, "", "is not UTF-8")]);
    let neither = b"1,\"M\x81LLER\",individual,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n";
    assert!(refused(&[neither]).contains("is neither UTF-8 nor Windows-1252"));
}

/// A fixture with a few edits: bytes changed, parts left out, repeated or moved.
fn edited() -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4u8, any::<u8>());
    (0..ALL.len(), prop::collection::vec(edit, 1..6)).prop_map(|(list, edits)| {
        let mut bytes = ALL[list].to_vec();
        for (from, to, how, byte) in edits {
            if bytes.is_empty() {
                break;
            }
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            let (from, to) = (from.min(to), from.max(to).min(from.min(to) + 400));
            match how {
                0 => bytes[from] = byte,
                1 => drop(bytes.drain(from..to)),
                2 => bytes.extend_from_within(from..to),
                _ => bytes.insert(from, b"\"<>&;,\n{}"[usize::from(byte) % 9]),
            }
        }
        bytes
    })
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = read_files(&[&bytes]);
    }

    #[test]
    fn no_bytes_behind_the_beginning_of_a_list_make_its_reader_panic(
        list in 0..ALL.len(),
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
        cut in 1..2_000usize,
    ) {
        let begin = &ALL[list][..cut.min(ALL[list].len())];
        let _ = read_files(&[&[begin, &bytes].concat()]);
    }

    #[test]
    fn no_edit_of_a_list_makes_its_reader_panic(one in edited(), other in edited()) {
        for entity in read_files(&[&one]).map(|(entities, _)| entities).unwrap_or_default() {
            prop_assert!(!entity.names.is_empty() && !entity.id.is_empty());
            prop_assert_eq!(entity.names[0].kind.into_str(), "primary");
        }
        let _ = read_files(&[SDN, &one, &other]);
    }
}

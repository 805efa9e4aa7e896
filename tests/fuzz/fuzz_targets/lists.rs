//! Imports arbitrary bytes as the files of a list. If the import succeeds, the index must open and
//! contain as many entries as its metadata states.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::screening::import;
use shared::screening::index::Index;
use shared::screening::lists::Input;

fuzz_target!(|data: &[u8]| {
    // A list can have several files. Record separators delimit them in the input.
    let files: Vec<&[u8]> = data.split(|byte| *byte == 0x1e).take(4).collect();
    let input = |bytes| Input { name: "fuzz", read: Box::new(std::io::BufReader::new(bytes)) };
    let Ok(imported) = import("fuzz", None, files.into_iter().map(input).collect(), |_| ()) else {
        return;
    };
    let index = Index::open(imported.index).expect("a new index opens");
    assert_eq!(index.entities().count(), index.meta().entities as usize);
});

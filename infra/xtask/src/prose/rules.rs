//! Lists the constructions that make a comment hard to read at first sight.
//!
//! A rule belongs here if the construction is nearly always bad: well-written crates use it at most
//! once in a few thousand words. To test a rule, run `cargo xtask prose` on such a crate.

/// One construction, as a regular expression that ignores case.
pub(super) struct Rule {
    pub(super) name: &'static str,
    /// Whether the pattern applies only to the first words of a sentence.
    pub(super) is_at_start: bool,
    pub(super) pattern: &'static str,
    /// A match does not count if this pattern matches at the same position.
    pub(super) except: Option<&'static str>,
    /// A sentence that the rule matches.
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests of the rules read it"))]
    pub(super) bad: &'static str,
    /// A similar sentence that no rule matches.
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests of the rules read it"))]
    pub(super) good: &'static str,
}

const fn start(
    name: &'static str,
    pattern: &'static str,
    bad: &'static str,
    good: &'static str,
) -> Rule {
    Rule { name, is_at_start: true, pattern, except: None, bad, good }
}

const fn anywhere(
    name: &'static str,
    pattern: &'static str,
    bad: &'static str,
    good: &'static str,
) -> Rule {
    Rule { name, is_at_start: false, pattern, except: None, bad, good }
}

impl Rule {
    const fn except(mut self, pattern: &'static str) -> Rule {
        self.except = Some(pattern);
        self
    }
}

pub(super) const RULES: &[Rule] = &[
    start(
        "starts with What",
        r"(what|whatever)\b",
        "What is not an id is treated as not found.",
        "Returns what the table contains.",
    ),
    start(
        "starts with Who",
        r"(who|whoever|whose|whom)\b",
        "Who was overtaken notices it at the next step.",
        "A worker who lost its lease stops.",
    ),
    start("starts with Of", r"of\b", "Of the page before.", "Cursor of the previous page.")
        .except(r"of (course|note|these|those)\b"),
    anywhere(
        "clause starts with what or who",
        r"[;:] (and |but )?(what|whatever|whoever|who)\b",
        "It holds a lease; who is silent for longer is dead.",
        "It holds a lease; a silent worker is presumed dead.",
    )
    .except(r"[^?]*\?"),
    anywhere(
        "whoever, whatever",
        r"\b(whoever|whomever|(by|of|from|on|and|that) whatever)\b",
        "The lease belongs to whoever renews it.",
        "Works for empty lists, or whatever the caller passes.",
    ),
    anywhere("whom", r"\bwhom\b", "The party of whom it is a child.", "The parent of the party."),
    anywhere(
        "nobody",
        r"\b(nobody|nobody's|everybody|somebody|anybody)\b",
        "An item that nobody reads.",
        "An item that is not read.",
    ),
    anywhere(
        "nothing else",
        r"\bnothing else\b",
        "Prints the token and nothing else.",
        "Prints only the token.",
    ),
    anywhere(
        "nothing as an object",
        r"\b(changes|leaves|says|knows|costs|loses|holds|means|takes|keeps|asks|adds|shows|tells|gives|finds|sees|has|have|had|is|was|with) nothing\b",
        "A second attempt changes nothing.",
        "A second attempt does nothing.",
    ),
    anywhere(
        "nothing is",
        r"\bnothing (is|was|has|that|of)\b",
        "After an error nothing is lost.",
        "After an error no data is lost.",
    ),
    anywhere(
        "no more than that",
        r"\b(no|not) (more|less|longer|other) than (that|this|it|these|those)\b",
        "It reads one page and no more than that.",
        "It waits no longer than 5 seconds.",
    ),
    anywhere("anew", r"\banew\b", "Builds the index anew.", "Rebuilds the index."),
    anywhere("told", r"\b(told|tell|tells)\b", "What the worker is told.", "The worker's input.")
        .except(r"\w+ (the (\S+ )?)?(cargo|rustc|compiler|clippy|users?|you|us|me|callers?|clients?|readers?|operators?)\b"),
    anywhere("so many", r"\bso (many|often|much)\b", "Makes so many requests.", "Makes `n` requests.")
        .except(r"so (many|often|much) (\S+ ){0,6}(that|as)\b"),
    anywhere(
        "as many as",
        r"\bas (many|often|few) (\S+ )?as\b",
        "Asks for as many as there are rows.",
        "Reads as many rows as possible.",
    )
    .except(r"as \w+ (\S+ )?as (possible|needed|necessary|we can|you (like|want))"),
    anywhere(
        "is there",
        r"\b(is|are|was|were) (there|here)( (and|or|but)\b|[.,;:)]|$)",
        "Waits until the table is there.",
        "Why is there a table?",
    ),
    anywhere(
        "has gone",
        r"\b(has|have|had) gone\b",
        "The list has gone.",
        "The list no longer exists.",
    ),
    anywhere(
        "by itself",
        r"\bby (itself|themselves)\b",
        "A pass ends by itself.",
        "A pass ends without a request.",
    )
    .except(r"by \w+ (is|are) "),
    anywhere(
        "of its own",
        r"\b(of|on) (its|their|his|one's) own[.,;:)]",
        "The test has a table of its own.",
        "The test has its own table.",
    ),
    anywhere(
        "stands",
        r"\b(stands?|stood) (for|in|on|at|still|alone|beside|behind|before|there|here|under|with|by)\b|\bas (it|they) stands?\b",
        "The list stands beside its customer.",
        "The list is stored next to its customer.",
    )
    .except(r"stands? for [A-Z]"),
    anywhere(
        "behind for after",
        r"\bbehind (it|them|him|her|that|this|these|those)\b",
        "The rows behind it are read later.",
        "The rows after the cursor are read later.",
    ),
    anywhere(
        "data that says",
        r"\b(it|that|who|which|file|list|lists|row|rows|item|items|event|field|value|header|answer|response|request|template|manifest|table|entry|status|record|body|claim|claims|token|setting|settings|parameter|name|names) (say|says|said)\b",
        "The row says which list it belongs to.",
        "The documentation says which list it is.",
    )
    .except(r"that said,"),
    anywhere(
        "data that knows",
        r"\b(table|list|lists|file|document|template|store|index|row|item|schema|event|server|function|gateway|store|stack|database|client|API) (knows?|knew)\b",
        "The table knows the revision.",
        "The caller knows the revision.",
    ),
    anywhere(
        "comes first",
        r"\b(comes?|came|coming) (first|next|behind|besides|back|again|of it|with it)\b",
        "The customer comes first.",
        "The customer is written first.",
    )
    .except(r"\w+ \w+ (from|to|in)\b"),
    anywhere(
        "is to be done",
        r"\b(is|are|was|were) to be \w+(ed|en|wn|ade|ept|ent|old|ound|id|ut|ead)\b",
        "The row is to be written twice.",
        "The row needs to be written twice.",
    ),
    anywhere(
        "said",
        r"\w+ said\b",
        "Every fact is said once.",
        "That said, every fact appears once.",
    )
    .except(r"(that|being|all) said"),
    anywhere(
        "asked",
        r"\b(asks?|asked|asking)\b",
        "The server is asked for a page.",
        "A client that asks for a page gets 20 rows.",
    )
    .except(r"(ask|asks|asking) for\b"),
    anywhere(
        "such a ... as",
        r"\bsuch an? (\S+ ){1,3}as\b",
        "It needs such a key as the table has.",
        "Such a key is rejected.",
    ),
    anywhere(
        "none there",
        r"\bthere (is|are|was|were) (nothing|nobody)\b|\bthere (are|were) none\b",
        "Without a file there are none yet.",
        "The file does not exist yet.",
    ),
    anywhere(
        "all there is",
        r"\b(all|everything|whatever|what|than) (there|that) (is|are|was|were)\b",
        "Every permission, all there are.",
        "All permissions.",
    ),
    anywhere(
        "the most",
        r"\b(is|are|at) the (most|least)([.,;:)]| and\b|$)",
        "Reads 100 rows at the most.",
        "Reads at most 100 rows.",
    ),
    anywhere(
        "goes on",
        r"\b(go|goes|went|gone|going) on\b",
        "The worker goes on with the next shard.",
        "The worker continues with the next shard.",
    )
    .except(r"going on\b"),
    anywhere(
        "however many",
        r"\bhowever (many|much|often|long|large|small|few)\b",
        "The cost is the same, however many rows it has.",
        "However, many rows are empty.",
    ),
    anywhere(
        "only with inversion",
        r"\bonly (then|when|where|what|who|from there|there) (is|are|was|were|can|may|does|do|has|must)\b",
        "Only then is it written.",
        "It is written only then.",
    ),
    anywhere(
        "none of",
        r"\bnone of (it|which)\b",
        "It reads files, none of which is large.",
        "It reads each file once.",
    ),
    anywhere(
        "beside",
        r"\bbesides?\b",
        "The index is kept beside the list.",
        "The index is kept next to the list.",
    ),
    anywhere("alike", r"\balike\b", "It slows all of them alike.", "It slows all of them equally."),
    anywhere(
        "what for",
        r"\bwhat (for|with|of)([.,;:)]|$)",
        "It shows what for.",
        "It shows what it is for.",
    ),
    anywhere(
        "became of",
        r"\b(becomes?|became|become) of\b",
        "What the shard became of.",
        "The shard became offline.",
    ),
    anywhere(
        "once more",
        r"\b(once more|ever again|again and again)\b",
        "The check runs once more.",
        "The check runs again.",
    ),
    start(
        "starts with That",
        r"that (there|a|an|no|every|some|something|all)\b",
        "That there was a match.",
        "That way, every match is recorded.",
    ),
    start(
        "starts with Since when",
        r"(since|from|by|against|in|under|until|for|to) (when|which|what|whom)\b",
        "Since when it is current.",
        "In which case it fails.",
    )
    .except(r"in which case\b"),
    start("starts with Why", r"why\b", "Why two tokens were taken for one.", "Why not?"),
    start("starts with Where", r"where\b", "Where given, only against changes.", "Sorts the rows.")
        .except(r"where possible\b"),
    start(
        "inverted condition",
        r"(should|were|had) (it|they|the|a|an|there|one|this|that|no|nobody|any)\b",
        "Should it fail, the pass ends.",
        "Should be called once.",
    ),
    anywhere(
        "where for if",
        r"(, |; |^X+ )where (it|they|there|none|nothing|that|given|one|nobody|needed)\b",
        "`None` where it is new.",
        "Reads the folder where the lists are.",
    ),
    anywhere(
        "is no",
        r"\b\w+ (is|are|was|were) no \w+",
        "The tag of a cursor is no signature.",
        "There is no signature; it is no longer needed.",
    )
    .except(
        r"there\b|\w+ \w+ no (longer|more|less|different|worse|better|such|need|way|guarantee)\b",
    ),
    anywhere(
        "that of",
        r"\b(is|are|was|were|be) (that|those) of\b",
        "The lease is that of a worker.",
        "The lease belongs to a worker.",
    ),
    anywhere(
        "but for",
        r"\bbut for (the|a|an|its|their|one)\b",
        "Equal but for the request id.",
        "Equal except for the request id.",
    ),
    anywhere("moves on", r"\b(moves?|moved) on\b", "The list moved on.", "The list changed."),
    anywhere("by now", r"\bby (now|then)\b", "It has ended by now.", "It ended before this call."),
    anywhere("meanwhile", r"\bmeanwhile\b", "The list changed meanwhile.", "The list changed in between."),
    anywhere("is over", r"\b(is|are|was|were) over([.,;]|$)", "Its time is over.", "It is overdue."),
    anywhere(
        "kept apart",
        r"\b(keeps?|kept|sets?|holds?|held|stands?) (\S+ ){0,4}apart\b",
        "Keeps the two lists apart.",
        "The rows are 20 pixels apart.",
    ),
    anywhere("lies", r"\b(lies|lie)\b", "The folder in which it lies.", "The folder of it."),
    anywhere("all the same", r"\ball the same\b", "It is written all the same.", "It is written."),
    anywhere("in the way", r"\bin the way\b", "An old row is in the way.", "In the same way."),
    anywhere("do without", r"\b(does|do|done) without\b", "It does without keys.", "Without keys."),
    anywhere(
        "archaic",
        r"\b(reckon\w*|thereof|therein|whence|thence|lest|henceforth|save for|be it|be they|begun|fares?)\b",
        "A pass that was begun.",
        "A pass that has started.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prose::Checker;

    #[test]
    fn every_rule_has_a_bad_and_a_good_example() {
        let checker = Checker::new();
        for rule in RULES {
            let bad = checker.rules_of(rule.bad);
            assert!(bad.contains(&rule.name), "{}: {} matches {bad:?}", rule.name, rule.bad);
            let good = checker.rules_of(rule.good);
            assert!(good.is_empty(), "{}: {} matches {good:?}", rule.name, rule.good);
        }
    }

    #[test]
    fn a_question_may_start_with_what() {
        assert!(Checker::new().rules_of("What does a cursor contain?").is_empty());
    }

    #[test]
    fn inline_code_does_not_count() {
        assert!(Checker::new().rules_of("Calls `nobody` with `told`.").is_empty());
    }
}

use super::*;

#[test]
fn knows_values_and_positions() {
    let text =
        "# top\na: &x\n  b: \"5m\" # five\n  c: [1, 'it''s', {d: yes}]\ne: *x\nf: {<<: *x, b: 7m}\ng:\n";
    let root = parse(text).unwrap();
    let b = root.get("a").unwrap().get("b").unwrap();
    assert_eq!((b.scalar(), &text[b.span.clone()], b.line), (Some("5m"), "\"5m\"", 3));
    let Kind::List(items) = &root.get("a").unwrap().get("c").unwrap().kind else { panic!("a list") };
    assert_eq!(items[1].scalar(), Some("it's"));
    assert_eq!(items[2].get("d").unwrap().scalar(), Some("yes"));
    // An alias has its anchor's value and position; a merge adds missing entries.
    assert_eq!(root.get("e").unwrap().get("b").unwrap().span, b.span);
    assert_eq!(root.get("f").unwrap().get("b").unwrap().scalar(), Some("7m"));
    assert!(root.get("f").unwrap().get("c").is_some());
    assert!(root.get("g").unwrap().is_null());
}

#[test]
fn ignores_an_empty_second_document() {
    for end in ["---\n", "...\n", "---\n# the end\n", "---\n---\n", "--- ~\n"] {
        let root = parse(&format!("a: 1\n{end}")).unwrap();
        assert_eq!(root.get("a").unwrap().scalar(), Some("1"), "{end}");
    }
}

#[test]
fn errors_have_lines() {
    for (text, line, says) in [
        ("a: 1\na: 2\n", 2, "`a`"),
        ("a: [1\nb: 2\n", 2, ""),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a: 1\n---\n---\nb: 2\n", 3, "second document"),
        ("? [x]\n: 1\n", 1, "key before the colon"),
        ("a: *b\n", 1, ""),
        ("a: &x [*x]\n", 1, ""),
        ("", 1, "empty: expected a map"),
    ] {
        let (at, reason) = parse(text).unwrap_err();
        assert!(at == line && reason.contains(says), "{text:?}: line {at}: {reason}");
    }
    for deep in ["[", "{a: ", "- ", "? "] {
        assert!(parse(&deep.repeat(100)).is_err() && parse(&deep.repeat(200_000)).is_err(), "{deep}");
    }
    let blocks: String = (0..2_000).map(|depth| format!("{:depth$}a:\n", "")).collect();
    assert!(parse(&blocks).is_err());
    // Copies that nested anchors keep count as well, or 60 times the nodes would be in memory.
    let items = "x, ".repeat(20_000);
    let nested = |anchor: &str| format!("a: {}{items}{}", format!("{anchor}[").repeat(60), "]".repeat(60));
    assert!(parse(&nested("")).is_ok());
    assert!(parse(&nested("&a ")).is_err_and(|(_, reason)| reason.contains("too large")));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..10 {
        bomb += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(", "));
    }
    assert!(parse(&bomb).unwrap_err().1.contains("too large"));
}

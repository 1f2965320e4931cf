use crate::limit::{KeyPart, PolicySet, WithoutRedis};

fn refusal(text: &str) -> String {
    PolicySet::parse("limits.toml", text).unwrap_err().to_string()
}

#[test]
fn errors_name_file_line_field_and_fix() {
    let with =
        |line: &str| format!("# limits\n[[policy]]\nname = \"a\"\nlimit = \"1/s\"\nburst = 1\n{line}\n");
    for (text, needles) in [
        (
            "[[policy]]\nname = \"a\"\nlimit = \"0/s\"\nburst = 1\n".to_owned(),
            &["line 3", "`limit`", "1/d"][..],
        ),
        ("[[policy]]\nname = \"a\"\nlimit = \"1/s\"\nburst = 0\n".to_owned(), &["line 4", "`burst`", "200"]),
        ("[[policy]]\nname = \"a\"\nlimit = 5\nburst = 1\n".to_owned(), &["line 3", "string"]),
        ("[[policy]]\nname = \"a b\"\nlimit = \"1/s\"\nburst = 1\n".to_owned(), &["line 2", "`name`"]),
        ("[[policy]]\nname = \"a\"\nburst = 1\n".to_owned(), &["`limit`", "rate_limits.toml"]),
        (with("brust = 2"), &["line 6", "`brust`", "`burst`"]),
        (with("key = \"host\""), &["line 6", "`key`", "\"host\"", "\"client\", \"address\""]),
        (with("key = [\"client\", \"host\"]"), &["line 6", "`key`", "\"host\""]),
        (with("key = []"), &["line 6", "`key`", "empty", "client"]),
        (with("key = 5"), &["line 6", "`key`", "client"]),
        (with("cost = 2"), &["line 6", "`cost`", "2 is above `burst` 1", "raise the burst to 2"]),
        (with("cost = 0"), &["line 6", "`cost`", "from 1 to the burst"]),
        (with("cost = -1"), &["line 6", "`cost`", "from 1 to the burst"]),
        (with("cost = \"much\""), &["line 6", "`cost`", "/inference"]),
        (with("cost = { \"/nope\" = 1 }"), &["line 6", "`cost`", "/nope", "/api/users"]),
        (with("cost = { \"*\" = 7 }"), &["line 6", "`cost`", "7 is above"]),
        (with("without_redis = \"pray\""), &["line 6", "`without_redis`", "\"local\", \"open\", \"closed\""]),
        (with("shadow = 1"), &["line 6", "boolean"]),
        (
            (0..33).map(|i| format!("[[policy]]\nname='p{i}'\nlimit='1/s'\nburst=1\n")).collect(),
            &["line 130", "`policy`", "33", "at most 32"],
        ),
        (with("routes = [\"/nope\"]"), &["line 6", "`routes`", "/api/users"]),
        (with("routes = [\"/health\"]"), &["line 6", "`routes`", "/api/users"]),
        (with("methods = [\"FETCH\"]"), &["line 6", "`methods`", "POST"]),
        (with("[[policy]]\nname = \"a\"\nlimit = \"2/s\"\nburst = 2"), &["line 7", "`name`", "another"]),
        (
            "[[policy]]\nname = \"unlimited\"\nlimit = \"1/s\"\nburst = 1\n".to_owned(),
            &["line 2", "`name`", "plan"],
        ),
        (with("plan = \"gold\""), &["line 6", "boolean"]),
        (String::new(), &["line 1", "`policy`"]),
        ("policy = []".to_owned(), &["`policy`", "[[policy]]"]),
        ("[[policy]\n".to_owned(), &["line 1"]),
        // In the file's words, not in names of types.
        ("policy = 5\n".to_owned(), &["line 1", "expected a list"]),
        ("policy = [5]\n".to_owned(), &["line 1", "expected a table with its fields"]),
        (
            "[[policy]]\nname = \"a\"\nlimit = \"1/s\"\nburst = \"x\"\n".to_owned(),
            &["line 4", "expected an integer"],
        ),
        ("[[policy]]\nname='a'\nlimit='1/d'\nburst=1000000".to_owned(), &["line 3", "lower the burst"]),
    ] {
        let message = refusal(&text);
        assert!(message.starts_with("RATE_LIMITS_FILE=limits.toml: "), "{message}");
        for needle in needles {
            assert!(message.contains(needle), "{needle:?} not in: {message}");
        }
    }
}

#[test]
fn reads_every_field() {
    let text = "[[policy]]\nname='p'\nlimit='10/s'\nburst=30\nkey=['route','client']\nwithout_redis='closed'\nshadow=true\n\
        cost={'*'=2,'/api/*'=3,'/api/users/*'=4,'/api/users'=5}\n";
    let set = PolicySet::parse("x", text).unwrap();
    let [policy] = set.policies() else { panic!("one policy") };
    assert_eq!(policy.key.parts(), [KeyPart::Client, KeyPart::Route]);
    assert_eq!((policy.without_redis, policy.shadow), (WithoutRedis::Closed, true));
    for (route, cost) in [("/", 2), ("/api/slow", 3), ("/api/users/{id}", 4), ("/api/users", 5)] {
        assert_eq!(policy.cost.of(route), cost, "{route}");
    }
    assert_eq!(policy.cost.highest_cost(), 5);
    let plain = PolicySet::built_in().policies()[0].clone();
    assert_eq!((plain.cost.of("/"), plain.without_redis, plain.shadow), (1, WithoutRedis::Local, false));
    assert_eq!(plain.key.parts(), [KeyPart::Client]);
}

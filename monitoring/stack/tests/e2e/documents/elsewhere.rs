//! Documented commands that this test does not run as written: the test that runs them, or the reason.

/// Starts of commands that another test runs, with its file and a text in it that shows this.
pub const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("make up", "docs/guide/walkthrough.md", "$ make up STACK=native\n"),
    ("make down", "docs/guide/walkthrough.md", "$ make down\n"),
    ("make load", "docs/guide/walkthrough.md", "$ make load PATTERN="),
    ("make demo", "docs/guide/walkthrough.md", "$ make demo\n"),
    ("make drill", "docs/guide/walkthrough.md", "$ make drill DRILL="),
    ("cargo build --release", "Makefile", "$(CARGO) build --release --locked --workspace"),
    ("make test", ".ci/run", "exec make test"),
    ("make setup", "Makefile", "test-all: setup "),
    ("make check", "Makefile", "test-all: setup format-check lint rules"),
    ("make dashboards", "grafana/tests/it/files.rs", "each_file_matches_the_code"),
    ("make fuzz-api", "Makefile", "\n\tapi/tests/fuzz/run.sh $(target)/debug/api\n"),
    ("make images-local", "monitoring/stack/tests/containers/project.rs", "deploy/images/build.sh"),
    ("make password", "monitoring/stack/tests/containers/engine.rs", "arg(\"password\")"),
    ("docker compose", "monitoring/stack/tests/containers/engine.rs", "fn documented_commands("),
    ("docker image ls", "monitoring/stack/tests/containers/engine.rs", "fn documented_commands("),
    ("docker inspect", "monitoring/stack/tests/containers/engine.rs", "fn documented_commands("),
    (
        "kubectl apply -k",
        "monitoring/stack/tests/containers/kubernetes.rs",
        "manifests_match_their_schemas_and_a_damaged_one_does_not",
    ),
    (
        "deploy/kubernetes/secrets.sh",
        "monitoring/stack/tests/containers/kubernetes.rs",
        "\"deploy/kubernetes/secrets.sh\"",
    ),
    (
        "export DATABASE_URL=",
        "monitoring/stack/tests/containers/kubernetes.rs",
        "env(\"DATABASE_URL\", database)",
    ),
    ("cargo test", "Makefile", "\n\t$(CARGO) test --locked --workspace\n"),
];

/// Starts of commands that no test runs, with the reason.
pub const NEVER: &[(&str, &str)] = &[
    ("make bench", "takes twenty minutes on an idle machine, and its figures do not pass or fail"),
    ("cargo bench", "a part of `make bench`"),
    ("make faults", "takes five minutes, and starts PostgreSQL"),
    ("cargo install --locked mdbook", "takes minutes; `make docs` is optional"),
    ("cargo build --no-default-features", "compiles the gateway again"),
    ("docker image prune", "would remove other images of the machine"),
    ("gdb -p PID", "the project does not provide a debugger"),
    ("kubectl apply -f deploy/kubernetes/namespace.yaml", "needs a cluster"),
    ("kubectl cluster-info", "needs a cluster"),
    ("TRACE_SHARE=1 docker compose", "needs images of a registry that have no stand-in"),
    ("ab -n", "the package apache2-utils is not one of those that `make setup` unpacks"),
    ("curl -i -H 'Content-Type: application/json' -d", "needs an account of the service"),
    (
        "amtool --alertmanager.url http://127.0.0.1:9093 alert add",
        "the drills of this stack would find its alert",
    ),
    ("kubectl -n firedrill", "needs a cluster"),
];

/// Expected results other than success with output: words of the command, exit codes, words of its output.
pub const EXPECTED: &[(&str, &[i32], &str)] = &[
    // 22 is curl's exit code for a status of 400 or more.
    ("http://127.0.0.1:8000/error", &[22], "\"status\":500"),
    ("export PATH=", &[0], ""),
    ("> own.yaml", &[0], ""),
    ("> deploy/secrets/metrics_token", &[0], ""),
    ("> no-limits.toml", &[0], ""),
    // The merged report may be INVALID: see `loadgen run`.
    ("loadgen report a.json b.json", &[0, 4], "2 runs merged"),
    ("# one in five: 503", &[0, 22], ""),
    ("curl -si http://127.0.0.1:8000/api/users", &[0, 22], ""),
    ("-X DELETE http://127.0.0.1:8001/", &[0], ""),
    // Refused without an API key.
    ("-X DELETE http://127.0.0.1:8000/models/", &[0, 22], ""),
    ("stack service", &[0], ""),
    ("redis-cli slowlog", &[0], ""),
    // Healthy rules have no last error.
    ("grep -o '\"lastError\"", &[1], ""),
    ("curl -m 2 http://127.0.0.1:9093/-/ready", &[0], ""),
    // They run until stopped, here after seconds: 124 is the exit code of `timeout`.
    ("--latency-history", &[124], ""),
    ("REQUIRE_API_KEY=writes api", &[124], "listening"),
    ("RATE_LIMITS_FILE=no-limits.toml api", &[124], "listening"),
    ("cargo run -p api", &[124], "listening"),
    // A load that a busy machine cannot send on time is INVALID.
    ("make load", &[124], "scheduled"),
    ("sed -i", &[0], ""),
    ("git checkout", &[0], ""),
    ("make drill DRILL=high-error-rate", &[2], "MISSED"),
    ("make demo", &[0, 2], "RateLimitHits"),
    ("loadgen run", &[0, 3, 4], "scheduled"),
    // proven.rs checks whether alerts are proven at this scale.
    ("loadgen drill", &[0, 5], "rate-limit-hits: pending"),
];

/// Commands to run before and after a command.
pub const AROUND: &[(&str, &str, &str)] = &[
    (
        "/faults/ID",
        "curl -s -X PUT http://127.0.0.1:8001/faults/demo -H 'Content-Type: application/json' \
         -d '{\"route\":\"/error\",\"delay\":\"1ms\",\"ttl\":\"30s\"}'",
        "",
    ),
    ("-X POST http://127.0.0.1:8001/drain", "", "curl -s -X DELETE http://127.0.0.1:8001/drain"),
    ("-X DELETE http://127.0.0.1:8000/models/NAME", "curl -s -X PUT http://127.0.0.1:8000/models/iris", ""),
    ("stack service stop redis", "", "stack service start redis"),
    (
        "loadgen drill",
        "mkdir -p drills && cp monitoring/drills/{rate-limit-hits,suite}.yaml drills/",
        "rm -r drills",
    ),
];

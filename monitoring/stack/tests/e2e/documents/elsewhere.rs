//! Commands of the documents that are not run as they stand: who runs them, or why nobody does.

/// Beginnings of commands that another test runs: the file, and the words in it that show so.
pub const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("make up", "docs/guide/walkthrough.md", "$ make up STACK=native\n"),
    ("make down", "docs/guide/walkthrough.md", "$ make down\n"),
    ("make load", "docs/guide/walkthrough.md", "$ make load PATTERN="),
    ("make demo", "docs/guide/walkthrough.md", "$ make demo\n"),
    ("make drill", "docs/guide/walkthrough.md", "$ make drill DRILL="),
    ("cargo build --release", "Makefile", "$(CARGO) build --release --locked --workspace"),
    ("make test", ".ci/run", "exec make test"),
    ("make setup", "Makefile", "test: setup "),
    ("make check", "Makefile", "test: setup format-check lint rules "),
    ("make dashboards", "grafana/tests/it/files.rs", "each_file_is_what_the_code_says"),
    ("make fuzz-api", "Makefile", "\n\tapi/tests/fuzz/run.sh $(target)/debug/api\n"),
    ("make images-local", "monitoring/stack/tests/containers/project.rs", "deploy/images/build.sh"),
    ("make password", "monitoring/stack/tests/containers/engine.rs", "arg(\"password\")"),
    ("docker compose", "monitoring/stack/tests/containers/engine.rs", "fn documented_commands("),
    ("docker image ls", "monitoring/stack/tests/containers/engine.rs", "fn documented_commands("),
    ("docker inspect", "monitoring/stack/tests/containers/engine.rs", "fn documented_commands("),
    (
        "kubectl apply -k",
        "monitoring/stack/tests/containers/kubernetes.rs",
        "the_manifests_fit_their_schemas",
    ),
];

/// Beginnings of commands that no test runs, and why.
pub const NEVER: &[(&str, &str)] = &[
    ("make bench", "takes twenty minutes and a machine to itself; what it measures is no matter of passing"),
    ("cargo bench", "a part of `make bench`"),
    ("cargo install --locked mdbook", "takes minutes; `make docs` is for who wants the documents as a site"),
    ("cargo build --no-default-features", "compiles all of the gateway once more"),
    ("docker image prune", "would remove images of the machine that are not the test's"),
    ("gdb -p PID", "a debugger is nothing that this project brings"),
];

/// What a command comes to when that is not success and some output: words of the command, exit codes, words of its output.
pub const EXPECTED: &[(&str, &[i32], &str)] = &[
    // 22 is curl's for a status of 400 and more.
    ("http://127.0.0.1:8000/error", &[22], "\"status\":500"),
    ("export PATH=", &[0], ""),
    ("> own.yaml", &[0], ""),
    // What was merged may be invalid: see `loadgen run`.
    ("loadgen report a.json b.json", &[0, 4], "2 runs merged"),
    ("# one in five: 503", &[0, 22], ""),
    ("curl -si http://127.0.0.1:8000/api/users", &[0, 22], ""),
    ("-X DELETE http://127.0.0.1:8001/", &[0], ""),
    ("-X DELETE http://127.0.0.1:8000/models/", &[0], ""),
    ("stack service", &[0], ""),
    ("redis-cli slowlog", &[0], ""),
    // Healthy rules have no last error.
    ("grep -o '\"lastError\"", &[1], ""),
    ("curl -m 2 http://127.0.0.1:9093/-/ready", &[0], ""),
    // They go on until they are stopped, here after seconds: 124 is what `timeout` says.
    ("--latency-history", &[124], ""),
    ("REQUIRE_API_KEY=writes api", &[124], "listening"),
    ("cargo run -p api", &[124], "listening"),
    // A load that a busy machine cannot send on time is invalid, and a tenth of a second is long there.
    ("make load", &[124], "scheduled"),
    ("sed -i", &[0], ""),
    ("git checkout", &[0], ""),
    ("make drill DRILL=high-error-rate", &[2], "MISSED"),
    ("make demo", &[0, 2], "RateLimitHits"),
    ("loadgen run", &[0, 3, 4], "scheduled"),
    // Whether an alert is proven on a busy machine at this scale is for proven.rs to say.
    ("loadgen drill", &[0, 5], "rate-limit-hits: pending"),
];

/// What has to be there before a command, and what is put right after it.
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

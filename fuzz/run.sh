#!/bin/sh
# Fuzzes each target, or those named after the first argument, for the given number of seconds with libFuzzer and the
# compiler that builds everything else. The flags are the stable ones of `cargo fuzz build --sanitizer none`; a sanitizer
# would need a nightly compiler and finds little in safe Rust. Inputs with new coverage are stored in target/fuzz/corpus,
# and an input that breaks a target in target/fuzz/found.
set -eu
seconds=${1:-60}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- response promql rules configs drills
cd "$(dirname "$0")"
if ! command -v "${CXX:-c++}" >/dev/null; then
    skipped="SKIPPED: fuzzing needs a C++ compiler for libFuzzer (\`apt install g++\`)"
    echo "$skipped"
    [ -z "${SKIPPED:-}" ] || echo "$skipped" >>"$SKIPPED"
    exit 0
fi
target=${CARGO_TARGET_DIR:-$(cd .. && pwd)/target}/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
pass='-C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=4'
for counted in inline-8bit-counters pc-table trace-compares stack-depth; do
    pass="$pass -C llvm-args=-sanitizer-coverage-$counted"
done
# With --target the flags apply only to the fuzzer, not to its build scripts.
RUSTFLAGS="$pass --cfg fuzzing" cargo build --quiet --locked --release --target "$host" --target-dir "$target"
for name; do
    dict=words.dict seeds=
    case $name in
        response) dict=response.dict ;;
        promql) seeds=seeds/promql ;;
        rules) seeds="seeds/rules ../monitoring/alert_rules ../monitoring/rule_tests" ;;
        configs) seeds="seeds/configs ../monitoring/foreign" ;;
        drills) seeds="seeds/drills ../monitoring/drills ../crates/load/patterns" ;;
    esac
    corpus=$target/corpus/$name log=$target/$name.log
    mkdir -p "$corpus" "$target/found"
    # shellcheck disable=SC2086 # several folders
    if ! "$target/$host/release/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=4096 \
        -dict="$dict" -artifact_prefix="$target/found/$name-" "$corpus" $seeds >"$log" 2>&1; then
        cat "$log"
        exit 1
    fi
    echo "$name: $(tail -n 1 "$log")"
done

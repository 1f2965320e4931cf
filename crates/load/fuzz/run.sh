#!/bin/sh
# Fuzzes the response parser for the given number of seconds with libFuzzer and the compiler that builds everything
# else. The flags are the stable ones of `cargo fuzz build --sanitizer none`; a sanitizer would need a nightly compiler
# and finds little in safe Rust. Inputs with new coverage are stored in target/fuzz/corpus, together with any input
# that breaks the parser.
set -eu
seconds=${1:-60}
cd "$(dirname "$0")"
if ! command -v "${CXX:-c++}" >/dev/null; then
    echo "skipped: fuzzing needs a C++ compiler for libFuzzer (\`apt install g++\`)"
    exit 0
fi
target=${CARGO_TARGET_DIR:-$(cd ../../.. && pwd)/target}/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
mkdir -p "$target/corpus" "$target/found"
log=$target/run.log
pass='-C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=4'
for counted in inline-8bit-counters pc-table trace-compares stack-depth; do
    pass="$pass -C llvm-args=-sanitizer-coverage-$counted"
done
# With --target the flags apply only to the fuzzer, not to its build scripts.
RUSTFLAGS="$pass --cfg fuzzing" cargo build --quiet --locked --release --target "$host" --target-dir "$target"
status=0
"$target/$host/release/response" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -dict=dictionary.txt \
    -artifact_prefix="$target/found/" "$target/corpus" >"$log" 2>&1 || status=$?
if [ "$status" -ne 0 ]; then
    cat "$log"
    exit 1
fi
tail -n 1 "$log"

#!/bin/sh
# Throws damaged answers at the parser for so many seconds, led by coverage: libFuzzer with the compiler that builds
# everything else. The flags are those of `cargo fuzz build --sanitizer none`, which are stable ones; a sanitizer, which
# would want a nightly compiler, finds little in safe Rust. Inputs that led further are kept in target/fuzz/corpus, one
# that breaks the parser is kept beside them.
set -eu
seconds=${1:-60}
cd "$(dirname "$0")"
if ! command -v "${CXX:-c++}" >/dev/null; then
    echo "not fuzzed: libFuzzer is C++, and there is no compiler for it (\`apt install g++\`)"
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
# With --target the flags are for the fuzzer alone, not for what its build runs.
RUSTFLAGS="$pass --cfg fuzzing" cargo build --quiet --locked --release --target "$host" --target-dir "$target"
status=0
"$target/$host/release/answer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -dict=dictionary.txt \
    -artifact_prefix="$target/found/" "$target/corpus" >"$log" 2>&1 || status=$?
if [ "$status" -ne 0 ]; then
    cat "$log"
    exit 1
fi
tail -n 1 "$log"

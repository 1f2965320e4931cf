#!/bin/sh
# Throws damaged answers at the parser for so many seconds. Without what it needs it says so and is content: the
# conformity tests cut and damage answers too, only not led by coverage.
set -eu
seconds=${1:-60}
cd "$(dirname "$0")/.."
if ! cargo +nightly fuzz --version >/dev/null 2>&1; then
    echo "not fuzzed: that takes \`rustup toolchain install nightly\` and \`cargo install cargo-fuzz\`"
    exit 0
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if cargo +nightly fuzz run answer -- -max_total_time="$seconds" -timeout=10 -dict=fuzz/dictionary.txt >"$log" 2>&1; then
    tail -n 1 "$log"
else
    cat "$log"
    exit 1
fi

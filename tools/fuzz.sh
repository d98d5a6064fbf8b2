#!/usr/bin/env bash
# Fuzzes each target of fuzz/ for SECONDS, from the seeds in fuzz/seeds and what earlier runs have found in fuzz/corpus.
#
#     tools/fuzz.sh TARGET_DIR SECONDS [TARGET…]
#
# An input that fails is kept in fuzz/artifacts/TARGET and printed; it becomes a test.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TARGET_DIR
CARGO_TARGET_DIR=$(realpath -m "$1")/fuzz
seconds=$2
shift 2
cargo fuzz --version >/dev/null 2>&1 || cargo install --locked cargo-fuzz
nightly=+nightly
if ! cargo +nightly --version >/dev/null 2>&1; then
    # The sanitizers are unstable features of the compiler, of which the stable one has the same.
    nightly=''
    export RUSTC_BOOTSTRAP=1
fi
[ $# -gt 0 ] || mapfile -t found < <(cd fuzz/fuzz_targets && printf '%s\n' *.rs)
[ $# -gt 0 ] || set -- "${found[@]%.rs}"
cargo ${nightly:+"$nightly"} fuzz build
failed=()
for target in "$@"; do
    printf '\n== %s, %s s ==\n' "$target" "$seconds"
    mkdir -p "fuzz/corpus/$target"
    # GLib and GStreamer keep what they have once registered, which is no leak.
    # The largest pictures that are read, 512 MiB of pixels from some hundred bytes, take AddressSanitizer twenty seconds.
    cargo ${nightly:+"$nightly"} fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="$seconds" -timeout=60 -rss_limit_mb=4096 -detect_leaks=0 -print_final_stats=1 \
        2> >(grep -vE '^#[0-9]+\s+(NEW|REDUCE|RELOAD|pulse)' >&2) || failed+=("$target")
done
[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}; the inputs lie in fuzz/artifacts" >&2; exit 1; }

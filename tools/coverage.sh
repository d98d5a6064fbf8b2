#!/usr/bin/env bash
# Runs all tests and prints which share of the lines of each crate they reach, and the files with the most lines that they do not.
# Needs cargo-llvm-cov and LLVM's tools: those of rustup (llvm-tools), or the ones that LLVM_COV and LLVM_PROFDATA name.
#
#     tools/coverage.sh TARGET_DIR FEATURES [ARGUMENT OF NEXTEST]…
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR
CARGO_TARGET_DIR=$(realpath -m "$1")/coverage
features=$2
shift 2

[ -n "${LLVM_COV-}" ] || rustup component add llvm-tools
cargo llvm-cov --version >/dev/null 2>&1 || cargo install --locked cargo-llvm-cov
# A test that fails tells as much about lines as one that passes.
cargo llvm-cov nextest --workspace --features "$features" --locked --no-fail-fast --ignore-run-fail \
    --json --output-path "$CARGO_TARGET_DIR/coverage.json" --summary-only "$@"
python3 tools/coverage.py "$CARGO_TARGET_DIR/coverage.json"

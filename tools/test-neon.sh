#!/usr/bin/env bash
# Compiles the models for aarch64 and runs their tests in an emulator: the NEON loops are used nowhere else on x86.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/skipped.sh
. tools/skipped.sh
target=aarch64-unknown-linux-gnu

if [ "$(uname -m)" = aarch64 ]; then
    echo "This machine has NEON: the tests before have run on it."
    exit 0
fi
missing() {
    skipped "NEON: $1"
    exit 0
}
command -v qemu-aarch64 >/dev/null || missing "there is no qemu-aarch64 (Debian: qemu-user)"
command -v aarch64-linux-gnu-gcc >/dev/null || missing "there is no aarch64-linux-gnu-gcc (Debian: gcc-aarch64-linux-gnu)"
if [ ! -d "$(rustc --print sysroot)/lib/rustlib/$target" ]; then
    command -v rustup >/dev/null || missing "Rust's library for $target is not there, and no rustup to get it"
    log=$(timeout 300 rustup target add "$target" 2>&1) \
        || missing "Rust's library for $target cannot be had ($(tail -n 1 <<<"$log"))"
fi

# A folder of its own, or other builds would wait for this one.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/neon"
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER='qemu-aarch64 -L /usr/aarch64-linux-gnu'
cargo nextest run --target "$target" --package emotion-models --locked "$@"

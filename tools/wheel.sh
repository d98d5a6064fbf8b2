#!/usr/bin/env bash
# wheel.sh TARGET-FOLDER [RUST-TARGET...]: builds the Python wheel for each target into TARGET-FOLDER/wheels.
# Zig links against the C library of manylinux_2_28, whatever this system has.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(realpath --canonicalize-missing "$1")
shift
tools/peers.sh "$target/wheel-tools" python/requirements-build.txt
export PATH=$target/wheel-tools/bin:$PATH
for rust_target in "$@"; do
    if command -v rustup >/dev/null && ! rustup target list --installed | grep --quiet --line-regexp "$rust_target"; then
        rustup target add "$rust_target"
    fi
    maturin build --release --locked --manifest-path python/Cargo.toml --zig \
        --target "$rust_target" --compatibility manylinux_2_28 --target-dir "$target" --out "$target/wheels"
done
ls -l "$target/wheels"

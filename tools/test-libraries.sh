#!/usr/bin/env bash
# Packages the libraries as for crates.io, at most 10 MB each, builds what is packaged, and checks them without default features.
set -euo pipefail
cd "$(dirname "$0")/.."
most=10000000
libraries=(emotion-models emotion-detect emotion-analysis)

for library in "${libraries[@]}"; do
    cargo check --package "$library" --no-default-features --locked
done
if cargo tree --package emotion-analysis --no-default-features --edges normal --locked | grep --extended-regexp 'rayon|gstreamer|opencv'; then
    echo 'emotion-analysis without default features depends on these, expected on none of them' >&2
    exit 1
fi

# cargo keeps what it has unpacked and compiled of a version, although here its content changes.
target=${CARGO_TARGET_DIR:-target}/libraries
rm -rf "$target" "${CARGO_HOME:-$HOME/.cargo}"/registry/src/-*/emotion-{models,detect,analysis}-*
cargo package --allow-dirty --locked --target-dir "$target" "${libraries[@]/#/--package=}"
folder=$target/package
for library in "${libraries[@]}"; do
    file=$(ls "$folder/$library"-*.crate)
    size=$(stat --format=%s "$file")
    echo "$file: $size bytes"
    [ "$size" -le $most ] || { echo "$file: expected at most $most bytes" >&2; exit 1; }
done

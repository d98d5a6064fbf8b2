#!/usr/bin/env bash
# advisories.sh [OPTIONS OF cargo deny]: checks the dependencies against the RustSec advisories, the newest ones or, where
# EMOTION_ADVISORIES names a snapshot of their database, those in it.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/skipped.sh
. tools/skipped.sh

if [ -z "${EMOTION_ADVISORIES:-}" ]; then
    if log=$(timeout 120 cargo deny fetch db 2>&1); then
        exec cargo deny "$@" check advisories
    fi
    skipped "advisories: their database is out of reach, and EMOTION_ADVISORIES names no snapshot ($(tail -n 1 <<<"$log"))"
    exit 0
fi

# cargo-deny reads a clone, which it looks for under this name.
folder=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")/advisories
clone=$folder/advisory-db-3157b0e258782691
rm -rf "$folder"
mkdir -p "$clone"
cp -r --no-preserve=mode "$EMOTION_ADVISORIES/." "$clone"
git -C "$clone" init --quiet
git -C "$clone" add --all
git -C "$clone" -c user.name=snapshot -c user.email=snapshot@localhost commit --quiet --message=snapshot
sed "s|^\[advisories\]|&\ndb-path = \"$folder\"|" deny.toml >"$folder/deny.toml"
cargo deny "$@" --offline --config "$folder/deny.toml" check advisories

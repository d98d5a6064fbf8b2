#!/usr/bin/env bash
# release.sh cut VERSION: writes the version and today's date (or SOURCE_DATE_EPOCH's) wherever they stand, and cuts the changelog.
# release.sh build:       runs bench/soak.sh short, and builds all that is released of the last commit into target/release-VERSION, with
#                         SBOMs and checksums: the sources, the Debian packages, the wheels and the crates. The same commit gives the
#                         same files.
set -euo pipefail
cd "$(dirname "$0")/.."
libraries=(emotion-models emotion-detect emotion-analysis)
shipped=(plugin pipelines trainer python)

fail() { printf 'release: %s\n' "$*" >&2; exit 1; }
version() { sed -nE '/^\[workspace.package\]/,/^\[/s/^version = "(.*)"/\1/p' Cargo.toml; }
release_date() { sed -nE 's/^release_date = "(.*)"/\1/p' plugin/Cargo.toml; }

cut() { # VERSION
    [[ $1 =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "expected a version such as 0.2.0, found $1"
    ! grep --quiet "^## \[$1\]" CHANGELOG.md || fail "CHANGELOG.md has $1 already"
    local date
    date=$(date --utc --date="@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%F)
    sed -i -E "/^\[workspace.package\]/,/^\[/s/^version = .*/version = \"$1\"/; s/^(emotion-|gst-plugin-emotion )(.*path = .*version = )\"[^\"]*\"/\1\2\"$1\"/" Cargo.toml
    sed -i -E "s/^version = .*/version = \"$1\"/" pipelines/ray/pyproject.toml
    sed -i -E "s/^release_date = .*/release_date = \"$date\"/" plugin/Cargo.toml
    sed -i "s/^## \[Unreleased\]$/&\n\n## [$1] - $date/" CHANGELOG.md
    cargo update --workspace --offline --quiet
    echo "$1, $date: look at git diff, commit it, tag it v$1, then make release"
}

# What the program or library of a folder is made of, without the path of this folder.
sbom() { # SOURCES FOLDER FILE
    local features=(--no-default-features)
    [ "$2" != trainer ] || features=(--features keras)
    (cd "$1" && cargo cyclonedx --quiet --format json --spec-version 1.5 --manifest-path "$2/Cargo.toml" "${features[@]}" --override-filename sbom)
    sed "s|$1|/src|g" "$1/$2/sbom.json" >"$3"
}

build() {
    local version date name out source
    version=$(version) date=$(release_date) name=gst-plugin-emotion-$version
    grep --quiet "^## \[$version\] - $date$" CHANGELOG.md \
        || fail "CHANGELOG.md: expected a section [$version] - $date, found none; tools/release.sh cut VERSION writes it"
    [ -z "$(git status --porcelain)" ] || fail "there are changes that are not committed, and a release is made from a commit: git status"
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
    export SOURCE_DATE_EPOCH
    tools/setup.sh release
    cargo machete
    # What grows within minutes is not released.
    CARGO_TARGET_DIR=target cargo build --release --locked --package gst-plugin-emotion --package emotion-pipelines
    CARGO_TARGET_DIR=target bench/soak.sh short

    out=$PWD/target/release-$version
    rm -rf "$out"
    mkdir -p "$out"

    git archive --format=tar --prefix="$name/" HEAD | gzip --no-name --best >"$out/$name.tar.gz"
    tools/deb.sh
    cp target/packages/*"_$version"-1~deb*.deb "$out"
    rm -rf target/wheels
    local crates=${CARGO_HOME:-$HOME/.cargo}/registry/src=/crates
    RUSTFLAGS="--remap-path-prefix=$crates --remap-path-prefix=$PWD=/src" tools/wheel.sh target x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu
    cp target/wheels/*.whl "$out"
    CARGO_TARGET_DIR=target cargo package --quiet --locked --no-verify "${libraries[@]/#/--package=}"
    local library
    for library in "${libraries[@]}"; do
        cp "target/package/$library-$version.crate" "$out"
    done

    # cargo cyclonedx writes beside the manifests.
    source=$(mktemp --directory)
    tar --extract --gzip --file "$out/$name.tar.gz" --directory "$source"
    local folder
    for folder in "${shipped[@]}"; do
        sbom "$source/$name" "$folder" "$out/$name-$folder.cdx.json"
    done
    rm -r "$source"
    (cd "$out" && sha256sum -- * >SHA256SUMS && cat SHA256SUMS)
}

case ${1:-} in
    cut) cut "${2:-}" ;;
    build) build ;;
    *) echo "usage: $0 cut VERSION | build" >&2; exit 2 ;;
esac

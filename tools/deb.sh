#!/usr/bin/env bash
# deb.sh [SUITE...]: builds Debian packages of the plugin, the programs and the trainer into target/packages, for bookworm, trixie
# or, by default, both: each in a root of its suite (as root; 4 GB each).
#
# The same sources give the same packages: the times in them are that of the last commit, or SOURCE_DATE_EPOCH.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/debian-root.sh
. tools/debian-root.sh
declare -A package_of=([gst-plugin-emotion]=gstreamer1.0-emotion [emotion-pipelines]=emotion-tools [emotion-trainer]=emotion-trainer)
out=$repository/target/packages

# The licences of what is compiled in. The text of Apache's is part of Debian.
third_party() { # CRATE FEATURES
    local package licence name folder file
    echo "What is compiled in, and its licences. The Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0."
    cargo tree --locked --package "$1" --no-default-features --features "$2" --edges normal --prefix none --format '{p}|{l}' \
        | sed 's, (\*)$,,' | grep -v '(/' | sort --unique | while IFS='|' read -r package licence; do
        name=${package%% v*}
        folder=$(echo "$CARGO_HOME/registry/src/"*"/$name-$(sed -E 's/.* v([^ ]+).*/\1/' <<<"$package")")
        printf '\n==== %s (%s)\n' "${package% (*}" "$licence"
        for file in "$folder"/{LICEN[CS]E,COPYING,COPYRIGHT,NOTICE,UNLICENSE}*; do
            [ ! -f "$file" ] || grep --quiet 'TERMS AND CONDITIONS FOR USE, REPRODUCTION' "$file" || { echo; cat "$file"; }
        done
    done
}

# In the root of the suite.
build() { # SUITE
    local suite=$1 purposes=(build deb) version
    local -A features=([gst-plugin-emotion]='' [emotion-pipelines]='' [emotion-trainer]=keras)
    if [ "$suite" != bookworm ]; then
        purposes+=(analytics)
        features[gst-plugin-emotion]=v1_24
    fi
    version="$(cargo pkgid --package gst-plugin-emotion | sed 's/.*[#@]//')-1~deb$(debian_release '')"
    step "$suite: what building needs"
    tools/setup.sh "${purposes[@]}"

    step "$suite: building $version"
    # Without OpenCV: its packages are larger than everything else together. The paths of this machine's crates stay out.
    local prefix=$CARGO_HOME/registry/src=/crates crates=("${!package_of[@]}")
    RUSTFLAGS="--remap-path-prefix=$prefix" CFLAGS="-O2 -ffile-prefix-map=$prefix" \
        cargo build --release --locked "${crates[@]/#/--package=}" --package emotion-packaging \
        --no-default-features --features "emotion-trainer/keras,emotion-packaging/keras${features[gst-plugin-emotion]:+,gst-plugin-emotion/v1_24}"

    step "$suite: packaging"
    rm -rf target/packaging target/packages
    mkdir -p target/packaging target/packages
    target/release/emotion-packaging target/packaging
    local crate package multiarch
    for crate in "${crates[@]}"; do
        package=${package_of[$crate]}
        cat >target/packaging/changelog <<END
$package ($version) $suite; urgency=medium

  * /usr/share/doc/$package/NEWS.gz lists the changes.

 -- gst-plugin-emotion developers <gst-emotion@users.noreply.github.com>  $(LC_ALL=C date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")
END
        third_party "$crate" "${features[$crate]}" | gzip --no-name --best >target/packaging/third-party.gz
        multiarch=none
        [ "$crate" != gst-plugin-emotion ] || multiarch=same
        cargo deb --no-build --quiet --package "$crate" --deb-version "$version" --multiarch "$multiarch" --output target/packages/
    done
    lintian --fail-on error,warning --allow-root target/packages/*.deb
    step "$suite: done"
}

# In a mount namespace.
mount_and_build() { # SUITE
    local root=$roots/$1
    mount_sources "$root" cargo-deb
    mount_debian_root "$root"
    build_in_debian_root "$root" env SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" /work/tools/deb.sh --in-root "$1"
}

case ${1:-} in
    --in-root) build "$2" ;;
    --mounted) mount_and_build "$2" ;;
    *)
        lacks=$(debian_root_lacks)
        [ -z "$lacks" ] || { echo "deb.sh: $lacks" >&2; exit 1; }
        tools/setup.sh packages
        cargo fetch --locked --quiet
        export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
        mkdir -p "$out"
        [ $# -gt 0 ] || set -- bookworm trixie
        for suite in "$@"; do
            make_debian_root "$suite" "$roots/$suite"
            unshare --mount --propagation private "$0" --mounted "$suite"
            rm -f "$out"/*"~deb$(debian_release "$roots/$suite")"*.deb
            cp --preserve=timestamps "$roots/$suite/cache/target/packages/"*.deb "$out"
        done
        ls -l "$out"
        ;;
esac

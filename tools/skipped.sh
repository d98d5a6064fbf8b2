# shellcheck shell=bash
# To be sourced: skipped WHAT says what cannot be tested on this machine, here and in the closing lines of `make test`.
skipped() {
    printf 'SKIPPED: %s\n' "$1" | tee --append "${EMOTION_SKIPPED:-/dev/null}"
}

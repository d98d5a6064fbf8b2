#!/usr/bin/env bash
# One face with its emotion and the bars of all seven.
about='Shows the largest face with the probabilities of all emotions.'
overlay=(bars=largest)
# shellcheck source=run.sh
. "$(dirname "$0")/run.sh"

#!/usr/bin/env bash
# Shows one face with its emotion and bars for all seven.
about='Shows the largest face with the probabilities of all emotions.'
overlay=(bars=largest)
# shellcheck source=run.sh
. "$(dirname "$0")/run.sh"

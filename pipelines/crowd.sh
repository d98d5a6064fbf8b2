#!/usr/bin/env bash
# Shows the emotion of every face in a crowd.
about='Shows the emotion of every face, and the share of each emotion among them.'
overlay=(bars=none summary=true)
# shellcheck source=run.sh
. "$(dirname "$0")/run.sh"

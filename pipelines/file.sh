#!/usr/bin/env bash
# Tags one video: writes a record for each frame and an annotated video. For many files use emotion-tag.
set -euo pipefail

usage="usage: ${0##*/} VIDEO [RECORDS.jsonl [ANNOTATED.mp4]]
Finds faces and their emotions in VIDEO. Writes a JSON object for each frame to RECORDS (default: VIDEO.jsonl) and the
video with boxes and labels to ANNOTATED (default: VIDEO.annotated.mp4)."

case ${1-} in
    -h | --help) echo "$usage"; exit ;;
    '') echo "$usage" >&2; exit 2 ;;
esac
[ -f "$1" ] || { echo "${0##*/}: $1: there is no such file" >&2; exit 1; }

# Uses the plugin of this repository if it was built.
built=$(dirname "$0")/../target/release
[ -e "$built/libgstemotion.so" ] && export GST_PLUGIN_PATH="${GST_PLUGIN_PATH:+$GST_PLUGIN_PATH:}$built"

exec gst-launch-1.0 -e filesrc location="$1" ! decodebin ! videoconvert ! videoflip video-direction=auto \
    ! emotionfacedetect ! emotionclassify ! emotionpublish location="${2:-$1.jsonl}" \
    ! emotionoverlay ! videoconvert ! x264enc speed-preset=veryfast ! h264parse \
    ! mp4mux ! filesink location="${3:-$1.annotated.mp4}"

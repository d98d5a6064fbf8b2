#!/usr/bin/env bash
# Shows a camera with boxes, labels and bars.
set -euo pipefail

usage="usage: ${0##*/} [CAMERA]
Shows CAMERA (default: /dev/video0) in a window, with the faces and their emotions. Ctrl-C ends it.
The environment variable SINK replaces autovideosink."

case ${1-} in
    -h | --help) echo "$usage"; exit ;;
esac
camera=${1:-/dev/video0}
[ -c "$camera" ] || { echo "${0##*/}: $camera: there is no such camera" >&2; exit 1; }

# Uses the plugin of this repository if it was built.
built=$(dirname "$0")/../target/release
[ -e "$built/libgstemotion.so" ] && export GST_PLUGIN_PATH="${GST_PLUGIN_PATH:+$GST_PLUGIN_PATH:}$built"

# shellcheck disable=SC2086 # SINK may contain properties
exec gst-launch-1.0 v4l2src device="$camera" ! decodebin ! queue leaky=downstream max-size-buffers=1 ! videoconvert \
    ! emotionfacedetect ! emotionclassify ! emotionoverlay ! videoconvert ! ${SINK:-autovideosink sync=false}

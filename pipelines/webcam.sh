#!/usr/bin/env bash
# Shows a camera with boxes, labels and bars.
set -euo pipefail

. "$(dirname "$0")/camera-source.sh"
usage="usage: ${0##*/} [--size WxH] [--rate N] [CAMERA]
Shows CAMERA (default: /dev/video0) in a window, with the faces and their emotions. Ctrl-C ends it.
$camera_help
The environment variable SINK replaces autovideosink."

case ${1-} in
    -h | --help) echo "$usage"; exit ;;
esac
camera_options "$@"
device=${arguments[0]:-/dev/video0}
[ -c "$device" ] || { echo "${0##*/}: $device: there is no such camera" >&2; exit 1; }
open_camera "$device"

# Uses the plugin of this repository if it was built.
built=$(dirname "$0")/../target/release
[ -e "$built/libgstemotion.so" ] && export GST_PLUGIN_PATH="${GST_PLUGIN_PATH:+$GST_PLUGIN_PATH:}$built"

# shellcheck disable=SC2086 # SINK may contain properties
exec gst-launch-1.0 "${camera[@]}" ! queue leaky=downstream max-size-buffers=1 ! videoconvert \
    ! emotionfacedetect ! emotionclassify ! emotionoverlay ! videoconvert ! ${SINK:-autovideosink sync=false}

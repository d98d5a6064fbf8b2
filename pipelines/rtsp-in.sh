#!/usr/bin/env bash
# Shows an RTSP camera with boxes and labels, always its newest frame. For many cameras use emotion-crowd.
set -euo pipefail

usage="usage: ${0##*/} rtsp://CAMERA/PATH [RECORDS.jsonl]
Shows the camera in a window, with the faces and their emotions. Writes a JSON object for each frame to RECORDS if it is
given. A login is part of the address: rtsp://USER:PASSWORD@CAMERA/PATH. Ctrl-C ends it.
The environment variable SINK replaces autovideosink."

case ${1-} in
    -h | --help) echo "$usage"; exit ;;
    rtsp://* | rtsps://*) ;;
    *) echo "$usage" >&2; exit 2 ;;
esac
records=()
[ -z "${2-}" ] || records=(! emotionpublish location="$2" wall-clock=true)

# Uses the plugin of this repository if it was built.
built=$(dirname "$0")/../target/release
[ -e "$built/libgstemotion.so" ] && export GST_PLUGIN_PATH="${GST_PLUGIN_PATH:+$GST_PLUGIN_PATH:}$built"

# shellcheck disable=SC2086 # SINK may contain properties
exec gst-launch-1.0 -e rtspsrc location="$1" protocols=tcp latency=200 drop-on-latency=true \
    ! decodebin ! queue leaky=downstream max-size-buffers=1 ! videoconvert \
    ! emotionfacedetect ! emotionclassify "${records[@]}" ! emotionoverlay bars=none ! videoconvert \
    ! ${SINK:-autovideosink sync=false}

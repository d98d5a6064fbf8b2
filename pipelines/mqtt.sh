#!/usr/bin/env bash
# Sends a record to an MQTT broker whenever the faces or their emotions change.
set -euo pipefail

. "$(dirname "$0")/camera-source.sh"
usage="usage: ${0##*/} [--size WxH] [--rate N] BROKER [SOURCE] [TOPIC]
BROKER is mqtt://HOST or mqtts://HOST, with :PORT if it is not 1883 or 8883.
SOURCE is a camera such as /dev/video0 (default) or a video file, which is played at its own pace. The default TOPIC is
emotion. Messages are JSON objects; mosquitto_sub -h HOST -t TOPIC prints them.
$camera_help"

case ${1-} in
    -h | --help) echo "$usage"; exit ;;
    '') echo "$usage" >&2; exit 2 ;;
esac
camera_options "$@"
set -- "${arguments[@]}"
[ $# -ge 1 ] || { echo "$usage" >&2; exit 2; }
source=${2:-/dev/video0}
if [ -c "$source" ]; then
    open_camera "$source"
    input=("${camera[@]}")
elif [ -f "$source" ]; then
    input=(filesrc location="$source" ! decodebin ! videoconvert ! videoflip video-direction=auto)
else
    echo "${0##*/}: $source: there is no such camera or file" >&2
    exit 1
fi

# Uses the plugin of this repository if it was built.
built=$(dirname "$0")/../target/release
[ -e "$built/libgstemotion.so" ] && export GST_PLUGIN_PATH="${GST_PLUGIN_PATH:+$GST_PLUGIN_PATH:}$built"

exec gst-launch-1.0 -e "${input[@]}" ! videoconvert ! emotionfacedetect ! emotionclassify \
    ! emotionpublish method=mqtt address="$1" topic="${3:-emotion}" source="$source" include=changes wall-clock=true \
    ! fakesink sync=true

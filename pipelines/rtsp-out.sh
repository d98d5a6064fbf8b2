#!/usr/bin/env bash
# Sends a camera or a video with boxes and labels to an RTSP server, where many clients can watch it.
set -euo pipefail

. "$(dirname "$0")/camera-source.sh"
usage="usage: ${0##*/} [--size WxH] [--rate N] SOURCE rtsp://SERVER/PATH
SOURCE is a camera such as /dev/video0, a video file, or an rtsp:// address. SERVER accepts streams (RTSP RECORD), such as
MediaMTX and gst-rtsp-server. Needs gstreamer1.0-rtsp. Ctrl-C ends it.
$camera_help"

case ${1-} in
    -h | --help) echo "$usage"; exit ;;
esac
camera_options "$@"
set -- "${arguments[@]}"
[ $# -eq 2 ] || { echo "$usage" >&2; exit 2; }
if [ -c "$1" ]; then
    open_camera "$1"
    input=("${camera[@]}")
elif [ -f "$1" ]; then
    input=(filesrc location="$1" ! decodebin ! videoconvert ! videoflip video-direction=auto ! identity sync=true)
elif [[ $1 == rtsp://* ]]; then
    input=(rtspsrc location="$1" protocols=tcp latency=200 ! decodebin)
else
    echo "${0##*/}: $1: there is no such camera or file" >&2
    exit 1
fi

# Uses the plugin of this repository if it was built.
built=$(dirname "$0")/../target/release
[ -e "$built/libgstemotion.so" ] && export GST_PLUGIN_PATH="${GST_PLUGIN_PATH:+$GST_PLUGIN_PATH:}$built"

exec gst-launch-1.0 -e "${input[@]}" ! videoconvert ! emotionfacedetect ! emotionclassify ! emotionoverlay bars=none \
    ! videoconvert ! x264enc tune=zerolatency speed-preset=veryfast key-int-max=50 ! video/x-h264,profile=baseline \
    ! h264parse ! rtspclientsink protocols=tcp location="$2"

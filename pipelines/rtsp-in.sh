#!/usr/bin/env bash
# Shows an RTSP camera with boxes and labels, always its newest frame. For many cameras use emotion-crowd.
set -euo pipefail

usage="usage: ${0##*/} rtsp://CAMERA/PATH [RECORDS.jsonl]
Shows the camera in a window, with the faces and their emotions. Writes a JSON object for each frame to RECORDS if it is
given. A login is read from the environment, RTSP_USER and RTSP_PASSWORD, or from the file that RTSP_LOGIN names: the user
in its first line, the password in its second. Arguments are no place for it, because every user of this computer can see
them. Ctrl-C ends it. The environment variable SINK replaces autovideosink."

case ${1-} in
    -h | --help) echo "$usage"; exit ;;
    rtsp://*@* | rtsps://*@*)
        echo "${0##*/}: a login in the address can be seen by every user: set RTSP_USER and RTSP_PASSWORD, or RTSP_LOGIN" >&2
        exit 2 ;;
    rtsp://* | rtsps://*) ;;
    *) echo "$usage" >&2; exit 2 ;;
esac
records=()
[ -z "${2-}" ] || records=(! emotionpublish location="$2" wall-clock=true)
if [ -n "${RTSP_LOGIN-}" ]; then
    { read -r RTSP_USER && read -r RTSP_PASSWORD; } <"$RTSP_LOGIN" || [ -n "${RTSP_PASSWORD-}" ] \
        || { echo "${0##*/}: $RTSP_LOGIN: expected a line with the user and one with the password" >&2; exit 2; }
    export RTSP_USER RTSP_PASSWORD
fi

# Uses the plugin of this repository if it was built.
built=$(dirname "$0")/../target/release
[ -e "$built/libgstemotion.so" ] && export GST_PLUGIN_PATH="${GST_PLUGIN_PATH:+$GST_PLUGIN_PATH:}$built"

# shellcheck disable=SC2206 # SINK may contain properties
line=(rtspsrc name=camera location="$1" protocols=tcp latency=200 drop-on-latency=true
    ! decodebin ! queue leaky=downstream max-size-buffers=1 ! videoconvert
    ! emotionfacedetect ! emotionclassify "${records[@]}" ! emotionoverlay bars=none ! videoconvert
    ! ${SINK:-autovideosink sync=false})
[ -n "${RTSP_USER-}" ] || exec gst-launch-1.0 -e "${line[@]}"

# gst-launch-1.0 takes a login in its arguments only.
exec /usr/bin/python3 - "${line[@]}" <<'PYTHON'
import os
import signal
import sys

try:
    import gi

    gi.require_version("Gst", "1.0")
    from gi.repository import GLib, Gst
except (ImportError, ValueError):
    sys.exit("rtsp-in.sh: a login needs the Debian packages python3-gi and gir1.2-gstreamer-1.0")

Gst.init(None)
pipeline = Gst.parse_launchv(sys.argv[1:])
camera = pipeline.get_by_name("camera")
camera.set_property("user-id", os.environ["RTSP_USER"])
camera.set_property("user-pw", os.environ.get("RTSP_PASSWORD", ""))
loop, failed = GLib.MainLoop(), []


def on_message(_, message):
    if message.type == Gst.MessageType.ERROR:
        failed.append(message.parse_error()[0].message)
        loop.quit()
    elif message.type == Gst.MessageType.EOS:
        loop.quit()


bus = pipeline.get_bus()
bus.add_signal_watch()
bus.connect("message", on_message)
for number in (signal.SIGINT, signal.SIGTERM):
    # The first ends the stream, so that files are finished.
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, lambda: pipeline.send_event(Gst.Event.new_eos()) or True)
pipeline.set_state(Gst.State.PLAYING)
loop.run()
pipeline.set_state(Gst.State.NULL)
sys.exit(f"rtsp-in.sh: {failed[0]}" if failed else 0)
PYTHON

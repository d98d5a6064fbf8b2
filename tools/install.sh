#!/usr/bin/env bash
# install PLUGIN | uninstall: in the user's plugin folder; as root or with SYSTEM=1 in the system's.
# PLUGIN_DIR names another folder, DESTDIR stands before it when packaging.
set -euo pipefail

name=libgstemotion.so
system=${SYSTEM:-}
[ "$(id -u)" -ne 0 ] || system=1
as_root=()
if [ -n "${PLUGIN_DIR:-}" ]; then
    folder=$PLUGIN_DIR
elif [ -n "$system" ]; then
    folder=$(pkg-config --variable=pluginsdir gstreamer-1.0)
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
else
    folder=${XDG_DATA_HOME:-$HOME/.local/share}/gstreamer-1.0/plugins
fi
target=${DESTDIR:-}$folder/$name

case ${1:-} in
    install)
        "${as_root[@]}" install -D --mode=644 "$2" "$target"
        echo "Installed $target"
        [ -z "${DESTDIR:-}${PLUGIN_DIR:-}" ] || exit 0
        if ! gst-inspect-1.0 emotionclassify >/dev/null 2>&1; then
            echo "GStreamer does not load it. What it says: GST_DEBUG=GST_PLUGIN_LOADING:4 gst-inspect-1.0 $target" >&2
            exit 1
        fi
        echo "Check: gst-inspect-1.0 emotionclassify"
        if [[ $(gst-inspect-1.0 facedetect) != *"$name"* ]]; then
            echo "Note: facedetect is another plugin's element here (GStreamer's OpenCV plugin); ours is also called emotionfacedetect."
        fi
        ;;
    uninstall)
        if [ -e "$target" ]; then
            "${as_root[@]}" rm "$target"
            echo "Removed $target"
        else
            echo "Nothing to remove: there is no $target"
        fi
        ;;
    *)
        echo "usage: install.sh install PLUGIN | uninstall" >&2
        exit 2
        ;;
esac

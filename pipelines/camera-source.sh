# Common part of the scripts that open a camera: its mode is chosen by emotion-demo, which reads the modes that it has.

camera_help="--size WxH and --rate N ask a camera for another size and rate than about 1280x720 at 24 pictures a second or more."

# Takes --size and --rate from the front of the arguments into `camera_options`, and leaves the rest in `arguments`.
camera_options() {
    camera_options=()
    while [[ ${1-} == --size || ${1-} == --rate ]]; do
        [ $# -ge 2 ] || { echo "${0##*/}: $1 needs a value; see --help" >&2; exit 2; }
        camera_options+=("$1" "$2")
        shift 2
    done
    arguments=("$@")
}

# Puts the elements that open the camera $1 into `camera`.
open_camera() {
    local built program words
    built=$(dirname "$0")/../target/release/emotion-demo
    if program=$(command -v emotion-demo || command -v "$built"); then
        # A wrong option ends the script; a camera that does not open is left to gst-launch-1.0, which says why.
        if words=$("$program" --print-camera "$1" "${camera_options[@]}"); then
            read -ra camera <<<"$words"
            return
        elif [ $? -eq 2 ]; then
            exit 2
        fi
    elif [ ${#camera_options[@]} -gt 0 ]; then
        echo "${0##*/}: --size and --rate need emotion-demo: cargo build --release --package emotion-pipelines" >&2
        exit 2
    fi
    camera=(v4l2src "device=$1" '!' decodebin)
}

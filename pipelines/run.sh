# Common part of crowd.sh and one-face.sh: shows a camera, a video or an image with the overlay, in a window or as a file.
# Expects the properties of emotionoverlay in `overlay` and a one-line description in `about`.
set -euo pipefail
. "$(dirname "$0")/camera-source.sh"

usage() {
    cat <<END
Usage: ${0##*/} [--out FILE] [--style STYLE] [--zones ZONES] [--lines LINES] [--size WxH] [--rate N] [--print] [INPUT]

$about

INPUT    a video, an image (JPEG, PNG and others), or a camera such as /dev/video0 (the default)
--out    write an MP4 video, or a PNG for an image, instead of opening a window
--style  default, minimal, broadcast or seed (the default)
--zones  count people in zones, such as 'hall=0,0.5 0.6,0.5 0.6,1 0,1 limit=20; till=0.7,0 1,0 1,1'
--lines  count who crosses lines, such as 'door=0.5,0.2 0.5,0.9'
--size   the size of a camera's pictures, if not about 1280x720
--rate   a camera's pictures a second, if not 24 or more
--print  print the command instead of running it
END
}
fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 2; }

input=/dev/video0 out='' style=seed zones='' lines='' print='' camera_options=()
while [ $# -gt 0 ]; do
    case $1 in
        --out | --style | --zones | --lines)
            [ $# -ge 2 ] || fail "$1 needs a value; see --help"
            printf -v "${1#--}" %s "$2"
            shift ;;
        --size | --rate)
            [ $# -ge 2 ] || fail "$1 needs a value; see --help"
            camera_options+=("$1" "$2")
            shift ;;
        --print) print=yes ;;
        -h | --help) usage; exit ;;
        -*) fail "unknown option $1; see --help" ;;
        *) input=$1 ;;
    esac
    shift
done
[ -e "$input" ] || fail "there is no $input: expected a video, an image or a camera"

launch=(gst-launch-1.0 -e -q)
built=$(dirname "$0")/../target/release/libgstemotion.so
# --exists is not used, because it requires a version as high as GStreamer's.
if ! gst-inspect-1.0 emotionclassify >/dev/null 2>&1; then
    [ -e "$built" ] || fail "the plugin is not installed: make install, or cargo build --release --package gst-plugin-emotion"
    launch+=("--gst-plugin-load=$built")
fi

kind=$(case ${input,,} in
    /dev/*) echo camera ;;
    *.jpg | *.jpeg | *.png | *.bmp | *.webp | *.gif | *.pnm | *.ppm) echo picture ;;
    *) echo video ;;
esac)
case $kind in
    camera)
        open_camera "$input"
        source=("${camera[@]}") ;;
    *) source=(filesrc "location=$input" '!' decodebin '!' videoconvert '!' videoflip video-direction=auto) ;;
esac
# The name with `emotion` is unambiguous; OpenCV's plugin has an element named facedetect as well.
counter=()
if [ -n "$zones$lines" ]; then
    # An empty value would take the word behind it.
    counter=('!' emotionzones ${zones:+"zones=$zones"} ${lines:+"lines=$lines"})
    overlay+=(zones=true)
fi
elements=('!' videoconvert '!' emotionfacedetect '!' emotionclassify "${counter[@]}" '!' emotionoverlay "style=$style" "${overlay[@]}")
case $kind,$out in
    picture,) sink=('!' imagefreeze '!' videoconvert '!' autovideosink) ;;
    picture,*) sink=('!' videoconvert '!' pngenc '!' filesink "location=$out") ;;
    *,) sink=('!' videoconvert '!' autovideosink "sync=$([ $kind = video ] && echo true || echo false)") ;;
    *) sink=('!' videoconvert '!' x264enc speed-preset=veryfast tune=zerolatency '!' h264parse '!' mp4mux '!' filesink "location=$out") ;;
esac
command=("${launch[@]}" "${source[@]}" "${elements[@]}" "${sink[@]}")
if [ "$print" ]; then
    printf '%q ' "${command[@]}"
    echo
else
    exec "${command[@]}"
fi

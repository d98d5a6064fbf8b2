#!/usr/bin/env bash
# Processor time of a stream in emotion-crowd: ten copies of a stream compared with one alone.
set -euo pipefail

usage="usage: ${0##*/} PROGRAM VIDEO [COPIES [RATE [ROUNDS]]]
Serves VIDEO (MP4 with H.264) over RTSP in a loop. PROGRAM, an emotion-crowd, analyses one stream of it and COPIES streams
(default: 10) in turn, RATE frames a second of each (default: 5), in ROUNDS rounds (default: 3) of 20 s. Needs python3-gi
and gir1.2-gst-rtsp-server-1.0."

case ${1-} in
    -h | --help) echo "$usage"; exit ;;
esac
[ $# -ge 2 ] || { echo "$usage" >&2; exit 2; }
program=$1 video=$2 copies=${3:-10} rate=${4:-5} rounds=${5:-3}
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT

gst-launch-1.0 -q filesrc location="$video" ! qtdemux ! h264parse \
    ! video/x-h264,stream-format=byte-stream,alignment=au ! filesink location="$folder/clip.h264"
# exec, so that the kill at the end reaches the server and not a shell around it.
coproc server { exec /usr/bin/python3 "$(dirname "$0")/../tests/src/rtsp_server.py" 8599 play \
    "multifilesrc location=$folder/clip.h264 loop=true ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96"; }
read -r _ <&"${server[0]}"

# Clock ticks that a process spent in user and system mode.
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
metric() { curl -s http://127.0.0.1:8598/metrics | awk -v name="emotion_crowd_$1" 'index($1, name) == 1 { sum += $2 } END { print sum }'; }

# Runs a number of streams and prints the processor time for each second and stream, and the analysed frames.
measure() {
    {
        printf '[page]\nlisten = "127.0.0.1:8598"\npictures = "off"\n'
        for number in $(seq "$1"); do
            printf '[[source]]\nname = "copy-%s"\nuri = "rtsp://127.0.0.1:8599/live"\nframes-per-second = %s\n' "$number" "$rate"
        done
    } >"$folder/crowd.toml"
    "$program" "$folder/crowd.toml" 2>"$folder/log" &
    local pid=$!
    until [ "$(grep -c ': playing' "$folder/log")" -eq "$1" ]; do
        kill -0 $pid 2>/dev/null || { echo "${0##*/}: $program ended before all streams played:" >&2; cat "$folder/log" >&2; exit 1; }
        sleep 0.2
    done
    sleep 3
    local before analysed seconds=20
    before=$(ticks $pid) analysed=$(metric analysed_frames_total)
    sleep $seconds
    awk -v ticks="$(($(ticks $pid) - before))" -v frames="$(($(metric analysed_frames_total) - analysed))" -v streams="$1" \
        -v seconds=$seconds -v hertz="$(getconf CLK_TCK)" -v skipped="$(metric skipped_frames_total)" \
        'BEGIN { printf "%2d streams: %6.1f ms a second and stream, %5.1f frames a second and stream, %d skipped\n", streams,
                 1000 * ticks / hertz / seconds / streams, frames / seconds / streams, skipped }'
    kill -TERM $pid
    wait $pid
}

for _ in $(seq "$rounds"); do
    measure 1
    measure "$copies"
done

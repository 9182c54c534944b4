#!/bin/bash
#
# clip.sh OUT: makes the test pattern that the program publishes, H.264 with
# start codes. Needs ffmpeg; nothing else does, neither building nor testing,
# because what this makes is part of the tree.
#
# 512x512 at 24 frames a second, one IDR frame every two seconds, no frame that
# refers forward, delimiters and parameter sets as transport streams want them
# (ISO/IEC 13818-1 §2.14.1), constrained baseline profile: whatever decodes
# H.264 decodes this. The encoder's own remarks (SEI) are left out.
set -euo pipefail
out=$1
fps=24
gop=48

vendor/clip.py | ffmpeg -v error -f rawvideo -pix_fmt yuv420p -s 512x512 \
    -r $fps -i - -c:v libx264 -preset veryslow -profile:v baseline -crf 21 \
    -x264-params "keyint=$gop:min-keyint=$gop:scenecut=0:open-gop=0:\
bframes=0:aud=1:repeat-headers=1:threads=1" \
    -bsf:v filter_units=remove_types=6 -f h264 -y "$out"

# What the program takes for granted, asked of another parser.
told=$(ffprobe -v error -select_streams v -of compact=p=0:nk=1 \
    -show_entries stream=codec_name,width,height,has_b_frames,r_frame_rate \
    "$out")
[ "$told" = "h264|512|512|0|$fps/1" ] || {
    echo "clip: ffprobe says $told" >&2
    exit 1
}
frames=$(ffprobe -v error -select_streams v -of csv=p=0 \
    -show_entries frame=key_frame "$out" | tr -d '\n,')
wanted=$(printf '1%047d1%047d' 0 0)
[ "$frames" = "$wanted" ] || {
    echo "clip: keyframes lie elsewhere: $frames" >&2
    exit 1
}

#!/usr/bin/env bash
# Many images, and the first one from a cold start, here and with diffusers: docs/performance/throughput.sh PYTHON [SD15_F16_FOLDER]
# Whole commands in turn, ROUNDS times (3). A cold start drops the page cache, which needs root; without root it is skipped.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
here="$root/docs/performance"
python="$1"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
export HF_HUB_OFFLINE=1
TIMEFORMAT='%R %U %S'

# NAME COMMAND...: seconds of the clock, of the processors, and the share of them that was busy.
timed() {
    local name="$1"
    shift
    { time "$@" >/dev/null 2>"$scratch/err"; } 2>"$scratch/times" || { cat "$scratch/err" >&2; exit 1; }
    awk -v name="$name" -v n="$(nproc)" '{ printf "%s: %.1f s, processors %.1f s, busy %.2f\n", name, $1, $2 + $3, ($2 + $3) / $1 / n }' "$scratch/times"
}

# MODEL COUNT BATCH STEPS
ours() {
    "$root/studio" generate --model "$1" --prompt "a red apple on a wooden table" --cfg-scale 4 --seed 1 --count "$2" --batch-size "$3" --steps "$4" --sampler ddim --overwrite --out "$scratch/a.png"
}

embedded="$root/assets/default-model"
"$root/studio" --version >/dev/null
for ((round = 0; round < ${ROUNDS:-3}; round++)); do
    for batch in 1 8; do
        timed "16 images, batches of $batch, Atom Studio" ours "$embedded" 16 "$batch" 25
        timed "16 images, batches of $batch, diffusers" "$python" "$here/images.py" "$embedded" 16 "$batch" 25
    done
done
if [ $# -gt 1 ] && [ -w /proc/sys/vm/drop_caches ]; then
    for steps in 1 3; do
        sync; echo 3 >/proc/sys/vm/drop_caches
        timed "cold start, SD 1.5 in half precision, $steps step(s), Atom Studio" ours "$2" 1 1 "$steps"
        sync; echo 3 >/proc/sys/vm/drop_caches
        timed "cold start, SD 1.5 in half precision, $steps step(s), diffusers" "$python" "$here/images.py" "$2" 1 1 "$steps"
    done
fi

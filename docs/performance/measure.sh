#!/usr/bin/env bash
# Measures the figures of docs/performance.md on an idle machine: docs/performance/measure.sh [PYTHON [SD15_F32 SD15_F16]]
# PYTHON has torch, diffusers, transformers and peft for the comparisons. The folders are models of Stable Diffusion 1.5's
# shape (RandomModel); with them it also runs growth.py, the cold start of throughput.sh and steps in bfloat16 in turn
# with diffusers and peft (ROUNDS, 8), two processes of that size at a time. TURNS=only runs nothing but those steps.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
studio="$root/studio"
"$studio" --version >/dev/null

# Seconds per image with 25 guided steps, without warm-up: (nine images - one image) / 8.
image() {
    local one nine
    one="$("$studio" generate --prompt "a red apple on a wooden table" --seed 1 --json --overwrite --out "$scratch/a.png" 2>/dev/null | grep -o '"seconds":[0-9.]*' | cut -d: -f2)"
    nine="$("$studio" generate --prompt "a red apple on a wooden table" --seed 1 --count 9 --json --overwrite --out "$scratch/a.png" 2>/dev/null | grep -o '"seconds":[0-9.]*' | cut -d: -f2)"
    awk -v a="$one" -v b="$nine" 'BEGIN { printf "%.3f s per image, %.1f ms per guided step, first image %.2f s\n", (b - a) / 8, (b - a) / 8 / 25 * 1000, a }'
}

# Median seconds per step, and resident memory at step 30 and at the last step.
train() {
    local method="$1" steps="$2"
    rm -rf "$scratch/run"
    "$studio" train --photos "$root/assets/subjects/boat" --class sailboat --method "$method" --steps "$steps" --out "$scratch/run" >/dev/null 2>&1
    grep '"kind":"step"' "$scratch/run/events.jsonl" | sed -E 's/.*"seconds":([0-9.eE-]+).*"memory":([0-9]+).*/\1 \2/' >"$scratch/steps"
    cut -d' ' -f1 "$scratch/steps" | sort -g | awk '{ s[NR] = $1 } END { printf "%.4f s per step (median), %.4f (fastest), ", s[int((NR + 1) / 2)], s[1] }'
    awk '{ m[NR] = $2 } END { printf "resident %.0f MB at step 30, %.0f MB at step %d (%+.1f%%)", m[30] / 1e6, m[NR] / 1e6, NR, 100 * (m[NR] / m[30] - 1) }' "$scratch/steps"
    grep -o '"peakMemory":[0-9]*' "$scratch/run/report.json" | cut -d: -f2 | awk '{ printf ", peak %.0f MB\n", $1 / 1e6 }'
}

# Seconds from the start of a run on this many photos to the end of its first step, and its peak memory.
photos() {
    local n="$1" i files=("$root"/assets/subjects/boat/*.png)
    rm -rf "$scratch/photos" "$scratch/run"
    mkdir "$scratch/photos"
    for ((i = 0; i < n; i++)); do cp "${files[i % ${#files[@]}]}" "$scratch/photos/$i.png"; done
    "$studio" train --photos "$scratch/photos" --class sailboat --method lora --steps 1 --out "$scratch/run" >/dev/null 2>&1
    sed -nE 's/^\{"time":([0-9]+),"kind":"(start|step)".*/\1/p' "$scratch/run/events.jsonl" | tr '\n' ' ' | awk '{ printf "%.2f s from start to the end of the first step, ", ($2 - $1) / 1e3 }'
    grep -o '"peakMemory":[0-9]*' "$scratch/run/report.json" | cut -d: -f2 | awk '{ printf "peak %.0f MB\n", $1 / 1e6 }'
}

# Processor with its matrix and vector units, memory, system, versions; what else is running.
machine() {
    grep -m1 'model name' /proc/cpuinfo || true
    echo "$(nproc) processors, $(awk '/^MemTotal/ { printf "%.1f GB", $2 * 1024 / 1e9 }' /proc/meminfo), $(grep -m1 ^flags /proc/cpuinfo | grep -oE '\b(avx2|avx512f|avx512_bf16|amx_bf16)\b' | tr '\n' ' ')"
    echo "$(uname -sr), $(. /etc/os-release 2>/dev/null && echo "${PRETTY_NAME:-}"), $("$studio" --version | head -n 1), commit $(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)"
    if [ $# -gt 0 ]; then "$1" -c 'import torch, diffusers, transformers, peft; print("torch", torch.__version__, "diffusers", diffusers.__version__, "transformers", transformers.__version__, "peft", peft.__version__)'; fi
    echo "load $(cut -d' ' -f1-3 /proc/loadavg), $(date -u +%F)"
}

# Steps of a peer's command and of our benchmark's class, in turn.
in_turn() {
    local name="$1" peer="$2" ours="$3" classes
    classes="$root/tuning/target/test-classes:$root/tuning/target/classes:$root/diffusion/target/test-classes:$root/diffusion/target/classes:$root/app/target/lib/*"
    "$python" "$root/docs/performance/turns.py" "${ROUNDS:-8}" "$name=$python $root/docs/performance/$peer" \
        "ours=env GOMP_SPINCOUNT=10000 ${JAVA_HOME:+$JAVA_HOME/bin/}java --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -Xms32m -cp $classes atomstudio.tuning.torch.$ours"
}

turns() {
    local python="$1" model="$2"
    in_turn diffusers "diffusers_look.py $model bf16-channels-last -" "PredictionBenchmark $model torch-bf16 -"
    for method in atoms lora; do in_turn peft "peft_step.py $model bf16 -" "TrainingStepBenchmark $model $method SELECTIVE BF16 -"; done
}

machine "$@"
if [ $# -gt 1 ]; then turns "$1" "$2"; fi
[ "${TURNS:-}" != only ] || exit 0
if [ $# -gt 0 ]; then
    "$1" "$root/docs/performance/peers.py" "$root/assets/default-model" --threads "$(nproc)"
    "$root/docs/performance/throughput.sh" "$1" ${3:+"$3"}
fi
if [ $# -gt 1 ]; then "$1" "$root/docs/performance/growth.py" "$2"; fi
echo "generate: $(image)"
for method in lora atoms atoms+channels; do echo "train $method: $(train "$method" 60)"; done
echo "train lora, 300 steps: $(train lora 300)"
for n in 6 24 96; do echo "train lora, $n photos: $(photos "$n")"; done
for setting in "A=none" "MALLOC_ARENA_MAX=2" "MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072" "OMP_WAIT_POLICY=passive" "OMP_WAIT_POLICY=active"; do
    echo "$setting: generate: $(export $setting; image)"
    echo "$setting: train lora: $(export $setting; train lora 60)"
done

#!/usr/bin/env bash
# Loads exported adapters in other programs and compares their UNet's output with this program's engines:
#   interop/check.sh               every row of checks.tsv
#   interop/check.sh atoms lora    the rows of these methods
# The rows are replaced in the table in docs/interop.md. known.tsv has what a program does not read, with the reason.
# PYTHON names a Python with torch, diffusers, transformers, peft, lycoris-lora and what the checked out programs import;
# without it one is set up in a scratch folder. WORK keeps runs and exported files in a folder, to be used again.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
python="${PYTHON:-}"
if [ -z "$python" ]; then
    python3 -m venv "$scratch/python"
    python="$scratch/python/bin/python"
    "$python" -m pip -q install torch==2.7.1 diffusers==0.42.1 transformers==5.23.0 peft==0.21.2 lycoris-lora==4.1.3 safetensors \
        onnxruntime==1.32.0 torchvision==0.22.1 torchsde scipy einops psutil pyyaml sentencepiece gguf
fi
# Programs that are in no registry. Without network access, or with another checkout: COMFYUI, FORGE, INVOKEAI name a
# folder. What is not there is reported as skipped.
checkout() {
    git init -q "$scratch/$1" && git -C "$scratch/$1" fetch -q --depth 1 "https://github.com/$2" "$3" \
        && git -C "$scratch/$1" checkout -q FETCH_HEAD && echo "$scratch/$1"
}
export COMFYUI="${COMFYUI:-$(checkout comfyui comfyanonymous/ComfyUI a125cd84b054a57729b5eecab930ca9408719832 || true)}"
export FORGE="${FORGE:-$(checkout forge lllyasviel/stable-diffusion-webui-forge dfdcbab685e57677014f05a3309b48cc87383167 || true)}"
export INVOKEAI="${INVOKEAI:-$(checkout invokeai invoke-ai/InvokeAI 8e71a8a519399d6db32054ae9afc7c6c4e2355af || true)}"
"$python" "$here/check.py" "${WORK:-$scratch/work}" "$@"

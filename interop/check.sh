#!/usr/bin/env bash
# Loads exported adapters in other programs and compares their UNet's output with this program's engines:
#   interop/check.sh               every row of checks.tsv
#   interop/check.sh atoms lora    the rows of these methods
# The rows are replaced in the table in docs/interop.md.
# PYTHON names a Python with torch, diffusers, transformers, peft and lycoris-lora; without it one is set up in a scratch
# folder. WORK keeps runs and exported files in a folder, to be used again.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
python="${PYTHON:-}"
if [ -z "$python" ]; then
    python3 -m venv "$scratch/python"
    python="$scratch/python/bin/python"
    "$python" -m pip -q install torch==2.7.1 diffusers==0.42.1 transformers==5.23.0 peft==0.21.2 lycoris-lora==4.1.3 safetensors
fi
"$python" "$here/check.py" "${WORK:-$scratch/work}" "$@"

#!/usr/bin/env bash
# Puts another default model in place and refreshes everything that depends on its numbers:
#   assets/refresh.sh NEW_MODEL_DIR     another model
#   assets/refresh.sh                   the model as it is (figures and goldens again)
# Files of the model, goldens in the test resources that were made with it (whole images, images from images, other programs' adapters), the
# comparison and the figures in README.md, the screenshots. PYTHON names a Python with torch, diffusers, transformers, peft and lycoris-lora;
# without it one is set up in a scratch folder.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

say() { echo "refresh: $*" >&2; }

if [ "$#" -gt 0 ]; then
    new="$(cd "$1" && pwd -P)"
    [ -f "$new/model_index.json" ] && [ -f "$new/README.md" ] || { say "$new: not a model folder with model_index.json and a README.md that says its credits"; exit 1; }
    if [ "$new" != "$root/assets/default-model" ]; then
        say "model: $new"
        cp -r "$new" "$scratch/model"
        rm -rf "$root/assets/default-model"
        mv "$scratch/model" "$root/assets/default-model"
        find "$root/assets/default-model" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
    fi
fi

python="${PYTHON:-}"
if [ -z "$python" ]; then
    say "setting up Python with torch, diffusers, transformers, peft and lycoris-lora (name one with PYTHON to skip this)"
    python3 -m venv "$scratch/python"
    python="$scratch/python/bin/python"
    "$python" -m pip -q install torch==2.7.1 diffusers==0.42.1 transformers==5.23.0 peft==0.21.2 lycoris-lora==4.1.3 safetensors
fi

# The goldens that the tests keep are made again, no others added.
goldens="$(find "$root" -path '*/src/test/resources/goldens/pictures' -type d)"
names=()
while IFS= read -r file; do names+=("$(basename "$file" .safetensors)"); done \
    < <([ -z "$goldens" ] || find "$goldens" -name '*.safetensors' | sort)
if [ "${#names[@]}" -gt 0 ]; then
    say "goldens: ${names[*]}"
    "$python" "$root/assets/pictures.py" "$root/assets/default-model" "$scratch/goldens" "${names[@]}" >/dev/null
    cp "$scratch/goldens"/*.safetensors "$goldens/"
fi

frompictures="$root/diffusion/src/test/resources/goldens/from-pictures"
say "goldens that start from pictures"
"$python" "$frompictures/make.py" "$root/assets/default-model" "$root/diffusion/src/test/resources/goldens/nets/inpaint/model" "$frompictures" >/dev/null

say "goldens of other programs' adapters"
"$python" "$root/tuning/src/test/resources/goldens/foreign/make.py" "$root/assets/default-model" >/dev/null
chmod 644 "$root"/tuning/src/test/resources/goldens/foreign/*.safetensors

say "the demo, for the sheet and the figures of README.md"
"$root/studio" demo --out "$scratch/demo" >/dev/null
cp "$scratch/demo/sheet.png" "$root/docs/images/demo.png"
"$python" "$root/assets/figures.py" "$root" "$scratch/demo/compare.json"
say "screenshots"
(cd "$root" && .ci/display mvn -q -B -pl app -am test -Dtest='*ScreenshotsTest' -Dtest.excludedGroups= -Dsurefire.failIfNoSpecifiedTests=false >/dev/null)
say "done; look at docs/images/demo.png and docs/screenshots, run mvn verify, and compare docs/experiments.md and docs/performance.md with what is true now"

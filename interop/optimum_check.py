"""Images of a merged model: its ONNX files in optimum, the same model in diffusers, and this program.

    python optimum_check.py DIFFUSERS_FOLDER ONNX_FOLDER IMAGE.png [TOLERANCE]

with the folders of `studio export RUN --format merged-diffusers` and `... --format merged-onnx`, and the image of

    studio generate --model DIFFUSERS_FOLDER --prompt "a sks car in the snow" --seed 5 --steps 8 --sampler ddim \\
        --cfg-scale 7.5 --out IMAGE.png

Needs optimum-onnx, onnxruntime, diffusers, transformers and torch. Prints the largest deviation of the latents, relative
to the largest value, and of the pixels, in levels of 255, and exits with 1 if the latents deviate by more than the
tolerance (default 1e-3) or a pixel by more than 2 levels.
"""
import sys
from pathlib import Path

import diffusers
import numpy as np
import optimum.onnxruntime
import torch
from PIL import Image

reference, exported, image = map(Path, sys.argv[1:4])
tolerance = float(sys.argv[4]) if len(sys.argv) > 4 else 1e-3
PROMPT = "a sks car in the snow"


def sampled(pipe, output):
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = diffusers.DDIMScheduler.from_config(pipe.scheduler.config)
    shown = Image.open(image)
    return pipe(PROMPT, num_inference_steps=8, guidance_scale=7.5, generator=torch.Generator().manual_seed(5),
                width=shown.width, height=shown.height, output_type=output).images


def levels(pixels):
    return np.round(np.asarray(pixels[0]) * 255)


def deviation(expected, found):
    return np.abs(np.asarray(expected) - np.asarray(found)).max() / np.abs(np.asarray(expected)).max()


theirs = optimum.onnxruntime.ORTStableDiffusionPipeline.from_pretrained(exported)
same = diffusers.StableDiffusionPipeline.from_pretrained(
    reference, torch_dtype=torch.float32, safety_checker=None, requires_safety_checker=False, image_encoder=None,
    feature_extractor=None)
latents = deviation(sampled(same, "latent"), sampled(theirs, "latent"))
ours = np.asarray(Image.open(image).convert("RGB")).astype(float)
pixels = {"diffusers": np.abs(levels(sampled(same, "np")) - levels(sampled(theirs, "np"))).max(),
          "this program": np.abs(ours - levels(sampled(theirs, "np"))).max()}
print(f"latents of optimum and diffusers: {latents:.1e}")
for name, largest in pixels.items():
    print(f"pixels of optimum and {name}: {largest:.0f} of 255")
sys.exit(not (latents <= tolerance and max(pixels.values()) <= 2))

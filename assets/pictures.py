"""Reference pictures of a model folder with diffusers, float32: python3 pictures.py MODEL OUT [CASE...]

Provenance of the whole-picture goldens in the test resources; never part of building or testing.
Each case becomes CASE.safetensors: metadata `case` (JSON), `noise` the first latents (standard normal), `latents` the last,
`pixels` decoded and not yet clamped. Picture k of a batch has seed + k.
"""
import json
import os
import sys

import diffusers
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

DDIM, EULER = "DDIMScheduler", "EulerDiscreteScheduler"
EULER_A, DPMPP = "EulerAncestralDiscreteScheduler", "DPMSolverMultistepScheduler"


def case(name, prompt, seed, scheduler, steps, guidance=4.0, config=None, **more):
    return dict(name=name, prompt=prompt, seed=seed, scheduler=scheduler, config=config or {}, steps=steps, guidance=guidance, **more)


CASES = [
    case("ddim", "a 3d penguin in the snow", 1, DDIM, 25),
    case("ddim-negative", "a red apple on a wooden floor", 2, DDIM, 20, 6.0, negative="blue, night"),
    case("euler", "a flat drawing of a dog on the grass", 42, EULER, 20),
    case("euler-a", "a glossy owl under the night sky", 7, EULER_A, 20),
    case("dpmpp-2m", "a hamburger on a wooden table", 123456789012345, DPMPP, 15),
    case("dpmpp-2m-karras", "a sailboat floating on water", 5, DPMPP, 15, config={"use_karras_sigmas": True}),
    case("unguided", "a crown on a purple background", 3, DDIM, 25, 1.0),
    case("wide", "a bus on a street", 9, DDIM, 20, width=192, height=128),
    case("odd", "a rabbit in a meadow", 10, EULER, 15, width=136, height=104),
    case("batch", "a purple elephant in the jungle", 11, DDIM, 20, batch=3),
    case("batch-euler-a", "a 3d cake on pink and white stripes", 21, EULER_A, 15, batch=2),
]


def make(pipe, base, case, out):
    pipe.scheduler = getattr(diffusers, case["scheduler"]).from_config(base, **case["config"])
    factor = 2 ** (len(pipe.vae.config.block_out_channels) - 1)
    size = pipe.unet.config.sample_size * factor
    width, height, count = case.get("width", size), case.get("height", size), case.get("batch", 1)

    def generators():
        return [torch.Generator().manual_seed(case["seed"] + k) for k in range(count)]

    shape = (1, pipe.unet.config.in_channels, height // factor, width // factor)
    noise = torch.cat([torch.randn(*shape, generator=generator) for generator in generators()])
    with torch.no_grad():
        latents = pipe(case["prompt"], negative_prompt=case.get("negative"), num_inference_steps=case["steps"],
                       guidance_scale=case["guidance"], width=width, height=height, num_images_per_prompt=count,
                       generator=generators(), output_type="latent").images
        pixels = pipe.vae.decode(latents / pipe.vae.config.scaling_factor).sample
    tensors = {"noise": noise, "latents": latents.contiguous(), "pixels": pixels.contiguous()}
    save_file(tensors, os.path.join(out, case["name"] + ".safetensors"), {"case": json.dumps(case)})


def main(model, out, *names):
    unknown = set(names) - {case["name"] for case in CASES}
    if unknown:
        sys.exit("unknown cases: " + ", ".join(sorted(unknown)))
    torch.set_num_threads(1)
    os.makedirs(out, exist_ok=True)
    pipe = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    base = pipe.scheduler.config
    for case in CASES:
        if not names or case["name"] in names:
            make(pipe, base, case, out)
            print(case["name"])


if __name__ == "__main__":
    main(*sys.argv[1:])

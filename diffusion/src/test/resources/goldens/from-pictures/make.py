"""Latents that start from a picture, with diffusers' pipelines, float32: python3 make.py MODEL INPAINT OUT

MODEL is the embedded model, INPAINT a small nine-channel model without a tokenizer (../nets/inpaint/model).
Provenance of the goldens beside this file; never part of building or testing. `picture.png` and `mask.png` are read from here.

Each case becomes CASE.safetensors: metadata `case` (JSON) and `latents`, the last ones. Cases of the inpainting model carry
`context` and `negative` too, embedded from ids. `hires-*` hold two calls: `first` are the latents of the small picture; they are
enlarged by torch's bilinear (antialias off, align_corners off) and go through the img2img pipeline with a new generator of the seed.

A generator draws in the pipelines' order: the picture's latents, the noise, the masked picture's latents (inpainting always
samples these, also for four channels, where nothing reads them), then a draw a step. The pipelines hand DDIM and TCD an eta of 0.

Written with diffusers 0.42.1; LMSDiscreteScheduler needs scipy. PNDM and LMS have no case with a denoise below 1: see docs/decisions/img2img.md.
"""
import json
import os
import sys

import diffusers
import torch
from PIL import Image
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
DDIM, EULER, EULER_A = "DDIMScheduler", "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler"


def case(name, kind, seed, scheduler, steps, **more):
    return dict(name=name, kind=kind, seed=seed, scheduler=scheduler, steps=steps, guidance=4.0, **more)


CASES = [
    case("img2img-ddim-0.5", "img2img", 1, DDIM, 20, prompt="a red car in the snow", denoise=0.5),
    case("img2img-ddim-0.8", "img2img", 2, DDIM, 20, prompt="a red car in the snow", denoise=0.8),
    case("img2img-euler-0.5", "img2img", 3, EULER, 15, prompt="a blue car on the beach", denoise=0.5),
    case("img2img-euler-0.8", "img2img", 4, EULER, 15, prompt="a blue car on the beach", denoise=0.8),
    case("img2img-euler-a", "img2img", 5, EULER_A, 15, prompt="a flat drawing of a car", denoise=0.6),
    case("inpaint-ddim", "inpaint", 6, DDIM, 20, prompt="a red apple on the grass", denoise=1.0),
    case("inpaint-ddim-0.7", "inpaint", 7, DDIM, 20, prompt="a red apple on the grass", denoise=0.7),
    case("inpaint-euler", "inpaint", 8, EULER, 15, prompt="a glossy owl", denoise=0.9),
    case("inpaint-euler-a", "inpaint", 9, EULER_A, 15, prompt="a glossy owl", denoise=1.0),
    case("nine-ddim", "nine", 10, DDIM, 10, ids=[5, 17, 400, 3], denoise=1.0, width=32, height=32),
    case("nine-ddim-0.7", "nine", 11, DDIM, 10, ids=[5, 17, 400, 3], denoise=0.7, width=48, height=32),
    case("nine-euler-a", "nine", 12, EULER_A, 10, ids=[900, 2, 2], denoise=1.0, width=32, height=32),
    case("hires-ddim-2", "hires", 13, DDIM, 20, prompt="a 3d penguin in the snow", denoise=0.6, scale=2.0),
    case("hires-euler-1.5", "hires", 14, EULER, 15, prompt="a bus on a street", denoise=0.5, scale=1.5),
    case("inpaint-heun-0.6", "inpaint", 21, "HeunDiscreteScheduler", 15, prompt="a red car in the snow", denoise=0.6),
    case("inpaint-heun-1.0", "inpaint", 23, "HeunDiscreteScheduler", 15, prompt="a red car in the snow", denoise=1.0),
    case("inpaint-dpm2-0.6", "inpaint", 37, "KDPM2DiscreteScheduler", 15, prompt="a red car in the snow", denoise=0.6),
    case("inpaint-dpm2-a-1.0", "inpaint", 43, "KDPM2AncestralDiscreteScheduler", 15, prompt="a red car in the snow", denoise=1.0),
    case("inpaint-pndm-1.0", "inpaint", 31, "PNDMScheduler", 15, prompt="a red car in the snow", denoise=1.0),
    case("inpaint-lms-1.0", "inpaint", 27, "LMSDiscreteScheduler", 15, prompt="a red car in the snow", denoise=1.0),
    case("inpaint-tcd-0.6", "inpaint", 61, "TCDScheduler", 15, prompt="a red car in the snow", denoise=0.6),
    case("img2img-heun-0.6", "img2img", 20, "HeunDiscreteScheduler", 15, prompt="a red car in the snow", denoise=0.6),
    case("img2img-dpm2-0.6", "img2img", 36, "KDPM2DiscreteScheduler", 15, prompt="a red car in the snow", denoise=0.6),
    case("img2img-dpm2-a-0.6", "img2img", 40, "KDPM2AncestralDiscreteScheduler", 15, prompt="a red car in the snow", denoise=0.6),
    case("img2img-unipc-0.6", "img2img", 44, "UniPCMultistepScheduler", 15, prompt="a red car in the snow", denoise=0.6),
    case("img2img-tcd-0.6", "img2img", 60, "TCDScheduler", 15, prompt="a red car in the snow", denoise=0.6),
]


def scheduler(pipe, base, case):
    """As the text pipeline corrects every config: predictions are not clipped; the inpainting pipeline forgets to."""
    pipe.scheduler = getattr(diffusers, case["scheduler"]).from_config(base, **({"clip_sample": False} if case["scheduler"] == DDIM else {}))


def embedded(pipe, ids):
    """A row of 77 ids: start, the words, end, and padding with the end."""
    row = [998, *ids, 999]
    return pipe.text_encoder(torch.tensor([row + [999] * (77 - len(row))]))[0]


def picture(case):
    size = (case.get("width", 128), case.get("height", 128))
    return Image.open(os.path.join(HERE, "picture.png")).convert("RGB").resize(size, Image.LANCZOS)


def mask(case):
    size = (case.get("width", 128), case.get("height", 128))
    return Image.open(os.path.join(HERE, "mask.png")).convert("L").resize(size, Image.BILINEAR)


def call(pipe, case, generator, **more):
    return pipe(prompt=case.get("prompt"), num_inference_steps=case["steps"], guidance_scale=case["guidance"], generator=generator, output_type="latent", **more).images


def make(pipes, bases, case):
    seeded = lambda: torch.Generator().manual_seed(case["seed"])
    kind = case["kind"]
    pipe = pipes[kind]
    scheduler(pipe, bases[kind], case)
    if kind == "img2img":
        return dict(latents=call(pipe, case, seeded(), image=picture(case), strength=case["denoise"]))
    if kind == "hires":
        small = pipes["text"]
        scheduler(small, bases[kind], case)
        first = call(small, case, seeded(), width=128, height=128)
        large = torch.nn.functional.interpolate(first, scale_factor=case["scale"], mode="bilinear", antialias=False, align_corners=False)
        return dict(first=first, latents=call(pipe, case, seeded(), image=large, strength=case["denoise"]))
    size = dict(width=case.get("width", 128), height=case.get("height", 128))
    given = dict(image=picture(case), mask_image=mask(case), strength=case["denoise"], **size)
    if kind == "inpaint":
        return dict(latents=call(pipe, case, seeded(), **given))
    context, negative = embedded(pipe, case["ids"]), embedded(pipe, [])
    return dict(context=context, negative=negative, latents=call(pipe, case, seeded(), prompt_embeds=context, negative_prompt_embeds=negative, **given))


def main(model, nine, out):
    torch.set_num_threads(1)
    text = diffusers.StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32)
    parts = {key: value for key, value in text.components.items() if key != "image_encoder"}
    parts.update(safety_checker=None, requires_safety_checker=False)
    net = {key: getattr(__import__(source), kind).from_pretrained(os.path.join(nine, key), torch_dtype=torch.float32)
           for key, source, kind in [("unet", "diffusers", "UNet2DConditionModel"), ("vae", "diffusers", "AutoencoderKL"), ("text_encoder", "transformers", "CLIPTextModel")]}
    net.update(tokenizer=None, safety_checker=None, feature_extractor=None, requires_safety_checker=False, scheduler=diffusers.DDIMScheduler.from_pretrained(os.path.join(nine, "scheduler")))
    pipes = dict(text=text, img2img=diffusers.StableDiffusionImg2ImgPipeline(**parts), hires=diffusers.StableDiffusionImg2ImgPipeline(**parts),
                 inpaint=diffusers.StableDiffusionInpaintPipeline(**parts), nine=diffusers.StableDiffusionInpaintPipeline(**net))
    for pipe in pipes.values():
        pipe.set_progress_bar_config(disable=True)
    bases = {kind: pipe.scheduler.config for kind, pipe in pipes.items()}
    with torch.no_grad():
        for one in CASES:
            tensors = {name: tensor.contiguous() for name, tensor in make(pipes, bases, one).items()}
            save_file(tensors, os.path.join(out, one["name"] + ".safetensors"), {"case": json.dumps(one)})
            print(one["name"], {name: (tuple(tensor.shape), round(float(tensor.std()), 4)) for name, tensor in tensors.items()})


if __name__ == "__main__":
    main(*sys.argv[1:4])

"""Images with diffusers, as one command: images.py MODEL COUNT BATCH STEPS. Prints the seconds until the first batch is written."""
import sys
import tempfile
import time

start = time.perf_counter()
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline

model, count, batch, steps = sys.argv[1], *map(int, sys.argv[2:5])
pipe = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32, safety_checker=None, feature_extractor=None, requires_safety_checker=False)
pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
pipe.set_progress_bar_config(disable=True)
with tempfile.TemporaryDirectory() as folder:
    for first in range(0, count, batch):
        seeds = [torch.Generator().manual_seed(1 + i) for i in range(first, min(first + batch, count))]
        images = pipe("a red apple on a wooden table", num_inference_steps=steps, guidance_scale=4.0, num_images_per_prompt=len(seeds), generator=seeds).images
        for i, image in enumerate(images):
            image.save(f"{folder}/{first + i}.png")
        if first == 0:
            print(f"{time.perf_counter() - start:.2f} s")

"""Seconds of a guided step and memory with stable-diffusion.cpp on the CPU: sdcpp_look.py MODEL f32|bf16|f16 STEPS. 512x512."""
import sys
import time

import memory
from stable_diffusion_cpp import StableDiffusion

start = time.perf_counter()
model = StableDiffusion(model_path=sys.argv[1], wtype=sys.argv[2], n_threads=2, verbose=True, vae_decode_only=True)
print(f"ready after {time.perf_counter() - start:.2f} s", flush=True)
last = [time.perf_counter()]


def step(step, steps, seconds, *rest):
    now = time.perf_counter()
    print(f"step {step} of {steps}: {now - last[0]:.2f} s, {memory.said()}", flush=True)
    last[0] = now


model.generate_image(prompt="a lighthouse", negative_prompt="people", width=512, height=512, cfg_scale=7.5, sample_steps=int(sys.argv[3]), sample_method="euler", seed=1, progress_callback=step)

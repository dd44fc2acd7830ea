"""Seconds and memory of the UNet's part in a guided step with diffusers: diffusers_look.py MODEL fp32|bf16 STEPS. Two pictures of 512x512."""
import sys
import time

import memory

start = time.perf_counter()
import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextModel

folder, kind, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[kind]
print(f"imported after {time.perf_counter() - start:.2f} s")
with torch.no_grad():
    text = CLIPTextModel.from_pretrained(folder, subfolder="text_encoder", torch_dtype=dtype)
    unet = UNet2DConditionModel.from_pretrained(folder, subfolder="unet", torch_dtype=dtype)
    context = text(torch.full((1, 77), 7)).last_hidden_state
    print(f"text after {time.perf_counter() - start:.2f} s")
    latents = torch.randn(2, unet.config.in_channels, 64, 64, dtype=dtype)
    for _ in range(steps):
        before = time.perf_counter()
        unet(latents, torch.tensor([500, 500]), torch.cat([context, context]))
        print(f"{time.perf_counter() - before:.2f} s, {memory.said()}", flush=True)

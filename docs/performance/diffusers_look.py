"""Seconds and memory of the UNet's part in a guided step with diffusers: diffusers_look.py MODEL fp32|bf16|bf16-channels-last STEPS. Two pictures of 512x512, or with - for STEPS of the points on standard input (memory.py)."""
import sys
import time

import memory

start = time.perf_counter()
import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextModel

folder, kind, steps = sys.argv[1], sys.argv[2], sys.argv[3]
dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "bf16-channels-last": torch.bfloat16}[kind]
print(f"imported after {time.perf_counter() - start:.2f} s")
with torch.no_grad():
    text = CLIPTextModel.from_pretrained(folder, subfolder="text_encoder", torch_dtype=dtype)
    unet = UNet2DConditionModel.from_pretrained(folder, subfolder="unet", torch_dtype=dtype)
    context = text(torch.full((1, text.config.max_position_embeddings), 7)).last_hidden_state
    print(f"text after {time.perf_counter() - start:.2f} s")
    layout = torch.channels_last if kind.endswith("channels-last") else torch.contiguous_format
    unet.to(memory_format=layout)
    loaded = 0
    for point in memory.points(steps):
        while loaded < point["adapters"]:
            from peft import LoraConfig
            unet.add_adapter(LoraConfig(r=4, lora_alpha=4, init_lora_weights=False, target_modules=["to_q", "to_k", "to_v", "to_out.0"]), f"lora{loaded}")
            loaded += 1
        if loaded:
            unet.set_adapters([f"lora{i}" for i in range(point["adapters"])], [0.01] * point["adapters"])
        rows, side = 2 * point["batch"], point["size"] // 8
        latents = torch.randn(rows, unet.config.in_channels, side, side, dtype=dtype).contiguous(memory_format=layout)
        before = time.perf_counter()
        unet(latents, torch.full((rows,), 500), context.repeat(rows, 1, 1))
        print(f"{time.perf_counter() - before:.2f} s, {memory.said()}", flush=True)

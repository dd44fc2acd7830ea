"""Seconds and memory of single LoRA steps by diffusers and peft, 512x512, one picture, random numbers.

    python peft_step.py MODEL_FOLDER fp32|bf16|fp32-checkpointing STEPS

With - for STEPS one step for each line of standard input (turns.py), at its point (memory.py). Weights are mapped, as diffusers does it. Needs torch, diffusers and peft.
"""
import sys
import time

import memory
import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig

model, mode = sys.argv[1], sys.argv[2]

def peak(x):
    best = 1e9
    for _ in range(4):
        start = time.perf_counter()
        x @ x
        best = min(best, time.perf_counter() - start)
    return 2 * x.shape[0] ** 3 / best / 1e9


square = torch.randn(2048, 2048)
print(f"matrix product: fp32 {peak(square):.0f} GFLOP/s, bf16 {peak(square.bfloat16()):.0f} GFLOP/s", flush=True)
unet = UNet2DConditionModel.from_pretrained(model, subfolder="unet")
unet.requires_grad_(False)
unet.train()
if mode.endswith("checkpointing"):
    unet.enable_gradient_checkpointing()
rank, optimizer = 0, None
for point in memory.points(sys.argv[3]):
    if point["rank"] != rank:
        if rank:
            unet.delete_adapters("default")
        rank = point["rank"]
        unet.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
        optimizer = torch.optim.AdamW([p for p in unet.parameters() if p.requires_grad], lr=1e-4)
    rows, side = point["batch"], point["size"] // 8
    x, target = torch.randn(rows, 4, side, side), torch.randn(rows, 4, side, side)
    context = torch.randn(rows, 77, unet.config.cross_attention_dim)
    start = time.perf_counter()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=mode.startswith("bf16")):
        y = unet(x, torch.full((rows,), 500), context).sample
    loss = torch.nn.functional.mse_loss(y.float(), target)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    print(f"{time.perf_counter() - start:.2f} s, {memory.said()}", flush=True)

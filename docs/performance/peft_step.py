"""Seconds and memory of single LoRA steps by diffusers and peft at a model's own size, one picture, random numbers.

    python peft_step.py MODEL_FOLDER fp32|bf16|fp32-checkpointing STEPS

With - for STEPS one step for each line of standard input (turns.py). Weights are mapped, as diffusers does it. Anonymous memory is watched twenty times a second. Needs torch, diffusers and peft.
"""
import sys
import threading
import time

import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig

model, mode = sys.argv[1], sys.argv[2]
steps = sys.stdin if sys.argv[3] == "-" else range(int(sys.argv[3]))


def status(key):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(key)) / 1e6


def peak(x):
    best = 1e9
    for _ in range(4):
        start = time.perf_counter()
        x @ x
        best = min(best, time.perf_counter() - start)
    return 2 * x.shape[0] ** 3 / best / 1e9


most = 0


def watch():
    global most
    while True:
        most = max(most, status("RssAnon"))
        time.sleep(0.05)


square = torch.randn(2048, 2048)
print(f"matrix product: fp32 {peak(square):.0f} GFLOP/s, bf16 {peak(square.bfloat16()):.0f} GFLOP/s", flush=True)
unet = UNet2DConditionModel.from_pretrained(model, subfolder="unet")
unet.requires_grad_(False)
unet.add_adapter(LoraConfig(r=4, lora_alpha=4, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
optimizer = torch.optim.AdamW([p for p in unet.parameters() if p.requires_grad], lr=1e-4)
unet.train()
if mode.endswith("checkpointing"):
    unet.enable_gradient_checkpointing()
side = unet.config.sample_size
x, target = torch.randn(1, 4, side, side), torch.randn(1, 4, side, side)
context = torch.randn(1, 77, unet.config.cross_attention_dim)
threading.Thread(target=watch, daemon=True).start()
for _ in steps:
    start = time.perf_counter()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=mode.startswith("bf16")):
        y = unet(x, torch.tensor([500]), context).sample
    loss = torch.nn.functional.mse_loss(y.float(), target)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    print(f"{time.perf_counter() - start:.2f} s, peak anonymous {most:.2f} GB, resident {status('VmHWM'):.2f} GB", flush=True)

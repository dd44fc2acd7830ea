"""What the reference libraries need for the same work on the same machine: python3 peers.py MODEL_DIR [--threads 2]

diffusers samples, diffusers + peft tune (LoRA of rank 4 on attention), both in float32; the machine's own peak is a large matrix product.
Prints one JSON object. Provenance for docs/performance.md; no part of building, testing or running the program.
"""
import argparse, json, os, resource, statistics, subprocess, sys, time

p = argparse.ArgumentParser(); p.add_argument("model"); p.add_argument("--threads", type=int, default=2); p.add_argument("--batch", type=int, default=6)
p.add_argument("--only", default=""); a = p.parse_args()

if not a.only:      # each in a process of its own, so that its memory is its own
    out = {}
    for only in ("peak", "sample", "tune"):
        out.update(json.loads(subprocess.run([sys.executable, __file__, a.model, "--threads", str(a.threads), "--batch", str(a.batch), "--only", only], capture_output=True, text=True, check=True).stdout))
    print(json.dumps(out, indent=2)); sys.exit()

import torch
torch.set_num_threads(a.threads)


def timed(f, n, warm=2):
    for _ in range(warm): f()
    ts = []
    for _ in range(n):
        t = time.perf_counter(); f(); ts.append(time.perf_counter() - t)
    return {"median": round(statistics.median(ts), 5), "min": round(min(ts), 5)}


if a.only == "peak":
    x, y = torch.randn(1536, 1536), torch.randn(1536, 1536); t = timed(lambda: x @ y, 20)
    print(json.dumps({"fp32 matrix product, GFLOP/s": round(2 * 1536 ** 3 / t["min"] / 1e9, 1)})); sys.exit()

from diffusers import StableDiffusionPipeline
from torch.utils.flop_counter import FlopCounterMode
start = time.perf_counter(); pipe = StableDiffusionPipeline.from_pretrained(a.model, torch_dtype=torch.float32, safety_checker=None); ready = time.perf_counter() - start
pipe.set_progress_bar_config(disable=True); unet = pipe.unet; size = unet.config.sample_size; tokens = pipe.tokenizer.model_max_length
batch = 2 if a.only == "sample" else a.batch
z, t, c = torch.randn(batch, unet.config.in_channels, size, size), torch.full((batch,), 500), torch.randn(batch, tokens, unet.config.cross_attention_dim)
with FlopCounterMode(display=False) as flops, torch.no_grad(): unet(z, t, c)
rss = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

if a.only == "sample":
    steps = 25; g = torch.Generator()
    picture = timed(lambda: pipe("a red apple on a wooden table", num_inference_steps=steps, guidance_scale=4.0, generator=g.manual_seed(1), output_type="pil"), 5, 1)
    with torch.no_grad(): step = timed(lambda: unet(z, t, c), 40, 5)
    print(json.dumps({"diffusers picture of 25 guided steps, s": picture, "diffusers guided UNet step, s": step, "GFLOP of a guided step": round(flops.get_total_flops() / 1e9, 3),
                      "diffusers model ready, s": round(ready, 2), "diffusers peak resident, MB": round(rss() / 1e6)})); sys.exit()

from peft import LoraConfig
unet.requires_grad_(False); unet.add_adapter(LoraConfig(r=4, lora_alpha=4, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
params = [q for q in unet.parameters() if q.requires_grad]; opt = torch.optim.AdamW(params, lr=2e-3, weight_decay=0.0); target = torch.randn_like(z)
def step():
    opt.zero_grad(); torch.nn.functional.mse_loss(unet(z, t, c).sample, target).backward(); torch.nn.utils.clip_grad_norm_(params, 1.0); opt.step()
s = timed(step, 60, 5)
print(json.dumps({f"peft LoRA step, batch {batch}, s": s, "peft trainable parameters": sum(q.numel() for q in params), "GFLOP of its forward": round(flops.get_total_flops() / 1e9, 3), "peft peak resident, MB": round(rss() / 1e6)}))

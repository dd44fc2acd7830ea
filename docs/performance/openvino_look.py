"""Seconds and memory of the UNet's part in a guided step with OpenVINO: openvino_look.py MODEL IR.xml f32|bf16 STEPS.
Two pictures of 512x512. Where IR.xml is missing it is converted from diffusers in float32, and nothing is measured: run again."""
import os
import sys
import time

import memory
import openvino as ov

folder, ir, kind, steps = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])


def convert():
    import torch
    from diffusers import UNet2DConditionModel

    class Plain(torch.nn.Module):
        def __init__(self, unet):
            super().__init__()
            self.unet = unet

        def forward(self, x, t, c):
            return self.unet(x, t, c, return_dict=False)[0]

    unet = UNet2DConditionModel.from_pretrained(folder, subfolder="unet").eval()
    example = (torch.randn(2, 4, 64, 64), torch.tensor([500.0, 500.0]), torch.randn(2, 77, 768))
    with torch.no_grad():
        model = ov.convert_model(Plain(unet), example_input=example)
    model.reshape({0: [2, 4, 64, 64], 1: [2], 2: [2, 77, 768]})
    ov.save_model(model, ir, compress_to_fp16=False)


if not os.path.exists(ir):
    convert()
    sys.exit()
start = time.perf_counter()
import numpy as np

compiled = ov.Core().compile_model(ir, "CPU", {"INFERENCE_PRECISION_HINT": kind, "PERFORMANCE_HINT": "LATENCY"})
print(f"ready after {time.perf_counter() - start:.2f} s")
request = compiled.create_infer_request()
inputs = [np.random.randn(2, 4, 64, 64).astype("f"), np.array([500, 500], "f"), np.random.randn(2, 77, 768).astype("f")]
for _ in range(steps):
    before = time.perf_counter()
    request.infer(inputs)
    print(f"{time.perf_counter() - before:.2f} s, {memory.said()}", flush=True)

"""An embedding in images, in both forms that A1111 reads, and its rows.

    python make.py        (numpy, pillow, safetensors)

text.png: base 64 of the JSON in the text sd-ti-embedding. hidden.png, hidden.webp (lossless): the compressed JSON in the low four bits of two
blocks beside the image, each behind a black column: low halves of the bytes on the left, high halves on the right, under the noise of a linear
congruential generator (253, 242, 127, 44, 157, … modulo 255, as in A1111's own check) and, in the upper bits, any pattern.
"""
import base64
import json
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin
from safetensors.numpy import save_file

here = Path(__file__).parent
random = np.random.default_rng(3)
rows = random.normal(size=(2, 24)).astype(np.float32)
text = json.dumps({"string_to_token": {"*": 265}, "string_to_param": {"*": {"TORCHTENSOR": rows.tolist()}}, "name": "two words", "step": 5, "sd_checkpoint": None})
height = 32


def noise(count):
    numbers, seed = [], 0
    for _ in range(count):
        seed = (1664525 * seed + 1013904223) % 2**32
        numbers.append(seed % 255)
    return np.array(numbers, np.uint8)


assert noise(5).tolist() == [253, 242, 127, 44, 157]


def block(nibbles):
    width = -(-len(nibbles) // (3 * height))
    filled = np.resize(nibbles, height * width * 3)
    upper = random.integers(1, 15, filled.shape).astype(np.uint8) << 4
    return (filled ^ (noise(len(filled)) & 0x0F) | upper).reshape(height, width, 3)


compressed = np.frombuffer(zlib.compress(text.encode(), 9), np.uint8)
image = random.integers(1, 255, (height, 16, 3)).astype(np.uint8) | 1
black = np.zeros((height, 1, 3), np.uint8)
hidden = Image.fromarray(np.concatenate([block(compressed & 0x0F), black, image, black, block(compressed >> 4)], axis=1))
hidden.save(here / "hidden.png")
hidden.save(here / "hidden.webp", lossless=True, exact=True)
info = PngImagePlugin.PngInfo()
info.add_text("sd-ti-embedding", base64.b64encode(text.encode()).decode())
Image.fromarray(image).save(here / "text.png", pnginfo=info)
save_file({"rows": rows}, here / "rows.safetensors")

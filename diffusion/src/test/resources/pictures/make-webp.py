"""Makes the WebP files of the folder webp and lists what Pillow reads from them. Provenance, never part of building or testing.

    python3 make-webp.py        (Pillow 13.0.0, numpy)
"""
import os, zlib
import numpy as np
from PIL import Image

rng = np.random.default_rng(7)
W, H = 45, 29
y, x = np.mgrid[0:H, 0:W]
KINDS = {
    "smooth": np.stack([127 + 100 * np.sin(x / 9 + k) * np.cos(y / 7) for k in range(4)], -1),
    "two-colours": rng.integers(0, 256, (2, 4))[rng.integers(0, 2, (H, W))],
    "three-colours": rng.integers(0, 256, (3, 4))[rng.integers(0, 3, (H, W))],
    "sixteen-colours": rng.integers(0, 256, (16, 4))[(y // 7 + x // 5) % 16],
    "many-colours": rng.integers(0, 256, (40, 4))[(y // 3 + x // 5 * 7) % 40],
    "tiles": np.tile(rng.integers(0, 256, (8, 8, 4)), (4, 6, 1))[:H, :W],
    "products": np.stack([x * 5, x * y // 5, y * 8, np.where((x - 22) ** 2 + (y - 14) ** 2 < 150, 255, 0)], -1),
    "soft": np.stack([x * 5, y * 8, 128 + 0 * x, np.clip(400 - (x - 22) ** 2 - (y - 14) ** 2, 0, 255)], -1),
}
os.makedirs("webp", exist_ok=True)
with open("webp/list.txt", "w") as listed:
    for kind, pixels in KINDS.items():
        picture = Image.fromarray((pixels % 256).astype(np.uint8))
        for method in (0, 4, 6):
            name = f"{kind}-{method}.webp"
            picture.save("webp/" + name, lossless=kind != "soft", method=method, exact=True)
            read = np.asarray(Image.open("webp/" + name).convert("RGBA"))
            values = read[..., 3] if kind == "soft" else read
            listed.write(f"{name} {zlib.crc32(np.ascontiguousarray(values).tobytes())}\n")

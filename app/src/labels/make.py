"""Draws the letters of the comparison sheet once, so that the program needs no font.

    python3 make.py [FOLDER OF DejaVuSans.ttf AND DejaVuSans-Bold.ttf]

Writes labels.png (coverage, 0 none to 255 full, all letters of all styles) and labels.json
({style: {"ascent", "descent", "letters": [[code point, x, y, width, height, left, top, advance], ...]}}, pixels; left and top from
the pen on the base line; code point 0 is drawn for what is missing). Provenance, never part of building. Needs Pillow.
"""
import json, pathlib, sys
from PIL import Image, ImageDraw, ImageFont, features

fonts = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/fonts/truetype/dejavu")
to = pathlib.Path(__file__).parent.parent / "main/resources/atomstudio/app/drawing"
STYLES = {"title": ("DejaVuSans-Bold.ttf", 40), "heading": ("DejaVuSans-Bold.ttf", 24), "body": ("DejaVuSans.ttf", 20), "small": ("DejaVuSans.ttf", 17)}
MISSING = 0x25AF
RANGES = [(0x20, 0x7E), (0xA1, 0x17F), (0x192, 0x192), (0x218, 0x21B), (0x386, 0x3CE), (0x400, 0x45F), (0x490, 0x491), (0x1E9E, 0x1E9E),
          (0x2010, 0x2015), (0x2018, 0x201E), (0x2020, 0x2022), (0x2026, 0x2026), (0x2030, 0x2030), (0x2039, 0x203A), (0x20AC, 0x20AC),
          (0x2122, 0x2122), (0x2190, 0x2193), (0x2212, 0x2212), (0x221E, 0x221E), (0x2248, 0x2248), (0x2260, 0x2260), (0x2264, 0x2265),
          (0x2605, 0x2606), (0x2665, 0x2665), (0x2713, 0x2713), (0x2717, 0x2717)]
WIDTH = 1024

letters, metrics = [], {}
for style, (file, size) in STYLES.items():
    font = ImageFont.truetype(str(fonts / file), size, layout_engine=ImageFont.Layout.BASIC)
    ascent, descent = font.getmetrics()
    metrics[style] = {"ascent": ascent, "descent": descent, "letters": []}
    for code in [0] + [c for first, last in RANGES for c in range(first, last + 1)]:
        text = chr(code or MISSING)
        left, top, right, bottom = font.getbbox(text, anchor="ls")
        box = Image.new("L", (max(0, right - left), max(0, bottom - top)))
        if box.width and box.height:
            ImageDraw.Draw(box).text((-left, -top), text, fill=255, font=font, anchor="ls")
        letters.append((box.height, style, code, box, left, top, round(font.getlength(text))))

letters.sort(key=lambda letter: (-letter[0], letter[1], letter[2]))
x = y = shelf = 0
places = []
for height, style, code, box, left, top, advance in letters:
    if x + box.width > WIDTH:
        x, y, shelf = 0, y + shelf, 0
    shelf = max(shelf, height)
    places.append((x, y))
    metrics[style]["letters"].append([code, x, y, box.width, box.height, left, top, advance])
    x += box.width
atlas = Image.new("L", (WIDTH, y + shelf))
for (px, py), (_, _, _, box, *_) in zip(places, letters):
    if box.width and box.height:
        atlas.paste(box, (px, py))
for style in metrics.values():
    style["letters"].sort()
to.mkdir(parents=True, exist_ok=True)
atlas.save(to / "labels.png", optimize=True)
(to / "labels.json").write_text(json.dumps(metrics, separators=(",", ":")).replace("],[", "],\n[") + "\n")
print(atlas.size, len(letters), features.version("freetype2"))

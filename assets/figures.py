"""Writes the demo's figures into README.md between its markers: python3 figures.py CHECKOUT COMPARE_JSON"""
import json
import pathlib
import re
import sys

BEGIN, END = "<!-- figures: written by assets/refresh.sh -->", "<!-- end of figures -->"


def parameters(model):
    """Parameters of the UNet, from the header of its safetensors files."""
    total = 0
    for file in sorted((model / "unet").glob("*.safetensors")):
        with open(file, "rb") as stream:
            header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        for name, tensor in header.items():
            if name != "__metadata__":
                size = 1
                for side in tensor["shape"]:
                    size *= side
                total += size
    return total


def table(root, compare):
    total = parameters(root / "assets" / "default-model")
    lines = [f"On the embedded model, whose UNet has {total:,} parameters (`./studio demo`):", "",
             "| method | trainable parameters | share | adapter file | training |", "|---|---:|---:|---:|---:|"]
    for row in compare["rows"]:
        count = row["parameters"]
        if count:
            lines.append(f"| {row['name']} | {count:,} | {count / total:.2%} | {row['bytes'] / 1000:,.0f} KB | {row['seconds']:.0f} s |")
    return lines


def main(root, compare):
    root = pathlib.Path(root)
    readme = root / "README.md"
    figures = table(root, json.loads(pathlib.Path(compare).read_text()))
    block = "\n".join([BEGIN, "", *figures, "", END])
    text, found = re.subn(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: block, readme.read_text(), flags=re.S)
    if found != 1:
        sys.exit("README.md: the markers of the figures are missing")
    readme.write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])

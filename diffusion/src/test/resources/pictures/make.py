"""Makes the test pictures beside it and prints what Pillow reads from them. Provenance, never part of building or testing.

    python3 make.py        (Pillow 13.0)
"""
import io, struct, zlib
from PIL import Image, ImageCms

W, H = 24, 16


def scene(mode="RGB"):
    """Upper left red, upper right green, lower left blue, lower right white: every turn and mirror shows."""
    picture = Image.new("RGB", (W, H))
    for y in range(H):
        for x in range(W):
            left, top = x < W // 2, y < H // 2
            picture.putpixel((x, y), (230, 30, 30) if left and top else (30, 200, 40) if top else (30, 40, 220) if left else (250, 250, 250))
    return picture.convert(mode)


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data


TURNS = {1: None, 2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM,
         5: Image.TRANSPOSE, 6: Image.ROTATE_90, 7: Image.TRANSVERSE, 8: Image.ROTATE_270}   # stored = upright turned so

scene().save("rgb.jpg", quality=95, subsampling=0)
scene("CMYK").save("cmyk.jpg", quality=95, subsampling=0)                     # Adobe marker, inverted

# YCCK: the same inks as luma and chroma, K as it is, and the Adobe marker says so.
inks = scene("CMYK").split()
ycc = Image.merge("RGB", inks[:3]).convert("YCbCr").split()
data = io.BytesIO()
Image.merge("CMYK", [c.point(lambda v: 255 - v) for c in ycc] + [inks[3]]).save(data, "JPEG", quality=95, subsampling=0)
data = bytearray(data.getvalue()); data[data.index(b"Adobe") + 11] = 2
open("ycck.jpg", "wb").write(data)
scene("L").save("grey.jpg", quality=95)
for value, turn in TURNS.items():
    upright = scene()
    (upright.transpose(turn) if turn is not None else upright).save(f"exif-{value}.jpg", quality=95, subsampling=0, exif=exif(value))
scene().transpose(TURNS[6]).save("exif-6.png", exif=exif(6))
scene().transpose(TURNS[6]).save("exif-6.webp", lossless=True, exif=exif(6))
scene().transpose(TURNS[6]).save("exif-6.tif", exif=exif(6))
scene().save("lossy.webp", quality=95)
half = scene("RGBA"); half.putalpha(Image.linear_gradient("L").resize((W, H)).point(lambda v: max(0, v - 16)))
half.save("alpha.webp", lossless=True)
half.save("alpha.png")
scene().quantize(8).save("palette.png")
scene().quantize(8).save("frame.gif", save_all=True, append_images=[Image.new("RGB", (W, H)).quantize(2)])
scene().save("rgb.bmp")
scene().save("lzw.tif", compression="tiff_lzw")
scene("CMYK").save("cmyk.tif")
Image.linear_gradient("L").resize((W, H)).save("grey.png")
Image.linear_gradient("L").resize((W, H)).convert("LA").save("grey-alpha.png")


def png16(name, colour, channels, rows):
    raw = b"".join(b"\0" + b"".join(struct.pack(">H", v) for v in row) for row in rows)
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    with open(name, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, 16, colour, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


pixels = scene().load()
png16("rgb-16.png", 2, 3, [[v * 257 + (1 if v < 255 else 0) for x in range(W) for v in pixels[x, y]] for y in range(H)])
png16("grey-16.png", 0, 1, [[min(65535, (y * W + x) * 170) for x in range(W)] for y in range(H)])

# A profile whose red and blue are swapped: whoever ignores it shows the wrong colours.
profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
count = struct.unpack(">I", profile[128:132])[0]
where = {bytes(profile[132 + 12 * i:136 + 12 * i]): 132 + 12 * i for i in range(count)}
red, blue = where[b"rXYZ"], where[b"bXYZ"]
profile[red + 4:red + 12], profile[blue + 4:blue + 12] = bytes(profile[blue + 4:blue + 12]), bytes(profile[red + 4:red + 12])
swapped = Image.merge("RGB", scene().split()[::-1])
swapped.save("profile.jpg", quality=95, subsampling=0, icc_profile=bytes(profile))
swapped.save("profile.png", icc_profile=bytes(profile))

# What Pillow's Lanczos makes of a noisy picture, down and up.
import random
random.seed(1)
noise = Image.new("RGB", (37, 29)); noise.putdata([tuple(random.randrange(256) for _ in range(3)) for _ in range(37 * 29)])
noise.save("lanczos.png")
noise.resize((11, 7), Image.LANCZOS).save("lanczos-11x7.png")
noise.resize((50, 61), Image.LANCZOS).save("lanczos-50x61.png")
noise.crop((4, 0, 33, 29)).resize((16, 16), Image.LANCZOS).save("lanczos-square-16.png")

with open("apple.heic", "wb") as f:
    f.write(struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + bytes(8))

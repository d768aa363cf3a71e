"""Files as they are found in the wild, made with Pillow 13.0.0: used by preprocess.py and goldens.py."""

import struct
import zlib

import numpy as np
from PIL import Image, ImageOps


def pattern(width, height):
    """Smooth waves, a hard edge and a fine grid, different in each channel; `[height, width, 3]` bytes."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [127.5 + 100 * np.sin(x / (5 + 2 * c) + c) * np.cos(y / (7 - c)) for c in range(3)]
    pixels = np.stack(waves, axis=-1)
    pixels[:, width // 2 :] += 40
    pixels[height // 3 : height // 2, ::4] -= 60
    return pixels.clip(0, 255).round().astype(np.uint8)


def formula(width, height):
    """Bytes that the Rust tests compute too: as rough as pictures get."""
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return ((37 * x + 91 * y + 53 * c + x * y % 97) % 256).astype(np.uint8)


def write_odd_ones(folder, width, height):
    """One file of every kind; returns their paths."""
    rgb = Image.fromarray(pattern(width, height))
    grey = rgb.convert("L")
    alpha = rgb.copy()
    alpha.putalpha(grey)
    wide = (np.asarray(grey).astype(np.uint16) * 257) ^ 0x5A
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held upright
    made = []

    def write(name, picture, **options):
        made.append(folder / name)
        picture.save(made[-1], **options)

    write("plain.png", rgb)
    write("grey.png", grey)
    write("palette.png", rgb.quantize(64))
    write("bilevel.png", grey.convert("1"))
    write("alpha.png", alpha)
    write("grey_alpha.png", alpha.convert("LA"))
    write("grey_16_bits.png", Image.fromarray(wide))
    write("turned.png", rgb, exif=turned)
    write("full_chroma.jpg", rgb, quality=90, subsampling=0)
    write("half_chroma.jpg", rgb, quality=90, subsampling=1)
    write("quarter_chroma.jpg", rgb, quality=75, subsampling=2)
    write("progressive.jpg", rgb, quality=85, progressive=True)
    write("grey.jpg", grey, quality=85)
    write("cmyk.jpg", rgb.convert("CMYK"), quality=95)
    write("turned.jpg", rgb, quality=90, exif=turned)
    write("plain.webp", rgb, lossless=True)
    write("plain.bmp", rgb)
    write("plain.tiff", rgb)
    write("plain.gif", rgb.quantize(64))
    made.append(folder / "rgb_16_bits.png")
    made[-1].write_bytes(png_of_16_bits((np.asarray(rgb).astype(np.uint16) * 257) ^ 0x5A))
    return made


def png_of_16_bits(pixels):
    """`[height, width, 3]`; Pillow reads such files but writes none."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def read(path):
    """As Pillow reads it: turned as its EXIF orientation says, then RGB."""
    picture = ImageOps.exif_transpose(Image.open(path))
    if picture.mode.startswith("I;16"):
        # Here `convert("RGB")` clips at 255, which turns nearly everything white. Of 16-bit RGB it takes the high byte.
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    return picture.convert("RGB")

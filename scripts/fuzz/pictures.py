"""Pictures of every format that driftscope reads, by encoders of a few lines each, and ways to break them."""

import struct
import zlib
from pathlib import Path

GOLDENS = Path(__file__).resolve().parents[2] / "tests/goldens/pictures"

# Numbers that size computations trip over.
EXTREMES = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


def pixels(width, height, channels, salt=0):
    """Stripes and a ramp: anything but flat."""
    return bytes((x * 7 + y * 13 + c * 50 + salt * 29 + (90 if (x + salt) // 4 % 2 else 0)) % 256
                 for y in range(height) for x in range(width) for c in range(channels))


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, colour=2, depth=8, salt=0):
    """Colour types 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = width * channels * depth // 8
    data = pixels(row, height, 1, salt)
    lines = b"".join(b"\0" + data[y * row:(y + 1) * row] for y in range(height))
    palette = chunk(b"PLTE", bytes(range(256)) * 3) if colour == 3 else b""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + chunk(b"IDAT", zlib.compress(lines))
            + chunk(b"IEND", b""))


def bmp(width, height, salt=0):
    row = (width * 3 + 3) // 4 * 4
    data = pixels(row, height, 1, salt)
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(data), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(data), 0, 0, 54) + header + data


def gif(width, height, salt=0):
    """Never compresses: a clear code before the table of codes could grow."""
    bits, position, packed = [], 0, bytearray()
    for index, byte in enumerate(pixels(width, height, 1, salt)):
        if index % 100 == 0:
            bits.append(128)
        bits.append(byte % 128)
    bits.append(129)
    accumulator = 0
    for code in bits:
        accumulator |= code << position
        position += 8
        packed.append(accumulator & 255)
        accumulator >>= 8
        position -= 8
    blocks = b"".join(bytes([len(packed[i:i + 255])]) + packed[i:i + 255] for i in range(0, len(packed), 255))
    screen = struct.pack("<HHBBB", width, height, 0xF6, 0, 0)
    table = bytes(range(0, 256, 2)) * 3
    return (b"GIF89a" + screen + table + b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x07" + blocks
            + b"\0;")


def tiff(width, height, salt=0, bits=8, kind=1):
    """Uncompressed RGB, one strip; kind 1 whole numbers, 3 floats."""
    data = pixels(width * bits // 8, height, 3, salt)
    entries = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, 1, bits), (259, 3, 1, 1), (262, 3, 1, 2),
               (273, 4, 1, 8), (277, 3, 1, 3), (278, 3, 1, height), (279, 4, 1, len(data)), (339, 3, 1, kind)]
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return (b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(entries)) + table
            + struct.pack("<I", 0))


def pnm(width, height, salt=0, kind=6):
    return b"P%d\n%d %d\n255\n" % (kind, width, height) + pixels(width, height, 3 if kind == 6 else 1, salt)


def good(salt=0):
    """Ending and bytes of whole pictures: ours, and the goldens' JPEGs and WebPs."""
    made = [("png", png(24, 20, colour, depth, salt)) for colour, depth in
            [(0, 8), (2, 8), (3, 8), (4, 8), (6, 8), (0, 16), (2, 16), (6, 16)]]
    made += [("bmp", bmp(24, 20, salt)), ("gif", gif(24, 20, salt)), ("tif", tiff(24, 20, salt)),
             ("tiff", tiff(12, 10, salt, 32, 3)), ("ppm", pnm(24, 20, salt)), ("pgm", pnm(24, 20, salt, 5))]
    for path in sorted(GOLDENS.iterdir()):
        if not path.name.endswith(".expected.png"):
            made.append((path.suffix[1:], path.read_bytes()))
    return made


def claims(rng, ending, data):
    """The same picture, claiming another size where its format writes it."""
    width, height = rng.choice(EXTREMES), rng.choice(EXTREMES)
    data = bytearray(data)
    if ending == "png":
        data[16:24] = struct.pack(">II", width & 0xFFFFFFFF, height & 0xFFFFFFFF)
        data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    elif ending == "gif":
        data[6:10] = struct.pack("<HH", width & 0xFFFF, height & 0xFFFF)
        if rng.random() < 0.3:
            at = data.find(b",", 13 + 384)
            if at > 0:
                data[at + 5:at + 9] = struct.pack("<HH", width & 0xFFFF, height & 0xFFFF)
    elif ending == "bmp":
        data[18:26] = struct.pack("<II", width, height)
    elif ending in ("tif", "tiff"):
        for tag, value in ((256, width), (257, height), (277, rng.choice(EXTREMES)), (278, rng.choice(EXTREMES))):
            for kind in (3, 4):
                at = data.find(struct.pack("<HHI", tag, kind, 1))
                if at > 0 and (tag < 258 or rng.random() < 0.3):
                    data[at:at + 12] = struct.pack("<HHII", tag, 4, 1, value)
    elif ending in ("ppm", "pgm"):
        data = b"P6\n%d %d\n%d\n" % (width, height, rng.choice([0, 1, 255, 65535, 65536])) + data[12:]
    elif ending in ("jpg", "jpeg"):
        for marker in (b"\xff\xc0", b"\xff\xc2"):
            at = data.find(marker)
            if at > 0:
                data[at + 5:at + 9] = struct.pack(">HH", height & 0xFFFF, width & 0xFFFF)
    elif ending == "webp":
        at = data.find(b"VP8")
        data[at + 8:at + 14] = rng.randbytes(6)
    return bytes(data)


def mended(data):
    """A PNG with the checksum of every chunk made right again, so that what lies behind the check is reached."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    out, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        length = struct.unpack(">I", data[at:at + 4])[0]
        if at + 12 + length > len(data):
            break
        out += chunk(data[at + 4:at + 8], data[at + 8:at + 8 + length])
        at += 12 + length
    return bytes(out + data[at:])


def broken(rng, data, other=b""):
    """Bytes with one to three things wrong with them."""
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at = rng.randrange(len(data) + 1) if rng.random() < 0.6 else rng.randrange(min(len(data), 96) + 1)
        size = rng.choice([1, 1, 2, 4, 16, 200])
        way = rng.randrange(11)
        if way == 0 and data:
            for _ in range(rng.choice([1, 1, 4, 40])):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif way == 1:
            del data[at:]
        elif way == 2:
            del data[at:at + size]
        elif way == 3:
            data[at:at] = rng.randbytes(size)
        elif way == 4:
            data[at:at] = data[at:at + size] * rng.choice([1, 2, 50])
        elif way == 5:
            layout = rng.choice(["<I", ">I", "<H", ">H"])
            value = rng.choice(EXTREMES) & (0xFFFF if layout[1] == "H" else 0xFFFFFFFF)
            data[at:at + struct.calcsize(layout)] = struct.pack(layout, value)
        elif way == 6:
            data[at:at + size] = bytes(size) if rng.random() < 0.5 else b"\xff" * size
        elif way == 7:
            data += rng.randbytes(size)
        elif way == 8 and other:
            data[at:] = other[min(at, len(other)):]
        elif way == 9 and rng.random() < 0.2:
            data = bytearray(rng.choice([b"", b"\0" * 100, b"<!DOCTYPE html>\n<html></html>\n",
                                         b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"]))
        elif data:
            data[at % len(data)] = rng.choice([0, 1, 0x7F, 0x80, 0xFE, 0xFF])
    return bytes(data)


def one(rng):
    """Ending and bytes of a picture that is broken, or claims what is not so, or is whole under a wrong name."""
    whole = good(rng.randrange(4))
    (ending, data), (_, other) = rng.choice(whole), rng.choice(whole)
    way = rng.random()
    if way < 0.25:
        data = claims(rng, ending, data)
    elif way < 0.9:
        data = broken(rng, data, other)
        if ending == "png" and rng.random() < 0.7:
            data = mended(data)
    if rng.random() < 0.15:
        ending = rng.choice(["png", "jpg", "JPG", "jpeg", "gif", "bmp", "tif", "tiff", "webp", "ppm", "pnm"])
    return ending, data

"""Networks that classify images by their gray level, exactly and in closed form, and images of such levels.

Class k of K has the levels around (k + 0.5) / K. Its logit is sharpness * (2 c x - c * c) with c = (k + 0.5) / K and x the image's mean in 0..1:
largest for the nearest c. A base sees the level through a tilt, so it errs near the borders; a global does not.
"""

import json
import random
import struct
import zlib
from dataclasses import dataclass, field

import onnx_file as onnx

RECIPE = {"version": 1, "channels": 1, "height": 8, "width": 8, "resize_shorter": 0, "mean": [0.0], "std": [1.0]}


@dataclass
class Network:
    classes: list                      # in the order of the data set's folders
    order: list = None                 # of the outputs; "" is an output that is no class; default: `classes`
    names: bool = True                 # whether the file names its outputs
    tilt: float = 0.0                  # of the seen level, so that classes are mixed up near their borders
    sharpness: float = 60.0
    head: str = ""                     # "", "Softmax", "LogSoftmax", "Sigmoid", "steps" (Softmax step by step) or "label" (also the answer)
    output: str = "logits"
    twice: bool = False                # also gives what is before the head
    layout: str = "NCHW"
    batch: object = "N"
    size: int = 8
    channels: int = 1
    weights_file: str = ""             # the weights lie in this file beside the model
    opset: int = 13
    ir_version: int = 8
    recipe: dict = field(default_factory=lambda: dict(RECIPE))
    bias: float = 0.0                  # added to the first output: a network that always answers alike

    def write(self, path):
        order = self.order if self.order is not None else self.classes
        centre = {name: (place + 0.5) / len(self.classes) for place, name in enumerate(self.classes)}
        scale = [2 * self.sharpness * centre[name] if name else 0.0 for name in order]
        shift = [-self.sharpness * centre[name] ** 2 if name else -1000.0 for name in order]
        shift[0] += self.bias
        gain = [value * (1 - 2 * self.tilt) for value in scale]
        shift = [value + factor * self.tilt for value, factor in zip(shift, scale)]
        inside = self.weights_file == ""
        tensors = [onnx.tensor("gain", [self.channels, len(order)], [value / self.channels for value in gain] * self.channels,
                               outside=None if inside else (self.weights_file, 0)), onnx.tensor("shift", [len(order)], shift)]
        if not inside:
            (path.parent / self.weights_file).write_bytes(struct.pack(f"<{len(gain)}f", *gain))
        wide = [self.batch, self.channels, self.size, self.size] if self.layout == "NCHW" else [self.batch, self.size, self.size, self.channels]
        nodes, image = [], "image"
        if self.layout == "NHWC":
            nodes.append(onnx.node("Transpose", ["image"], ["turned"], perm=[0, 3, 1, 2]))
            image = "turned"
        nodes += [onnx.node("GlobalAveragePool", [image], ["pooled"]), onnx.node("Flatten", ["pooled"], ["features"], axis=1)]
        last = "raw" if self.head else self.output
        nodes.append(onnx.node("Gemm", ["features", "gain", "shift"], [last]))
        outputs = [onnx.port(self.output, [self.batch, len(order)])]
        if self.head == "steps":
            nodes += [onnx.node("Exp", ["raw"], ["powers"]), onnx.node("ReduceSum", ["powers", "one"], ["sum"]),
                      onnx.node("Div", ["powers", "sum"], [self.output])]
            tensors.append(onnx.tensor("one", [1], [1], onnx.INT64))
        elif self.head:
            operator = "Softmax" if self.head == "label" else self.head
            nodes.append(onnx.node(operator, ["raw"], [self.output], **({} if operator == "Sigmoid" else {"axis": 1})))
        if self.head == "label":
            nodes.append(onnx.node("ArgMax", ["raw"], ["label"], axis=1, keepdims=0))
            outputs.insert(0, onnx.port("label", [self.batch], onnx.INT64))
        if self.twice:
            outputs.append(onnx.port("raw", [self.batch, len(order)]))
        metadata = {"hedge.preprocess": json.dumps(self.recipe)} if self.recipe else {}
        if self.names:
            metadata["hedge.labels"] = json.dumps(order)
        path.write_bytes(onnx.model(nodes, tensors, [onnx.port("image", wide)], outputs, metadata,
                                    self.opset, self.ir_version))
        return path


def png(path, pixels, bits=8, colour=0):
    """`pixels`: rows of samples; a row of RGB has three samples a pixel. `colour` as in the PNG specification: 0 gray, 2 RGB, 6 RGBA."""
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    samples = {0: 1, 2: 3, 6: 4}[colour]
    rows = b"".join(b"\0" + struct.pack(f">{len(row)}{'B' if bits == 8 else 'H'}", *row) for row in pixels)
    header = struct.pack(">IIBBBBB", len(pixels[0]) // samples, len(pixels), bits, colour, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


def levels(folder, classes, each=40, seed=5, spread=0.45, folders=None):
    """Images of the classes' levels, `each` a class, in a folder a class (`folders`: called so instead)."""
    draw = random.Random(seed)
    for place, name in enumerate(folders or classes):
        for index in range(each):
            level = (place + 0.5 + draw.uniform(-spread, spread)) * 255 / len(classes)
            png(folder / name / f"{index:02}.png", [[min(255, max(0, round(level)))] * 8] * 8)
    return folder


def halves(path, size=16, recipe=None):
    """A network of two classes: "up" where the upper half is lighter, "down" where the lower is."""
    weights = [sign * (1 if row < size // 2 else -1) for row in range(size) for _ in range(size) for sign in (-1, 1)]
    metadata = {"hedge.preprocess": json.dumps(recipe or {**RECIPE, "version": 2, "height": size, "width": size}),
                "hedge.labels": json.dumps(["down", "up"])}
    path.write_bytes(onnx.model([onnx.node("Flatten", ["image"], ["features"], axis=1), onnx.node("Gemm", ["features", "gain"], ["logits"])],
                                [onnx.tensor("gain", [size * size, 2], [float(value) for value in weights])],
                                [onnx.port("image", ["N", 1, size, size])], [onnx.port("logits", ["N", 2])], metadata))
    return path


def exif(orientation):
    """The TIFF structure of an Exif block with nothing but an orientation."""
    return b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)


def jpeg(path, levels_by_block, orientation=None):
    """A gray baseline JPEG whose 8x8 blocks are flat: a row of levels for each row of blocks. Decodes to those levels exactly."""
    bits, before = "", 0
    for level in (level for row in levels_by_block for level in row):
        value, before = level - 128 - before, level - 128
        category = abs(value).bit_length()
        bits += f"{category:04b}"  # the table below: a category's code is its number in four bits
        if category:
            bits += f"{value if value > 0 else value + (1 << category) - 1:0{category}b}"
        bits += "0"  # the end of the block, the only AC code
    bits += "1" * (-len(bits) % 8)
    scan = bytes(int(bits[at:at + 8], 2) for at in range(0, len(bits), 8)).replace(b"\xff", b"\xff\0")

    def segment(marker, content):
        return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content

    height, width = 8 * len(levels_by_block), 8 * len(levels_by_block[0])
    tagged = segment(0xE1, b"Exif\0\0" + exif(orientation)) if orientation else b""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\xff\xd8" + tagged + segment(0xDB, b"\0" + bytes([8] * 64)) +
                     segment(0xC0, struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0)) +
                     segment(0xC4, b"\x00" + bytes([0, 0, 0, 12] + [0] * 12) + bytes(range(12))) +
                     segment(0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\0") + segment(0xDA, bytes([1, 1, 0, 0, 63, 0])) + scan + b"\xff\xd9")
    return path


def tiff(path, rows, bits=8, orientation=1):
    """A gray TIFF in one strip without compression."""
    pixels = b"".join(struct.pack(f"<{len(row)}{'B' if bits == 8 else 'H'}", *row) for row in rows)
    tags = {256: len(rows[0]), 257: len(rows), 258: bits, 259: 1, 262: 1, 273: 8, 274: orientation, 277: 1, 278: len(rows), 279: len(pixels)}
    pixels += b"\0" * (len(pixels) % 2)
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels + struct.pack("<H", len(tags)) + entries + b"\0" * 4)
    return path


def bmp(path, rows):
    """A BMP of 24 bits a pixel, gray, the last row first."""
    pad = b"\0" * (-3 * len(rows[0]) % 4)
    pixels = b"".join(b"".join(bytes([value] * 3) for value in row) + pad for row in reversed(rows))
    head = struct.pack("<IiiHHIIiiII", 40, len(rows[0]), len(rows), 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) + head + pixels)
    return path

"""Writes small ONNX files with the standard library alone, in every form in which people export one network."""

import struct

FLOAT, UINT8, INT64 = 1, 2, 7


def varint(number):
    number &= (1 << 64) - 1  # negative numbers take ten bytes
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def whole(field, number):
    return varint(field << 3) + varint(number)


def block(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def attribute(name, value):
    if isinstance(value, float):
        return block(1, name) + varint(2 << 3 | 5) + struct.pack("<f", value) + whole(20, 1)
    if isinstance(value, int):
        return block(1, name) + whole(3, value) + whole(20, 2)
    return block(1, name) + b"".join(whole(8, number) for number in value) + whole(20, 7)


def node(operator, inputs, outputs, **attributes):
    return (b"".join(block(1, name) for name in inputs) + b"".join(block(2, name) for name in outputs) + block(4, operator) +
            b"".join(block(5, attribute(name, value)) for name, value in attributes.items()))


def tensor(name, dims, values, kind=FLOAT, outside=None):
    """`outside`: the weight file's name, and the offset in it; the values are then not in the model's file."""
    head = b"".join(whole(1, size) for size in dims) + whole(2, kind) + block(8, name)
    raw = struct.pack(f"<{len(values)}{'f' if kind == FLOAT else 'q'}", *values)
    if outside is None:
        return head + block(9, raw)
    file, offset = outside
    entries = {"location": file, "offset": str(offset), "length": str(len(raw))}
    return head + b"".join(block(13, block(1, key) + block(2, value)) for key, value in entries.items()) + whole(14, 1)


def port(name, dims, kind=FLOAT):
    """A graph's input or output; a size may be a number or a symbol."""
    sizes = b"".join(block(1, whole(1, size) if isinstance(size, int) else block(2, size)) for size in dims)
    return block(1, name) + block(2, block(1, whole(1, kind) + block(2, sizes)))


def model(nodes, tensors, inputs, outputs, metadata=None, opset=13, ir_version=8):
    graph = (b"".join(block(1, item) for item in nodes) + block(2, "field") + b"".join(block(5, item) for item in tensors) +
             b"".join(block(11, item) for item in inputs) + b"".join(block(12, item) for item in outputs))
    properties = b"".join(block(14, block(1, key) + block(2, value)) for key, value in (metadata or {}).items())
    return whole(1, ir_version) + block(7, graph) + block(8, whole(2, opset)) + properties

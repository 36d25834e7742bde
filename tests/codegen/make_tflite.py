"""Writes a small int8 .tflite with every operator that the importer reads, and older uint8 weights in a second one.

make_tflite.py FOLDER: small.tflite (PAD, CONV_2D, DEPTHWISE_CONV_2D, ADD, MAX_POOL_2D, AVERAGE_POOL_2D, MEAN, RESHAPE, FULLY_CONNECTED,
SOFTMAX), older.tflite (uint8: CONV_2D, RESHAPE, FULLY_CONNECTED), wider.tflite (a gray image; a depth multiplier, RELU, RELU6, MUL by a value
a channel, means over one axis after the other, QUANTIZE between layers, a shape that is computed, one probability as uint8) and gates.tflite
(HARD_SWISH, LOGISTIC), extreme.tflite (large scales, odd windows, ADD and MUL of a number), branches.tflite (PAD alone, dilations, a depth
multiplier, CONCATENATION), factors.tflite and offsets.tflite (MUL, ADD and SUB of a value a channel), functions.tflite
(LEAKY_RELU, TANH); and float16, floats, dynamic and 16x8.tflite, which are no int8 models. Needs ai-edge-litert. The files are kept in tests/fuzz/seeds/fuzz_tflite.
"""
import pathlib
import sys

import flatbuffers
import numpy
from ai_edge_litert import schema_py_generated as schema

OP = schema.BuiltinOperator
TYPE = schema.TensorType


class Maker:
    def __init__(self, seed, old=False):
        self.random = numpy.random.default_rng(seed)
        self.old = old
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.description = b"small"
        empty = schema.BufferT()
        empty.data = []
        self.model.buffers = [empty]
        self.model.operatorCodes = []
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]

    def tensor(self, shape, scales=None, zero=0, data=None, kind=None, axis=0):
        t = schema.TensorT()
        t.shape = list(shape)
        t.type = (TYPE.UINT8 if self.old else TYPE.INT8) if kind is None else kind
        t.name = f"t{len(self.graph.tensors)}".encode()
        t.buffer = 0
        if data is not None:
            b = schema.BufferT()
            b.data = numpy.frombuffer(data.tobytes(), numpy.uint8)
            t.buffer = len(self.model.buffers)
            self.model.buffers.append(b)
        if scales is not None:
            q = schema.QuantizationParametersT()
            q.scale = [float(s) for s in numpy.atleast_1d(scales)]
            q.zeroPoint = [zero] * len(q.scale)
            q.quantizedDimension = axis
            t.quantization = q
        self.graph.tensors.append(t)
        return len(self.graph.tensors) - 1

    def activation(self, shape, scale, zero):
        return self.tensor(shape, scale, zero + (128 if self.old else 0))

    def scale(self, tensor):
        return self.graph.tensors[tensor].quantization.scale[0]

    def weights(self, shape, axis):
        if self.old:
            return self.tensor(shape, 0.02, 120, self.random.integers(0, 256, shape).astype(numpy.uint8))
        count = shape[axis]
        scales = 0.004 + 0.02 * self.random.random(count)
        return self.tensor(shape, scales, 0, self.random.integers(-127, 128, shape).astype(numpy.int8), axis=axis)

    def bias(self, x, w, count):
        scales = numpy.array(self.graph.tensors[w].quantization.scale) * self.scale(x)
        return self.tensor([count], scales, 0, self.random.integers(-500, 500, count).astype(numpy.int32), TYPE.INT32)

    def op(self, code, inputs, output, options=None, kind=0, version=1):
        c = schema.OperatorCodeT()
        c.builtinCode = code
        c.deprecatedBuiltinCode = min(code, 127)
        c.version = version
        self.model.operatorCodes.append(c)
        o = schema.OperatorT()
        o.opcodeIndex = len(self.model.operatorCodes) - 1
        o.inputs, o.outputs = list(inputs), [output]
        o.builtinOptionsType = kind
        o.builtinOptions = options
        self.graph.operators.append(o)
        return output

    def conv(self, x, out_shape, kernel, stride, same, activation, scale, zero, depthwise=False, multiplier=1, dilation=1):
        """kernel, stride, dilation: one number, or height and width."""
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        ins = self.graph.tensors[x].shape[3]
        outs = out_shape[3]
        w = self.weights([1, height, width, outs] if depthwise else [outs, height, width, ins], 3 if depthwise else 0)
        b = self.bias(x, w, outs)
        y = self.activation(out_shape, scale, zero)
        o = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
        o.padding, o.fusedActivationFunction = 0 if same else 1, activation
        o.strideH, o.strideW = (stride, stride) if isinstance(stride, int) else stride
        o.dilationHFactor, o.dilationWFactor = (dilation, dilation) if isinstance(dilation, int) else dilation
        kind = schema.BuiltinOptions.Conv2DOptions
        if depthwise:
            o.depthMultiplier = multiplier
            kind = schema.BuiltinOptions.DepthwiseConv2DOptions
        return self.op(OP.DEPTHWISE_CONV_2D if depthwise else OP.CONV_2D, [x, w, b], y, o, kind, 3)

    def pool(self, code, x, out_shape, size, stride, same):
        o = schema.Pool2DOptionsT()
        o.padding, o.strideW, o.strideH, o.filterWidth, o.filterHeight, o.fusedActivationFunction = 0 if same else 1, stride, stride, size, size, 0
        q = self.graph.tensors[x].quantization
        y = self.tensor(out_shape, q.scale[0], q.zeroPoint[0])
        return self.op(code, [x], y, o, schema.BuiltinOptions.Pool2DOptions, 2)

    def dense(self, x, outs, scale, zero, activation=0):
        ins = int(numpy.prod(self.graph.tensors[x].shape))
        w = self.tensor([outs, ins], 0.013, 0, self.random.integers(-127, 128, [outs, ins]).astype(numpy.int8)) if not self.old else self.weights([outs, ins], 0)
        y = self.activation([1, outs], scale, zero)
        o = schema.FullyConnectedOptionsT()
        o.fusedActivationFunction = activation
        return self.op(OP.FULLY_CONNECTED, [x, w, self.bias(x, w, outs)], y, o, schema.BuiltinOptions.FullyConnectedOptions, 4)

    def reshape(self, x, shape):
        q = self.graph.tensors[x].quantization
        target = self.tensor([len(shape)], data=numpy.array(shape, numpy.int32), kind=TYPE.INT32)
        return self.op(OP.RESHAPE, [x, target], self.tensor(shape, q.scale[0], q.zeroPoint[0]))

    def finish(self, x, y, path):
        self.graph.inputs, self.graph.outputs = [x], [y]
        builder = flatbuffers.Builder(1 << 14)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        pathlib.Path(path).write_bytes(bytes(builder.Output()))


def small(path):
    m = Maker(1)
    x = m.activation([1, 12, 11, 3], 0.02, 5)
    pads = m.tensor([4, 2], data=numpy.array([[0, 0], [1, 1], [0, 2], [0, 0]], numpy.int32), kind=TYPE.INT32)
    padded = m.op(OP.PAD, [x, pads], m.activation([1, 14, 13, 3], 0.02, 5), schema.PadOptionsT(), schema.BuiltinOptions.PadOptions, 2)
    a = m.conv(padded, [1, 6, 6, 8], 3, 2, False, 3, 0.0235, -128)
    b = m.conv(a, [1, 6, 6, 8], 3, 1, True, 1, 0.03, -128, depthwise=True)
    c = m.conv(b, [1, 6, 6, 8], 1, 1, True, 0, 0.05, 3)
    o = schema.AddOptionsT()
    o.fusedActivationFunction = 1
    d = m.op(OP.ADD, [a, c], m.activation([1, 6, 6, 8], 0.04, -128), o, schema.BuiltinOptions.AddOptions, 2)
    e = m.pool(OP.MAX_POOL_2D, d, [1, 3, 3, 8], 2, 2, True)
    f = m.conv(e, [1, 2, 2, 8], 3, 2, True, 0, 0.09, -4)
    g = m.pool(OP.AVERAGE_POOL_2D, f, [1, 2, 2, 8], 3, 1, True)
    r = schema.ReducerOptionsT()
    r.keepDims = True
    axes = m.tensor([2], data=numpy.array([1, 2], numpy.int32), kind=TYPE.INT32)
    h = m.op(OP.MEAN, [g, axes], m.activation([1, 1, 1, 8], 0.031, 7), r, schema.BuiltinOptions.ReducerOptions, 2)
    i = m.dense(m.reshape(h, [1, 8]), 6, 0.06, -20, 1)
    j = m.dense(i, 4, 0.11, 9)
    s = schema.SoftmaxOptionsT()
    s.beta = 1.0
    y = m.op(OP.SOFTMAX, [j], m.tensor([1, 4], 1 / 256, -128), s, schema.BuiltinOptions.SoftmaxOptions, 2)
    m.finish(x, y, path)


def older(path):
    m = Maker(2, old=True)
    x = m.activation([1, 4, 4, 2], 1 / 128, 0)
    a = m.conv(x, [1, 2, 2, 3], 3, 2, True, 3, 0.0235, -128)
    y = m.dense(m.reshape(a, [1, 12]), 3, 0.1, 0)
    m.finish(x, y, path)


def unary(m, code, x, shape, scale, zero):
    options, kind = (schema.HardSwishOptionsT(), schema.BuiltinOptions.HardSwishOptions) if code == OP.HARD_SWISH else (None, 0)
    return m.op(code, [x], m.activation(shape, scale, zero), options, kind, 2 if code in (OP.RELU, OP.RELU6, OP.LOGISTIC) else 1)


def mean(m, x, axes, shape, keep, scale, zero):
    o = schema.ReducerOptionsT()
    o.keepDims = keep
    return m.op(OP.MEAN, [x, m.tensor([len(axes)], data=numpy.array(axes, numpy.int32), kind=TYPE.INT32)], m.activation(shape, scale, zero), o,
                schema.BuiltinOptions.ReducerOptions, 2)


def flattened(m, x, size):
    """Keras' Flatten with a free batch: [shape(x)[0], size]."""
    o = schema.ShapeOptionsT()
    o.outType = TYPE.INT32
    shape = m.op(OP.SHAPE, [x], m.tensor([4], kind=TYPE.INT32), o, schema.BuiltinOptions.ShapeOptions)
    ends = [m.tensor([1], data=numpy.array([v], numpy.int32), kind=TYPE.INT32) for v in (0, 1, 1)]
    o = schema.StridedSliceOptionsT()
    o.shrinkAxisMask = 1
    batch = m.op(OP.STRIDED_SLICE, [shape, *ends], m.tensor([], kind=TYPE.INT32), o, schema.BuiltinOptions.StridedSliceOptions)
    o = schema.PackOptionsT()
    o.valuesCount = 2
    width = m.tensor([], data=numpy.array(size, numpy.int32), kind=TYPE.INT32)
    target = m.op(OP.PACK, [batch, width], m.tensor([2], kind=TYPE.INT32), o, schema.BuiltinOptions.PackOptions)
    q = m.graph.tensors[x].quantization
    return m.op(OP.RESHAPE, [x, target], m.tensor([1, size], q.scale[0], q.zeroPoint[0]))


def wider(path):
    m = Maker(3)
    x = m.activation([1, 10, 9, 1], 0.02, 5)
    a = m.conv(x, [1, 5, 5, 6], 3, 2, True, 0, 0.03, 4, depthwise=True, multiplier=6)
    b = unary(m, OP.RELU, a, [1, 5, 5, 6], 0.021, -128)
    s = m.conv(mean(m, b, [1, 2], [1, 1, 1, 6], True, 0.017, -120), [1, 1, 1, 6], 1, 1, True, 0, 0.04, 8)
    c = m.op(OP.MUL, [s, b], m.activation([1, 5, 5, 6], 0.05, -3), schema.MulOptionsT(), schema.BuiltinOptions.MulOptions, 2)
    d = unary(m, OP.RELU6, c, [1, 5, 5, 6], 0.0235, -128)
    e = m.op(OP.QUANTIZE, [d], m.activation([1, 5, 5, 6], 0.031, -100), schema.QuantizeOptionsT(), schema.BuiltinOptions.QuantizeOptions, 2)
    f = mean(m, mean(m, e, [1], [1, 5, 6], False, 0.02, -90), [1], [1, 6], False, 0.011, -80)
    g = m.dense(flattened(m, m.conv(e, [1, 3, 3, 2], 3, 2, True, 0, 0.09, -4), 18), 6, 0.3, -20)
    h = m.op(OP.ADD, [f, g], m.activation([1, 6], 0.35, 2), schema.AddOptionsT(), schema.BuiltinOptions.AddOptions, 2)
    y = unary(m, OP.LOGISTIC, m.dense(h, 1, 0.3, 7), [1, 1], 1 / 256, -128)
    out = m.tensor([1, 1], 1 / 256, 0, kind=TYPE.UINT8)
    m.finish(x, m.op(OP.QUANTIZE, [y], out, schema.QuantizeOptionsT(), schema.BuiltinOptions.QuantizeOptions, 2), path)


def gates(path):
    m = Maker(4)
    x = m.activation([1, 6, 6, 4], 0.05, -8)
    a = unary(m, OP.HARD_SWISH, x, [1, 6, 6, 4], 0.03, -115)
    b = unary(m, OP.LOGISTIC, a, [1, 6, 6, 4], 1 / 256, -128)
    c = m.op(OP.MUL, [a, b], m.activation([1, 6, 6, 4], 0.03, -115), schema.MulOptionsT(), schema.BuiltinOptions.MulOptions, 2)
    y = m.dense(m.reshape(c, [1, 144]), 3, 0.4, 0)
    m.finish(x, y, path)


def functions(path):
    """LEAKY_RELU and TANH, each behind a layer."""
    m = Maker(9)
    x = m.activation([1, 7, 6, 4], 0.05, -8)
    o = schema.LeakyReluOptionsT()
    o.alpha = 0.3
    a = m.op(OP.LEAKY_RELU, [x], m.activation([1, 7, 6, 4], 0.04, -60), o, schema.BuiltinOptions.LeakyReluOptions)
    b = m.op(OP.TANH, [m.conv(a, [1, 4, 3, 5], 3, 2, True, 0, 0.02, 3)], m.activation([1, 4, 3, 5], 1 / 128, 0))
    y = m.dense(m.reshape(b, [1, 60]), 3, 0.4, 0)
    m.finish(x, y, path)


def number(m, code, x, shape, scale, zero, constant):
    """ADD or MUL of one number."""
    o, kind = (schema.AddOptionsT(), schema.BuiltinOptions.AddOptions) if code == OP.ADD else (schema.MulOptionsT(), schema.BuiltinOptions.MulOptions)
    c = m.tensor([], 0.013, -11, numpy.array(constant, numpy.int8))
    return m.op(code, [x, c], m.activation(shape, scale, zero), o, kind, 2)


def extreme(path):
    """Sums that are multiplied with up to 2.6 under weights of 127, and windows that no fast kernel has."""
    m = Maker(6)
    x = m.activation([1, 11, 13, 4], 0.4, -6)
    a = number(m, OP.MUL, x, [1, 11, 13, 4], 0.31, 12, 77)
    b = number(m, OP.ADD, a, [1, 11, 13, 4], 0.35, -2, -90)
    c = m.conv(b, [1, 11, 13, 6], 1, 1, True, 1, 0.008, -100)
    d = m.conv(c, [1, 4, 7, 6], (4, 2), (3, 2), True, 0, 0.003, 3, depthwise=True)
    e = m.conv(d, [1, 2, 4, 6], 3, 2, True, 0, 0.0001, 0, depthwise=True)
    y = m.dense(m.reshape(e, [1, 48]), 5, 0.0000005, 1)
    m.finish(x, y, path)


def by_channel(m, code, x, shape, scale, zero, constants, constant_zero=0, turned=False):
    """ADD, SUB or MUL of a constant value a channel; turned: the constant is the first operand."""
    options = {OP.ADD: schema.AddOptionsT, OP.SUB: schema.SubOptionsT, OP.MUL: schema.MulOptionsT}[code]()
    kind = {OP.ADD: schema.BuiltinOptions.AddOptions, OP.SUB: schema.BuiltinOptions.SubOptions, OP.MUL: schema.BuiltinOptions.MulOptions}[code]
    c = m.tensor([1, 1, 1, len(constants)], 0.013, constant_zero, numpy.array(constants, numpy.int8))
    return m.op(code, [c, x] if turned else [x, c], m.activation(shape, scale, zero), options, kind, 2)


def channels(path, code):
    """What a batch normalisation that no convolution could take in leaves: a factor a channel; code ADD: sums, differences, and
    a product that TFLite rounds otherwise."""
    m = Maker(8)
    shape = [1, 10, 9, 5]
    x = m.activation([1, 10, 9, 3], 0.02, 5)
    a = m.conv(x, shape, 3, 1, True, 0, 0.03, 4)
    if code == OP.MUL:
        b = by_channel(m, OP.MUL, a, shape, 0.02, -7, [3, -90, 127, 0, 60])
        c = by_channel(m, OP.MUL, b, shape, 0.03, 9, [-27, 100, 5, -100, 20], constant_zero=20)
    else:
        b = by_channel(m, OP.ADD, a, shape, 0.035, -7, [3, -90, 127, 0, 60], constant_zero=-20)
        c = by_channel(m, OP.SUB, b, shape, 0.04, 9, [-128, 100, 5, -100, 20])
        c = by_channel(m, OP.SUB, c, shape, 0.04, -3, [7, -7, 70, -70, 0], turned=True)
        c = by_channel(m, OP.MUL, c, shape, 0.03, 9, [-128, 100, 5, -100, 20], constant_zero=100)  # steps beyond int8
    d = m.conv(c, [1, 5, 5, 6], 3, 2, True, 1, 0.05, -128)
    y = m.dense(m.reshape(mean(m, d, [1, 2], [1, 6], False, 0.02, -100), [1, 6]), 4, 0.06, 3)
    m.finish(x, y, path)


def branches(path):
    """A PAD that no convolution follows, dilations, a depth multiplier on several channels, CONCATENATION."""
    m = Maker(7)
    x = m.activation([1, 9, 10, 3], 0.02, 5)
    a = m.conv(x, [1, 9, 10, 6], 3, 1, True, 0, 0.03, 4, depthwise=True, multiplier=2)
    pads = m.tensor([4, 2], data=numpy.array([[0, 0], [1, 0], [2, 1], [0, 0]], numpy.int32), kind=TYPE.INT32)
    padded = m.op(OP.PAD, [a, pads], m.activation([1, 10, 13, 6], 0.03, 4), schema.PadOptionsT(), schema.BuiltinOptions.PadOptions, 2)
    b = m.pool(OP.MAX_POOL_2D, padded, [1, 5, 6, 6], 2, 2, False)
    c = m.conv(b, [1, 5, 6, 6], 3, 1, True, 0, 0.05, -9, depthwise=True, dilation=2)
    d = m.conv(b, [1, 5, 6, 4], 2, 1, True, 0, 0.05, -9, dilation=(2, 3))
    o = schema.ConcatenationOptionsT()
    o.axis = 3
    e = m.op(OP.CONCATENATION, [c, d, c], m.activation([1, 5, 6, 16], 0.05, -9), o, schema.BuiltinOptions.ConcatenationOptions, 2)
    y = m.dense(m.reshape(mean(m, e, [1, 2], [1, 16], False, 0.011, -80), [1, 16]), 4, 0.06, 3)
    m.finish(x, y, path)


def not_int8(path, kind):
    """One FULLY_CONNECTED that computes in something else."""
    m = Maker(5)
    number = TYPE.INT16 if kind == "16x8" else TYPE.FLOAT32
    x, y = (m.tensor([1, size], *((0.01, 0) if kind == "16x8" else ()), kind=number) for size in (8, 3))
    if kind == "float16":
        half = m.tensor([3, 8], data=m.random.random([3, 8]).astype(numpy.float16), kind=TYPE.FLOAT16)
        w = m.op(OP.DEQUANTIZE, [half], m.tensor([3, 8], kind=TYPE.FLOAT32), schema.DequantizeOptionsT(), schema.BuiltinOptions.DequantizeOptions)
    elif kind == "floats":
        w = m.tensor([3, 8], data=m.random.random([3, 8]).astype(numpy.float32), kind=TYPE.FLOAT32)
    else:
        w = m.weights([3, 8], 0)
    m.finish(x, m.op(OP.FULLY_CONNECTED, [x, w, -1], y, schema.FullyConnectedOptionsT(), schema.BuiltinOptions.FullyConnectedOptions), path)


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    small(folder / "small.tflite")
    older(folder / "older.tflite")
    wider(folder / "wider.tflite")
    gates(folder / "gates.tflite")
    extreme(folder / "extreme.tflite")
    branches(folder / "branches.tflite")
    functions(folder / "functions.tflite")
    channels(folder / "factors.tflite", OP.MUL)
    channels(folder / "offsets.tflite", OP.ADD)
    for kind in ("float16", "floats", "dynamic", "16x8"):
        not_int8(folder / f"{kind}.tflite", kind)

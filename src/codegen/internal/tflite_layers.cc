#include <algorithm>
#include <cmath>

#include "codegen/internal/tflite_import.h"

namespace hedge::codegen::internal {
namespace {

using I = std::int64_t;
using Ints = std::vector<I>;

// Field numbers of the operators' options.
struct WindowFields {
  std::size_t activation, dilation_width, dilation_height;
};
constexpr std::size_t kPadding = 0, kStrideWidth = 1, kStrideHeight = 2;
constexpr WindowFields kConvFields = {3, 4, 5}, kDepthwiseFields = {4, 5, 6};
constexpr std::size_t kPoolWidth = 3, kPoolHeight = 4, kPoolActivation = 5;
constexpr std::size_t kFirstActivation = 0;  // of ADD and FULLY_CONNECTED
constexpr std::size_t kWeightsFormat = 1;    // of FULLY_CONNECTED
constexpr std::int8_t kSame = 0, kValid = 1;
constexpr std::int8_t kNoActivation = 0, kRelu = 1, kRelu6 = 3;

Ints integers_of(const TfliteTensor& tensor) {
  Ints values;
  const auto count = static_cast<std::size_t>(num_elements(tensor.shape));
  for (std::size_t i = 0; i < count; ++i) {
    if (tensor.type == TfliteType::kInt64) {
      I value = 0;
      std::memcpy(&value, tensor.data.data() + 8 * i, 8);
      values.push_back(value);
    } else {
      std::int32_t value = 0;
      std::memcpy(&value, tensor.data.data() + 4 * i, 4);
      values.push_back(value);
    }
  }
  return values;
}

bool holds_integers(const TfliteTensor& tensor) { return tensor.type == TfliteType::kInt32 || tensor.type == TfliteType::kInt64; }

}  // namespace

Result<TfliteImport::Weights> TfliteImport::weights(const TfliteOperator& op, const std::string& name, const Shape& shape,
                                                    const std::vector<std::size_t>& from, std::size_t channel_axis) {
  HEDGE_TRY(const TfliteTensor* tensor, constant(op, 1));
  const auto outs = static_cast<std::size_t>(shape[0]);
  const bool old = tensor->type == TfliteType::kUint8;
  if (!old && tensor->type != TfliteType::kInt8) return error(ErrorCode::kUnsupported, op, "weights that are not quantised to 8 bits");
  if (tensor->scales.size() != 1 && (tensor->scales.size() != outs || tensor->axis != static_cast<std::int32_t>(channel_axis)))
    return error(ErrorCode::kUnsupported, op, "weights whose scales are not one, or one an output channel",
                 std::to_string(tensor->scales.size()));
  if (!old && std::any_of(tensor->zero_points.begin(), tensor->zero_points.end(), [](I z) { return z != 0; }))
    return error(ErrorCode::kUnsupported, op, "int8 weights with a zero point");
  const std::size_t each = from.size() / outs;
  const auto steps = [&](std::size_t i) {
    return weight_at(*tensor, from[i]) - static_cast<std::int32_t>(old ? tensor->zero_points[0] : 0);
  };
  Tensor integers(DType::kI8, shape);
  Weights made;
  for (std::size_t o = 0; o < outs; ++o) {
    const double scale = static_cast<double>(tensor->scales[tensor->scales.size() == 1 ? 0 : o]);
    double shrink = scale < 0 ? -1 : 1;  // a negative scale: the same with weights (and bias) of the other sign
    if (old) {                           // 8 bits with a zero point take up to 9 without: a channel beyond int8 is rounded anew
      std::int32_t least = 0, most = 0;
      for (std::size_t i = 0; i < each; ++i) {
        least = std::min(least, steps(o * each + i));
        most = std::max(most, steps(o * each + i));
      }
      if (least < -128 || most > 127) shrink *= std::max(-least, most) / 127.0;
    }
    for (std::size_t i = o * each; i < (o + 1) * each; ++i) {
      const double rounded = std::round(steps(i) / shrink);
      if (rounded > 127) return error(ErrorCode::kUnsupported, op, "a weight of -128 under a negative scale");
      integers.data<std::int8_t>()[i] = static_cast<std::int8_t>(rounded);
    }
    made.scales.push_back(static_cast<float>(scale * shrink));
  }
  const auto values = builder_.constant(name + ".weight/int8", std::move(integers));
  const auto scales = builder_.constant(name + ".weight/scale", Tensor::of<float>({static_cast<I>(outs)}, made.scales));
  made.name = builder_.op("DequantizeLinear", {values, scales}, {{"axis", I{0}}}, name + ".weight");
  return made;
}

Result<std::string> TfliteImport::bias(const TfliteOperator& op, const std::string& name, std::int32_t input,
                                       const std::vector<float>& weight_scales) {
  if (op.inputs.size() < 3 || op.inputs[2] < 0) return std::string();
  HEDGE_TRY(const TfliteTensor* tensor, constant(op, 2));
  const std::size_t outs = weight_scales.size();
  if (tensor->type != TfliteType::kInt32) return error(ErrorCode::kUnsupported, op, "a bias that is not int32");
  const Ints given = integers_of(*tensor);
  if (given.size() != outs)
    return error(ErrorCode::kBadFormat, op, "a bias that is not one value an output", std::to_string(given.size()), std::to_string(outs));
  const TfliteTensor& weight = file_.tensors[static_cast<std::size_t>(op.inputs[1])];
  const bool rescaled = weight.type == TfliteType::kUint8;
  std::vector<std::int32_t> integers;
  std::vector<float> scales;
  for (std::size_t o = 0; o < outs; ++o) {
    const double scale = static_cast<double>(scale_of(input)) * static_cast<double>(weight_scales[o]);
    const double old_scale = static_cast<double>(scale_of(input)) * static_cast<double>(weight.scales[weight.scales.size() == 1 ? 0 : o]);
    const double same = old_scale < 0 ? -static_cast<double>(given[o]) : static_cast<double>(given[o]);
    const double value = rescaled ? std::round(static_cast<double>(given[o]) * old_scale / scale) : same;
    integers.push_back(static_cast<std::int32_t>(std::clamp(value, -2147483648.0, 2147483647.0)));
    scales.push_back(static_cast<float>(scale));
    if (!(scales.back() > 0)) return error(ErrorCode::kBadFormat, op, "scales too small for a float", std::to_string(scale));
  }
  const auto values = builder_.constant(name + ".bias/int32", Tensor::of<std::int32_t>({static_cast<I>(outs)}, integers));
  const auto scale = builder_.constant(name + ".bias/scale", Tensor::of<float>({static_cast<I>(outs)}, scales));
  return builder_.op("DequantizeLinear", {values, scale}, {{"axis", I{0}}}, name + ".bias");
}

Result<std::string> TfliteImport::activated(const TfliteOperator& op, std::size_t field, const std::string& x, const std::string& name) {
  const auto kind = op.options.number<std::int8_t>(field);
  if (kind == kNoActivation) return x;
  if (kind == kRelu) return builder_.op("Relu", {x}, {}, name + ".relu");
  if (kind == kRelu6)
    return builder_.op("Clip", {x, builder_.scalar(name + ".low", 0), builder_.scalar(name + ".high", 6)}, {}, name + ".relu6");
  return error(ErrorCode::kUnsupported, op, "a fused activation that is not implemented", std::to_string(kind), "none, ReLU or ReLU6");
}

Result<Ints> TfliteImport::pads(const TfliteOperator& op, const Value& x, std::array<I, 2> kernel, std::array<I, 2> strides) const {
  const auto mode = op.options.number<std::int8_t>(kPadding);
  if (mode != kSame && mode != kValid) return error(ErrorCode::kBadFormat, op, "an unknown padding", std::to_string(mode));
  const Shape& shape = x.shape;
  Ints result = {x.pads[0], x.pads[1], x.pads[2], x.pads[3]};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const I size = shape[axis + 1] + x.pads[axis] + x.pads[axis + 2];
    if (kernel[axis] < 1 || strides[axis] < 1 || kernel[axis] > 1 << 20 || strides[axis] > 1 << 20)
      return error(ErrorCode::kBadFormat, op, "a kernel or stride out of range",
                   std::to_string(kernel[axis]) + ", " + std::to_string(strides[axis]));
    if (mode == kValid) continue;
    const I positions = (size + strides[axis] - 1) / strides[axis];
    const I total = std::max<I>(0, (positions - 1) * strides[axis] + kernel[axis] - size);
    result[axis] += total / 2;
    result[axis + 2] += total - total / 2;
  }
  return result;
}

Status TfliteImport::conv(const TfliteOperator& op, const std::string& name, bool depthwise) {
  HEDGE_TRY(const Value x, operand(op, 0, true));
  HEDGE_CHECK(require_image(op, x));
  HEDGE_TRY(const TfliteTensor* tensor, constant(op, 1));
  const Shape& w = tensor->shape;
  const I channels = x.shape[3];
  const bool gray = depthwise && channels == 1;  // each output channel has a kernel of its own over the only input channel
  const bool fits = w.size() == 4 && num_elements(w) > 0 && (depthwise ? w[0] == 1 && w[3] % channels == 0 : w[3] == channels);
  if (!fits)
    return error(ErrorCode::kUnsupported, op, depthwise ? "weights that do not fit the channels" : "a convolution in groups", to_string(w),
                 "weights for " + std::to_string(channels) + " channels");
  const WindowFields fields = depthwise ? kDepthwiseFields : kConvFields;
  const std::array<I, 2> strides = {op.options.number<std::int32_t>(kStrideHeight), op.options.number<std::int32_t>(kStrideWidth)};
  const std::array<I, 2> dilations = {op.options.number<std::int32_t>(fields.dilation_height, 1),
                                      op.options.number<std::int32_t>(fields.dilation_width, 1)};
  if (std::any_of(dilations.begin(), dilations.end(), [](I d) { return d < 1 || d > 1 << 10; }))
    return error(ErrorCode::kBadFormat, op, "a dilation out of range", to_string(Ints{dilations[0], dilations[1]}));
  HEDGE_TRY(const auto around, pads(op, x, {(w[1] - 1) * dilations[0] + 1, (w[2] - 1) * dilations[1] + 1}, strides));
  // [O, KH, KW, I] (depthwise: [1, KH, KW, C]) to the graph's [O, I, KH, KW] ([C, 1, KH, KW]).
  const I outs = depthwise ? w[3] : w[0], ins = depthwise ? 1 : w[3], plane = w[1] * w[2];
  std::vector<std::size_t> from;
  for (I o = 0; o < outs; ++o)
    for (I i = 0; i < ins; ++i)
      for (I k = 0; k < plane; ++k) from.push_back(static_cast<std::size_t>(depthwise ? k * outs + o : (o * plane + k) * ins + i));
  HEDGE_TRY(const Weights weight, weights(op, name, {outs, ins, w[1], w[2]}, from, depthwise ? 3 : 0));
  HEDGE_TRY(const std::string added, bias(op, name, x.tensor, weight.scales));
  std::vector<std::string> inputs = {x.name, weight.name};
  if (!added.empty()) inputs.push_back(added);
  graph::Attributes attributes = {{"pads", around},
                                  {"strides", Ints{strides[0], strides[1]}},
                                  {"kernel_shape", Ints{w[1], w[2]}},
                                  {"dilations", Ints{dilations[0], dilations[1]}}};
  if (depthwise && !gray) attributes["group"] = channels;
  HEDGE_TRY(const std::string y, activated(op, fields.activation, builder_.op("Conv", inputs, attributes, name), name));
  return finish(op, y);
}

Status TfliteImport::fully_connected(const TfliteOperator& op, const std::string& name) {
  HEDGE_TRY(const Value x, operand(op, 0));
  HEDGE_TRY(const TfliteTensor* tensor, constant(op, 1));
  const Shape& w = tensor->shape;
  if (w.size() != 2 || num_elements(w) == 0) return error(ErrorCode::kBadFormat, op, "weights that are no matrix", to_string(w));
  if (op.options.number<std::int8_t>(kWeightsFormat) != 0) return error(ErrorCode::kUnsupported, op, "shuffled weights");
  const Shape& shape = x.shape;
  std::array<I, 3> image = x.image;
  std::string input = x.name;
  if (shape.size() == 4 && image[0] == 0) {
    image = {shape[3], shape[1], shape[2]};
    input = builder_.op("Flatten", {input}, {}, name + ".flat");
  }
  const I plane = image[0] == 0 ? 1 : image[1] * image[2], channels = image[0] == 0 ? w[1] : image[0];
  if (plane * channels != w[1])
    return error(ErrorCode::kBadFormat, op, "weights that do not fit the input", to_string(w), to_string(shape));
  std::vector<std::size_t> from;  // the file flattens [H, W, C], the graph [C, H, W]
  for (I o = 0; o < w[0]; ++o)
    for (I c = 0; c < channels; ++c)
      for (I p = 0; p < plane; ++p) from.push_back(static_cast<std::size_t>(o * w[1] + p * channels + c));
  HEDGE_TRY(const Weights weight, weights(op, name, w, from, 0));
  HEDGE_TRY(const std::string added, bias(op, name, x.tensor, weight.scales));
  std::vector<std::string> inputs = {input, weight.name};
  if (!added.empty()) inputs.push_back(added);
  HEDGE_TRY(const std::string y, activated(op, kFirstActivation, builder_.op("Gemm", inputs, {{"transB", I{1}}}, name), name));
  return finish(op, y);
}

Result<TfliteImport::Value> TfliteImport::operand_or_number(const TfliteOperator& op, std::size_t i, const std::string& name) {
  const bool given = i < op.inputs.size() && op.inputs[i] >= 0;
  const TfliteTensor* tensor = given ? &file_.tensors[static_cast<std::size_t>(op.inputs[i])] : nullptr;
  if (tensor == nullptr || !tensor->is_constant()) return operand(op, i);
  const bool old = tensor->type == TfliteType::kUint8;
  if ((!old && tensor->type != TfliteType::kInt8) || tensor->scales.size() != 1 || tensor->scales[0] < 0)
    return error(ErrorCode::kUnsupported, op, "a constant that is not quantised to 8 bits with one positive scale");
  if (num_elements(tensor->shape) != 1)
    return error(ErrorCode::kUnsupported, op, "a constant of several elements", to_string(tensor->shape), "one number");
  const std::int64_t moved = old ? 128 : 0;
  const auto integer = [&](std::int64_t value) {
    return Tensor::of<std::int8_t>({},
                                   std::vector<std::int8_t>{static_cast<std::int8_t>(std::clamp<std::int64_t>(value - moved, -128, 127))});
  };
  const auto value = builder_.constant(name + ".number/int8", integer(weight_at(*tensor, 0)));
  const auto scale = builder_.scalar(name + ".number/scale", tensor->scales[0]);
  const auto zero = builder_.constant(name + ".number/zero_point", integer(tensor->zero_points[0]));
  return Value{.name = builder_.op("DequantizeLinear", {value, scale, zero}, {}, name + ".number")};
}

Status TfliteImport::of_two(const TfliteOperator& op, const std::string& name, const char* graph_op) {
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}})
    if (is_by_channel(op, i)) return by_channel(op, name, i);
  if (op.code == kTfliteSub) return error(ErrorCode::kUnsupported, op, "a difference of two computed tensors", {}, "a constant operand");
  HEDGE_TRY(Value a, operand_or_number(op, 0, name));
  HEDGE_TRY(Value b, operand_or_number(op, 1, name));
  if (a.tensor < 0 && b.tensor < 0) return error(ErrorCode::kUnsupported, op, "two constants");
  // A number is of any shape.
  for (auto [number, other] : {std::pair{&a, &b}, std::pair{&b, &a}})
    if (number->tensor < 0) number->shape = other->shape, number->image = other->image, number->axes = other->axes;
  const bool gate = std::string_view(graph_op) == "Mul" && a.shape.size() == 4 && b.shape.size() == 4 && a.shape[3] == b.shape[3] &&
                    (num_elements(a.shape) == a.shape[3] || num_elements(b.shape) == b.shape[3]);
  if (a.image != b.image || (a.shape != b.shape && !gate))
    return error(ErrorCode::kUnsupported, op, "operands of other shapes", to_string(a.shape) + " and " + to_string(b.shape),
                 "the same shape; of MUL also a value a channel, [1, 1, 1, C]");
  HEDGE_TRY(const std::string y, activated(op, kFirstActivation, builder_.op(graph_op, {a.name, b.name}, {}, name), name));
  HEDGE_CHECK(finish(op, y));
  Value& made = values_.at(op.outputs[0]);
  made.image = a.image;
  made.axes = a.axes;
  return {};
}

Status TfliteImport::function(const TfliteOperator& op, const std::string& name) {
  HEDGE_TRY(const Value x, operand(op, 0));
  const auto clip = [&](float low, float high) {
    return builder_.op("Clip", {x.name, builder_.scalar(name + ".low", low), builder_.scalar(name + ".high", high)}, {}, name);
  };
  const float slope = op.code == kTfliteLeakyRelu ? op.options.number<float>(0) : 0;
  constexpr float kMostSlope = 1000;
  if (!(std::abs(slope) <= kMostSlope))
    return error(ErrorCode::kBadFormat, op, "a slope out of range", std::to_string(slope), "-1000 to 1000");
  std::string y;
  if (op.code == kTfliteRelu) y = builder_.op("Relu", {x.name}, {}, name);
  if (op.code == kTfliteRelu6) y = clip(0, 6);
  if (op.code == kTfliteReluN1To1) y = clip(-1, 1);
  if (op.code == kTfliteLogistic) y = builder_.op("Sigmoid", {x.name}, {}, name);
  if (op.code == kTfliteTanh) y = builder_.op("Tanh", {x.name}, {}, name);
  if (op.code == kTfliteLeakyRelu) y = builder_.op("LeakyRelu", {x.name}, {{"alpha", slope}}, name);
  if (op.code == kTfliteHardSwish) y = builder_.op("HardSwish", {x.name}, {}, name);
  HEDGE_CHECK(finish(op, y));
  Value& made = values_.at(op.outputs[0]);
  made.image = x.image;
  made.axes = x.axes;
  return {};
}

Status TfliteImport::shape_arithmetic(const TfliteOperator& op) {
  for (const auto tensor : op.inputs) {
    const bool known =
        op.code == kTfliteShape || tensor < 0 || shapes_.contains(tensor) || file_.tensors[static_cast<std::size_t>(tensor)].is_constant();
    if (!known) return error(ErrorCode::kUnsupported, op, "it is implemented for shapes only, as before a RESHAPE");
  }
  HEDGE_TRY(const std::int32_t made, output(op));
  shapes_.insert(made);
  return {};
}

Status TfliteImport::concat(const TfliteOperator& op, const std::string& name) {
  constexpr std::size_t kAxis = 0, kActivation = 1;
  std::vector<std::string> names;
  std::size_t rank = 0;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    HEDGE_TRY(const Value x, operand(op, i));
    if ((x.shape.size() != 4 && x.shape.size() != 2) || (rank != 0 && rank != x.shape.size()) || x.shape[0] != 1 ||
        x.image != std::array<I, 3>{})
      return error(ErrorCode::kUnsupported, op, "operands that are no images, nor vectors", to_string(x.shape));
    rank = x.shape.size();
    names.push_back(x.name);
  }
  const auto axis = op.options.number<std::int32_t>(kAxis), last = static_cast<std::int32_t>(rank) - 1;
  if (names.size() < 2 || (axis != last && axis != -1))
    return error(ErrorCode::kUnsupported, op, "a concatenation of another axis than the channels", std::to_string(axis));
  HEDGE_TRY(const std::string y, activated(op, kActivation, builder_.op("Concat", names, {{"axis", I{1}}}, name), name));
  return finish(op, y);
}

Result<TfliteImport::Value> TfliteImport::filled(const TfliteOperator& op, const Value& x) {
  HEDGE_CHECK(require_image(op, x));
  const I channels = x.shape[3];
  const std::string name = "pad_" + std::to_string(x.tensor);
  const auto weights = exact_weights(name, {channels, 1, 1, 1}, std::vector<std::int8_t>(static_cast<std::size_t>(channels), 127));
  const auto y = builder_.op("Conv", {x.name, weights}, {{"pads", Ints(x.pads.begin(), x.pads.end())}, {"group", channels}}, name);
  HEDGE_TRY(auto made, there_and_back(y, x.tensor, name + "/padded"));
  return Value{.name = std::move(made),
               .tensor = x.tensor,
               .shape = {1, x.shape[1] + x.pads[0] + x.pads[2], x.shape[2] + x.pads[1] + x.pads[3], channels}};
}

Status TfliteImport::pool(const TfliteOperator& op, const std::string& name, bool average) {
  HEDGE_TRY(const Value x, operand(op, 0));
  HEDGE_CHECK(require_image(op, x));
  const std::array<I, 2> kernel = {op.options.number<std::int32_t>(kPoolHeight), op.options.number<std::int32_t>(kPoolWidth)};
  const std::array<I, 2> strides = {op.options.number<std::int32_t>(kStrideHeight), op.options.number<std::int32_t>(kStrideWidth)};
  HEDGE_TRY(const auto around, pads(op, x, kernel, strides));
  const graph::Attributes attributes = {
      {"kernel_shape", Ints{kernel[0], kernel[1]}}, {"strides", Ints{strides[0], strides[1]}}, {"pads", around}};
  const std::string pooled = builder_.op(average ? "AveragePool" : "MaxPool", {x.name}, attributes, name);
  HEDGE_TRY(const std::string y, activated(op, kPoolActivation, pooled, name));
  return finish(op, y);
}

Status TfliteImport::mean(const TfliteOperator& op, const std::string& name) {
  HEDGE_TRY(const Value x, operand(op, 0));
  HEDGE_TRY(const TfliteTensor* constant_axes, constant(op, 1));
  const bool keep = op.options.number<std::int8_t>(0) != 0;
  const auto rank = static_cast<I>(x.shape.size());
  const Ints has = x.axes.empty() ? Ints{1, 2, 3} : x.axes;
  Ints over, left = has;
  for (I axis : holds_integers(*constant_axes) ? integers_of(*constant_axes) : Ints{}) {
    axis += axis < 0 ? rank : 0;
    const bool spatial = rank == static_cast<I>(has.size()) + 1 && x.shape[0] == 1 && x.image == std::array<I, 3>{} && axis >= 1 &&
                         axis < rank && has[static_cast<std::size_t>(axis - 1)] != 3;
    if (!spatial) return error(ErrorCode::kUnsupported, op, "a mean over other axes than height and width", std::to_string(axis));
    over.push_back(has[static_cast<std::size_t>(axis - 1)]);
    left.erase(std::remove(left.begin(), left.end(), over.back()), left.end());
  }
  std::sort(over.begin(), over.end());
  if (over.empty() || std::adjacent_find(over.begin(), over.end()) != over.end())
    return error(ErrorCode::kBadFormat, op, "a mean over no axis, or over one twice", to_string(over));
  Ints axes;  // 1 is the height, axis 2 of the graph's [N, C, H, W]
  for (const I axis : over) axes.push_back(axis + 1);
  const bool vector = !keep && left.size() == 1, at_once = vector && axes.size() == 2;
  HEDGE_CHECK(finish(op, builder_.op("ReduceMean", {x.name}, {{"axes", axes}, {"keepdims", I{!at_once}}}, name)));
  Value& made = values_.at(op.outputs[0]);
  if (vector && !at_once) made.name = builder_.op("Flatten", {made.name}, {}, name + ".flat");
  if (!keep && !vector) made.axes = left;
  return {};
}

Status TfliteImport::reshape(const TfliteOperator& op, const std::string& name) {
  HEDGE_TRY(Value x, operand(op, 0));
  HEDGE_TRY(const std::int32_t made, output(op));
  const Shape before = x.shape;
  const Shape& after = shape_of(made);
  const auto is_vector = [](const Shape& shape) { return std::count_if(shape.begin(), shape.end(), [](I d) { return d != 1; }) <= 1; };
  const bool pixel = after.size() == 4 && after[1] == 1 && after[2] == 1;  // [1, 1, 1, C]
  const bool fits = num_elements(before) == num_elements(after) &&
                    (before == after || (is_vector(after) && (after.size() != 4 || (pixel && x.image == std::array<I, 3>{}))));
  if (!fits || (pixel && before.size() == 4 && before != after) || !x.axes.empty())
    return error(ErrorCode::kUnsupported, op, "a change of shape other than to a vector", to_string(before), to_string(after));
  // The integers stay as they are, and so does their scale, whatever the file claims for the new shape.
  if (before.size() == 4 && after.size() != 4 && x.image[0] == 0) {
    x.image = {before[3], before[1], before[2]};
    x.name = builder_.op("Flatten", {x.name}, {}, name);
    if (before[1] * before[2] == 1) x.image = {};
  } else if (before.size() != 4 && pixel) {
    x.name = builder_.op("Reshape", {x.name, builder_.integers(name + ".shape", {0, after[3], 1, 1})}, {}, name);
  }
  x.shape = after;
  values_[made] = x;
  return {};
}

Status TfliteImport::pad(const TfliteOperator& op) {
  HEDGE_TRY(Value x, operand(op, 0, true));
  HEDGE_CHECK(require_image(op, x));
  HEDGE_TRY(const std::int32_t made, output(op));
  HEDGE_TRY(const TfliteTensor* amounts, constant(op, 1));
  const Ints by = holds_integers(*amounts) ? integers_of(*amounts) : Ints{};
  const bool spatial = by.size() == 8 && by[0] == 0 && by[1] == 0 && by[6] == 0 && by[7] == 0;
  if (!spatial || std::any_of(by.begin(), by.end(), [](I v) { return v < 0 || v > 1 << 16; }))
    return error(ErrorCode::kUnsupported, op, "padding other than around the image", to_string(by));
  x.pads = {x.pads[0] + by[2], x.pads[1] + by[4], x.pads[2] + by[3], x.pads[3] + by[5]};
  values_[made] = x;
  return {};
}

}  // namespace hedge::codegen::internal

#include "codegen/tflite.h"

#include <algorithm>

#include "codegen/internal/tflite_import.h"
#include "core/file.h"

namespace hedge::codegen {
namespace internal {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;
constexpr const char* kOperators =
    "ADD, AVERAGE_POOL_2D, CONCATENATION, CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, HARD_SWISH, LOGISTIC, MAX_POOL_2D, MEAN, MUL, PACK, "
    "PAD, QUANTIZE, "
    "RELU, RELU6, RELU_N1_TO_1, RESHAPE, SHAPE, SQUEEZE, STRIDED_SLICE; DEQUANTIZE, LOGISTIC, QUANTIZE and SOFTMAX at the end";
constexpr const char* kWayOut =
    "convert it again to int8 throughout (TFLiteConverter: a representative_dataset, supported_ops = [TFLITE_BUILTINS_INT8]), or take the "
    "float model as ONNX and quantise it: hedge mcu quantize";

bool is_8_bit(const TfliteTensor& tensor) { return tensor.type == TfliteType::kInt8 || tensor.type == TfliteType::kUint8; }

}  // namespace

Error TfliteImport::error(ErrorCode code, const TfliteOperator& op, std::string what, std::string got, std::string expected) const {
  return {.code = code, .what = std::move(what), .where = where_ + ", " + op.name, .got = std::move(got), .expected = std::move(expected)};
}

Result<std::string> TfliteImport::there_and_back(const std::string& x, std::int32_t tensor, const std::string& name) {
  const TfliteTensor& spec = file_.tensors[static_cast<std::size_t>(tensor)];
  const std::string where = where_ + ", tensor " + std::to_string(tensor);
  if (!is_8_bit(spec) || spec.scales.size() != 1 || spec.scales[0] < 0)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "a tensor that is not quantised to 8 bits with one positive scale",
                 .where = where,
                 .hint = kWayOut};
  // u8 is i8 moved by 128.
  const std::int64_t zero_point = spec.zero_points[0] - (spec.type == TfliteType::kUint8 ? 128 : 0);
  if (zero_point < -128 || zero_point > 127)
    return Error{
        .code = ErrorCode::kBadFormat, .what = "a zero point outside its type", .where = where, .got = std::to_string(spec.zero_points[0])};
  const auto scale = builder_.scalar(name + "/scale", spec.scales[0]);
  const auto zero =
      builder_.constant(name + "/zero_point", Tensor::of<std::int8_t>({}, std::vector<std::int8_t>{static_cast<std::int8_t>(zero_point)}));
  const auto integers = builder_.op("QuantizeLinear", {x, scale, zero}, {}, name + "/int8");
  return builder_.op("DequantizeLinear", {integers, scale, zero}, {}, name);
}

Status TfliteImport::finish(const TfliteOperator& op, const std::string& x) {
  HEDGE_TRY(const std::int32_t tensor, output(op));
  if (values_.contains(tensor)) return error(ErrorCode::kBadFormat, op, "its output is made a second time");
  HEDGE_TRY(std::string name, there_and_back(x, tensor, "tensor_" + std::to_string(tensor)));
  values_[tensor] = {.name = std::move(name), .tensor = tensor, .shape = shape_of(tensor)};
  return {};
}

Result<std::int32_t> TfliteImport::output(const TfliteOperator& op) const {
  if (op.outputs.size() == 1 && op.outputs[0] >= 0) return op.outputs[0];
  return error(ErrorCode::kBadFormat, op, "a wrong number of outputs", std::to_string(op.outputs.size()), "1");
}

Result<TfliteImport::Value> TfliteImport::operand(const TfliteOperator& op, std::size_t i, bool padded) {
  if (i >= op.inputs.size() || op.inputs[i] < 0) return error(ErrorCode::kBadFormat, op, "input " + std::to_string(i) + " is missing");
  const auto found = values_.find(op.inputs[i]);
  if (found == values_.end())
    return error(ErrorCode::kUnsupported, op,
                 "input " + std::to_string(i) + ", tensor " + std::to_string(op.inputs[i]) + ", is computed by no earlier operator");
  if (!padded && found->second.pads != std::array<std::int64_t, 4>{}) return filled(op, found->second);
  return found->second;
}

Result<const TfliteTensor*> TfliteImport::constant(const TfliteOperator& op, std::size_t i) const {
  if (i >= op.inputs.size() || op.inputs[i] < 0) return error(ErrorCode::kBadFormat, op, "input " + std::to_string(i) + " is missing");
  const TfliteTensor* tensor = &file_.tensors[static_cast<std::size_t>(op.inputs[i])];
  if (!tensor->is_constant())
    return error(ErrorCode::kUnsupported, op, "input " + std::to_string(i) + " is computed; only a constant is implemented");
  return tensor;
}

Status TfliteImport::require_image(const TfliteOperator& op, const Value& value) const {
  if (value.shape.size() == 4 && value.shape[0] == 1 && value.image == std::array<std::int64_t, 3>{}) return {};
  return error(ErrorCode::kUnsupported, op, "tensor " + std::to_string(value.tensor) + " is no single image", to_string(value.shape),
               "[1, H, W, C]");
}

Status TfliteImport::input() {
  if (file_.inputs.size() != 1 || file_.outputs.size() != 1 || file_.inputs[0] < 0)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "a model with several inputs or outputs",
                 .where = where_,
                 .got = std::to_string(file_.inputs.size()) + " and " + std::to_string(file_.outputs.size()),
                 .expected = "one each"};
  std::int32_t tensor = file_.inputs[0];
  // A QUANTIZE right behind the input gives the input's integers.
  for (const auto& op : file_.operators)
    if (op.code == kTfliteQuantize && op.inputs.size() == 1 && op.inputs[0] == tensor && op.outputs.size() == 1 && op.outputs[0] >= 0) {
      tensor = op.outputs[0];
      break;
    }
  const TfliteTensor& spec = file_.tensors[static_cast<std::size_t>(tensor)];
  const bool image = spec.shape.size() == 4, vector = spec.shape.size() == 2;
  if ((!image && !vector) || spec.shape[0] != 1)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "an input that is no single image or vector",
                 .where = where_ + ", tensor " + std::to_string(tensor),
                 .got = to_string(spec.shape)};
  const auto x =
      builder_.input("image", DType::kF32, image ? Shape{-1, spec.shape[3], spec.shape[1], spec.shape[2]} : Shape{-1, spec.shape[1]});
  HEDGE_TRY(std::string name, there_and_back(x, tensor, "tensor_" + std::to_string(tensor)));
  values_[tensor] = {.name = name, .tensor = tensor, .shape = spec.shape};
  return {};
}

Status TfliteImport::requantise(const TfliteOperator& op) {
  HEDGE_TRY(const std::int32_t made, output(op));
  if (values_.contains(made) && op.inputs.size() == 1 && op.inputs[0] == file_.inputs[0]) return {};  // input() has seen to it
  HEDGE_TRY(const Value x, operand(op, 0));
  HEDGE_CHECK(finish(op, x.name));
  Value& y = values_.at(made);
  y.image = x.image;
  y.axes = x.axes;
  return {};
}

bool TfliteImport::at_the_end(std::size_t index) const {
  return std::all_of(file_.operators.begin() + static_cast<std::ptrdiff_t>(index) + 1, file_.operators.end(), [](const auto& later) {
    return later.code == kTfliteSoftmax || later.code == kTfliteDequantize || later.code == kTfliteQuantize;
  });
}

/// The order of the classes is the logits', so what only squeezes or rewrites the logits is left off.
Status TfliteImport::last(const TfliteOperator& op, const std::string& name) {
  HEDGE_TRY(const std::int32_t made, output(op));
  HEDGE_TRY(Value x, operand(op, 0));
  if (op.code == kTfliteLogistic && num_elements(x.shape) == 1) {
    HEDGE_TRY(x, two_classes(op, x, name));
  }
  values_[made] = x;
  return {};
}

std::string TfliteImport::exact_weights(const std::string& name, const Shape& shape, const std::vector<std::int8_t>& integers) {
  const auto weight = builder_.constant(name + ".weight/int8", Tensor::of<std::int8_t>(shape, integers));
  const auto scale = builder_.scalar(name + ".weight/scale", 1.0F / 127);
  return builder_.op("DequantizeLinear", {weight, scale}, {}, name + ".weight");
}

Result<TfliteImport::Value> TfliteImport::two_classes(const TfliteOperator& op, const Value& z, const std::string& name) {
  if (z.shape.size() > 2) return error(ErrorCode::kUnsupported, op, "a probability of an image", to_string(z.shape), "[1, 1]");
  const auto weights = exact_weights(name, {2, 1}, {0, 127});
  const auto logits = builder_.op("Gemm", {z.name, weights}, {{"transB", std::int64_t{1}}}, name);
  HEDGE_TRY(auto both, there_and_back(logits, z.tensor, name + "/logits"));
  return Value{.name = std::move(both), .tensor = z.tensor, .shape = {1, 2}};
}

Status TfliteImport::one(const TfliteOperator& op, std::size_t index) {
  const std::string name = "operator_" + std::to_string(index);
  const bool end = at_the_end(index);
  switch (op.code) {
    case kTfliteConv: return conv(op, name, false);
    case kTfliteDepthwise: return conv(op, name, true);
    case kTfliteFullyConnected: return fully_connected(op, name);
    case kTfliteAdd: return of_two(op, name, "Add");
    case kTfliteConcatenation: return concat(op, name);
    case kTfliteMul: return of_two(op, name, "Mul");
    case kTfliteSub: return of_two(op, name, "Sub");
    case kTfliteAveragePool: return pool(op, name, true);
    case kTfliteMaxPool: return pool(op, name, false);
    case kTfliteMean: return mean(op, name);
    case kTfliteReshape:
    case kTfliteSqueeze: return reshape(op, name);
    case kTflitePad: return pad(op);
    case kTfliteShape:
    case kTfliteStridedSlice:
    case kTflitePack: return shape_arithmetic(op);
    case kTfliteRelu:
    case kTfliteRelu6:
    case kTfliteReluN1To1:
    case kTfliteTanh:
    case kTfliteLeakyRelu:
    case kTfliteHardSwish: return function(op, name);
    case kTfliteLogistic: return end ? last(op, name) : function(op, name);
    case kTfliteQuantize: return end && index > 0 ? last(op, name) : requantise(op);
    case kTfliteSoftmax:
    case kTfliteDequantize:
      return end ? last(op, name) : Status(error(ErrorCode::kUnsupported, op, "it is implemented at the end of a model only"));
    default: return error(ErrorCode::kUnsupported, op, "an operator that is not implemented");
  }
}

Status TfliteImport::require_quantised() const {
  const auto tensor = [&](const std::vector<std::int32_t>& list, std::size_t i) -> const TfliteTensor* {
    return i < list.size() && list[i] >= 0 ? &file_.tensors[static_cast<std::size_t>(list[i])] : nullptr;
  };
  const bool halves = std::any_of(file_.tensors.begin(), file_.tensors.end(), [](const auto& t) { return t.type == TfliteType::kFloat16; });
  for (const auto& op : file_.operators) {
    if (op.code != kTfliteConv && op.code != kTfliteDepthwise && op.code != kTfliteFullyConnected) continue;
    const auto *made = tensor(op.outputs, 0), *weights = tensor(op.inputs, 1);
    if (made == nullptr || is_8_bit(*made)) continue;
    const bool integers = weights != nullptr && is_8_bit(*weights);
    const char* what = made->type == TfliteType::kInt16 ? "a 16x8 model: its activations are int16"
                       : halves                         ? "a float16 model: its weights are float16, and it computes in floats"
                       : integers                       ? "a dynamic-range model: its weights are int8, but it computes in floats"
                                                        : "a model in floats";
    return Error{
        .code = ErrorCode::kUnsupported, .what = what, .where = where_ + ", " + op.name, .expected = "int8 throughout", .hint = kWayOut};
  }
  return {};
}

void TfliteImport::stand_in(const TfliteOperator& op) {
  for (const auto made : op.outputs) {
    if (made < 0 || values_.contains(made)) continue;
    const Shape& shape = shape_of(made);
    const auto name = builder_.input("unknown_" + std::to_string(made), DType::kF32,
                                     shape.size() == 4 ? Shape{-1, shape[3], shape[1], shape[2]} : Shape{-1, num_elements(shape)});
    values_[made] = {.name = name, .tensor = made, .shape = shape};
  }
}

Error TfliteImport::all_in_the_way(const std::vector<Error>& found) const {
  Error all = found.front();
  all.expected = all.expected.empty() ? kOperators : all.expected;
  all.hint = all.hint.empty() ? kWayOut : all.hint;
  if (found.size() == 1) return all;
  all = {.code = ErrorCode::kUnsupported,
         .what = std::to_string(found.size()) + " operators stand in the way",
         .where = where_,
         .expected = kOperators,
         .hint = kWayOut};
  for (const auto& one : found) {
    all.got += (all.got.empty() ? "" : "; ") + one.where.substr(std::min(where_.size() + 2, one.where.size())) + ": " + one.what;
    if (!one.got.empty()) all.got += " (" + one.got + ")";
  }
  return all;
}

Result<graph::Graph> TfliteImport::run() {
  HEDGE_CHECK(require_quantised());
  HEDGE_CHECK(input());
  std::vector<Error> in_the_way;
  for (std::size_t i = 0; i < file_.operators.size(); ++i) {
    const auto done = one(file_.operators[i], i);
    if (done) continue;
    if (done.error().code != ErrorCode::kUnsupported) return done.error();
    in_the_way.push_back(done.error());
    stand_in(file_.operators[i]);
  }
  if (!in_the_way.empty()) return all_in_the_way(in_the_way);
  const auto found = values_.find(file_.outputs[0]);
  if (found == values_.end() || found->second.pads != std::array<std::int64_t, 4>{})
    return Error{.code = ErrorCode::kBadFormat, .what = "an output that no operator makes", .where = where_};
  const Shape& shape = found->second.shape;
  if (num_elements(shape) == 1)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "a single output that no LOGISTIC makes a probability",
                 .where = where_,
                 .expected = "an output a class, or one LOGISTIC at the end: the probability of the second of two classes"};
  std::string logits = found->second.name;
  if (shape.size() == 4 && found->second.image == std::array<std::int64_t, 3>{}) logits = builder_.op("Flatten", {logits});
  builder_.output(logits, "logits");
  auto built = std::move(builder_).build();
  if (built) return built;
  Error failed = std::move(built).error();
  failed.where = where_ + ", " + failed.where;
  return failed;
}

}  // namespace internal

Result<graph::Graph> parse_tflite_model(std::string_view bytes, std::string_view where) {
  internal::FlatBytes flat(bytes);
  HEDGE_TRY(const auto file, internal::parse_tflite(flat, bytes, std::string(where)));
  auto graph = internal::TfliteImport(file, std::string(where)).run();
  if (flat.broken())
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "an operator's options point outside the file: it is cut off or damaged",
                 .where = std::string(where)};
  return graph;
}

Result<graph::Graph> read_tflite(const std::filesystem::path& path) {
  HEDGE_TRY(const std::string bytes, read_file(path, internal::kMostBytes));
  return parse_tflite_model(bytes, path.string());
}

}  // namespace hedge::codegen

#include "codegen/tflite.h"

#include <algorithm>

#include "codegen/internal/tflite_import.h"
#include "core/file.h"

namespace hedge::codegen {
namespace internal {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;

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
                 .hint = "only quantised .tflite models are read; take the float model as ONNX and quantise it: hedge mcu quantize"};
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
  values_[tensor] = {.name = std::move(name), .tensor = tensor};
  return {};
}

Result<std::int32_t> TfliteImport::output(const TfliteOperator& op) const {
  if (op.outputs.size() == 1 && op.outputs[0] >= 0) return op.outputs[0];
  return error(ErrorCode::kBadFormat, op, "a wrong number of outputs", std::to_string(op.outputs.size()), "1");
}

Result<TfliteImport::Value> TfliteImport::operand(const TfliteOperator& op, std::size_t i, bool padded) const {
  if (i >= op.inputs.size() || op.inputs[i] < 0) return error(ErrorCode::kBadFormat, op, "input " + std::to_string(i) + " is missing");
  const auto found = values_.find(op.inputs[i]);
  if (found == values_.end())
    return error(ErrorCode::kUnsupported, op,
                 "input " + std::to_string(i) + ", tensor " + std::to_string(op.inputs[i]) + ", is computed by no earlier operator");
  if (!padded && found->second.pads != std::array<std::int64_t, 4>{})
    return error(ErrorCode::kUnsupported, op, "a PAD that no convolution follows");
  return found->second;
}

Result<const TfliteTensor*> TfliteImport::constant(const TfliteOperator& op, std::size_t i) const {
  if (i >= op.inputs.size() || op.inputs[i] < 0) return error(ErrorCode::kBadFormat, op, "input " + std::to_string(i) + " is missing");
  const TfliteTensor* tensor = &file_.tensors[static_cast<std::size_t>(op.inputs[i])];
  if (!tensor->is_constant())
    return error(ErrorCode::kUnsupported, op, "input " + std::to_string(i) + " is computed; only a constant is implemented");
  return tensor;
}

Status TfliteImport::require_image(const TfliteOperator& op, std::int32_t tensor) const {
  const Shape& shape = file_.tensors[static_cast<std::size_t>(tensor)].shape;
  if (shape.size() == 4 && shape[0] == 1) return {};
  return error(ErrorCode::kUnsupported, op, "tensor " + std::to_string(tensor) + " is no single image", to_string(shape), "[1, H, W, C]");
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
  values_[tensor] = {.name = name, .tensor = tensor};
  return {};
}

Status TfliteImport::requantise(const TfliteOperator& op) {
  HEDGE_TRY(const std::int32_t made, output(op));
  if (values_.contains(made) && op.inputs.size() == 1 && op.inputs[0] == file_.inputs[0]) return {};  // input() has seen to it
  return error(ErrorCode::kUnsupported, op, "a change of scale between layers");
}

/// SOFTMAX and DEQUANTIZE: only as the last operators, where they say nothing more about the class.
Status TfliteImport::last(const TfliteOperator& op, std::size_t index) {
  HEDGE_TRY(const std::int32_t made, output(op));
  HEDGE_TRY(const Value x, operand(op, 0));
  for (std::size_t later = index + 1; later < file_.operators.size(); ++later)
    if (file_.operators[later].code != kTfliteSoftmax && file_.operators[later].code != kTfliteDequantize)
      return error(ErrorCode::kUnsupported, op, "it is implemented at the end of a model only");
  values_[made] = x;
  return {};
}

Status TfliteImport::one(const TfliteOperator& op, std::size_t index) {
  const std::string name = "operator_" + std::to_string(index);
  switch (op.code) {
    case kTfliteConv: return conv(op, name, false);
    case kTfliteDepthwise: return conv(op, name, true);
    case kTfliteFullyConnected: return fully_connected(op, name);
    case kTfliteAdd: return add(op, name);
    case kTfliteAveragePool: return pool(op, name, true);
    case kTfliteMaxPool: return pool(op, name, false);
    case kTfliteMean: return mean(op, name);
    case kTfliteReshape:
    case kTfliteSqueeze: return reshape(op, name);
    case kTflitePad: return pad(op);
    case kTfliteQuantize: return requantise(op);
    case kTfliteSoftmax:
    case kTfliteDequantize: return last(op, index);
    default: return error(ErrorCode::kUnsupported, op, "an operator that is not implemented", "code " + std::to_string(op.code));
  }
}

Result<graph::Graph> TfliteImport::run() {
  HEDGE_CHECK(input());
  for (std::size_t i = 0; i < file_.operators.size(); ++i) HEDGE_CHECK(one(file_.operators[i], i));
  const auto found = values_.find(file_.outputs[0]);
  if (found == values_.end() || found->second.pads != std::array<std::int64_t, 4>{})
    return Error{.code = ErrorCode::kBadFormat, .what = "an output that no operator makes", .where = where_};
  const Shape& shape = file_.tensors[static_cast<std::size_t>(found->second.tensor)].shape;
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

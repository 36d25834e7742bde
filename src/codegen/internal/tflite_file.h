#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/internal/flatbuffer.h"
#include "hedge/result.h"
#include "hedge/tensor.h"

/// A .tflite file as plain values, its offsets checked. Field numbers: the public schema of TensorFlow Lite, version 3
/// (docs/formats/tflite.md).
namespace hedge::codegen::internal {

enum class TfliteType : std::int8_t { kFloat32 = 0, kFloat16 = 1, kInt32 = 2, kUint8 = 3, kInt64 = 4, kBool = 6, kInt16 = 7, kInt8 = 9 };

struct TfliteTensor {
  Shape shape;
  TfliteType type = TfliteType::kFloat32;
  std::vector<float> scales;  ///< finite, not zero; published models have negative ones for some channels of their weights
  std::vector<std::int64_t> zero_points;
  std::int32_t axis = 0;  ///< of several scales
  std::string_view data;  ///< empty: computed. Borrowed from the file's bytes; exactly the shape's elements
  [[nodiscard]] bool is_constant() const { return !data.empty(); }
};

/// Element `i` of an int8 or uint8 constant, as it is stored. Precondition: it is one, and i is inside.
inline std::int32_t weight_at(const TfliteTensor& tensor, std::size_t i) {
  const char byte = tensor.data[i];
  return tensor.type == TfliteType::kUint8 ? static_cast<std::uint8_t>(byte) : static_cast<std::int8_t>(byte);
}

/// Builtin operators that the importer knows; the values are the schema's.
enum TfliteOp : std::int32_t {
  kTfliteAdd = 0,
  kTfliteAveragePool = 1,
  kTfliteConcatenation = 2,
  kTfliteConv = 3,
  kTfliteDepthwise = 4,
  kTfliteDequantize = 6,
  kTfliteFullyConnected = 9,
  kTfliteLogistic = 14,
  kTfliteMaxPool = 17,
  kTfliteMul = 18,
  kTfliteRelu = 19,
  kTfliteReluN1To1 = 20,
  kTfliteRelu6 = 21,
  kTfliteReshape = 22,
  kTfliteSoftmax = 25,
  kTfliteTanh = 28,
  kTflitePad = 34,
  kTfliteMean = 40,
  kTfliteSub = 41,
  kTfliteSqueeze = 43,
  kTfliteStridedSlice = 45,
  kTfliteShape = 77,
  kTflitePack = 83,
  kTfliteLeakyRelu = 98,
  kTfliteQuantize = 114,
  kTfliteHardSwish = 117,
};

struct TfliteOperator {
  std::int32_t code = 0;
  std::string name;                  ///< "operator 12 (CONV_2D)", for messages
  std::vector<std::int32_t> inputs;  ///< -1: left out; else an index of a tensor
  std::vector<std::int32_t> outputs;
  FlatTable options;
};

struct TfliteFile {
  std::vector<TfliteTensor> tensors;
  std::vector<TfliteOperator> operators;
  std::vector<std::int32_t> inputs;
  std::vector<std::int32_t> outputs;
};

/// `bytes` must outlive the result, `flat` too. Errors: kBadFormat no .tflite, an offset, index, count or size that does not fit (named);
/// kUnsupported another schema version, several subgraphs, sparse tensors, buffers outside the file.
Result<TfliteFile> parse_tflite(FlatBytes& flat, std::string_view bytes, const std::string& where);

}  // namespace hedge::codegen::internal

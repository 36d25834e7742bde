#include "codegen/internal/tflite_file.h"

#include <cmath>

#include "codegen/internal/tflite_names.h"

namespace hedge::codegen::internal {
namespace {

constexpr std::uint32_t kSchema = 3;
constexpr std::int64_t kMostDimension = 1 << 24;

// Field numbers of the schema's tables.
namespace model {
constexpr std::size_t kVersion = 0, kCodes = 1, kSubgraphs = 2, kBuffers = 4;
}
namespace code {
constexpr std::size_t kOld = 0, kNew = 3;
}
namespace subgraph {
constexpr std::size_t kTensors = 0, kInputs = 1, kOutputs = 2, kOperators = 3;
}
namespace tensor {
constexpr std::size_t kShape = 0, kType = 1, kBuffer = 2, kQuantization = 4, kSparsity = 6;
}
namespace quantization {
constexpr std::size_t kScale = 2, kZeroPoint = 3, kAxis = 6;
}
namespace op {
constexpr std::size_t kCode = 0, kInputs = 1, kOutputs = 2, kOptions = 4;
}
namespace buffer {
constexpr std::size_t kData = 0, kOffset = 1;
}

std::size_t width_of(TfliteType type) {
  switch (type) {
    case TfliteType::kUint8:
    case TfliteType::kBool:
    case TfliteType::kInt8: return 1;
    case TfliteType::kFloat16:
    case TfliteType::kInt16: return 2;
    case TfliteType::kInt64: return 8;
    default: return 4;
  }
}

class Parser {
 public:
  Parser(FlatBytes& flat, std::string_view bytes, const std::string& where) : flat_(flat), bytes_(bytes), where_(where) {}

  Result<TfliteFile> run() {
    if (bytes_.size() < 8 || bytes_.substr(4, 4) != "TFL3")
      return bad("no .tflite file", bytes_.size() < 8 ? std::to_string(bytes_.size()) + " bytes" : "", "the identifier TFL3");
    const FlatTable root = FlatTable::root(&flat_);
    if (const auto version = root.number<std::uint32_t>(model::kVersion); version != kSchema && !flat_.broken())
      return unsupported("another version of the schema", std::to_string(version), std::to_string(kSchema));
    const FlatVector graphs = root.vector(model::kSubgraphs, 4);
    if (flat_.broken()) return broken("the model's table");
    if (graphs.size() != 1) return unsupported("a model of several subgraphs, or none", std::to_string(graphs.size()), "1");
    const FlatTable graph = root.element(graphs, 0);
    HEDGE_CHECK(tensors(root, graph));
    HEDGE_CHECK(indices(graph.vector(subgraph::kInputs, 4), "the inputs", file_.inputs));
    HEDGE_CHECK(indices(graph.vector(subgraph::kOutputs, 4), "the outputs", file_.outputs));
    HEDGE_CHECK(operators(root, graph));
    return std::move(file_);
  }

 private:
  [[nodiscard]] Error bad(std::string what, std::string got = {}, std::string expected = {}) const {
    return {
        .code = ErrorCode::kBadFormat, .what = std::move(what), .where = where_, .got = std::move(got), .expected = std::move(expected)};
  }
  [[nodiscard]] Error unsupported(std::string what, std::string got = {}, std::string expected = {}) const {
    return {
        .code = ErrorCode::kUnsupported, .what = std::move(what), .where = where_, .got = std::move(got), .expected = std::move(expected)};
  }
  [[nodiscard]] Error broken(const std::string& part) const { return bad(part + " points outside the file: it is cut off or damaged"); }

  Status indices(const FlatVector& from, const std::string& part, std::vector<std::int32_t>& to) const {
    for (std::size_t i = 0; i < from.size(); ++i) {
      const auto index = from.at<std::int32_t>(i);
      if (index < -1 || index >= static_cast<std::int64_t>(file_.tensors.size()))
        return bad(part + " name a tensor that is not there", std::to_string(index), "below " + std::to_string(file_.tensors.size()));
      to.push_back(index);
    }
    if (flat_.broken()) return broken(part);
    return {};
  }

  Status tensors(const FlatTable& root, const FlatTable& graph) {
    const FlatVector list = graph.vector(subgraph::kTensors, 4);
    const FlatVector buffers = root.vector(model::kBuffers, 4);
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string part = "tensor " + std::to_string(i);
      HEDGE_TRY(auto one, read_tensor(graph.element(list, i), part));
      HEDGE_CHECK(attach(root, buffers, graph.element(list, i), part, one));
      if (flat_.broken()) return broken(part);
      file_.tensors.push_back(std::move(one));
    }
    return flat_.broken() ? Status(broken("the list of tensors")) : Status{};
  }

  Result<TfliteTensor> read_tensor(const FlatTable& from, const std::string& part) const {
    TfliteTensor one;
    const FlatVector shape = from.vector(tensor::kShape, 4);
    if (shape.size() > 8) return bad(part + " has too many dimensions", std::to_string(shape.size()), "at most 8");
    for (std::size_t d = 0; d < shape.size(); ++d) {
      one.shape.push_back(shape.at<std::int32_t>(d));
      if (one.shape.back() < 0 || one.shape.back() > kMostDimension) return bad(part + " has an impossible shape", to_string(one.shape));
    }
    if (auto count = checked_num_elements(one.shape); !count) return bad(part + " has an impossible shape", to_string(one.shape));
    one.type = static_cast<TfliteType>(from.number<std::int8_t>(tensor::kType));
    if (const FlatTable sparse = from.table(tensor::kSparsity); sparse.vector(2, 4).size() > 0) return unsupported(part + " is sparse");
    const FlatTable scaling = from.table(tensor::kQuantization);
    const FlatVector scales = scaling.vector(quantization::kScale, 4), zeros = scaling.vector(quantization::kZeroPoint, 8);
    for (std::size_t s = 0; s < scales.size(); ++s) {
      one.scales.push_back(scales.at<float>(s));
      one.zero_points.push_back(zeros.at<std::int64_t>(s));  // 0 where it is left out
      if (one.scales.back() == 0 || !std::isfinite(one.scales.back()))
        return bad(part + " has a scale that is zero or not finite", std::to_string(one.scales.back()));
      if (one.zero_points.back() < -128 || one.zero_points.back() > 255)
        return bad(part + " has an impossible zero point", std::to_string(one.zero_points.back()));
    }
    one.axis = scaling.number<std::int32_t>(quantization::kAxis);
    return one;
  }

  /// Attaches a constant's bytes.
  Status attach(const FlatTable& root, const FlatVector& buffers, const FlatTable& from, const std::string& part, TfliteTensor& one) const {
    const auto index = from.number<std::uint32_t>(tensor::kBuffer);
    if (flat_.broken()) return broken(part);
    if (index >= buffers.size())
      return bad(part + " names a buffer that is not there", std::to_string(index), "below " + std::to_string(buffers.size()));
    const FlatTable buffer_table = root.element(buffers, index);
    if (buffer_table.number<std::uint64_t>(buffer::kOffset) > 1)
      return unsupported(part + " lies outside the FlatBuffers part of the file");
    one.data = buffer_table.vector(buffer::kData, 1).raw();
    if (one.data.empty()) return {};
    const auto expected = static_cast<std::size_t>(num_elements(one.shape)) * width_of(one.type);
    if (one.data.size() != expected)
      return bad(part + " has a constant of another size than its shape " + to_string(one.shape),
                 std::to_string(one.data.size()) + " bytes", std::to_string(expected));
    return {};
  }

  Status operators(const FlatTable& root, const FlatTable& graph) {
    const FlatVector codes = root.vector(model::kCodes, 4), list = graph.vector(subgraph::kOperators, 4);
    for (std::size_t i = 0; i < list.size(); ++i) {
      const FlatTable from = graph.element(list, i);
      TfliteOperator one;
      one.name = "operator " + std::to_string(i);
      const auto index = from.number<std::uint32_t>(op::kCode);
      if (flat_.broken()) return broken(one.name);
      if (index >= codes.size())
        return bad(one.name + " has a code that is not there", std::to_string(index), "below " + std::to_string(codes.size()));
      const FlatTable code_table = root.element(codes, index);
      // Files of before schema 3a have only the old, 8-bit code.
      one.code = std::max<std::int32_t>(code_table.number<std::int8_t>(code::kOld), code_table.number<std::int32_t>(code::kNew));
      one.name += " (" + tflite_operator_name(one.code) + ")";
      HEDGE_CHECK(indices(from.vector(op::kInputs, 4), one.name + ": inputs", one.inputs));
      HEDGE_CHECK(indices(from.vector(op::kOutputs, 4), one.name + ": outputs", one.outputs));
      one.options = from.table(op::kOptions);
      if (flat_.broken()) return broken(one.name);
      file_.operators.push_back(std::move(one));
    }
    return flat_.broken() ? Status(broken("the list of operators")) : Status{};
  }

  FlatBytes& flat_;
  std::string_view bytes_;
  std::string where_;
  TfliteFile file_;
};

}  // namespace

Result<TfliteFile> parse_tflite(FlatBytes& flat, std::string_view bytes, const std::string& where) {
  return Parser(flat, bytes, where).run();
}

}  // namespace hedge::codegen::internal

#include "graph/onnx/internal/external_data.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>
#include <utility>

#include "core/inside.h"
#include "graph/onnx/internal/decode.h"

namespace hedge::graph::internal {
namespace {

namespace fs = std::filesystem;

constexpr int kMostDepth = 32;  // of graphs within attributes; protobuf stops earlier

/// Where a tensor's bytes are.
struct Place {
  std::string location;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  ///< 0: to the end of the file
};

Result<Place> place_of(const onnx::TensorProto& tensor, const std::string& where) {
  Place place;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") place.location = entry.value();
    auto* const number = entry.key() == "offset" ? &place.offset : entry.key() == "length" ? &place.length : nullptr;
    if (number == nullptr) continue;
    const auto& text = entry.value();
    const auto read = std::from_chars(text.data(), text.data() + text.size(), *number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size())
      return Error{.code = ErrorCode::kBadFormat,
                   .what = "the " + entry.key() + " of a weight in another file is no number",
                   .where = where,
                   .got = text.substr(0, 60)};
  }
  return place;
}

class Loader {
 public:
  explicit Loader(const fs::path& model) : model_(model) {}

  Status load(onnx::GraphProto& graph, int depth = 0) {
    if (depth == kMostDepth) return {};
    for (auto& tensor : *graph.mutable_initializer()) HEDGE_CHECK(load(tensor));
    for (auto& node : *graph.mutable_node())
      for (auto& attribute : *node.mutable_attribute()) {
        if (attribute.has_t()) HEDGE_CHECK(load(*attribute.mutable_t()));
        for (auto& tensor : *attribute.mutable_tensors()) HEDGE_CHECK(load(tensor));
        if (attribute.has_g()) HEDGE_CHECK(load(*attribute.mutable_g(), depth + 1));
        for (auto& inner : *attribute.mutable_graphs()) HEDGE_CHECK(load(inner, depth + 1));
      }
    return {};
  }

 private:
  Status load(onnx::TensorProto& tensor) {
    if (tensor.data_location() != onnx::TensorProto::EXTERNAL) return {};
    const std::string where = "tensor " + tensor.name();
    HEDGE_TRY(const auto place, place_of(tensor, where));
    HEDGE_TRY(const auto path, path_inside(model_, place.location, "the model's weights"));
    HEDGE_TRY(auto bytes, read(path, place, where));
    tensor.set_raw_data(std::move(bytes));
    tensor.clear_external_data();
    tensor.clear_data_location();
    return {};
  }

  Result<std::string> read(const fs::path& path, const Place& place, const std::string& where) {
    std::error_code code;
    const bool plain = fs::is_regular_file(path, code);
    const auto size = plain ? fs::file_size(path, code) : 0;
    if (!plain || code) return Error{.code = ErrorCode::kIo, .what = "the file of weights cannot be read", .where = path.string()};
    const auto length = place.length > 0 ? place.length : size - std::min<std::uint64_t>(place.offset, size);
    if (place.offset > size || length > size - place.offset)
      return Error{.code = ErrorCode::kBadFormat,
                   .what = "a weight lies beyond the end of its file",
                   .where = path.string() + ": " + where,
                   .got = "bytes " + std::to_string(place.offset) + " to " + std::to_string(place.offset + length),
                   .expected = "at most " + std::to_string(size),
                   .hint = "the file of weights is truncated, or another model's"};
    total_ += length;
    if (total_ > kMostBytes)
      return Error{.code = ErrorCode::kUnsupported, .what = "the model's weights are larger than 2 GiB", .where = path.string()};
    std::string bytes(static_cast<std::size_t>(length), '\0');
    std::ifstream file(path, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(place.offset));
    if (!file.read(bytes.data(), static_cast<std::streamsize>(length)))
      return Error{.code = ErrorCode::kIo, .what = "cannot read the file of weights", .where = path.string()};
    return bytes;
  }

  const fs::path& model_;
  std::uint64_t total_ = 0;
};

}  // namespace

Status load_external(onnx::ModelProto& model, const fs::path& path) { return Loader(path).load(*model.mutable_graph()); }

}  // namespace hedge::graph::internal

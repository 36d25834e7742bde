// Any bytes: decode_safetensors refuses them, or what it gives encodes to a file that decodes to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "core/safetensors.h"

namespace {

/// A well-formed file with one tensor, whose shape and bytes the input's first bytes choose: a short way past the header.
std::string seed(const std::uint8_t* data, std::size_t size) {
  hedge::TensorFile file;
  const std::size_t count = size > 0 ? data[0] % 8 : 0;
  hedge::Tensor tensor(hedge::DType::kU8, {static_cast<std::int64_t>(count), 1});
  for (std::size_t i = 0; i < count && i + 1 < size; ++i) tensor.data<std::uint8_t>()[i] = data[i + 1];
  file.tensors.emplace("t", std::move(tensor));
  file.metadata.emplace("key", "value");
  return hedge::encode_safetensors(file);
}

void check(std::string_view bytes) {
  const auto first = hedge::decode_safetensors(bytes, "fuzz");
  if (!first) return;
  const std::string again = hedge::encode_safetensors(*first);
  const auto second = hedge::decode_safetensors(again, "fuzz");
  if (!second || hedge::encode_safetensors(*second) != again) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check({reinterpret_cast<const char*>(data), size});
  // The same bytes as a header with its length put right, and laid over a well-formed file.
  std::string framed(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) framed[i] = static_cast<char>(size >> (8 * i));
  framed.append(reinterpret_cast<const char*>(data), size);
  check(framed);
  std::string altered = seed(data, size);
  if (size > 9) altered[data[8] % altered.size()] = static_cast<char>(data[9]);
  check(altered);
  return 0;
}

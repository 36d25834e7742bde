#include "routing/row_identity.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "core/sha256.h"

namespace hedge::routing {
namespace {

constexpr std::string_view kScheme = "table:";
constexpr std::string_view kReserved = "?&+";

std::string_view bytes_of(const Tensor& tensor) { return {reinterpret_cast<const char*>(tensor.bytes()), tensor.num_bytes()}; }

}  // namespace

std::int64_t hash_of(std::string_view text) {
  const auto hex = sha256_hex(text);
  constexpr std::size_t kDigits = 16;
  return static_cast<std::int64_t>(std::stoull(hex.substr(0, kDigits), nullptr, 16));
}

std::int64_t row_hash(std::string_view name, std::string_view id) {
  std::string text(name);
  text += '\0';
  text += id;
  return hash_of(text);
}

std::string rows_hash(const PredictionTable& table) {
  const auto labels = table.labels.data<std::int64_t>(), images = table.image_hashes.data<std::int64_t>();
  if (images.empty()) return Sha256().update(bytes_of(table.labels)).update(bytes_of(table.base_logits)).hex();
  std::vector<std::pair<std::int64_t, std::int64_t>> rows;
  for (std::size_t i = 0; i < labels.size(); ++i) rows.emplace_back(images[i], labels[i]);
  std::sort(rows.begin(), rows.end());
  Sha256 hash;
  for (const auto& [image, label] : rows) {
    char bytes[sizeof image + sizeof label];
    std::memcpy(bytes, &image, sizeof image);
    std::memcpy(bytes + sizeof image, &label, sizeof label);
    hash.update({bytes, sizeof bytes});
  }
  return hash.hex();
}

std::string table_dataset(std::string_view name, std::string_view split) {
  return std::string(kScheme) + std::string(name) + "?split=" + std::string(split);
}

std::string name_of_table(std::string_view dataset) {
  if (!dataset.starts_with(kScheme)) return {};
  dataset.remove_prefix(kScheme.size());
  return std::string(dataset.substr(0, dataset.find('?')));
}

std::string table_name_of(std::string text) {
  std::erase_if(text, [](char c) { return kReserved.find(c) != std::string_view::npos; });
  return text;
}

Status check_table_name(const std::string& name) {
  if (name.find_first_of(kReserved) == std::string::npos) return {};
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "a data set's name holds a reserved sign",
               .got = name.substr(0, 80),
               .expected = "no ? & +"};
}

}  // namespace hedge::routing

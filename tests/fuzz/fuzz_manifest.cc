// Any bytes as a bundle's manifest: refused with an error, or a manifest that survives being written and read. Then as plain JSON:
// a value that can be asked for fields of any type.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "edge/manifest.h"

namespace {

void check_manifest(std::string_view text) {
  const auto manifest = hedge::edge::parse_manifest(text, "fuzz");
  if (!manifest) {
    if (manifest.error().message().empty()) std::abort();
    return;
  }
  const auto again = hedge::edge::parse_manifest(hedge::edge::to_json(*manifest), "again");
  if (!again || !(*again == *manifest)) std::abort();
}

void check_fields(std::string_view text) {
  const auto json = hedge::parse_json(text, "fuzz");
  if (!json) return;
  for (const char* key : {"schema", "parts", "sha256", "bytes"}) {
    (void)hedge::get_field<std::int64_t>(*json, key, "fuzz").ok();
    (void)hedge::get_field<std::uint64_t>(*json, key, "fuzz").ok();
    (void)hedge::get_field<double>(*json, key, "fuzz").ok();
    (void)hedge::get_field<bool>(*json, key, "fuzz").ok();
    (void)hedge::get_field<std::string>(*json, key, "fuzz").ok();
    (void)hedge::get_field<std::vector<std::int64_t>>(*json, key, "fuzz").ok();
    (void)hedge::get_field<std::map<std::string, std::string>>(*json, key, "fuzz").ok();
  }
}

/// A manifest as a program writes it, to be altered a byte or two at a time.
const std::string& example() {
  static const std::string text = [] {
    hedge::edge::Manifest manifest;
    manifest.created_by = "fuzz";
    for (const auto role : hedge::edge::kRoles)
      manifest.parts[role] = {.path = std::string(hedge::edge::to_string(role)) + ".bin", .sha256 = std::string(64, 'a'), .bytes = 7};
    manifest.base.preprocess.normalization = {{0.5F, 0.5F, 0.5F}, {0.25F, 0.25F, 0.25F}};
    manifest.global.name = "global";
    manifest.global.preprocess = manifest.base.preprocess;
    manifest.global.sha256 = std::string(64, 'b');
    manifest.global.classes = {"", "cat", "dog"};
    manifest.global.outputs = 3;
    manifest.global.columns = {2, 1};
    manifest.global.also = {{.sha256 = std::string(64, 'c'),
                             .preprocess = manifest.base.preprocess,
                             .classes = {"dog", "cat"},
                             .outputs = 2,
                             .columns = {1, 0}}};
    manifest.classes_by = hedge::edge::ClassesBy::kPosition;
    manifest.class_notes = {"a note"};
    return hedge::edge::to_json(manifest);
  }();
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_manifest(text);
  check_fields(text);
  std::string altered = example();
  for (std::size_t i = 0; i + 2 < size && i < 12; i += 3)
    altered[(data[i] | static_cast<std::size_t>(data[i + 1]) << 8) % altered.size()] = static_cast<char>(data[i + 2]);
  check_manifest(altered);
  return 0;
}

// Any bytes as a handshake's answers, beside a sound image: refused with an error, or a handshake that survives being written and read.
// Then as the image, beside sound answers. What was read is asked to recognise its own answers, and others.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "edge/handshake.h"

namespace {

using hedge::edge::Handshake;

const Handshake& example() {
  static const Handshake handshake = [] {
    Handshake made{.dataset = "fuzz", .globals = {{.sha256 = std::string(64, 'a')}, {.sha256 = std::string(64, 'b')}}};
    for (std::uint8_t i = 0; i < 4; ++i) {
      made.images.push_back({.height = 2, .width = 2, .channels = 1, .pixels = {i, 1, 2, 3}});
      for (auto& global : made.globals) global.logits.push_back({1.5F, static_cast<float>(i), -2.0F});
    }
    return made;
  }();
  return handshake;
}

void check(std::string_view png, std::string_view json) {
  const auto handshake = hedge::edge::parse_handshake(png, json, "fuzz");
  if (!handshake) {
    if (handshake.error().message().empty()) std::abort();
    return;
  }
  const auto again =
      hedge::edge::parse_handshake(hedge::edge::handshake_png(*handshake).value(), hedge::edge::handshake_json(*handshake), "again");
  if (!again || !(again->globals == handshake->globals)) std::abort();
  std::vector<std::vector<std::vector<float>>> own, reversed;
  for (const auto& global : handshake->globals) {
    own.push_back(global.logits);
    reversed.emplace_back(global.logits.rbegin(), global.logits.rend());
  }
  if (!hedge::edge::recognise(*handshake, own)) std::abort();
  (void)hedge::edge::recognise(*handshake, reversed).ok();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string png = hedge::edge::handshake_png(example()).value();
  static const std::string json = hedge::edge::handshake_json(example());
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(png, text);
  check(text, json);
  std::string altered = json;
  for (std::size_t i = 0; i + 2 < size && i < 12; i += 3)
    altered[(data[i] | static_cast<std::size_t>(data[i + 1]) << 8) % altered.size()] = static_cast<char>(data[i + 2]);
  check(png, altered);
  return 0;
}

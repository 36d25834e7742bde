#include "graph/zoo.h"

#include <charconv>
#include <string_view>
#include <vector>

#include "graph/internal/zoo_parts.h"

namespace hedge::graph {
namespace {

constexpr const char* kGrammar =
    "mobile:WIDTH[,expand=1..8][,depth=1..8][,stem=1..1024][,stem_stride=1|2][,head=1..4096], "
    "resnet:WIDTH,DEPTH[,stem_stride=1|2], pooled:WIDTH,WIDTH,WIDTH[,stem=1..256], mcunet-in0 .. mcunet-in4 or mcunet-vww1; "
    "WIDTH 1..256, DEPTH 1..20";

Error spec_error(const std::string& spec, std::string what) {
  return {.code = ErrorCode::kInvalidArgument, .what = std::move(what), .where = "network \"" + spec + "\"", .expected = kGrammar};
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0;;) {
    const std::size_t end = text.find(separator, at);
    parts.push_back(text.substr(at, end - at));
    if (end == std::string_view::npos) return parts;
    at = end + 1;
  }
}

/// One number of the spec: where it goes and its range.
struct Field {
  std::string_view key;
  std::int64_t* value;
  std::int64_t least;
  std::int64_t most;
};

Status parse_number(const std::string& spec, const Field& field, std::string_view text) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size() || value < field.least || value > field.most)
    return spec_error(spec, std::string(field.key) + " must be a whole number from " + std::to_string(field.least) + " to " +
                                std::to_string(field.most) + ", not \"" + std::string(text) + "\"");
  *field.value = value;
  return {};
}

/// The first fields of a spec are positional, the others KEY=VALUE.
Status parse_fields(const std::string& spec, std::string_view text, const std::vector<Field>& positional, const std::vector<Field>& named) {
  const auto parts = split(text, ',');
  if (parts.size() < positional.size()) return spec_error(spec, "numbers are missing");
  for (std::size_t i = 0; i < positional.size(); ++i) HEDGE_CHECK(parse_number(spec, positional[i], parts[i]));
  for (std::size_t i = positional.size(); i < parts.size(); ++i) {
    const std::size_t equals = parts[i].find('=');
    const Field* field = nullptr;
    for (const Field& one : named)
      if (equals != std::string_view::npos && one.key == parts[i].substr(0, equals)) field = &one;
    if (field == nullptr) return spec_error(spec, "an unknown option \"" + std::string(parts[i]) + "\"");
    HEDGE_CHECK(parse_number(spec, *field, parts[i].substr(equals + 1)));
  }
  return {};
}

Status check_image(const std::string& spec, const ImageShape& image, std::int64_t classes) {
  const auto inside = [](std::int64_t v, std::int64_t least, std::int64_t most) { return v >= least && v <= most; };
  if (inside(image.channels, 1, 1024) && inside(image.height, 8, 4096) && inside(image.width, 8, 4096) && inside(classes, 2, 1 << 20))
    return {};
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "no network for these images and classes",
               .where = "network \"" + spec + "\"",
               .got = to_string(Shape{image.channels, image.height, image.width}) + ", " + std::to_string(classes) + " classes",
               .expected = "images of 1..1024 channels and 8..4096 pixels a side, 2..2^20 classes"};
}

}  // namespace

Result<Graph> build_zoo(const std::string& spec, const ImageShape& image, std::int64_t classes, std::uint64_t seed) {
  HEDGE_CHECK(check_image(spec, image, classes));
  const std::size_t colon = spec.find(':');
  const std::string family = spec.substr(0, colon);
  const std::string_view rest = colon == std::string::npos ? std::string_view{} : std::string_view(spec).substr(colon + 1);
  if (family == "mobile") {
    internal::MobileOptions o;
    HEDGE_CHECK(parse_fields(spec, rest, {{"WIDTH", &o.width, 1, 256}},
                             {{"expand", &o.expand, 1, 8},
                              {"depth", &o.depth, 1, 8},
                              {"stem", &o.stem, 1, 1024},
                              {"stem_stride", &o.stem_stride, 1, 2},
                              {"head", &o.head, 1, 4096}}));
    return internal::build_mobile(o, image, classes, seed);
  }
  if (family == "resnet") {
    internal::ResnetOptions o;
    HEDGE_CHECK(
        parse_fields(spec, rest, {{"WIDTH", &o.width, 1, 256}, {"DEPTH", &o.depth, 1, 20}}, {{"stem_stride", &o.stem_stride, 1, 2}}));
    return internal::build_resnet(o, image, classes, seed);
  }
  if (family == "pooled") {
    internal::PooledOptions o;
    HEDGE_CHECK(parse_fields(spec, rest, {{"WIDTH", &o.first, 1, 256}, {"WIDTH", &o.second, 1, 256}, {"WIDTH", &o.third, 1, 256}},
                             {{"stem", &o.stem, 1, 256}}));
    return internal::build_pooled(o, image, classes, seed);
  }
  if (spec.starts_with("mcunet")) return internal::build_mcunet(spec, image, classes, seed);
  return spec_error(spec, "an unknown family of networks, \"" + family + "\"");
}

}  // namespace hedge::graph

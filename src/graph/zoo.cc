#include "graph/zoo.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/internal/zoo_parts.h"
#include "graph/once_for_all.h"

namespace hedge::graph {
namespace {

constexpr const char* kGrammar =
    "mobile:WIDTH[,expand=1..8][,depth=1..8][,stem=1..1024][,stem_stride=1|2][,head=1..4096], "
    "resnet:WIDTH,DEPTH[,stem_stride=1|2], pooled:WIDTH,WIDTH,WIDTH[,stem=1..256] (WIDTH 1..256, DEPTH 1..20); "
    "mcunet-in0 .. mcunet-in4, mcunet-vww1; mobilenetv2:SCALE, mobilenetv3-small:SCALE, mobilenetv3-large:SCALE (SCALE 0.1..4), "
    "efficientnet-lite0 .. efficientnet-lite4, resnet18, resnet34, resnet50, "
    "ofa-mbv3[:width=SCALE][,kernel=3|5|7][,expand=3|4|6][,depth=2|3|4] (of kernel and expand also 20 digits, of depth 5), "
    "each of these from mobilenetv2 on with [,halvings=1..5]";

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

/// One value of the spec: where it goes and, of a number, its range.
struct Field {
  std::string_view key;
  std::variant<std::int64_t*, double*, std::string*> value;
  double least = 0;
  double most = 0;
};

template <typename Number>
bool read_number(std::string_view text, const Field& field, Number& value) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc{} && end == text.data() + text.size() && static_cast<double>(value) >= field.least &&
         static_cast<double>(value) <= field.most;
}

Status parse_value(const std::string& spec, const Field& field, std::string_view text) {
  if (const auto* word = std::get_if<std::string*>(&field.value)) {
    **word = text;
    return {};
  }
  const bool whole = std::holds_alternative<std::int64_t*>(field.value);
  if (whole ? read_number(text, field, *std::get<std::int64_t*>(field.value)) : read_number(text, field, *std::get<double*>(field.value)))
    return {};
  std::ostringstream what;
  what << field.key << " must be a " << (whole ? "whole number" : "number") << " from " << field.least << " to " << field.most << ", not \""
       << text << '"';
  return spec_error(spec, what.str());
}

/// The first fields of a spec are positional, the others KEY=VALUE.
Status parse_fields(const std::string& spec, std::string_view text, const std::vector<Field>& positional, const std::vector<Field>& named) {
  auto parts = split(text, ',');
  if (positional.empty() && text.empty()) parts.clear();
  if (parts.size() < positional.size()) return spec_error(spec, "numbers are missing");
  for (std::size_t i = 0; i < positional.size(); ++i) HEDGE_CHECK(parse_value(spec, positional[i], parts[i]));
  for (std::size_t i = positional.size(); i < parts.size(); ++i) {
    const std::size_t equals = parts[i].find('=');
    const Field* field = nullptr;
    for (const Field& one : named)
      if (equals != std::string_view::npos && one.key == parts[i].substr(0, equals)) field = &one;
    if (field == nullptr) return spec_error(spec, "an unknown option \"" + std::string(parts[i]) + "\"");
    HEDGE_CHECK(parse_value(spec, *field, parts[i].substr(equals + 1)));
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

/// A spec, taken apart.
struct Spec {
  const std::string& text;
  std::string family;
  std::string_view rest;
  const ImageShape& image;
  std::int64_t classes = 0;
  Seed seed = 0;
};

/// The networks of the literature for large images. Nothing: the spec is of another family.
std::optional<Result<Graph>> build_published(const Spec& spec) {
  internal::Halvings halvings;
  const Field halved{"halvings", &halvings.count, 1, 5};
  const auto inverted = [&](const internal::InvertedDesign& design) {
    return internal::build_inverted(design, halvings, spec.image, spec.classes, spec.seed);
  };
  const std::string& family = spec.family;
  if (family == "mobilenetv2" || family == "mobilenetv3-small" || family == "mobilenetv3-large") {
    double width = 1;
    HEDGE_CHECK(parse_fields(spec.text, spec.rest, {{"SCALE", &width, 0.1, 4}}, {halved}));
    return inverted(internal::mobilenet_design(family, width));
  }
  if (family == "ofa-mbv3") {
    HEDGE_TRY(const auto network, parse_ofa(spec.text));
    HEDGE_TRY(const auto design, internal::ofa_design(network));
    halvings.count = network.halvings;
    return inverted(design);
  }
  const bool lite = family.starts_with("efficientnet-lite");
  if (!lite && (!family.starts_with("resnet") || family == "resnet")) return {};
  HEDGE_CHECK(parse_fields(spec.text, spec.rest, {}, {halved}));
  if (!lite) return internal::build_large_resnet(family, halvings, spec.image, spec.classes, spec.seed);
  HEDGE_TRY(const auto design, internal::efficientnet_lite_design(family));
  return inverted(design);
}

}  // namespace

std::int64_t usual_halvings(const ImageShape& image) {
  const std::int64_t side = std::min(image.height, image.width);
  return side >= 96 ? 5 : side >= 48 ? 4 : 3;
}

Result<OfaNetwork> parse_ofa(const std::string& spec, OfaNetwork network) {
  const std::size_t colon = spec.find(':');
  if (spec.substr(0, colon) != "ofa-mbv3") return spec_error(spec, "not a network of the Once-for-All space");
  const std::vector<Field> named = {{"width", &network.width, 0.1, 4},
                                    {"kernel", &network.kernel},
                                    {"expand", &network.expand},
                                    {"depth", &network.depth},
                                    {"halvings", &network.halvings, 1, 5}};
  HEDGE_CHECK(parse_fields(spec, colon == std::string::npos ? std::string_view{} : std::string_view(spec).substr(colon + 1), {}, named));
  HEDGE_CHECK(internal::ofa_design(network));
  return network;
}

Result<Graph> build_zoo(const std::string& spec, const ImageShape& image, std::int64_t classes, Seed seed) {
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
  if (auto published = build_published({.text = spec, .family = family, .rest = rest, .image = image, .classes = classes, .seed = seed}))
    return std::move(*published);
  return spec_error(spec, "an unknown family of networks, \"" + family + "\"");
}

}  // namespace hedge::graph

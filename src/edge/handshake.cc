#include "edge/handshake.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "core/json.h"

namespace hedge::edge {
namespace {

constexpr std::int64_t kSchema = 1;
constexpr data::DecodeLimits kLimits{.most_side = std::int64_t{1} << 20, .most_pixels = std::int64_t{1} << 26};
constexpr double kLeastProbability = 1e-12;  // of what a server gives as 0
constexpr double kSumTolerance = 1e-3;       // of probabilities in f16
constexpr double kFarApart = 0.05;           // of a class's spread: a deviation that rounding does not explain
constexpr double kMuchCloser = 0.1;          // a class looks displaced where another one explains all but this of its deviation

using Rows = std::vector<std::vector<float>>;

Status check_rows(const Rows& rows, std::size_t images, std::size_t width) {
  const bool sound = rows.size() == images && std::all_of(rows.begin(), rows.end(), [width](const auto& row) {
                       return row.size() == width && std::all_of(row.begin(), row.end(), [](float value) { return std::isfinite(value); });
                     });
  if (sound) return {};
  return Error{.code = ErrorCode::kInvalidArgument, .what = "the handshake's answers are not one for each image, of one width and finite"};
}

std::size_t first_of(const std::vector<float>& row) {
  return static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
}

/// log p of each class, whether the values are logits or probabilities.
std::vector<double> log_probabilities(const std::vector<float>& row) {
  if (are_probabilities({row})) {
    const auto logits = logarithms(row);
    return {logits.begin(), logits.end()};
  }
  std::vector<double> values(row.begin(), row.end());
  const double most = *std::max_element(values.begin(), values.end());
  double total = 0;
  for (const double value : values) total += std::exp(value - most);
  for (double& value : values) value -= most + std::log(total);
  return values;
}

/// How far class `a` of `got` is from class `b` of `expected`, summed over the images.
double distance(const std::vector<std::vector<double>>& got, std::size_t a, const std::vector<std::vector<double>>& expected,
                std::size_t b) {
  double sum = 0;
  for (std::size_t i = 0; i < got.size(); ++i) sum += (got[i][a] - expected[i][b]) * (got[i][a] - expected[i][b]);
  return sum;
}

double spread(const std::vector<std::vector<double>>& rows) {
  double sum = 0, squares = 0, count = 0;
  for (const auto& row : rows)
    for (const double value : row) {
      sum += value;
      squares += value * value;
      ++count;
    }
  const double mean = sum / count;
  return std::max(squares / count - mean * mean, 0.0);
}

/// A class whose logits are those of another one. Classes that no image belongs to can be told apart by their logits alone.
std::optional<std::pair<std::size_t, std::size_t>> displaced(const Rows& got_rows, const Rows& expected_rows) {
  std::vector<std::vector<double>> got, expected;
  for (const auto& row : got_rows) got.push_back(log_probabilities(row));
  for (const auto& row : expected_rows) expected.push_back(log_probabilities(row));
  const double far = kFarApart * spread(expected) * static_cast<double>(got.size());
  std::vector<std::size_t> suspects;
  for (std::size_t k = 0; k < expected[0].size(); ++k)
    if (distance(got, k, expected, k) > far) suspects.push_back(k);
  for (const auto a : suspects)
    for (const auto b : suspects)
      if (a != b && distance(got, a, expected, b) < kMuchCloser * distance(got, a, expected, a)) return std::pair(a, b);
  return std::nullopt;
}

Result<Rows> rows_from_json(const Json& json, const std::string& where) {
  HEDGE_TRY(const auto rows, get_field<std::vector<std::vector<double>>>(json, "logits", where));
  constexpr double kMost = std::numeric_limits<float>::max();
  Rows narrowed;
  for (const auto& row : rows) {
    auto& floats = narrowed.emplace_back();
    for (const double value : row) {
      if (!(std::abs(value) <= kMost)) return Error{.code = ErrorCode::kBadFormat, .what = "a logit is no f32", .where = where};
      floats.push_back(static_cast<float>(value));
    }
  }
  return narrowed;
}

Status split_images(const data::Image& all, std::int64_t count, Handshake& handshake) {
  if (count < 1 || all.height % count != 0)
    return Error{.code = ErrorCode::kBadFormat, .what = "the handshake's image does not hold that many", .got = std::to_string(count)};
  const auto height = all.height / count;
  const auto bytes = static_cast<std::ptrdiff_t>(height * all.width * all.channels);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto first = all.pixels.begin() + static_cast<std::ptrdiff_t>(i) * bytes;
    handshake.images.push_back(
        {.height = height, .width = all.width, .channels = all.channels, .pixels = std::vector<std::uint8_t>(first, first + bytes)});
  }
  return {};
}

}  // namespace

Status Handshake::validate() const {
  const auto bad = [](const char* what) { return Error{.code = ErrorCode::kInvalidArgument, .what = what, .where = "handshake"}; };
  if (images.size() < kFewest || images.size() > kImages) return bad("a handshake has 4 to 16 images");
  const auto& first = images.front();
  for (const auto& image : images) {
    HEDGE_CHECK(data::validate_image(image));
    if (image.height != first.height || image.width != first.width || image.channels != first.channels)
      return bad("the handshake's images are not of one form");
  }
  if (globals.empty() || globals.front().logits.empty() || globals.front().logits.front().size() < 2)
    return bad("a handshake needs the answers of a global with two classes or more");
  for (const auto& global : globals) HEDGE_CHECK(check_rows(global.logits, images.size(), globals.front().logits.front().size()));
  return {};
}

Result<std::string> handshake_png(const Handshake& handshake) {
  const auto& first = handshake.images.front();
  data::Image all{.height = 0, .width = first.width, .channels = first.channels};
  for (const auto& image : handshake.images) {
    all.height += image.height;
    all.pixels.insert(all.pixels.end(), image.pixels.begin(), image.pixels.end());
  }
  return data::encode_png(all);
}

std::string handshake_json(const Handshake& handshake) {
  Json json = {{"schema", kSchema}, {"images", handshake.images.size()}, {"dataset", handshake.dataset}, {"globals", Json::array()}};
  for (const auto& global : handshake.globals) {
    Json classes = Json::array();
    for (const auto& row : global.logits) classes.push_back(first_of(row));
    json["globals"].push_back({{"sha256", global.sha256}, {"classes", classes}, {"logits", global.logits}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Handshake> parse_handshake(std::string_view png, std::string_view text, std::string_view where) {
  const std::string at(where);
  HEDGE_TRY(const Json json, parse_json(text, where));
  HEDGE_TRY(const auto schema, get_field<std::int64_t>(json, "schema", where));
  if (schema != kSchema)
    return Error{.code = schema > kSchema ? ErrorCode::kUnsupported : ErrorCode::kBadFormat,
                 .what = "the handshake is of another schema",
                 .where = at,
                 .got = std::to_string(schema),
                 .expected = std::to_string(kSchema)};
  Handshake handshake;
  HEDGE_TRY(const auto count, get_field<std::int64_t>(json, "images", where));
  HEDGE_TRY(handshake.dataset, get_field<std::string>(json, "dataset", where));
  HEDGE_TRY(const Json globals, get_field<Json>(json, "globals", where));
  if (!globals.is_array()) return Error{.code = ErrorCode::kBadFormat, .what = "the field \"globals\" is no array", .where = at};
  for (const Json& each : globals) {
    HandshakeAnswers global;
    HEDGE_TRY(global.sha256, get_field<std::string>(each, "sha256", at + ": globals"));
    HEDGE_TRY(global.logits, rows_from_json(each, at + ": globals"));
    handshake.globals.push_back(std::move(global));
  }
  HEDGE_TRY(const auto all, data::decode_image(png, where, kLimits));
  auto status = split_images(all, count, handshake);
  if (status) status = handshake.validate();
  if (status) return handshake;
  Error error = std::move(status).error();
  error.code = ErrorCode::kBadFormat;
  error.where = at;
  return error;
}

std::vector<float> pick(const std::vector<float>& row, const std::vector<std::int64_t>& columns) {
  if (columns.empty()) return row;
  std::vector<float> picked;
  for (const auto column : columns) picked.push_back(row[static_cast<std::size_t>(column)]);
  return picked;
}

bool are_probabilities(const Rows& rows) {
  return std::all_of(rows.begin(), rows.end(), [](const auto& row) {
    double sum = 0;
    for (const float value : row) sum += static_cast<double>(value);
    return std::abs(sum - 1) < kSumTolerance && std::all_of(row.begin(), row.end(), [](float value) { return value >= 0 && value <= 1; });
  });
}

std::vector<float> logarithms(const std::vector<float>& probabilities) {
  std::vector<float> logits;
  for (const float value : probabilities)
    logits.push_back(static_cast<float>(std::log(std::max(static_cast<double>(value), kLeastProbability))));
  return logits;
}

Result<std::size_t> recognise(const Handshake& handshake, const std::vector<Rows>& logits) {
  const auto images = handshake.images.size();
  const auto needed = images - (images == Handshake::kImages ? 1 : 0);
  std::size_t best = 0, most = 0;
  for (std::size_t g = 0; g < handshake.globals.size(); ++g) {
    const auto& expected = handshake.globals[g].logits;
    std::size_t same = 0;
    for (std::size_t i = 0; i < logits[g].size(); ++i) same += first_of(logits[g][i]) == first_of(expected[i]) ? 1 : 0;
    if (g == 0 || same > most) {
      best = g;
      most = same;
    }
  }
  Error error{.code = ErrorCode::kMismatch,
              .what = "the cloud's model answers otherwise than the judged global",
              .where = "handshake",
              .got = std::to_string(most) + " of " + std::to_string(images) + " images alike",
              .expected = "at least " + std::to_string(needed),
              .hint =
                  "serve the judged global, with its recipe and its classes in their order; or --accept-other-global takes it as it is, "
                  "and the report's figures do not hold then"};
  if (most < needed) return error;
  const auto pair = displaced(logits[best], handshake.globals[best].logits);
  if (!pair) return best;
  error.got = "class " + std::to_string(pair->first) + " is answered as class " + std::to_string(pair->second);
  error.expected = "the classes in the order of the judged global";
  return error;
}

}  // namespace hedge::edge

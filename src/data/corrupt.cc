#include "data/corrupt.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "core/rng.h"

namespace hedge::data {
namespace {

/// A strength's parameters, weakest first.
struct Strengths {
  std::array<double, kStrengths> brightness;  ///< added to the value of HSV, of 0..1
  std::array<double, kStrengths> blur;        ///< standard deviation in pixels of an image whose shorter side is `side`
  std::array<double, kStrengths> noise;       ///< standard deviation, of 0..1
  std::array<int, kStrengths> jpeg;           ///< quality
  double side;                                ///< pixels
};
constexpr std::int64_t kSmall = 64;  ///< pixels of the shorter side
constexpr Strengths kSmallImages = {.brightness = {0.05, 0.1, 0.15, 0.2, 0.3},
                                    .blur = {0.4, 0.6, 0.7, 0.8, 1.0},
                                    .noise = {0.04, 0.06, 0.08, 0.09, 0.10},
                                    .jpeg = {80, 65, 58, 50, 40},
                                    .side = 32};
constexpr Strengths kLargeImages = {.brightness = {0.1, 0.2, 0.3, 0.4, 0.5},
                                    .blur = {1, 2, 3, 4, 6},
                                    .noise = {0.08, 0.12, 0.18, 0.26, 0.38},
                                    .jpeg = {25, 18, 15, 10, 7},
                                    .side = 256};

constexpr int kBoxes = 3;
constexpr double kExactBlur = 4.0;  ///< pixels: wider ones are three boxes, whose cost does not grow with the width

std::uint8_t to_byte(double value) { return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0))); }

/// The value of HSV, the largest channel, grows by `more` (of 255); hue and saturation stay.
void brighten(Image& image, double more) {
  const auto channels = static_cast<std::size_t>(image.channels);
  for (std::size_t i = 0; i < image.pixels.size(); i += channels) {
    const auto pixel = image.pixels.begin() + static_cast<std::ptrdiff_t>(i);
    const double value = *std::max_element(pixel, pixel + image.channels);
    const double wanted = std::min(255.0, value + more);
    for (std::int64_t c = 0; c < image.channels; ++c) pixel[c] = value > 0 ? to_byte(pixel[c] * wanted / value) : to_byte(wanted);
  }
}

/// A blur of one line's values; the ends are repeated beyond the line.
class LineBlur {
 public:
  explicit LineBlur(double sigma) {
    if (sigma < kExactBlur) {
      const auto reach = static_cast<std::int64_t>(4 * sigma + 0.5);
      for (std::int64_t i = -reach; i <= reach; ++i) taps_.push_back(std::exp(-0.5 * static_cast<double>(i * i) / (sigma * sigma)));
      double sum = 0;
      for (const double tap : taps_) sum += tap;
      for (double& tap : taps_) tap /= sum;
    } else {
      // Boxes of odd widths w: their variances (w^2 - 1) / 12 add up. The narrower of two widths as often as brings the sum nearest.
      const double ideal = std::sqrt(12 * sigma * sigma / kBoxes + 1);
      const std::int64_t lower = (static_cast<std::int64_t>(ideal) - 1) / 2;
      const auto w = static_cast<double>(2 * lower + 1);
      const auto narrow = std::lround((kBoxes * (w + 2) * (w + 2) - kBoxes - 12 * sigma * sigma) / (4 * w + 4));
      for (int pass = 0; pass < kBoxes; ++pass) reaches_.push_back(pass < narrow ? lower : lower + 1);
    }
  }

  void operator()(std::vector<double>& line) const {
    if (!taps_.empty()) return convolve(line);
    for (const auto reach : reaches_) box(line, reach);
  }

 private:
  static double at(const std::vector<double>& line, std::int64_t i) {
    return line[static_cast<std::size_t>(std::clamp<std::int64_t>(i, 0, static_cast<std::int64_t>(line.size()) - 1))];
  }

  void convolve(std::vector<double>& line) const {
    const auto reach = static_cast<std::int64_t>(taps_.size() / 2);
    std::vector<double> out(line.size(), 0);
    for (std::size_t x = 0; x < line.size(); ++x)
      for (std::size_t t = 0; t < taps_.size(); ++t)
        out[x] += taps_[t] * at(line, static_cast<std::int64_t>(x) + static_cast<std::int64_t>(t) - reach);
    line = std::move(out);
  }

  static void box(std::vector<double>& line, std::int64_t reach) {
    std::vector<double> out(line.size());
    double sum = 0;
    for (std::int64_t i = -reach; i <= reach; ++i) sum += at(line, i);
    for (std::int64_t x = 0; x < static_cast<std::int64_t>(line.size()); ++x) {
      out[static_cast<std::size_t>(x)] = sum / static_cast<double>(2 * reach + 1);
      sum += at(line, x + reach + 1) - at(line, x - reach);
    }
    line = std::move(out);
  }

  std::vector<double> taps_;
  std::vector<std::int64_t> reaches_;  ///< of the boxes, pixels to each side
};

/// Along the rows, then along the columns.
void blur(Image& image, double sigma) {
  const LineBlur blur_line(sigma);
  const auto height = static_cast<std::size_t>(image.height), width = static_cast<std::size_t>(image.width),
             channels = static_cast<std::size_t>(image.channels);
  std::vector<double> values(image.pixels.begin(), image.pixels.end()), line;
  const auto along = [&](std::size_t first, std::size_t step, std::size_t count) {
    line.resize(count);
    for (std::size_t i = 0; i < count; ++i) line[i] = values[first + i * step];
    blur_line(line);
    for (std::size_t i = 0; i < count; ++i) values[first + i * step] = line[i];
  };
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t y = 0; y < height; ++y) along(y * width * channels + c, channels, width);
    for (std::size_t x = 0; x < width; ++x) along(x * channels + c, width * channels, height);
  }
  std::transform(values.begin(), values.end(), image.pixels.begin(), to_byte);
}

/// Independent normal noise for each channel of each square of `grain` x `grain` pixels.
void add_noise(Image& image, double deviation, std::int64_t grain, std::uint64_t seed) {
  Rng rng(seed);
  const std::int64_t columns = (image.width + grain - 1) / grain;
  std::vector<double> row(static_cast<std::size_t>(columns * image.channels));
  auto pixel = image.pixels.begin();
  for (std::int64_t y = 0; y < image.height; ++y) {
    if (y % grain == 0)
      for (double& value : row) value = deviation * rng.normal();
    for (std::int64_t x = 0; x < image.width; ++x)
      for (std::int64_t c = 0; c < image.channels; ++c, ++pixel)
        *pixel = to_byte(*pixel + row[static_cast<std::size_t>(x / grain * image.channels + c)]);
  }
}

Status compress(Image& image, int quality) {
  HEDGE_TRY(const auto bytes, encode_jpeg(image, quality));
  HEDGE_TRY(auto decoded, decode_image(bytes, "an image compressed again"));
  image.pixels = std::move(decoded.pixels);
  return {};
}

Error no_corruption(std::string_view got) {
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "there is no such corruption",
               .got = std::string(got.substr(0, 60)),
               .expected = "KIND:STRENGTH, KIND brightness, blur, noise or jpeg, STRENGTH 1 to 5",
               .hint = "for example blur:3"};
}

}  // namespace

const char* to_string(CorruptionKind kind) {
  switch (kind) {
    case CorruptionKind::kBrightness: return "brightness";
    case CorruptionKind::kBlur: return "blur";
    case CorruptionKind::kNoise: return "noise";
    case CorruptionKind::kJpeg: return "jpeg";
  }
  return "unknown";
}

std::string to_string(const Corruption& corruption) {
  return std::string(to_string(corruption.kind)) + ":" + std::to_string(corruption.strength);
}

Result<Corruption> parse_corruption(std::string_view text) {
  const auto colon = text.find(':');
  const auto name = text.substr(0, colon);
  const auto digits = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  Corruption corruption;
  const auto kind = std::find_if(std::begin(kCorruptions), std::end(kCorruptions), [&](CorruptionKind k) { return name == to_string(k); });
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), corruption.strength);
  const bool whole = problem == std::errc{} && end == digits.data() + digits.size();
  if (kind == std::end(kCorruptions) || !whole || corruption.strength < 1 || corruption.strength > kStrengths) return no_corruption(text);
  corruption.kind = *kind;
  return corruption;
}

Result<Image> corrupt(const Image& image, const Corruption& corruption, std::uint64_t seed) {
  HEDGE_CHECK(validate_image(image));
  if (corruption.strength < 1 || corruption.strength > kStrengths) return no_corruption(to_string(corruption));
  const auto shorter = std::min(image.height, image.width);
  const auto& strengths = shorter <= kSmall ? kSmallImages : kLargeImages;
  const auto at = static_cast<std::size_t>(corruption.strength - 1);
  const double times = static_cast<double>(shorter) / strengths.side;
  Image changed = image;
  switch (corruption.kind) {
    case CorruptionKind::kBrightness: brighten(changed, 255 * strengths.brightness[at]); break;
    case CorruptionKind::kBlur: blur(changed, strengths.blur[at] * times); break;
    case CorruptionKind::kNoise: add_noise(changed, 255 * strengths.noise[at], std::max<std::int64_t>(1, std::lround(times)), seed); break;
    case CorruptionKind::kJpeg: HEDGE_CHECK(compress(changed, strengths.jpeg[at])); break;
  }
  return changed;
}

}  // namespace hedge::data

#include "data/internal/resize.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "data/internal/taps.h"

namespace hedge::data::internal {
namespace {

/// Columns are filtered to 1/256 of a grey level; the largest level in these units.
constexpr std::int64_t kMostFiltered = 255 * 256;

/// The part of a window that lies within [0, size).
Window inside(const Window& window, std::int64_t size) {
  const auto begin = std::clamp<std::int64_t>(window.begin, 0, size);
  const auto end = std::clamp<std::int64_t>(window.begin + window.size, 0, size);
  return {.begin = begin, .size = end - begin};
}

std::vector<Taps> all_taps(const Window& window, const Axis& axis) {
  std::vector<Taps> taps;
  for (std::int64_t i = 0; i < window.size; ++i) taps.push_back(make_taps(window.begin + i, axis));
  return taps;
}

/// How sums are kept. Weights that are not negative fit 32 bits without a sign.
struct Positive {
  using Sum = std::uint32_t;
  using Level = std::uint16_t;
  static Level level(Sum sum) { return static_cast<Level>(sum >> 8); }
  static std::uint8_t pixel(Sum sum) { return static_cast<std::uint8_t>(sum >> 24); }
};
/// A cubic's sums can leave the range at both ends. Cut after the columns and after the rows, as Pillow does.
struct CutTwice {
  using Sum = std::int64_t;
  using Level = std::uint16_t;
  static Level level(Sum sum) { return static_cast<Level>(std::clamp<Sum>(sum >> 8, 0, kMostFiltered)); }
  static std::uint8_t pixel(Sum sum) { return static_cast<std::uint8_t>(std::clamp<Sum>(sum >> 24, 0, 255)); }
};
/// Cut after the rows alone, as OpenCV and PyTorch do.
struct CutOnce {
  using Sum = std::int64_t;
  using Level = std::int32_t;
  static Level level(Sum sum) { return static_cast<Level>(sum >> 8); }
  static std::uint8_t pixel(Sum sum) { return static_cast<std::uint8_t>(std::clamp<Sum>(sum >> 24, 0, 255)); }
};

/// Filters the rows `rows` of the image along x: [rows, columns, channels] in units of 1/256.
template <typename Range>
std::vector<typename Range::Level> filter_columns(const PixelView& image, const Window& rows, const std::vector<Taps>& taps) {
  const auto channels = static_cast<std::size_t>(image.channels);
  std::vector<typename Range::Level> filtered(static_cast<std::size_t>(rows.size) * taps.size() * channels);
  auto* out = filtered.data();
  for (std::int64_t y = rows.begin; y < rows.begin + rows.size; ++y) {
    const auto* row = image.first + y * image.row_step;
    for (const auto& tap : taps) {
      for (std::size_t c = 0; c < channels; ++c) {
        const auto* in = row + tap.first * image.column_step + c;
        typename Range::Sum sum = 128;
        for (const auto weight : tap.weights) {
          sum += static_cast<typename Range::Sum>(weight) * *in;
          in += image.column_step;
        }
        *out++ = Range::level(sum);
      }
    }
  }
  return filtered;
}

/// One output row from the filtered rows that `tap` names (relative to `first_row`).
template <typename Range>
void filter_row(const std::vector<typename Range::Level>& filtered, const Taps& tap, std::int64_t first_row, std::size_t row_values,
                std::uint8_t* out) {
  const auto* in = filtered.data() + static_cast<std::size_t>(tap.first - first_row) * row_values;
  for (std::size_t x = 0; x < row_values; ++x) {
    typename Range::Sum sum = typename Range::Sum{1} << 23;
    for (std::size_t k = 0; k < tap.weights.size(); ++k) sum += static_cast<typename Range::Sum>(tap.weights[k]) * in[k * row_values + x];
    out[x] = Range::pixel(sum);
  }
}

template <typename Range>
Image resize(const PixelView& image, const ResizePlan& plan) {
  Image out{.height = plan.rows.size, .width = plan.columns.size, .channels = image.channels, .pixels = {}};
  out.pixels.assign(static_cast<std::size_t>(out.height * out.width * out.channels), 0);
  const auto rows = inside(plan.rows, plan.height);
  const auto columns = inside(plan.columns, plan.width);
  if (rows.size == 0 || columns.size == 0) return out;
  const auto row_taps = all_taps(rows, {.in = image.height, .out = plan.height, .filter = plan.filter, .antialias = plan.antialias});
  const auto column_taps = all_taps(columns, {.in = image.width, .out = plan.width, .filter = plan.filter, .antialias = plan.antialias});
  const auto first_row = row_taps.front().first;
  const auto last = row_taps.back().first + static_cast<std::int64_t>(row_taps.back().weights.size());
  const auto filtered = filter_columns<Range>(image, {.begin = first_row, .size = last - first_row}, column_taps);
  const auto row_values = column_taps.size() * static_cast<std::size_t>(image.channels);
  const auto left = (columns.begin - plan.columns.begin) * out.channels;
  for (std::int64_t y = 0; y < rows.size; ++y) {
    const auto out_y = rows.begin - plan.rows.begin + y;
    filter_row<Range>(filtered, row_taps[static_cast<std::size_t>(y)], first_row, row_values,
                      out.pixels.data() + out_y * out.width * out.channels + left);
  }
  return out;
}

}  // namespace

PixelView turned(const Image& image, int orientation) {
  const bool rows_flipped = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool columns_flipped = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const auto row = static_cast<std::ptrdiff_t>(image.width * image.channels), column = static_cast<std::ptrdiff_t>(image.channels);
  PixelView view{.first = image.pixels.data(),
                 .height = image.height,
                 .width = image.width,
                 .channels = image.channels,
                 .row_step = rows_flipped ? -row : row,
                 .column_step = columns_flipped ? -column : column};
  if (rows_flipped) view.first += (image.height - 1) * row;
  if (columns_flipped) view.first += (image.width - 1) * column;
  if (orientation >= 5) {
    std::swap(view.height, view.width);
    std::swap(view.row_step, view.column_step);
  }
  return view;
}

Image copy_of(const PixelView& view) {
  Image image{.height = view.height, .width = view.width, .channels = view.channels, .pixels = {}};
  image.pixels.resize(static_cast<std::size_t>(view.height * view.width * view.channels));
  const auto bytes = static_cast<std::size_t>(view.channels);
  auto* out = image.pixels.data();
  for (std::int64_t y = 0; y < view.height; ++y) {
    const auto* row = view.first + y * view.row_step;
    if (view.column_step == static_cast<std::ptrdiff_t>(bytes)) {
      std::memcpy(out, row, static_cast<std::size_t>(view.width) * bytes);
      out += static_cast<std::size_t>(view.width) * bytes;
      continue;
    }
    for (std::int64_t x = 0; x < view.width; ++x, out += bytes) std::memcpy(out, row + x * view.column_step, bytes);
  }
  return image;
}

Image resize_and_cut(const PixelView& image, const ResizePlan& plan) {
  if (plan.filter != Filter::kBicubic) return resize<Positive>(image, plan);
  return plan.antialias ? resize<CutTwice>(image, plan) : resize<CutOnce>(image, plan);
}

}  // namespace hedge::data::internal

#include "data/internal/rows.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "data/internal/size.h"

namespace hedge::data::internal {
namespace {

std::uint16_t value_at(const std::uint8_t* row, std::size_t index, bool deep) {
  if (!deep) return row[index];
  std::uint16_t value = 0;
  std::memcpy(&value, row + 2 * index, sizeof value);
  return value;
}

}  // namespace

RowSink::RowSink(const RowForm& form) : form_(form) {
  image_.height = reduced(form.height, form.reduction);
  image_.width = reduced(form.width, form.reduction);
  image_.channels = form.channels;
  image_.reduction = form.reduction;
  image_.stored = {.deep = form.deep, .lowest = 65535, .highest = 0};
  // Memory is touched by the rows that really come, so a lying header costs nothing.
  image_.pixels.reserve(static_cast<std::size_t>(image_.height * image_.width * image_.channels));
  if (form.reduction == 1) return;
  colours_.resize(static_cast<std::size_t>(form.width * form.channels));
  sums_.assign(static_cast<std::size_t>(image_.width * image_.channels), 0);
}

void RowSink::convert(const std::uint8_t* row, std::uint8_t* out) {
  const auto samples = static_cast<std::size_t>(form_.samples), channels = static_cast<std::size_t>(form_.channels);
  if (!form_.deep && samples == channels) {
    std::memcpy(out, row, static_cast<std::size_t>(form_.width) * channels);
    return;
  }
  for (std::size_t x = 0; x < static_cast<std::size_t>(form_.width); ++x) {
    for (std::size_t c = 0; c < channels; ++c) {
      const auto value = value_at(row, x * samples + c, form_.deep);
      *out++ = form_.deep ? upper_8(value) : static_cast<std::uint8_t>(value);
      if (!form_.deep) continue;
      image_.stored.lowest = std::min(image_.stored.lowest, value);
      image_.stored.highest = std::max(image_.stored.highest, value);
    }
    if (form_.alpha && value_at(row, x * samples + static_cast<std::size_t>(*form_.alpha), form_.deep) != 0) opaque_somewhere_ = true;
  }
}

void RowSink::add(const std::uint8_t* row) {
  ++rows_;
  if (form_.reduction == 1) {
    const auto offset = image_.pixels.size();
    image_.pixels.resize(offset + static_cast<std::size_t>(form_.width * form_.channels));
    convert(row, image_.pixels.data() + offset);
    return;
  }
  convert(row, colours_.data());
  add_to_boxes();
  if (rows_ % form_.reduction == 0 || rows_ == form_.height) write_boxes();
}

void RowSink::add_to_boxes() {
  const auto channels = static_cast<std::size_t>(form_.channels), side = static_cast<std::size_t>(form_.reduction);
  for (std::size_t x = 0; x < static_cast<std::size_t>(form_.width); ++x)
    for (std::size_t c = 0; c < channels; ++c) sums_[x / side * channels + c] += colours_[x * channels + c];
}

void RowSink::write_boxes() {
  const auto tall = (rows_ - 1) % form_.reduction + 1;
  for (std::int64_t x = 0; x < image_.width; ++x) {
    const auto wide = std::min(form_.reduction, form_.width - x * form_.reduction);
    const auto count = static_cast<std::uint32_t>(tall * wide);
    for (std::int64_t c = 0; c < form_.channels; ++c) {
      auto& sum = sums_[static_cast<std::size_t>(x * form_.channels + c)];
      image_.pixels.push_back(static_cast<std::uint8_t>((sum + count / 2) / count));
      sum = 0;
    }
  }
}

Image RowSink::take() {
  image_.stored.transparent = form_.alpha.has_value() && !opaque_somewhere_;
  if (!form_.deep) image_.stored.lowest = 0;
  return std::move(image_);
}

}  // namespace hedge::data::internal

#pragma once

#include <png.h>

#include <string>
#include <vector>

namespace hedge::data::testing {

/// How a PNG's samples are stored.
struct PngForm {
  int depth = 8, color = PNG_COLOR_TYPE_RGB, interlace = PNG_INTERLACE_NONE;
  std::vector<png_color> palette = {};
};

/// A PNG as libpng writes it; `rows` hold the samples as they are stored: packed below 8 bits, the high byte first at 16.
inline std::string png_file(png_uint_32 width, std::vector<std::string> rows, const PngForm& form = {}) {
  std::string out;
  auto* png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  auto* info = png_create_info_struct(png);
  const auto append = [](png_structp to, png_bytep bytes, std::size_t size) {
    static_cast<std::string*>(png_get_io_ptr(to))->append(reinterpret_cast<char*>(bytes), size);
  };
  png_set_write_fn(png, &out, append, nullptr);
  png_set_IHDR(png, info, width, static_cast<png_uint_32>(rows.size()), form.depth, form.color, form.interlace,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!form.palette.empty()) png_set_PLTE(png, info, form.palette.data(), static_cast<int>(form.palette.size()));
  png_write_info(png, info);
  std::vector<png_bytep> starts;
  for (auto& row : rows) starts.push_back(reinterpret_cast<png_bytep>(row.data()));
  png_write_image(png, starts.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return out;
}

}  // namespace hedge::data::testing

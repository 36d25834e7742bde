#include <gtest/gtest.h>
#include <tiffio.h>

#include <functional>

#include "data/fixtures.h"
#include "data/formats.h"

namespace hedge::data {
namespace {

using namespace std::string_literals;
using Pixels = std::vector<std::uint8_t>;
using testing::decoded;
using testing::expect_truncations_refused;
using testing::noise;
using testing::TempFolder;

struct TiffForm {
  std::uint32_t width = 2, height = 2;
  int bits = 8, samples = 1, photometric = PHOTOMETRIC_MINISBLACK, compression = COMPRESSION_NONE;
  bool planes = false;
  std::uint32_t tile = 0;
  std::function<void(TIFF*)> more = {};
};

/// `rows`: of one plane after the other; a tile's data is the whole image, padded.
std::string tiff(const TiffForm& form, const std::vector<std::string>& rows) {
  const TempFolder folder;
  const auto path = folder.str() + "/x.tif";
  auto* tiff = TIFFOpen(path.c_str(), "w");
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, form.width);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, form.height);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, form.bits);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, form.samples);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, form.photometric);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, form.compression);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, form.planes ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
  if (form.tile > 0) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, form.tile);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, form.tile);
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 1U);
  }
  if (form.more) form.more(tiff);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto copy = rows[i];
    if (form.tile > 0)
      TIFFWriteEncodedTile(tiff, static_cast<std::uint32_t>(i), copy.data(), static_cast<tmsize_t>(copy.size()));
    else
      TIFFWriteScanline(tiff, copy.data(), static_cast<std::uint32_t>(i % form.height), static_cast<std::uint16_t>(i / form.height));
  }
  TIFFClose(tiff);
  return read_file(path).value();
}

std::string words(const std::vector<std::uint16_t>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * 2};  // libtiff takes the host's byte order
}

TEST(Tiff, gray_rgb_and_planes) {
  EXPECT_EQ(decoded(tiff({}, {"\1\2"s, "\3\4"s})).pixels, (Pixels{1, 2, 3, 4}));
  EXPECT_EQ(probe_image(tiff({}, {"\1\2"s, "\3\4"s}), "x")->format, ImageFormat::kTiff);
  const Pixels rgb = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(decoded(tiff({.height = 1, .samples = 3, .photometric = PHOTOMETRIC_RGB}, {"\1\2\3\4\5\6"s})).pixels, rgb);
  EXPECT_EQ(decoded(tiff({.height = 1, .samples = 3, .photometric = PHOTOMETRIC_RGB, .planes = true}, {"\1\4"s, "\2\5"s, "\3\6"s})).pixels,
            rgb);
}

TEST(Tiff, white_can_be_zero_and_few_bits_are_expanded) {
  EXPECT_EQ(decoded(tiff({.height = 1, .photometric = PHOTOMETRIC_MINISWHITE}, {"\1\xFE"s})).pixels, (Pixels{254, 1}));
  EXPECT_EQ(decoded(tiff({.width = 3, .height = 1, .bits = 1}, {"\xA0"s})).pixels, (Pixels{255, 0, 255}));
  EXPECT_EQ(decoded(tiff({.width = 3, .height = 1, .bits = 4}, {"\x0F\x30"s})).pixels, (Pixels{0, 255, 51}));
}

TEST(Tiff, of_16_bits_the_upper_8_are_kept_in_either_byte_order) {
  const auto bytes = tiff({.height = 1, .bits = 16}, {words({0x8080, 0xFFFF})});
  EXPECT_EQ(decoded(bytes).pixels, (Pixels{128, 255}));
  EXPECT_TRUE(decoded(bytes).stored.deep);
  EXPECT_EQ(decoded(bytes).stored.lowest, 0x8080);
  EXPECT_EQ(decoded(bytes).stored.highest, 0xFFFF);
  const TiffForm motorola{.height = 1, .bits = 16};
  const auto dark = decoded(tiff(motorola, {words({1000, 4009})}));
  EXPECT_EQ(dark.pixels, (Pixels{4, 16}));
  EXPECT_EQ(dark.stored.highest, 4009);
}

TEST(Tiff, palettes_of_16_bits_and_those_wrongly_of_8) {
  for (const int shift : {8, 0}) {
    std::vector<std::uint16_t> red(256, 0), green(256, 0), blue(256, 0);
    red[7] = static_cast<std::uint16_t>(200 << shift);
    green[7] = static_cast<std::uint16_t>(100 << shift);
    const auto bytes = tiff({.height = 1,
                             .photometric = PHOTOMETRIC_PALETTE,
                             .more = [&](TIFF* t) { TIFFSetField(t, TIFFTAG_COLORMAP, red.data(), green.data(), blue.data()); }},
                            {"\7\0"s});
    EXPECT_EQ(decoded(bytes).pixels, (Pixels{200, 100, 0, 0, 0, 0})) << shift;
  }
}

TEST(Tiff, tiles_are_put_together) {
  std::vector<std::string> tiles;
  for (int t = 0; t < 4; ++t) {
    std::string tile;
    for (int i = 0; i < 256; ++i) tile += static_cast<char>(60 * t + i / 16);
    tiles.push_back(tile);
  }
  const auto image = decoded(tiff({.width = 20, .height = 18, .tile = 16}, tiles));
  for (std::size_t y = 0; y < 18; ++y)
    for (std::size_t x = 0; x < 20; ++x) EXPECT_EQ(image.pixels[y * 20 + x], 60 * ((y / 16) * 2 + x / 16) + y % 16) << y << " " << x;
}

TEST(Tiff, compressed_strips_are_read_and_truncations_refused) {
  const auto image = noise(9, 12, 10, 1);
  std::vector<std::string> rows;
  for (int y = 0; y < 12; ++y) rows.emplace_back(reinterpret_cast<const char*>(image.pixels.data()) + y * 10, 10);
  for (const int packing : {COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_PACKBITS}) {
    const auto bytes = tiff({.width = 10, .height = 12, .compression = packing}, rows);
    EXPECT_EQ(decoded(bytes).pixels, image.pixels) << packing;
    expect_truncations_refused(bytes, bytes.size());
  }
}

TEST(Tiff, alpha_is_dropped_and_full_transparency_is_seen) {
  const std::uint16_t kind = EXTRASAMPLE_UNASSALPHA;
  const TiffForm form{.width = 1, .height = 1, .samples = 4, .photometric = PHOTOMETRIC_RGB, .more = [&](TIFF* t) {
                        TIFFSetField(t, TIFFTAG_EXTRASAMPLES, 1, &kind);
                      }};
  EXPECT_EQ(decoded(tiff(form, {"\1\2\3\0"s})).pixels, (Pixels{1, 2, 3}));
  EXPECT_TRUE(decoded(tiff(form, {"\1\2\3\0"s})).stored.transparent);
  EXPECT_FALSE(decoded(tiff(form, {"\1\2\3\1"s})).stored.transparent);
}

TEST(Tiff, orientation_and_previews_of_raw_files) {
  const auto turned = tiff({.more = [](TIFF* t) { TIFFSetField(t, TIFFTAG_ORIENTATION, 6); }}, {"\1\2"s, "\3\4"s});
  EXPECT_EQ(decoded(turned).orientation, 6);
  EXPECT_EQ(decoded(turned).pixels, (Pixels{1, 2, 3, 4})) << "as stored";
  EXPECT_EQ(probe_image(turned, "x")->orientation, 6);
  const auto raw = tiff({.more = [](TIFF* t) { TIFFSetField(t, TIFFTAG_SUBFILETYPE, FILETYPE_REDUCEDIMAGE); }}, {"\1\2"s, "\3\4"s});
  EXPECT_EQ(probe_image(raw, "x").error().code, ErrorCode::kUnsupported);
  EXPECT_NE(probe_image(raw, "x").error().what.find("raw"), std::string::npos);
}

TEST(Tiff, what_is_not_implemented_is_refused) {
  const auto floats = tiff({.height = 1, .bits = 32, .more = [](TIFF* t) { TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_IEEEFP); }},
                           {std::string(8, '\0')});
  EXPECT_EQ(probe_image(floats, "x").error().code, ErrorCode::kUnsupported);
  const auto signed_words =
      tiff({.height = 1, .bits = 16, .more = [](TIFF* t) { TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_INT); }}, {words({1, 2})});
  EXPECT_EQ(probe_image(signed_words, "x").error().code, ErrorCode::kUnsupported);
  const auto cmyk = tiff({.height = 1, .samples = 4, .photometric = PHOTOMETRIC_SEPARATED}, {std::string(8, '\0')});
  EXPECT_EQ(probe_image(cmyk, "x").error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace hedge::data

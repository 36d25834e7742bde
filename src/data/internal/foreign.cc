#include "data/internal/foreign.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>

namespace hedge::data::internal {
namespace {

using namespace std::string_view_literals;

constexpr const char* kConvert = "convert them, for example: magick mogrify -format png FILES";
constexpr const char* kDevelop = "develop them to JPEG or PNG with your camera's program or darktable-cli";
constexpr const char* kWindow = "export the values as 8-bit or 16-bit PNG with the window that shows what matters";
constexpr const char* kPages = "render the pages as images, for example: pdftoppm -png FILE PREFIX";
constexpr const char* kUnpack = "unpack the archive and give the folder";
constexpr const char* kFrames = "take images out of it, for example: ffmpeg -i FILE -r 1 frame-%05d.png";
constexpr const char* kFetchAgain = "a download that failed leaves such files; fetch the images again";

/// What a file of a format begins with at `offset`.
struct Format {
  std::size_t offset;
  std::string_view magic;
  const char* name;
  const char* hint;
};

// The first that fits.
constexpr Format kFormats[] = {
    {4, "ftypheic"sv, "HEIC", kConvert},
    {4, "ftypheix"sv, "HEIC", kConvert},
    {4, "ftyphevc"sv, "HEIC", kConvert},
    {4, "ftyphevx"sv, "HEIC", kConvert},
    {4, "ftypheim"sv, "HEIC", kConvert},
    {4, "ftypheis"sv, "HEIC", kConvert},
    {4, "ftypmif1"sv, "HEIF", kConvert},
    {4, "ftypmsf1"sv, "HEIF", kConvert},
    {4, "ftypavif"sv, "AVIF", kConvert},
    {4, "ftypavis"sv, "AVIF", kConvert},
    {4, "ftypcrx "sv, "raw camera (CR3)", kDevelop},
    {4, "ftyp"sv, "video (MP4, MOV)", kFrames},
    {0, "\0\0\0\x0CjP  \r\n\x87\n"sv, "JPEG 2000", kConvert},
    {0, "\xFF\x4F\xFF\x51"sv, "JPEG 2000", kConvert},
    {0, "\0\0\0\x0CJXL \r\n\x87\n"sv, "JPEG XL", kConvert},
    {0, "\xFF\x0A"sv, "JPEG XL", kConvert},
    {0, "II\xBC"sv, "JPEG XR", kConvert},
    {0, "8BPS"sv, "Photoshop (PSD)", kConvert},
    {0, "gimp xcf"sv, "GIMP (XCF)", kConvert},
    {0, "\0\0\1\0"sv, "icon (ICO)", kConvert},
    {0, "\0\0\2\0"sv, "cursor (CUR) or Targa (TGA)", kConvert},
    {0, "\0\0\x0A\0"sv, "Targa (TGA)", kConvert},
    {0, "icns"sv, "icon (ICNS)", kConvert},
    {8, "CR\2"sv, "raw camera (CR2)", kDevelop},
    {0, "FUJIFILMCCD-RAW"sv, "raw camera (RAF)", kDevelop},
    {0, "IIU\0"sv, "raw camera (RW2)", kDevelop},
    {0, "IIRO"sv, "raw camera (ORF)", kDevelop},
    {0, "IIRS"sv, "raw camera (ORF)", kDevelop},
    {0, "MMOR"sv, "raw camera (ORF)", kDevelop},
    {0, "FOVb"sv, "raw camera (X3F)", kDevelop},
    {128, "DICM"sv, "DICOM", kWindow},
    {344, "n+1\0"sv, "NIfTI", kWindow},
    {0, "SIMPLE  ="sv, "FITS", kWindow},
    {0, "\x76\x2F\x31\x01"sv, "OpenEXR", kConvert},
    {0, "#?RADIANCE"sv, "Radiance (HDR)", kConvert},
    {0, "#?RGBE"sv, "Radiance (HDR)", kConvert},
    {0, "P1\n"sv, "Netpbm (PBM)", kConvert},
    {0, "P2\n"sv, "Netpbm (PGM)", kConvert},
    {0, "P3\n"sv, "Netpbm (PPM)", kConvert},
    {0, "P4\n"sv, "Netpbm (PBM)", kConvert},
    {0, "P5\n"sv, "Netpbm (PGM)", kConvert},
    {0, "P6\n"sv, "Netpbm (PPM)", kConvert},
    {0, "P5 "sv, "Netpbm (PGM)", kConvert},
    {0, "P6 "sv, "Netpbm (PPM)", kConvert},
    {0, "P7\n"sv, "Netpbm (PAM)", kConvert},
    {0, "Pf\n"sv, "Netpbm (PFM)", kConvert},
    {0, "PF\n"sv, "Netpbm (PFM)", kConvert},
    {0, "qoif"sv, "QOI", kConvert},
    {0, "FLIF"sv, "FLIF", kConvert},
    {0, "BPG\xFB"sv, "BPG", kConvert},
    {0, "DDS "sv, "DDS", kConvert},
    {0, "\xABKTX "sv, "KTX", kConvert},
    {0, "\x59\xA6\x6A\x95"sv, "Sun raster", kConvert},
    {0, "\x01\xDA"sv, "SGI", kConvert},
    {0, "\x0A\x05\x01\x08"sv, "PCX", kConvert},
    {0, "AT&TFORM"sv, "DjVu", kPages},
    {0, "%PDF"sv, "PDF", kPages},
    {0, "%!PS"sv, "PostScript", kPages},
    {0, "\x1A\x45\xDF\xA3"sv, "video (WebM, MKV)", kFrames},
    {8, "AVI "sv, "video (AVI)", kFrames},
    {0, "\x93NUMPY"sv, "NumPy array", "write the arrays as PNG files"},
    {0, "\x89HDF\r\n\x1A\n"sv, "HDF5", "write the arrays as PNG files"},
    {0, "PK\3\4"sv, "ZIP archive", kUnpack},
    {0, "\x1F\x8B"sv, "gzip", kUnpack},
    {0, "7z\xBC\xAF\x27\x1C"sv, "7z archive", kUnpack},
    {0, "Rar!"sv, "RAR archive", kUnpack},
    {257, "ustar"sv, "tar archive", kUnpack},
};

bool fits(const Format& format, std::string_view bytes) {
  return bytes.size() >= format.offset + format.magic.size() && bytes.substr(format.offset).starts_with(format.magic);
}

/// Files that hold text, by a word near their beginning, in lower case.
constexpr struct {
  std::string_view word;
  const char* what;
  const char* hint;
} kTexts[] = {
    {"version https://git-lfs", "the file is a Git LFS pointer, not the image", "run: git lfs pull"},
    {"<svg", "SVG files are not decoded", "draw them as PNG, for example: rsvg-convert FILE -o FILE.png"},
    {"<!doctype html", "the file is a web page", kFetchAgain},
    {"<html", "the file is a web page", kFetchAgain},
    {"<?xml", "the file is XML", kFetchAgain},
};

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

}  // namespace

Error not_decoded(std::string_view bytes, std::string_view where) {
  constexpr std::size_t kBeginning = 1024;
  Error error{.code = ErrorCode::kBadFormat, .what = {}, .where = std::string(where)};
  if (bytes.empty()) {
    error.what = "the file is empty";
    return error;
  }
  const auto* format = std::find_if(std::begin(kFormats), std::end(kFormats), [&](const Format& f) { return fits(f, bytes); });
  if (format != std::end(kFormats)) {
    error.code = ErrorCode::kUnsupported;
    error.what = std::string(format->name) + " files are not decoded";
    error.hint = format->hint;
    return error;
  }
  const auto beginning = lower(bytes.substr(0, kBeginning));
  for (const auto& text : kTexts) {
    if (beginning.find(text.word) == std::string::npos) continue;
    error.what = text.what;
    error.hint = text.hint;
    return error;
  }
  error.what = "the file is no image";
  error.got = "other first bytes";
  error.expected = "JPEG, PNG, WebP, BMP, TIFF or GIF";
  return error;
}

}  // namespace hedge::data::internal

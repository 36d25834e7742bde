#pragma once

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/rng.h"
#include "hedge/dataset.h"
#include "hedge/image.h"

/// What the tests of this room share.
namespace hedge::data::testing {

/// A folder of its own, removed at the end.
class TempFolder {
 public:
  TempFolder() {
    static std::atomic<int> count = 0;
    path_ = std::filesystem::temp_directory_path() / ("hedge-data-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
    std::filesystem::create_directories(path_);
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  [[nodiscard]] std::string str() const { return path_.string(); }
  void write(const std::string& name, std::string_view bytes) const {
    const auto status = write_file_atomic(path_ / name, bytes);
    ASSERT_TRUE(status.ok()) << status.error().message();
  }
  void make_folder(const std::string& name) const { std::filesystem::create_directories(path_ / name); }

 private:
  std::filesystem::path path_;
};

inline Image noise(std::uint64_t seed, std::int64_t height, std::int64_t width, std::int64_t channels) {
  Image image{.height = height, .width = width, .channels = channels, .pixels = {}};
  Rng rng(seed);
  for (std::int64_t i = 0; i < height * width * channels; ++i) image.pixels.push_back(static_cast<std::uint8_t>(rng.below(256)));
  return image;
}

inline std::string png_of(std::uint64_t seed) { return encode_png(noise(seed, 5, 6, 3)).value(); }

/// `count` different PNG files named 00.png, 01.png, … in a class folder.
inline void add_class(const TempFolder& folder, const std::string& name, int count, std::uint64_t seed) {
  for (int i = 0; i < count; ++i)
    folder.write(name + "/" + (i < 10 ? "0" : "") + std::to_string(i) + ".png", png_of(seed * 1000 + static_cast<std::uint64_t>(i)));
}

inline std::string idx_bytes(const std::vector<std::uint32_t>& dims, const std::string& values) {
  std::string bytes{'\0', '\0', '\x08', static_cast<char>(dims.size())};
  for (const auto d : dims)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>((d >> shift) & 255U);
  return bytes + values;
}

inline std::string gzip(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// Images in memory; number `broken` cannot be decoded. Counts the decodings.
class FakeDataset final : public Dataset {
 public:
  explicit FakeDataset(std::size_t count, std::vector<std::size_t> broken = {}) : count_(count), broken_(std::move(broken)) {}
  [[nodiscard]] std::size_t size() const override { return count_; }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return names_; }
  [[nodiscard]] std::int64_t label(std::size_t index) const override { return static_cast<std::int64_t>(index % 2); }
  [[nodiscard]] std::string id(std::size_t index) const override { return "fake/" + std::to_string(index); }
  [[nodiscard]] Result<Image> image(std::size_t index) const override {
    ++decoded;
    for (const auto b : broken_)
      if (b == index) return Error{.code = ErrorCode::kBadFormat, .what = "a broken image", .where = id(index)};
    return noise(index, 4, 4, 1);
  }
  [[nodiscard]] const std::string& content_hash() const override { return hash_; }
  [[nodiscard]] const std::string& spec() const override { return hash_; }

  mutable std::atomic<int> decoded = 0;

 private:
  std::size_t count_;
  std::vector<std::size_t> broken_;
  std::vector<std::string> names_ = {"even", "odd"};
  std::string hash_ = "fake";
};

inline const std::string kFashionMnist = "/usr/share/datasets/fashion-mnist";
inline bool has_fashion_mnist() { return std::filesystem::exists(kFashionMnist + "/t10k-labels-idx1-ubyte.gz"); }

}  // namespace hedge::data::testing

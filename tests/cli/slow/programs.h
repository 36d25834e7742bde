#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/process.h"
#include "core/rng.h"
#include "hedge/image.h"

namespace hedge::cli {

using Words = std::vector<std::string>;

/// Runs the programs as a person does, in a folder that the tests of one suite share.
class Programs : public ::testing::Test {
 protected:
  static void open(const std::string& name) {
    folder_ = std::filesystem::temp_directory_path() / ("hedge_" + name + "_" + std::to_string(::getpid()));
  }
  static void close() { std::filesystem::remove_all(folder_); }

  static std::string at(const std::string& name) { return (folder_ / name).string(); }
  static Words command(Words words) {
    words[0] = std::string(HEDGE_BINARY_DIR) + "/bin/" + words[0];
    return words;
  }
  /// Runs to the end; standard output goes to the file "stdout".
  static int run(const Words& words) {
    auto child = ChildProcess::start(command(words), at("stdout"));
    return child ? child->wait() : -1;
  }
  static std::string output() { return read_file(at("stdout")).value(); }

  /// 3 classes of 16x16 images in "images": a bright band whose place is the class, under noise that hides some of them.
  static void make_images(int a_class) {
    Rng rng(11);
    for (std::size_t label = 0; label < 3; ++label)
      for (int i = 0; i < a_class; ++i) {
        data::Image image{.height = 16, .width = 16, .channels = 1, .pixels = std::vector<std::uint8_t>(256)};
        const auto contrast = rng.below(90);
        for (std::size_t p = 0; p < 256; ++p)
          image.pixels[p] = static_cast<std::uint8_t>((p / 16 / 5 == label ? 60 + contrast : 60) + rng.below(100));
        const auto path = folder_ / "images" / ("class" + std::to_string(label)) / (std::to_string(i) + ".png");
        ASSERT_TRUE(write_file_atomic(path, data::encode_png(image).value()).ok());
      }
  }

  static inline std::filesystem::path folder_;
};

}  // namespace hedge::cli

// A folder with images of 16000 x 16000 and a PNG bomb takes little more memory than the folder without them.
#include <gtest/gtest.h>
#include <jpeglib.h>
#include <png.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "data/fixtures.h"
#include "data/loader.h"

namespace hedge::data {
namespace {

using testing::noise;
using testing::TempFolder;

constexpr std::size_t kSide = 16000;
constexpr std::int64_t kMostMoreMib = 128;  ///< a worker

using File = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

File create(const std::string& path) { return {std::fopen(path.c_str(), "wb"), std::fclose}; }

/// Row by row: waves, so that it is neither flat nor noise.
void write_huge_jpeg(const std::string& path) {
  const auto file = create(path);
  jpeg_compress_struct info{};
  jpeg_error_mgr error{};
  info.err = jpeg_std_error(&error);
  jpeg_create_compress(&info);
  jpeg_stdio_dest(&info, file.get());
  info.image_width = info.image_height = kSide;
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_start_compress(&info, TRUE);
  std::vector<std::uint8_t> row(kSide * 3);
  while (info.next_scanline < info.image_height) {
    const std::size_t y = info.next_scanline;
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = static_cast<std::uint8_t>((i / 24 + y / 8) % 256);
    auto* pointer = row.data();
    jpeg_write_scanlines(&info, &pointer, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
}

void write_png_bomb(const std::string& path) {
  const auto file = create(path);
  auto* png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  auto* info = png_create_info_struct(png);
  png_init_io(png, file.get());
  png_set_IHDR(png, info, kSide, kSide, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  std::vector<png_byte> row(kSide * 3, 0);
  for (std::size_t y = 0; y < kSide; ++y) png_write_row(png, row.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
}

struct Peak {
  std::int64_t mib = 0;
  int images = 0;
};

/// Goes once over the folder in a process of its own. Its exit status is how many images it saw.
Peak read_all(const std::string& folder) {
  const auto child = ::fork();
  if (child == 0) {
    const auto opened = open_dataset("folder:" + folder);
    if (!opened) ::_exit(0);
    const Preprocess recipe{
        .version = 2, .channels = 3, .height = 64, .width = 64, .resize_shorter = 64, .normalization = {{0, 0, 0}, {1, 1, 1}}};
    Loader loader(*opened->dataset, recipe, {.batch = 4});
    loader.start(0);
    std::size_t images = 0;
    for (auto batch = loader.next(); batch && *batch; batch = loader.next()) images += (*batch)->labels.size();
    ::_exit(static_cast<int>(images));
  }
  int status = 0;
  struct rusage usage {};
  ::wait4(child, &status, 0, &usage);
  return {.mib = usage.ru_maxrss / 1024, .images = WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

TEST(Memory, huge_images_and_a_bomb_cost_at_most_128_mib_a_worker) {
  const TempFolder folder;
  const auto photo = encode_jpeg(noise(1, 480, 640, 3)).value();
  for (int i = 0; i < 6; ++i)
    for (const auto* name : {"ant/", "bee/"}) folder.write(name + std::to_string(i) + ".jpg", photo);
  const auto without = read_all(folder.str());
  ASSERT_EQ(without.images, 12);
  write_huge_jpeg(folder.str() + "/ant/huge.jpg");
  std::filesystem::create_hard_link(folder.str() + "/ant/huge.jpg", folder.str() + "/bee/huge.jpg");
  write_png_bomb(folder.str() + "/bee/bomb.png");
  const auto with = read_all(folder.str());
  EXPECT_EQ(with.images, 14) << "the huge JPEGs are answered, the bomb is left out";
  EXPECT_LE(with.mib, without.mib + kMostMoreMib) << without.mib << " MiB without them";
}

}  // namespace
}  // namespace hedge::data

// A device's loop around what `hedge mcu export` wrote: answer here, or hand the image over to what talks to the cloud. Nothing of it
// allocates memory or throws; on a board a camera stands in the place of the file, and a radio in the place of send().
//   microcontroller RAW_IMAGES: kInputHeight * kInputWidth * kInputChannels bytes each, u8, channels last
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "hedge_model.h"

namespace {

constexpr std::size_t kImageBytes = hedge_model::kInputHeight * hedge_model::kInputWidth * hedge_model::kInputChannels;

/// run() overwrites the arena that the image was read into, so a copy is kept for the cloud.
unsigned char image[kImageBytes];

void send(int number) { std::printf("image %d: to the cloud, %zu bytes\n", number, kImageBytes); }

}  // namespace

int main(int argc, char** argv) {
  std::FILE* camera = argc > 1 ? std::fopen(argv[1], "rb") : nullptr;
  if (camera == nullptr) {
    std::fprintf(stderr, "usage: microcontroller RAW_IMAGES\n");
    return EXIT_FAILURE;
  }
  std::printf("arena %u bytes, constants %u bytes, threshold %g\n", hedge_model::kArenaBytes, hedge_model::kConstantBytes,
              static_cast<double>(hedge_model::threshold()));
  int queries = 0, images = 0;
  for (; std::fread(image, 1, kImageBytes, camera) == kImageBytes; ++images) {
    const auto answer = hedge_model::run(image);
    std::printf("image %d: %s, score %g\n", images, hedge_model::kLabels[answer.label], static_cast<double>(answer.score));
    if (!answer.query) continue;
    send(images);
    ++queries;
    // A budget for the radio: a higher threshold leaves more to the base.
    if (2 * queries > images + 10) hedge_model::set_threshold(hedge_model::threshold() + 0.01F);
  }
  std::printf("%d images, %d to the cloud\n", images, queries);
  return std::fclose(camera) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

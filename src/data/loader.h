#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "hedge/dataset.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::data {

/// Random changes of a training image, drawn from (seed, epoch, index) alone: the same for any number of workers.
struct Augmentation {
  std::int64_t pad_crop = 0;  ///< pixels of padding on each side before a random crop of the old size
  bool flip = false;          ///< left-right, with probability 1/2
  std::int64_t cutout = 0;    ///< side of a gray square laid over the image at a random place, 0: none (DeVries and Taylor 2017)
  bool reflect = false;       ///< the padding mirrors the image at its border (without the border itself); otherwise it is 0
  /// With `flip`: an image is drawn mirrored or not once, then alternates from epoch to epoch, so that two epochs show each image both ways
  /// (Jordan 2024, arXiv 2404.00498).
  bool alternate = false;
  double erase = 0;       ///< probability of a rectangle of noise, 2..33 % of the image (random erasing; Zhong et al. 2017)
  std::int64_t vary = 0;  ///< random changes of light or shape an image, each mild (after RandAugment; Cubuk et al. 2019)
};

struct LoaderOptions {
  std::int64_t batch = 128;
  bool shuffle = false;    ///< order from (seed, epoch)
  bool drop_last = false;  ///< leave out a last batch smaller than `batch`
  std::uint64_t seed = 1;
  int workers = 1;           ///< decoding threads
  std::size_t prefetch = 4;  ///< batches made ahead at most (back-pressure)
  std::optional<Augmentation> augmentation;
  bool strict = false;  ///< an image that cannot be decoded is an error; otherwise left out of its batch

  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

struct Batch {
  Tensor images;                       ///< f32 [n, C, H, W], normalised
  Tensor pixels;                       ///< u8 [n, H, W, C], only where asked for with `raw`
  std::vector<std::int64_t> labels;    ///< [n]
  std::vector<std::size_t> indices;    ///< [n] into the data set
  std::vector<std::int64_t> mirrored;  ///< [n]: 1 where the image was flipped, else 0
};

/// Goes over a data set in batches, decoding on worker threads; batches come in order. Call start(epoch), then next()
/// until it gives nothing; start again for another epoch. `dataset` must outlive the loader. Not thread-safe.
/// Images whose decoded, fitted form fits a memory budget (1 GiB in all) are decoded once.
class Loader {
 public:
  Loader(const Dataset& dataset, Preprocess recipe, LoaderOptions options, bool raw = false);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  void start(std::int64_t epoch);
  /// The next batch, never an empty one, or nothing at the end. Errors, each of which ends the epoch: those of
  /// LoaderOptions::validate and Preprocess::validate; those of Dataset::image (strict); kInvalidArgument before start.
  Result<std::optional<Batch>> next();
  /// An upper bound: a batch whose images are all broken is left out.
  [[nodiscard]] std::int64_t batches_per_epoch() const;
  /// Images that could not be decoded, so far, each once, in the data set's order.
  [[nodiscard]] std::vector<Skipped> skipped() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hedge::data

#include "train/internal/mixing.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/rng.h"

namespace hedge::train::internal {
namespace {

/// Marsaglia and Tsang 2000; for shapes below 1 with their correction.
double draw_gamma(Rng& rng, double shape) {
  if (shape < 1) return draw_gamma(rng, shape + 1) * std::pow(1 - rng.uniform(), 1 / shape);
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = rng.normal(), root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(1 - rng.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

double draw_beta(Rng& rng, double alpha) {
  const double a = draw_gamma(rng, alpha), b = draw_gamma(rng, alpha);
  return a + b > 0 ? a / (a + b) : 0.5;
}

/// Lays the same rectangle of `other` on each image; its share of the pixels is 1 - share at most. Returns the images' own share.
double lay_rectangle(torch::Tensor& images, const torch::Tensor& other, double share, Rng& rng) {
  const auto height = images.size(2), width = images.size(3);
  const double side = std::sqrt(1 - share);
  const auto span = [&](std::int64_t size) {
    const auto middle = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(size)));
    const auto half = static_cast<std::int64_t>(side * static_cast<double>(size)) / 2;
    return std::pair(std::max<std::int64_t>(0, middle - half), std::min(size, middle + half));
  };
  const auto [top, bottom] = span(height);
  const auto [left, right] = span(width);
  images = images.clone();
  images.slice(2, top, bottom).slice(3, left, right).copy_(other.slice(2, top, bottom).slice(3, left, right));
  return 1 - static_cast<double>((bottom - top) * (right - left)) / static_cast<double>(height * width);
}

void mix(const TrainOptions& options, std::uint64_t draw, BatchTargets& batch) {
  Rng rng(options.seed, draw);
  std::vector<std::int64_t> order(static_cast<std::size_t>(batch.labels.size(0)));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  rng.shuffle(std::span(order));
  const auto partner = torch::tensor(order, torch::kLong).to(batch.images.device());
  const bool cut = options.cutmix > 0 && (options.mixup == 0 || (rng.next() & 1U) != 0);
  batch.share = draw_beta(rng, cut ? options.cutmix : options.mixup);
  const auto other = batch.images.index_select(0, partner);
  batch.other = Truth{batch.labels.index_select(0, partner), batch.rows.index_select(0, partner),
                      batch.mirrored.defined() ? batch.mirrored.index_select(0, partner) : torch::Tensor()};
  if (cut)
    batch.share = lay_rectangle(batch.images, other, batch.share, rng);
  else
    batch.images = torch::lerp(other, batch.images, batch.share);
}

}  // namespace

void change_batch(const TrainOptions& options, const BatchChange& change, BatchTargets& batch) {
  torch::NoGradGuard guard;
  if (options.mixup > 0 || options.cutmix > 0) mix(options, change.draw, batch);
  const auto height = batch.images.size(2), width = batch.images.size(3);
  if (change.side == 0 || change.side == height) return;
  const auto across = std::max<std::int64_t>(1, width * change.side / height);
  batch.images = torch::nn::functional::interpolate(batch.images, torch::nn::functional::InterpolateFuncOptions()
                                                                      .size(std::vector<std::int64_t>{change.side, across})
                                                                      .mode(torch::kBilinear)
                                                                      .align_corners(false));
}

}  // namespace hedge::train::internal

#include "codegen/quantize_rounding.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hedge::codegen {
namespace {

constexpr std::size_t kLeastWindows = 2048, kMostWindows = 16384;  // so many products of two differences of int8 fit into 32 bits
constexpr std::size_t kWindowsAnInput = 64;
constexpr double kDamping = 0.01;  ///< of the mean variance, added to each; the share that GPTQ uses
constexpr double kMostWeight = 127;

using Matrix = std::vector<double>;  ///< square, row by row

/// What a layer's products see at each pixel of its output.
class Windows {
 public:
  Windows(const Layer& layer, const Activation& input) : input_(input) {
    const bool whole = layer.kind == LayerKind::kFullyConnected;
    height_ = whole ? input.height : layer.kernel_height;
    width_ = whole ? input.width : layer.kernel_width;
    rows_ = whole ? 1 : (input.height + layer.pad_top + layer.pad_bottom - height_) / layer.stride_height + 1;
    columns_ = whole ? 1 : (input.width + layer.pad_left + layer.pad_right - width_) / layer.stride_width + 1;
    if (whole) return;
    stride_height_ = layer.stride_height;
    stride_width_ = layer.stride_width;
    top_ = layer.pad_top;
    left_ = layer.pad_left;
  }
  [[nodiscard]] std::size_t an_image() const { return static_cast<std::size_t>(rows_) * static_cast<std::size_t>(columns_); }
  [[nodiscard]] std::size_t positions() const { return static_cast<std::size_t>(height_) * static_cast<std::size_t>(width_); }

  /// Window `index`, less the zero point, to `values` [kernel height, kernel width, channels].
  void read(std::span<const std::int8_t> image, std::size_t index, std::vector<std::int32_t>& values) const {
    const std::int32_t top = static_cast<std::int32_t>(index) / columns_ * stride_height_ - top_;
    const std::int32_t left = static_cast<std::int32_t>(index) % columns_ * stride_width_ - left_;
    auto out = values.begin();
    for (std::int32_t y = top; y < top + height_; ++y)
      for (std::int32_t x = left; x < left + width_; ++x) {
        const bool inside = y >= 0 && x >= 0 && y < input_.height && x < input_.width;
        for (std::int32_t c = 0; c < input_.channels; ++c)
          *out++ = inside ? image[static_cast<std::size_t>((y * input_.width + x) * input_.channels + c)] - input_.zero_point : 0;
      }
  }

 private:
  const Activation& input_;
  std::int32_t height_ = 1, width_ = 1, rows_ = 1, columns_ = 1, stride_height_ = 1, stride_width_ = 1, top_ = 0, left_ = 0;
};

/// Sums of values and of their products, of one group.
struct Sums {
  explicit Sums(std::size_t inputs) : values(inputs, 0), products(inputs * inputs, 0) {}
  void add(std::span<const std::int32_t> x) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      values[i] += x[i];
      if (x[i] == 0) continue;
      auto* const row = &products[i * x.size()];
      for (std::size_t j = i; j < x.size(); ++j) row[j] += x[i] * x[j];
    }
  }
  std::vector<std::int32_t> values, products;  // of the products only j >= i
};

/// Upper triangular U with inverse(A) = transpose(U) U, of a symmetric positive definite A [n, n].
Matrix inverse_factor(const Matrix& a, std::size_t n) {
  Matrix r(n * n, 0);  // A = R transpose(R), R upper triangular, from the last column on
  for (std::size_t j = n; j-- > 0;)
    for (std::size_t i = j + 1; i-- > 0;) {
      double sum = a[i * n + j];
      for (std::size_t k = j + 1; k < n; ++k) sum -= r[i * n + k] * r[j * n + k];
      r[i * n + j] = i == j ? std::sqrt(std::max(sum, 1e-12)) : sum / r[j * n + j];
    }
  Matrix u(n * n, 0);  // inverse of R
  for (std::size_t i = n; i-- > 0;) {
    u[i * n + i] = 1.0 / r[i * n + i];
    for (std::size_t k = i + 1; k < n; ++k) {
      const double factor = -r[i * n + k] * u[i * n + i];
      for (std::size_t j = k; j < n; ++j) u[i * n + j] += factor * u[k * n + j];
    }
  }
  return u;
}

/// Rounds the weights of outputs that share their inputs.
class Rounder {
 public:
  Rounder(std::span<const double> covariance, std::size_t inputs) : covariance_(covariance), order_(inputs) {
    const auto n = inputs;
    std::iota(order_.begin(), order_.end(), 0U);
    std::stable_sort(order_.begin(), order_.end(), [&](auto i, auto j) { return covariance_[i * n + i] > covariance_[j * n + j]; });
    double mean = 0;
    for (std::size_t i = 0; i < n; ++i) mean += covariance_[i * n + i] / static_cast<double>(n);
    Matrix damped(n * n);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j)
        damped[i * n + j] = covariance_[order_[i] * n + order_[j]] + (i == j ? kDamping * mean + 1e-6 : 0.0);
    factor_ = inverse_factor(damped, n);
  }

  /// `steps`: the weights in floats over their scale.
  [[nodiscard]] std::vector<double> round(const std::vector<double>& steps) const {
    const auto n = steps.size();
    std::vector<double> left(n), rounded(n), nearest(n);
    for (std::size_t i = 0; i < n; ++i) left[i] = steps[order_[i]];
    for (std::size_t i = 0; i < n; ++i) nearest[i] = whole(steps[i]);
    for (std::size_t i = 0; i < n; ++i) {
      const double q = whole(left[i]);
      rounded[order_[i]] = q;
      const double error = (left[i] - q) / factor_[i * n + i];
      for (std::size_t j = i + 1; j < n; ++j) left[j] -= error * factor_[i * n + j];
    }
    return loss(steps, rounded) < loss(steps, nearest) ? rounded : nearest;
  }

 private:
  static double whole(double step) { return std::clamp(std::round(step), -kMostWeight, kMostWeight); }

  /// The variance of what the change adds to the output.
  [[nodiscard]] double loss(const std::vector<double>& steps, const std::vector<double>& rounded) const {
    const auto n = steps.size();
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double row = 0;
      for (std::size_t j = 0; j < n; ++j) row += covariance_[i * n + j] * (rounded[j] - steps[j]);
      sum += row * (rounded[i] - steps[i]);
    }
    return sum;
  }

  std::span<const double> covariance_;
  std::vector<std::size_t> order_;  ///< the inputs, those that vary most first
  Matrix factor_;                   ///< in that order
};

}  // namespace

InputMoments measure_inputs(const Layer& layer, const Activation& input, std::span<const std::span<const std::int8_t>> images) {
  const Windows windows(layer, input);
  const auto channels = static_cast<std::size_t>(input.channels);
  const bool depthwise = layer.kind == LayerKind::kDepthwise;
  InputMoments moments{.groups = depthwise ? channels : 1, .inputs = windows.positions() * (depthwise ? 1 : channels), .covariance = {}};
  std::vector<Sums> sums(moments.groups, Sums(moments.inputs));
  const std::size_t all = windows.an_image() * images.size();
  const std::size_t looked = std::min(all, std::clamp(kWindowsAnInput * moments.inputs, kLeastWindows, kMostWindows));
  std::vector<std::int32_t> values(windows.positions() * channels), one(moments.inputs);
  for (std::size_t w = 0; w < looked; ++w) {
    const std::size_t at = w * all / looked;
    windows.read(images[at / windows.an_image()], at % windows.an_image(), values);
    if (!depthwise) sums[0].add(values);
    for (std::size_t c = 0; depthwise && c < channels; ++c) {
      for (std::size_t i = 0; i < one.size(); ++i) one[i] = values[i * channels + c];
      sums[c].add(one);
    }
  }
  const auto n = moments.inputs;
  const auto count = static_cast<double>(looked);
  moments.covariance.resize(moments.groups * n * n);
  for (std::size_t g = 0; g < moments.groups; ++g)
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = i; j < n; ++j) {
        const double value = sums[g].products[i * n + j] / count - sums[g].values[i] / count * (sums[g].values[j] / count);
        moments.covariance[(g * n + i) * n + j] = moments.covariance[(g * n + j) * n + i] = value;
      }
  return moments;
}

std::vector<std::int8_t> round_weights(const Layer& layer, std::span<const float> weights, const InputMoments& moments) {
  const auto n = moments.inputs;
  const bool depthwise = layer.kind == LayerKind::kDepthwise;
  std::vector<std::int8_t> integers(weights.size());
  std::vector<double> steps(n);
  for (std::size_t g = 0; g < moments.groups; ++g) {
    const Rounder rounder(std::span(moments.covariance).subspan(g * n * n, n * n), n);
    const std::size_t first = depthwise ? g : 0, last = depthwise ? g + 1 : layer.weight_scales.size();
    for (std::size_t o = first; o < last; ++o) {
      const auto at = [&](std::size_t i) { return depthwise ? i * moments.groups + o : o * n + i; };
      for (std::size_t i = 0; i < n; ++i) steps[i] = static_cast<double>(weights[at(i)]) / static_cast<double>(layer.weight_scales[o]);
      const auto rounded = rounder.round(steps);
      for (std::size_t i = 0; i < n; ++i) integers[at(i)] = static_cast<std::int8_t>(rounded[i]);
    }
  }
  return integers;
}

}  // namespace hedge::codegen

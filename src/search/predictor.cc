#include "search/predictor.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace hedge::search {
namespace {

/// The inverse of a symmetric positive definite matrix, row by row, through its Cholesky factor.
std::vector<double> inverse_of(std::vector<double> a, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {  // a becomes its factor L
    for (std::size_t k = 0; k < j; ++k) a[j * n + j] -= a[j * n + k] * a[j * n + k];
    a[j * n + j] = std::sqrt(a[j * n + j]);
    for (std::size_t i = j + 1; i < n; ++i) {
      for (std::size_t k = 0; k < j; ++k) a[i * n + j] -= a[i * n + k] * a[j * n + k];
      a[i * n + j] /= a[j * n + j];
    }
  }
  std::vector<double> inverse(n * n, 0);
  for (std::size_t column = 0; column < n; ++column) {
    std::vector<double> x(n, 0);
    x[column] = 1;
    for (std::size_t i = column; i < n; ++i) {
      for (std::size_t k = column; k < i; ++k) x[i] -= a[i * n + k] * x[k];
      x[i] /= a[i * n + i];
    }
    for (std::size_t i = n; i-- > 0;) {
      for (std::size_t k = i + 1; k < n; ++k) x[i] -= a[k * n + i] * x[k];
      x[i] /= a[i * n + i];
    }
    for (std::size_t i = 0; i < n; ++i) inverse[i * n + column] = x[i];
  }
  return inverse;
}

Error unusable(const char* what, std::string got, std::string expected) {
  return {.code = ErrorCode::kInvalidArgument,
          .what = what,
          .where = "accuracy predictor",
          .got = std::move(got),
          .expected = std::move(expected)};
}

}  // namespace

double kendall_tau(std::span<const double> a, std::span<const double> b) {
  double agreement = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = i + 1; j < a.size(); ++j) {
      const double product = (a[i] - a[j]) * (b[i] - b[j]);
      agreement += product > 0 ? 1 : product < 0 ? -1 : 0;
    }
  const auto n = static_cast<double>(a.size());
  return agreement / (n * (n - 1) / 2);
}

double AccuracyPredictor::Kernel::operator()(std::span<const double> a, std::span<const double> b) const {
  double product = 0, distance = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    product += (a[i] - 0.5) * (b[i] - 0.5);
    distance += (a[i] - b[i]) * (a[i] - b[i]);
  }
  const auto size = static_cast<double>(a.size());
  return (1 - curved) * 4 * product / size + curved * std::exp(-distance / (2 * length * length * size));
}

Result<AccuracyPredictor> AccuracyPredictor::fit(std::vector<std::vector<double>> descriptions, const std::vector<double>& accuracies) {
  if (descriptions.size() < kFewest || descriptions.size() != accuracies.size())
    return unusable("too few judged networks", std::to_string(std::min(descriptions.size(), accuracies.size())),
                    std::to_string(kFewest) + " or more");
  for (const auto& row : descriptions)
    if (row.size() != descriptions[0].size() || row.empty() ||
        !std::all_of(row.begin(), row.end(), [](double v) { return std::isfinite(v); }))
      return unusable("descriptions that differ in length, or are not finite", std::to_string(row.size()),
                      std::to_string(descriptions[0].size()));
  if (!std::all_of(accuracies.begin(), accuracies.end(), [](double v) { return std::isfinite(v); }))
    return unusable("an accuracy that is not finite", "", "numbers");
  const auto [least, most] = std::minmax_element(accuracies.begin(), accuracies.end());
  if (*least == *most)
    return unusable("all judged networks are equally accurate", std::to_string(*least),
                    "accuracies that differ: more held-out images, or a supernet that was trained longer");
  AccuracyPredictor predictor;
  predictor.rows_ = std::move(descriptions);
  predictor.mean_ = std::accumulate(accuracies.begin(), accuracies.end(), 0.0) / static_cast<double>(accuracies.size());
  std::vector<double> centred;
  for (const double accuracy : accuracies) centred.push_back(accuracy - predictor.mean_);
  AccuracyPredictor best;
  double least_error = std::numeric_limits<double>::infinity();
  for (const double length : {0.2, 0.5, 1.0})
    for (const double curved : {0.1, 0.5, 0.9})
      for (const double noise : {0.001, 0.01, 0.1, 0.5}) {
        predictor.kernel_ = {length, curved, noise};
        const double error = predictor.solve(centred);
        if (error < least_error) least_error = error, best = predictor;
      }
  return best;
}

double AccuracyPredictor::solve(const std::vector<double>& centred) {
  const auto n = rows_.size();
  std::vector<double> covariance(n * n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) covariance[i * n + j] = kernel_(rows_[i], rows_[j]) + (i == j ? kernel_.noise : 0);
  const auto inverse = inverse_of(std::move(covariance), n);
  weights_.assign(n, 0);
  left_out_.assign(n, 0);
  for (std::size_t i = 0; i < n; ++i)
    weights_[i] = std::inner_product(centred.begin(), centred.end(), inverse.begin() + static_cast<std::ptrdiff_t>(i * n), 0.0);
  double error = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double missed = weights_[i] / inverse[i * n + i];
    left_out_[i] = mean_ + centred[i] - missed;
    error += missed * missed;
  }
  return error / static_cast<double>(n);
}

double AccuracyPredictor::predict(std::span<const double> description) const {
  double value = mean_;
  for (std::size_t i = 0; i < rows_.size(); ++i) value += weights_[i] * kernel_(rows_[i], description);
  return value;
}

}  // namespace hedge::search

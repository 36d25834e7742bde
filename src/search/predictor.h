#pragma once

#include <span>
#include <vector>

#include "hedge/result.h"

namespace hedge::search {

/// Agreement of two orders: (pairs in the same order - pairs in opposite orders) / all pairs, ties in either count for neither (Kendall's
/// tau-a). Precondition: equally many, two or more.
double kendall_tau(std::span<const double> a, std::span<const double> b);

/// Says a network's accuracy from its description, after a few that were judged: Gaussian process regression (Rasmussen and Williams 2006,
/// algorithm 2.1) with a linear and a squared exponential kernel, whose length, weight and noise are those with the least leave-one-out
/// error (equation 5.12). Immutable.
class AccuracyPredictor {
 public:
  static constexpr std::size_t kFewest = 16;

  /// `descriptions`: a row of numbers a network, each about 0..1, all of the same length. Errors: kInvalidArgument (fewer than kFewest
  /// networks, rows of different lengths, not finite, or accuracies that are all the same).
  static Result<AccuracyPredictor> fit(std::vector<std::vector<double>> descriptions, const std::vector<double>& accuracies);

  [[nodiscard]] double predict(std::span<const double> description) const;
  /// What would be said of each network if it had been left out.
  [[nodiscard]] const std::vector<double>& left_out() const { return left_out_; }

 private:
  struct Kernel {
    double length = 1, curved = 0.5, noise = 0.01;
    [[nodiscard]] double operator()(std::span<const double> a, std::span<const double> b) const;
  };
  AccuracyPredictor() = default;
  /// Weights and left-out values with the present kernel; the mean squared left-out error.
  double solve(const std::vector<double>& centred);

  std::vector<std::vector<double>> rows_;
  double mean_ = 0;
  Kernel kernel_;
  std::vector<double> weights_, left_out_;
};

}  // namespace hedge::search

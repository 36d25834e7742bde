#include "search/predictor.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"

namespace hedge::search {
namespace {

struct Judged {
  std::vector<std::vector<double>> rows;
  std::vector<double> accuracies;
};

/// Accuracies that follow from the descriptions, with noise; the first two numbers also work together.
Judged judged(std::size_t count, double noise, std::uint64_t seed) {
  Judged all;
  Rng rng(seed);
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<double> row;
    for (int k = 0; k < 12; ++k) row.push_back(0.5 * static_cast<double>(rng.below(3)));
    double accuracy = 0.8;
    for (int k = 0; k < 12; ++k) accuracy += 0.01 * (k % 4) * row[static_cast<std::size_t>(k)];
    accuracy += 0.03 * row[0] * row[1] + noise * rng.normal();
    all.rows.push_back(row);
    all.accuracies.push_back(accuracy);
  }
  return all;
}

TEST(KendallTau, counts_pairs) {
  const std::vector<double> a = {1, 2, 3, 4}, same = {10, 20, 30, 40}, turned = {4, 3, 2, 1}, mixed = {1, 3, 2, 2};
  EXPECT_EQ(kendall_tau(a, same), 1);
  EXPECT_EQ(kendall_tau(a, turned), -1);
  EXPECT_DOUBLE_EQ(kendall_tau(a, mixed), 1.0 / 6);  // 3 pairs agree, 2 disagree, 1 is a tie
}

TEST(Predictor, orders_networks_that_it_has_not_seen) {
  const auto seen = judged(120, 0.002, 1), unseen = judged(100, 0, 2);
  const auto predictor = AccuracyPredictor::fit(seen.rows, seen.accuracies).value();
  std::vector<double> predicted;
  for (const auto& row : unseen.rows) predicted.push_back(predictor.predict(row));
  EXPECT_GT(kendall_tau(predicted, unseen.accuracies), 0.85);
  double error = 0;
  for (std::size_t i = 0; i < predicted.size(); ++i) error = std::max(error, std::abs(predicted[i] - unseen.accuracies[i]));
  EXPECT_LT(error, 0.02);
}

TEST(Predictor, left_out_is_what_a_fit_without_the_network_says) {
  const auto seen = judged(40, 0.003, 5);
  const auto all = AccuracyPredictor::fit(seen.rows, seen.accuracies).value();
  EXPECT_GT(kendall_tau(all.left_out(), seen.accuracies), 0.5);
  double apart = 0, spread = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    auto rows = seen.rows;
    auto accuracies = seen.accuracies;
    rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(i));
    accuracies.erase(accuracies.begin() + static_cast<std::ptrdiff_t>(i));
    const auto without = AccuracyPredictor::fit(rows, accuracies).value();
    apart += std::abs(all.left_out()[i] - without.predict(seen.rows[i]));  // but for the mean, which it keeps
    spread += std::abs(all.predict(seen.rows[i]) - without.predict(seen.rows[i]));
  }
  EXPECT_LT(apart, 0.5 * spread);
}

TEST(Predictor, of_noise_it_says_nothing) {
  auto seen = judged(80, 0, 3);
  Rng rng(9);
  for (double& accuracy : seen.accuracies) accuracy = rng.uniform();
  const auto predictor = AccuracyPredictor::fit(seen.rows, seen.accuracies).value();
  EXPECT_LT(kendall_tau(predictor.left_out(), seen.accuracies), 0.25);
}

TEST(Predictor, refuses_what_it_cannot_learn_from) {
  const auto seen = judged(20, 0, 4);
  const auto message = [](const Result<AccuracyPredictor>& result) { return result.ok() ? std::string() : result.error().message(); };
  EXPECT_NE(message(AccuracyPredictor::fit({seen.rows.begin(), seen.rows.begin() + 10}, std::vector<double>(10, 0.5))).find("too few"),
            std::string::npos);
  EXPECT_NE(message(AccuracyPredictor::fit(seen.rows, std::vector<double>(20, 0.5))).find("equally accurate"), std::string::npos);
  auto ragged = seen.rows;
  ragged[3].pop_back();
  EXPECT_NE(message(AccuracyPredictor::fit(ragged, seen.accuracies)).find("length"), std::string::npos);
  auto bad = seen.accuracies;
  bad[2] = std::nan("");
  EXPECT_NE(message(AccuracyPredictor::fit(seen.rows, bad)).find("finite"), std::string::npos);
}

}  // namespace
}  // namespace hedge::search

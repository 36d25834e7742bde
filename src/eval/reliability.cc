#include "eval/reliability.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "hedge/router.h"

namespace hedge::eval {
namespace {

double top_probability(std::span<const float> logits, std::size_t top) {
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - static_cast<double>(logits[top]));
  return 1 / sum;
}

std::size_t bin_of(double probability) {
  const double at = std::ceil(probability * static_cast<double>(kReliabilityBins)) - 1;
  return static_cast<std::size_t>(std::clamp(at, 0.0, static_cast<double>(kReliabilityBins - 1)));
}

}  // namespace

Reliability reliability(const TensorView& logits, std::span<const std::int64_t> labels) {
  const std::vector<std::int64_t> answers = routing::argmax_rows(logits);
  assert(answers.size() == labels.size());
  const auto classes = static_cast<std::size_t>(logits.shape[1]);
  const auto values = logits.data<float>();
  Reliability result;
  result.bins.resize(kReliabilityBins);
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const double probability = top_probability(values.subspan(row * classes, classes), static_cast<std::size_t>(answers[row]));
    ReliabilityBin& bin = result.bins[bin_of(probability)];
    bin.confidence += probability;
    bin.accuracy += answers[row] == labels[row] ? 1 : 0;
    ++bin.count;
  }
  for (std::size_t b = 0; b < kReliabilityBins; ++b) {
    ReliabilityBin& bin = result.bins[b];
    if (bin.count == 0) {
      bin.confidence = (static_cast<double>(b) + 0.5) / static_cast<double>(kReliabilityBins);
      continue;
    }
    bin.confidence /= static_cast<double>(bin.count);
    bin.accuracy /= static_cast<double>(bin.count);
    result.ece += static_cast<double>(bin.count) / static_cast<double>(labels.size()) * std::abs(bin.accuracy - bin.confidence);
  }
  return result;
}

}  // namespace hedge::eval

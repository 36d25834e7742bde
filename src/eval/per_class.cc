#include "eval/per_class.h"

#include <cassert>

#include "eval/bootstrap.h"

namespace hedge::eval {
namespace {

/// Counts of one class in a (re)sample.
struct Tally {
  std::int64_t images = 0;
  std::int64_t base = 0;
  std::int64_t global = 0;
  std::int64_t hybrid = 0;
};

/// One image: its class, and who is right.
struct Image {
  std::uint32_t label = 0;
  std::uint8_t base = 0;
  std::uint8_t global = 0;
  std::uint8_t hybrid = 0;
};

double share(std::int64_t part, std::int64_t of) { return static_cast<double>(part) / static_cast<double>(of); }

std::vector<Image> decide(const PerClassInputs& inputs) {
  std::vector<Image> images;
  images.reserve(inputs.labels.size());
  for (std::size_t i = 0; i < inputs.labels.size(); ++i) {
    const std::uint8_t base = inputs.outcomes->base_right[i];
    const std::uint8_t global = inputs.outcomes->global_right[i];
    const bool query = inputs.scores[i] > inputs.threshold;
    images.push_back(
        {.label = static_cast<std::uint32_t>(inputs.labels[i]), .base = base, .global = global, .hybrid = query ? global : base});
  }
  return images;
}

void tally(const std::vector<Image>& images, const SampleWeights& weights, std::vector<Tally>& classes) {
  std::fill(classes.begin(), classes.end(), Tally{});
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Image& image = images[i];
    const auto weight = static_cast<std::int64_t>(weights.counts[i]);
    Tally& one = classes[image.label];
    one.images += weight;
    one.base += weight * image.base;
    one.global += weight * image.global;
    one.hybrid += weight * image.hybrid;
  }
}

/// Balanced accuracies of one (re)sample.
struct Balanced {
  double base = 0, global = 0, hybrid = 0;
};

Balanced balance(const std::vector<Tally>& classes) {
  Balanced mean;
  int seen = 0;
  for (const Tally& one : classes) {
    if (one.images == 0) continue;
    ++seen;
    mean.base += share(one.base, one.images);
    mean.global += share(one.global, one.images);
    mean.hybrid += share(one.hybrid, one.images);
  }
  return {.base = mean.base / seen, .global = mean.global / seen, .hybrid = mean.hybrid / seen};
}

BalancedAccuracy balanced_intervals(const Balanced& estimate, const std::vector<Balanced>& samples) {
  const auto interval = [&](const auto& of) {
    std::vector<double> values;
    for (const Balanced& sample : samples) values.push_back(of(sample));
    return percentile_interval(of(estimate), std::move(values));
  };
  return {.base = interval([](const Balanced& b) { return b.base; }),
          .global = interval([](const Balanced& b) { return b.global; }),
          .hybrid = interval([](const Balanced& b) { return b.hybrid; }),
          .hybrid_over_base = interval([](const Balanced& b) { return b.hybrid - b.base; }),
          .hybrid_over_global = interval([](const Balanced& b) { return b.hybrid - b.global; })};
}

void count_help_and_harm(const PerClassInputs& inputs, std::vector<ClassRow>& rows, std::vector<std::int64_t>& covered) {
  for (std::size_t i = 0; i < inputs.labels.size(); ++i) {
    const auto label = static_cast<std::size_t>(inputs.labels[i]);
    if (inputs.scores[i] <= inputs.threshold) {
      ++covered[label];
      continue;
    }
    const int gain = int{inputs.outcomes->global_right[i]} - int{inputs.outcomes->base_right[i]};
    rows[label].helped += gain > 0 ? 1 : 0;
    rows[label].hurt += gain < 0 ? 1 : 0;
  }
}

}  // namespace

PerClass per_class(const PerClassInputs& inputs) {
  assert(inputs.outcomes != nullptr && inputs.labels.size() == inputs.scores.size() && inputs.labels.size() == inputs.outcomes->size());
  const auto classes = static_cast<std::size_t>(inputs.classes);
  const std::vector<Image> images = decide(inputs);
  std::vector<Tally> tallies(classes);
  std::vector<std::vector<double>> differences(classes);  // [class][resample with images of it]
  std::vector<Balanced> samples;
  Resampler resampler(*inputs.outcomes, inputs.seed, inputs.groups);
  for (int i = 0; i < inputs.resamples; ++i) {
    tally(images, resampler.next(), tallies);
    samples.push_back(balance(tallies));
    for (std::size_t c = 0; c < classes; ++c)
      if (tallies[c].images > 0) differences[c].push_back(share(tallies[c].hybrid - tallies[c].base, tallies[c].images));
  }
  tally(images, unit_weights(*inputs.outcomes), tallies);
  PerClass result = {.threshold = inputs.threshold};
  result.balanced = balanced_intervals(balance(tallies), samples);
  result.rows.resize(classes);
  std::vector<std::int64_t> covered(classes, 0);
  count_help_and_harm(inputs, result.rows, covered);
  std::int64_t all_covered = 0;
  for (std::size_t c = 0; c < classes; ++c) {
    const Tally& one = tallies[c];
    ClassRow& row = result.rows[c];
    row.index = static_cast<std::int64_t>(c);
    row.images = one.images;
    all_covered += covered[c];
    if (one.images == 0) continue;
    row.base = share(one.base, one.images);
    row.global = share(one.global, one.images);
    row.hybrid = share(one.hybrid, one.images);
    row.coverage = share(covered[c], one.images);
    const double over = share(one.hybrid - one.base, one.images);
    if (!differences[c].empty()) row.over_base = percentile_interval(over, std::move(differences[c]));
  }
  result.coverage = share(all_covered, static_cast<std::int64_t>(inputs.labels.size()));
  return result;
}

}  // namespace hedge::eval

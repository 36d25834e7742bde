#include "eval/baselines.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hedge::eval {
namespace {

Error disagreement(const std::string& where, std::size_t got, std::size_t expected) {
  return {.code = ErrorCode::kMismatch,
          .what = "the methods are not of the same images",
          .where = where,
          .got = std::to_string(got),
          .expected = std::to_string(expected)};
}

BootstrapOptions bootstrap_options(const BaselineOptions& options, std::vector<double> coverages) {
  return {.resamples = options.resamples, .seed = options.seed, .coverages = std::move(coverages)};
}

/// A method's curves and their samples at some coverages. Bootstraps of equally many images with one seed draw the same images, so
/// that samples of different methods, each with outcomes of its own, are paired by their index.
struct Sampled {
  CurveFamily family;
  std::vector<double> coverages;
  BootstrapSamples samples;

  [[nodiscard]] const std::vector<double>& accuracy(std::size_t c) const { return samples.families[0].accuracy[c]; }
  [[nodiscard]] double accuracy_at(double coverage) const {
    double sum = 0;
    for (const auto& curve : family) sum += curve.accuracy_at(coverage);
    return sum / static_cast<double>(family.size());
  }
  [[nodiscard]] double area() const {
    double sum = 0;
    for (const auto& curve : family) sum += curve.area();
    return sum / static_cast<double>(family.size());
  }
};

Result<Sampled> sample(const SharedMethod& method, std::vector<double> coverages, const BaselineOptions& options) {
  Sampled sampled{.coverages = std::move(coverages)};
  auto scores = method.scores;
  if (scores.empty()) scores.emplace_back(method.outcomes.size(), 0.0F);
  for (const auto& seed : scores) {
    HEDGE_TRY(auto curve, SelectiveCurve::make(seed, method.outcomes));
    sampled.family.push_back(std::move(curve));
  }
  HEDGE_TRY(sampled.samples, paired_bootstrap(std::span<const CurveFamily>(&sampled.family, 1), method.outcomes,
                                              bootstrap_options(options, sampled.coverages)));
  return sampled;
}

Interval paired_difference(double value, const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> differences(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) differences[i] = a[i] - b[i];
  return percentile_interval(value, std::move(differences));
}

std::vector<double> coverages_of(const SharedMethod& method, const BaselineOptions& options) {
  switch (method.where) {
    case Placement::kDevice: return {1.0};
    case Placement::kCloud: return {0.0};
    case Placement::kEdgeCloud: break;
  }
  return options.coverages;
}

Status append_shared(const SharedMethod& method, const SharedMethod& hybrid, const BaselineOptions& options,
                     std::vector<BaselineRow>& rows) {
  if (method.outcomes.size() != hybrid.outcomes.size()) return disagreement(method.name, method.outcomes.size(), hybrid.outcomes.size());
  const auto coverages = coverages_of(method, options);
  HEDGE_TRY(const auto own, sample(method, coverages, options));
  HEDGE_TRY(const auto reference, sample(hybrid, coverages, options));
  for (std::size_t c = 0; c < coverages.size(); ++c) {
    const double accuracy = own.accuracy_at(coverages[c]);
    const double sent = 1 - coverages[c];
    BaselineRow row{.name = method.name, .variant = method.variant, .where = method.where, .coverage = coverages[c]};
    row.accuracy = percentile_interval(accuracy, own.accuracy(c));
    row.to_hybrid = paired_difference(accuracy - reference.accuracy_at(coverages[c]), own.accuracy(c), reference.accuracy(c));
    row.hybrid_coverage = coverages[c];
    row.device_macs = static_cast<double>(method.device_macs);
    row.cloud_macs = sent * static_cast<double>(method.cloud_macs);
    row.query_bytes = method.query_bytes;
    row.bytes_sent = sent * static_cast<double>(method.query_bytes);
    row.share_sent = sent;
    rows.push_back(std::move(row));
  }
  return {};
}

/// What one threshold makes of a network with exits.
struct Exited {
  std::vector<std::uint8_t> right;
  double mean_macs = 0;
  double early = 0;  ///< share that leaves before the last exit
};

Exited apply_threshold(const ExitMethod& method, float threshold) {
  const std::size_t n = method.right.back().size();
  Exited exited{.right = std::vector<std::uint8_t>(n)};
  double macs = 0;
  std::size_t early = 0;
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t k = 0;
    while (k < method.entropy.size() && method.entropy[k][i] > threshold) ++k;
    exited.right[i] = method.right[k][i];
    macs += static_cast<double>(method.macs[k]);
    early += k < method.entropy.size() ? 1 : 0;
  }
  exited.mean_macs = macs / static_cast<double>(n);
  exited.early = static_cast<double>(early) / static_cast<double>(n);
  return exited;
}

Status check_exits(const ExitMethod& method, std::size_t images) {
  if (method.entropy.empty() || method.right.size() != method.entropy.size() + 1 || method.macs.size() != method.right.size())
    return Error{.code = ErrorCode::kMismatch, .what = "entropies, answers and MACs are not of the same exits", .where = method.name};
  for (const auto& values : method.entropy) {
    if (values.size() != images) return disagreement(method.name, values.size(), images);
    if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
      return Error{.code = ErrorCode::kBadData, .what = "an exit's entropy is not finite", .where = method.name};
  }
  for (const auto& values : method.right)
    if (values.size() != images) return disagreement(method.name, values.size(), images);
  return {};
}

/// For each coverage the lowest threshold at which at least that share leaves early; each threshold once, ascending.
std::vector<float> thresholds_of(const ExitMethod& method, const std::vector<double>& coverages) {
  std::vector<float> lowest = method.entropy[0];  // an image leaves early iff its lowest entropy is at most the threshold
  for (const auto& exit : method.entropy)
    for (std::size_t i = 0; i < lowest.size(); ++i) lowest[i] = std::min(lowest[i], exit[i]);
  std::sort(lowest.begin(), lowest.end());
  std::vector<float> thresholds;
  for (const double coverage : coverages) {
    const auto count = static_cast<std::size_t>(std::ceil(coverage * static_cast<double>(lowest.size()) - 1e-9));
    thresholds.push_back(count == 0 ? std::nextafter(lowest.front(), -std::numeric_limits<float>::infinity()) : lowest[count - 1]);
  }
  thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());
  return thresholds;
}

/// The coverage at which the hybrid, all of it on one device, costs `macs` an image; nothing where it cannot.
std::optional<double> equal_cost_coverage(const SharedMethod& hybrid, double macs) {
  const double sent = (macs - static_cast<double>(hybrid.device_macs)) / static_cast<double>(hybrid.cloud_macs);
  if (!(sent >= 0 && sent <= 1)) return std::nullopt;
  return 1 - sent;
}

Status append_exits(const ExitMethod& method, const SharedMethod& hybrid, const BaselineOptions& options, std::vector<BaselineRow>& rows) {
  HEDGE_CHECK(check_exits(method, hybrid.outcomes.size()));
  for (const float threshold : thresholds_of(method, options.coverages)) {
    auto exited = apply_threshold(method, threshold);
    const SharedMethod fixed{.name = method.name, .where = Placement::kDevice, .outcomes = {exited.right, exited.right}};
    HEDGE_TRY(const auto own, sample(fixed, {1.0}, options));
    BaselineRow row{.name = method.name, .variant = method.variant, .where = Placement::kDevice, .coverage = exited.early};
    row.accuracy = percentile_interval(own.accuracy_at(1.0), own.accuracy(0));
    row.hybrid_coverage = equal_cost_coverage(hybrid, exited.mean_macs);
    if (row.hybrid_coverage) {
      HEDGE_TRY(const auto reference, sample(hybrid, {*row.hybrid_coverage}, options));
      row.to_hybrid =
          paired_difference(row.accuracy.value - reference.accuracy_at(*row.hybrid_coverage), own.accuracy(0), reference.accuracy(0));
    }
    row.device_macs = exited.mean_macs;
    row.threshold = threshold;
    rows.push_back(std::move(row));
  }
  return {};
}

}  // namespace

const char* to_string(Placement placement) {
  switch (placement) {
    case Placement::kEdgeCloud: return "edge-cloud";
    case Placement::kDevice: return "device";
    case Placement::kCloud: return "cloud";
  }
  return "edge-cloud";
}

Result<Placement> placement_named(const std::string& name) {
  for (const auto placement : {Placement::kEdgeCloud, Placement::kDevice, Placement::kCloud})
    if (name == to_string(placement)) return placement;
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "no such place to compute",
               .got = name.substr(0, 60),
               .expected = "edge-cloud, device or cloud"};
}

Result<std::vector<BaselineRow>> baseline_rows(const SharedMethod& hybrid, const std::vector<SharedMethod>& methods,
                                               const std::vector<ExitMethod>& exits, const BaselineOptions& options) {
  HEDGE_CHECK(bootstrap_options(options, options.coverages).validate());
  if (hybrid.outcomes.size() == 0) return Error{.code = ErrorCode::kBadData, .what = "there are no images to judge on"};
  std::vector<BaselineRow> rows;
  HEDGE_CHECK(append_shared(hybrid, hybrid, options, rows));
  for (const auto& method : methods) HEDGE_CHECK(append_shared(method, hybrid, options, rows));
  for (const auto& method : exits) HEDGE_CHECK(append_exits(method, hybrid, options, rows));
  return rows;
}

Result<AreaComparison> compare_areas(const SharedMethod& hybrid, const SharedMethod& other, const BaselineOptions& options) {
  if (hybrid.outcomes.size() != other.outcomes.size()) return disagreement(other.name, other.outcomes.size(), hybrid.outcomes.size());
  HEDGE_CHECK(bootstrap_options(options, options.coverages).validate());
  HEDGE_TRY(const auto a, sample(hybrid, options.coverages, options));
  HEDGE_TRY(const auto b, sample(other, options.coverages, options));
  AreaComparison comparison;
  const auto& first = a.samples.families[0].area;
  const auto& second = b.samples.families[0].area;
  comparison.area = percentile_interval(a.area(), first);
  comparison.other_area = percentile_interval(b.area(), second);
  comparison.difference = paired_difference(a.area() - b.area(), first, second);
  for (std::size_t c = 0; c < options.coverages.size(); ++c) {
    const double own = a.accuracy_at(options.coverages[c]);
    comparison.accuracy.push_back(percentile_interval(own, a.accuracy(c)));
    comparison.accuracy_difference.push_back(paired_difference(own - b.accuracy_at(options.coverages[c]), a.accuracy(c), b.accuracy(c)));
  }
  return comparison;
}

}  // namespace hedge::eval

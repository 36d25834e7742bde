#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/statistics.h"
#include "hedge/result.h"
#include "hedge/router.h"

namespace hedge::eval {

/// Where a method computes.
enum class Placement {
  kEdgeCloud,  ///< on the device, and what it sends in the cloud
  kDevice,     ///< nothing is ever sent
  kCloud,      ///< everything is
};
const char* to_string(Placement placement);
/// Errors: kInvalidArgument, with the names there are.
Result<Placement> placement_named(const std::string& name);

/// A way to share the work in which every image gets one answer of the device or one of the cloud, by a score.
struct SharedMethod {
  std::string name;
  std::string variant;
  Placement where = Placement::kEdgeCloud;
  routing::Outcomes outcomes;  ///< base_right: the device's answer, global_right: the cloud's
  std::vector<std::vector<float>>
      scores;                    ///< one a seed, [N] each: the higher, the sooner sent; empty where nothing is decided (device, cloud)
  std::int64_t device_macs = 0;  ///< of every image
  std::int64_t cloud_macs = 0;   ///< of one that is sent
  std::int64_t query_bytes = 0;  ///< payload of one that is sent
};

/// A network with exits on one device: an image leaves at the first exit whose entropy is at most the threshold.
struct ExitMethod {
  std::string name;
  std::string variant;
  std::vector<std::vector<float>> entropy;       ///< [exit][N], nats; without the last exit, which everything reaches
  std::vector<std::vector<std::uint8_t>> right;  ///< [exit, the last one too][N]
  std::vector<std::int64_t> macs;                ///< [exit, the last one too]: of an image that leaves there
};

/// One line of the list (docs/formats/baselines_json.md). Means an image, where nothing else is said.
struct BaselineRow {
  std::string name, variant;
  Placement where = Placement::kEdgeCloud;
  double coverage = 0;
  Interval accuracy;
  std::optional<Interval> to_hybrid;  ///< accuracy - the hybrid's at `hybrid_coverage`, paired
  std::optional<double> hybrid_coverage;
  double device_macs = 0;
  double cloud_macs = 0;
  double bytes_sent = 0;
  std::int64_t query_bytes = 0;
  double share_sent = 0;
  std::optional<float> threshold;
};

struct BaselineOptions {
  std::vector<double> coverages = {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1};  ///< ascending, 0..1
  int resamples = 1000;
  std::uint64_t seed = 1;
};

/// The rows of `hybrid` and of all others, in the order given; every interval and difference from the same resampled images. All methods
/// are of the same images in the same order.
/// Errors: kMismatch (another number of images, exits that do not agree), kBadData (scores that are not finite, no images),
/// kInvalidArgument (options).
Result<std::vector<BaselineRow>> baseline_rows(const SharedMethod& hybrid, const std::vector<SharedMethod>& methods,
                                               const std::vector<ExitMethod>& exits, const BaselineOptions& options = {});

/// One of the two models that the rows are about.
struct BaselineModel {
  std::string sha256;
  std::int64_t macs = 0, parameters = 0;
  Interval accuracy;  ///< Wilson
};

/// A whole baselines file (docs/formats/baselines_json.md).
struct Baselines {
  std::string dataset, split, content_hash;  ///< of the images that were judged
  std::int64_t images = 0;
  std::string executor;
  std::int64_t image_bytes = 0;  ///< of one query that sends the image itself
  BaselineModel base, global;
  std::string router;
  std::int64_t router_macs = 0;
  std::size_t router_seeds = 0;
  int resamples = 1000;
  std::uint64_t seed = 1;
  std::vector<BaselineRow> rows;
};

/// Two hybrids of different models on the same images, and what the first has over the second, paired.
struct AreaComparison {
  Interval area, other_area, difference;
  std::vector<Interval> accuracy, accuracy_difference;  ///< of the first, and to the second, at the options' coverages
};
/// Errors: those of baseline_rows.
Result<AreaComparison> compare_areas(const SharedMethod& hybrid, const SharedMethod& other, const BaselineOptions& options = {});

}  // namespace hedge::eval

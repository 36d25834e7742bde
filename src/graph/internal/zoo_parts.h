#pragma once

#include <string>

#include "core/rng.h"
#include "graph/builder.h"
#include "graph/zoo.h"

/// The pieces that the zoo's networks share.
namespace hedge::graph::internal {

struct MobileOptions {
  std::int64_t width = 0;
  std::int64_t expand = 4;       ///< hidden channels of a block as a multiple of its input's, 1..8
  std::int64_t depth = 2;        ///< blocks a stage, 1..8
  std::int64_t stem = 0;         ///< channels of the first convolution; 0: width
  std::int64_t stem_stride = 2;  ///< 1 or 2
  std::int64_t head = 0;         ///< features; 0: 8 * width
};

struct ResnetOptions {
  std::int64_t width = 0;
  std::int64_t depth = 0;
  std::int64_t stem_stride = 1;  ///< 1 or 2
};

struct ConvOptions {
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  std::int64_t groups = 1;
};

struct PooledOptions {
  std::int64_t first = 0, second = 0, third = 0;  ///< channels a stage
  std::int64_t stem = 24;                         ///< channels of the first convolution
};

/// An inverted residual block.
struct InvertedOptions {
  std::int64_t in = 0;
  std::int64_t hidden = 0;
  std::int64_t out = 0;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
};

/// A Builder that draws weights.
class Parts {
 public:
  Parts(const std::string& name, std::uint64_t seed) : builder(name), rng_(seed) {}

  /// Conv without bias, He normal (fan-out), "same" padding, and its BatchNormalization. The nodes are NAME.conv and NAME.bn.
  std::string conv_norm(const std::string& name, const std::string& x, const ConvOptions& conv, float gamma = 1);
  std::string relu6(const std::string& name, const std::string& x);
  /// 1x1 expansion (left out where hidden == in), depthwise, linear 1x1 projection; a skip where shapes allow it.
  std::string inverted_residual(const std::string& name, const std::string& x, const InvertedOptions& block);
  /// Global average -> "features" [N, F] -> Gemm -> "logits" [N, classes]; both outputs, and hedge.features.
  void classify(const std::string& x, std::int64_t features, std::int64_t classes);

  Builder builder;

 private:
  Tensor normal(Shape shape, double deviation);

  Rng rng_;
  std::string zero_;
  std::string six_;
};

Result<Graph> build_mobile(const MobileOptions& options, const ImageShape& image, std::int64_t classes, std::uint64_t seed);
Result<Graph> build_mcunet(const std::string& name, const ImageShape& image, std::int64_t classes, std::uint64_t seed);
Result<Graph> build_pooled(const PooledOptions& options, const ImageShape& image, std::int64_t classes, std::uint64_t seed);
Result<Graph> build_resnet(const ResnetOptions& options, const ImageShape& image, std::int64_t classes, std::uint64_t seed);

}  // namespace hedge::graph::internal

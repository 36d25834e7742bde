#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/rng.h"
#include "graph/builder.h"
#include "graph/once_for_all.h"
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

enum class Activation { kRelu, kRelu6, kHardSwish };

/// An inverted residual block.
struct InvertedOptions {
  std::string name = {};  ///< of its nodes and weights; empty: "block" and its place in the network
  std::int64_t in = 0;
  std::int64_t hidden = 0;
  std::int64_t out = 0;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  Activation activation = Activation::kRelu6;
  std::int64_t squeeze = 0;  ///< channels in the middle of the squeeze-excite behind the depthwise convolution; 0: there is none
};

/// The largest multiple of 8 that is near `channels` and at least 90 % of it, at least 8 (the rounding of MobileNetV2 and its successors).
std::int64_t multiple_of_8(double channels);

/// A network for large images, from the literature: a stem, inverted residuals, one more convolution, an optional hidden layer.
struct InvertedDesign {
  std::string name;
  std::int64_t stem = 0;
  Activation stem_activation = Activation::kRelu6;
  std::vector<InvertedOptions> blocks;  ///< in their order; `in` is filled by the builder
  std::int64_t last = 0;                ///< channels of the 1x1 convolution behind the blocks
  Activation last_activation = Activation::kRelu6;
  std::int64_t hidden = 0;  ///< units between average and classifier, with hard-swish; 0: none
  bool hidden_bias = true;
};

/// How often a network of the literature halves the image: 5 as published; fewer keep the first strides at 1, for small images.
struct Halvings {
  std::int64_t count = 0;  ///< 1..5; 0: by the image's shorter side, 5 from 96 pixels, 4 from 48, else 3

  [[nodiscard]] std::int64_t strides_kept_at_1(const ImageShape& image) const;
};

/// A Builder that draws weights; without a seed it leaves random ones 0.
class Parts {
 public:
  Parts(const std::string& name, Seed seed) : builder(name), drawn_(seed.has_value()), rng_(seed.value_or(0)) {}

  /// Conv without bias, He normal (fan-out), "same" padding, and its BatchNormalization. The nodes are NAME.conv and NAME.bn.
  std::string conv_norm(const std::string& name, const std::string& x, const ConvOptions& conv, float gamma = 1);
  std::string relu6(const std::string& name, const std::string& x);
  /// The node is called NAME.relu, NAME.relu6 or NAME.hswish.
  std::string activate(const std::string& name, const std::string& x, Activation activation);
  /// x times hard-sigmoid(W2 relu(W1 mean(x))) a channel (Hu et al. 2018, with the gate of MobileNetV3).
  std::string squeeze_excite(const std::string& name, const std::string& x, std::int64_t channels, std::int64_t middle);
  /// 1x1 expansion (left out where hidden == in), depthwise, linear 1x1 projection; a skip where shapes allow it.
  std::string inverted_residual(const std::string& name, const std::string& x, const InvertedOptions& block);
  /// Global average -> "features" [N, F] -> Gemm -> "logits" [N, classes]; both outputs, and hedge.features.
  void classify(const std::string& x, std::int64_t features, std::int64_t classes);
  /// The same with a layer of `hidden` units and a hard-swish between the average and "features".
  void classify_behind(const std::string& x, std::int64_t averaged, std::int64_t hidden, bool bias, std::int64_t classes);

  Builder builder;

 private:
  std::string averaged(const std::string& x, const std::string& name);
  void classify_features(const std::string& features, std::int64_t count, std::int64_t classes);
  Tensor normal(Shape shape, double deviation);
  std::string pointwise_with_bias(const std::string& name, const std::string& x, std::int64_t in, std::int64_t out);

  bool drawn_;
  Rng rng_;
  std::string zero_;
  std::string six_;
};

/// The designs of "mobilenetv2", "mobilenetv3-large", "mobilenetv3-small" at a width. Precondition: one of these.
InvertedDesign mobilenet_design(std::string_view family, double width);
/// "efficientnet-lite0" .. "efficientnet-lite4". Errors: kInvalidArgument, naming them.
Result<InvertedDesign> efficientnet_lite_design(const std::string& name);
/// Errors: kInvalidArgument (a digit or a count that the space has not).
Result<InvertedDesign> ofa_design(const OfaNetwork& network);

Result<Graph> build_inverted(const InvertedDesign& design, Halvings halvings, const ImageShape& image, std::int64_t classes, Seed seed);
/// "resnet18", "resnet34", "resnet50" for large images. Errors: kInvalidArgument, naming them.
Result<Graph> build_large_resnet(const std::string& name, Halvings halvings, const ImageShape& image, std::int64_t classes, Seed seed);
Result<Graph> build_mobile(const MobileOptions& options, const ImageShape& image, std::int64_t classes, Seed seed);
Result<Graph> build_mcunet(const std::string& name, const ImageShape& image, std::int64_t classes, Seed seed);
Result<Graph> build_pooled(const PooledOptions& options, const ImageShape& image, std::int64_t classes, Seed seed);
Result<Graph> build_resnet(const ResnetOptions& options, const ImageShape& image, std::int64_t classes, Seed seed);

}  // namespace hedge::graph::internal

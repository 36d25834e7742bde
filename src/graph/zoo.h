#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace hedge::graph {

/// What a builder needs of the data: one image's planes and the classes.
struct ImageShape {
  std::int64_t channels = 3;
  std::int64_t height = 32;
  std::int64_t width = 32;
};

/// Of random weights; none leaves them 0, for those who only want to know the structure.
using Seed = std::optional<std::uint64_t>;

/// Builds an untrained network in training form (Conv without bias + BatchNormalization), weights initialised
/// (He normal, fan-out; classifier zero-mean 0.01; gamma 1, the last gamma of a residual branch 0 where it has one).
///
/// `spec` is one string:
///   "mobile:WIDTH[,KEY=VALUE…]"  inverted residuals (MobileNetV2, Sandler 2018) for 28..64 pixel images, 50 k to 5 M MACs;
///   "resnet:WIDTH,DEPTH[,KEY=VALUE…]" basic blocks in 3 stages (He 2016, CIFAR form), WIDTH channels in the first,
///                                DEPTH blocks a stage;
///   "pooled:WIDTH,WIDTH,WIDTH"   three stages of convolution, maximum pooling, convolution: the most accuracy for a short training on
///                                32-pixel images (after the shape of K. Jordan's airbench networks, 2024);
///   "mcunet-in0" .. "mcunet-in4", "mcunet-vww1" the networks of MCUNet's zoo (Lin et al. 2020), for images of any size;
///   "mobilenetv2:SCALE" (Sandler 2018), "mobilenetv3-small:SCALE", "mobilenetv3-large:SCALE" (Howard 2019), "efficientnet-lite0" .. "4"
///                                (Tan and Le 2019, without squeeze-excite), "resnet18", "resnet34", "resnet50" (He 2016): as published;
///   "ofa-mbv3[:width=1.0][,kernel=7][,expand=6][,depth=4]" one network of the Once-for-All space (Cai et al. 2020): kernel and expand
///                                are one digit or 20 (a block each, four a stage), depth is one digit or 5.
/// These last take halvings=1..5: how often they halve the image. 5 is as published; left out, images below 96 pixels are halved 4 times
/// and those below 48 pixels 3 times: the first strides become 1.
/// Options of mobile: expand=4, depth=2 (blocks a stage), stem=WIDTH (channels), stem_stride=2, head=8*WIDTH (features);
/// images of more than 40 pixels a side are halved once more. Option of resnet: stem_stride=1; of pooled: stem=24.
/// Input "image" f32 [-1, C, H, W]; outputs "logits" f32 [-1, classes] and "features" f32 [-1, F] (also in metadata
/// "hedge.features").
/// Errors: kInvalidArgument (the spec, with its grammar).
Result<Graph> build_zoo(const std::string& spec, const ImageShape& image, std::int64_t classes, Seed seed);

/// How often the networks with `halvings` halve an image where it is left out.
std::int64_t usual_halvings(const ImageShape& image);

/// A network of the zoo at the size that it is best known at.
struct ZooEntry {
  std::string spec;
  ImageShape image;
  std::int64_t classes = 1000;
};

/// Examples of every family, the smallest of a family first; build_zoo builds more.
const std::vector<ZooEntry>& zoo_catalogue();

}  // namespace hedge::graph

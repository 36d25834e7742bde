#include "train/internal/start.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "data/loader.h"
#include "train/internal/trainable_graph.h"

namespace hedge::train::internal {
namespace {

constexpr std::int64_t kImages = 2000;
constexpr double kFloor = 5e-4;

/// The f32 weight [O, I, k, k] of a full convolution; null for any other node.
Tensor* kernel_of(graph::Graph& graph, const graph::Node& node) {
  if (node.op != "Conv" || node.inputs.size() < 2 || node.integer("group", 1) != 1) return nullptr;
  const auto found = graph.initializers.find(node.inputs[1]);
  if (found == graph.initializers.end() || found->second.dtype() != DType::kF32 || found->second.shape().size() != 4) return nullptr;
  return &found->second;
}

bool reads_image(const graph::Graph& graph, const graph::Node& node) {
  return !graph.inputs.empty() && !node.inputs.empty() && node.inputs[0] == graph.inputs[0].name;
}

/// The covariance [D, D] of the images' patches, D = C k k in a kernel's order.
Result<torch::Tensor> patch_covariance(const data::Dataset& dataset, const data::Preprocess& recipe, const TrainOptions& options,
                                       const Shape& kernel) {
  data::Loader loader(dataset, recipe, {.batch = kImages, .shuffle = true, .seed = options.seed, .workers = options.loader_workers});
  loader.start(0);
  HEDGE_TRY(const auto batch, loader.next());
  if (!batch) return Error{.code = ErrorCode::kBadData, .what = "the data set gives no image", .where = dataset.spec()};
  const auto patches = torch::im2col(to_torch(batch->images.view()), {kernel[2], kernel[3]}, {1, 1}, {0, 0}, {1, 1});  // [n, D, places]
  const auto rows = patches.transpose(1, 2).reshape({-1, patches.size(1)}).to(torch::kDouble);
  const auto centred = rows - rows.mean(0);
  return torch::mm(centred.t(), centred) / static_cast<double>(centred.size(0));
}

}  // namespace

void start_as_identity(graph::Graph& graph) {
  for (const auto& node : graph.nodes) {
    auto* kernel = kernel_of(graph, node);
    if (kernel == nullptr || reads_image(graph, node)) continue;
    const auto& shape = kernel->shape();
    if (shape[0] < shape[1] || shape[2] % 2 == 0 || shape[3] % 2 == 0) continue;
    const auto taps = static_cast<std::size_t>(shape[2] * shape[3]), inputs = static_cast<std::size_t>(shape[1]);
    auto values = kernel->data<float>();
    std::fill_n(values.begin(), inputs * inputs * taps, 0.0F);
    for (std::size_t i = 0; i < inputs; ++i) values[(i * inputs + i) * taps + taps / 2] = 1;
  }
}

Result<std::string> start_whitening(graph::Graph& graph, const data::Dataset& dataset, const data::Preprocess& recipe,
                                    const TrainOptions& options) {
  const auto first = std::find_if(graph.nodes.begin(), graph.nodes.end(), [&graph](const auto& node) { return reads_image(graph, node); });
  auto* kernel = first == graph.nodes.end() ? nullptr : kernel_of(graph, *first);
  if (kernel == nullptr || kernel->shape()[2] > recipe.height || kernel->shape()[3] > recipe.width)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "no convolution reads the image, so there is nothing to start as a whitening",
                 .where = graph.name,
                 .hint = "leave --whiten out"};
  HEDGE_TRY(const auto covariance, patch_covariance(dataset, recipe, options, kernel->shape()));
  const auto [values, vectors] = torch::linalg_eigh(covariance);  // ascending; the vectors are columns
  const auto rows = (vectors / torch::sqrt(values + kFloor)).t().flip(0).to(torch::kFloat).contiguous();
  const auto wanted = kernel->shape()[0];
  // A layer with room for fewer than all pairs takes pairs of the largest directions, for a ReLU sees one side of each only.
  const auto pairs = std::min(wanted / 2, rows.size(0));
  const auto chosen = torch::cat({rows.slice(0, 0, pairs), -rows.slice(0, 0, pairs)}).contiguous();
  std::copy_n(chosen.data_ptr<float>(), chosen.numel(), kernel->data<float>().begin());
  return 2 * pairs == wanted ? first->inputs[1] : std::string();
}

}  // namespace hedge::train::internal

#include "train/supernet.h"

#include <torch/torch.h>

#include <algorithm>
#include <exception>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "data/loader.h"
#include "train/internal/sub_network.h"
#include "train/internal/workers.h"

namespace hedge::train {

using internal::TrainableGraph;

namespace {

/// What `compute` gives; an exception of libtorch becomes an error.
template <typename Compute>
Result<graph::Graph> guarded(const std::string& where, const Compute& compute) {
  try {
    return compute();
  } catch (const std::exception& e) {
    return Error{.code = ErrorCode::kInternal, .what = std::string("libtorch failed: ") + e.what(), .where = where};
  }
}

Result<graph::Graph> take_out(const graph::Graph& supernet, const graph::OfaNetwork& network) {
  HEDGE_CHECK(graph::supernet_of(supernet));
  HEDGE_TRY(const auto shared, TrainableGraph::create(supernet));
  HEDGE_TRY(const auto part, internal::SubNetwork::create(supernet, network));
  graph::Graph graph = part.graph();
  torch::NoGradGuard guard;
  for (const auto& [name, value] : part.weights(shared)) graph.initializers[name] = internal::from_torch(value);
  graph.metadata = supernet.metadata;
  graph.metadata.erase(graph::kSupernetKey);
  graph.metadata.erase(graph::kSupernetWidthsKey);
  graph.metadata[graph::kSubNetworkKey] = network.spec();
  return graph;
}

Result<graph::Graph> count_anew(graph::Graph graph, const data::Dataset& dataset, const data::Preprocess& recipe,
                                const TrainOptions& options, std::int64_t images, const TrainHooks& hooks) {
  HEDGE_TRY(auto network, TrainableGraph::create(std::move(graph)));
  const internal::OperatorThreads threads(options.threads > 0 ? options.threads
                                                              : static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  data::Loader loader(dataset, recipe,
                      {.batch = options.batch,
                       .shuffle = true,
                       .seed = options.seed,
                       .workers = options.loader_workers,
                       .augmentation = {},
                       .strict = options.strict});
  loader.start(0);
  torch::NoGradGuard guard;
  std::map<std::string, torch::Tensor> sums;
  for (const auto& [name, value] : network.named_buffers()) sums.emplace(name, torch::zeros_like(value));
  std::int64_t seen = 0, batches = 0;
  while (seen < images) {
    HEDGE_TRY(const auto batch, loader.next());
    if (!batch) break;
    if (hooks.should_stop && hooks.should_stop()) return Error{.code = ErrorCode::kCancelled, .what = "stopped on request"};
    if (batch->labels.size() < 2) continue;
    // From 0, a normalisation's running value becomes its share of the batch's.
    for (const auto& [name, value] : network.named_buffers()) torch::Tensor(value).zero_();
    network.forward({internal::to_torch(batch->images.view())}, true);
    for (const auto& [name, value] : network.named_buffers()) sums.at(name).add_(value);
    seen += static_cast<std::int64_t>(batch->labels.size()), ++batches;
  }
  if (batches == 0) return Error{.code = ErrorCode::kBadData, .what = "no image could be decoded", .where = dataset.spec()};
  auto result = network.to_graph();
  for (const auto& node : result.nodes) {
    if (node.op != "BatchNormalization") continue;
    const double share = 1.0 - static_cast<double>(node.number("momentum", 0.9F));
    for (const std::size_t index : {std::size_t{3}, std::size_t{4}}) {
      const auto& name = node.inputs[index];
      result.initializers[name] = internal::from_torch(sums.at(name) / (share * static_cast<double>(batches)));
    }
  }
  return result;
}

}  // namespace

Result<graph::Graph> sub_network(const graph::Graph& supernet, const graph::OfaNetwork& network) {
  return guarded(supernet.name, [&] { return take_out(supernet, network); });
}

Result<graph::Graph> recalibrate(graph::Graph graph, const data::Dataset& dataset, const data::Preprocess& recipe,
                                 const TrainOptions& options, std::int64_t images, const TrainHooks& hooks) {
  const auto name = graph.name;
  return guarded(name, [&] { return count_anew(std::move(graph), dataset, recipe, options, images, hooks); });
}

}  // namespace hedge::train

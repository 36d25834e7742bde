#include "workflow/extract.h"

#include "core/json.h"
#include "core/sha256.h"
#include "graph/once_for_all.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "train/supernet.h"
#include "workflow/internal/trainable.h"

namespace hedge::workflow {
namespace {

/// `text` over what the supernet's largest network is; a whole specification stands by itself.
Result<graph::OfaNetwork> network_of(const std::string& text, const graph::OfaNetwork& largest) {
  constexpr std::string_view kFamily = "ofa-mbv3";
  if (text.starts_with(kFamily)) return graph::parse_ofa(text);
  return graph::parse_ofa(std::string(kFamily) + (text.empty() ? "" : ":" + text), largest);
}

Status check_classes(const graph::Graph& graph, const data::Dataset& dataset) {
  const auto found = graph.metadata.find(graph::kLabelsKey);
  if (found == graph.metadata.end() || found->second == Json(dataset.class_names()).dump()) return {};
  return Error{.code = ErrorCode::kMismatch,
               .what = "the images have other classes than the supernet",
               .where = dataset.spec(),
               .hint = "give images of the kind that it was trained on"};
}

}  // namespace

Result<ExtractedNetwork> extract_network(const ExtractOptions& options, const RunContext& context) {
  if (options.images < 2)
    return Error{
        .code = ErrorCode::kInvalidArgument, .what = "too few images for running statistics", .where = "images", .expected = "2 or more"};
  HEDGE_TRY(const auto supernet, internal::read_trainable({.path = options.supernet}));
  HEDGE_TRY(const auto choices, graph::supernet_of(supernet.graph));
  HEDGE_TRY(const auto network, network_of(options.network, choices.largest()));
  HEDGE_TRY(auto graph, train::sub_network(supernet.graph, network));
  auto data = options.data;
  if (const auto trained_on = graph.metadata.find(graph::kTrainedOnKey); data.empty() && trained_on != graph.metadata.end())
    data = trained_on->second;
  if (data.empty())
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "no images for the running statistics",
                 .where = "data",
                 .hint = "name them with --data"};
  HEDGE_TRY(const auto opened, internal::open_training_images(data, false, context));
  HEDGE_CHECK(check_classes(graph, *opened.dataset));
  log(context.log, LogLevel::kInfo, "running statistics from " + std::to_string(options.images) + " images of " + data);
  HEDGE_TRY(graph, train::recalibrate(std::move(graph), *opened.dataset, supernet.recipe,
                                      {.seed = options.seed, .threads = options.threads}, options.images, internal::hooks_of(context)));
  ExtractedNetwork extracted{.network = network.spec(), .parameters = graph.num_parameters()};
  HEDGE_TRY(extracted.macs, graph::count_macs(graph));
  HEDGE_CHECK(graph::write_onnx(options.out, graph));
  HEDGE_TRY(extracted.sha256, sha256_file(options.out));
  return extracted;
}

}  // namespace hedge::workflow

#include "workflow/internal/transfer.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/json.h"
#include "core/sha256.h"
#include "data/loader.h"
#include "graph/classifier.h"
#include "graph/onnx/onnx_io.h"
#include "graph/passes.h"
#include "infer/openvino/openvino_executor.h"
#include "train/linear_head.h"
#include "train/torch_executor.h"

namespace hedge::workflow::internal {
namespace {

constexpr float kMostApart = 1e-3F;  // of features by two libraries, as a share of the largest; f32 rounding gives 1e-5 or less

/// Features of images, a row each, and the images' labels. Mirror images follow as rows of their own.
struct Features {
  std::vector<float> values;
  std::vector<std::int64_t> labels;
};

void append_rows(const Tensor& rows, const std::vector<std::int64_t>& labels, Features& features) {
  const auto values = rows.data<float>();
  features.values.insert(features.values.end(), values.begin(), values.end());
  features.labels.insert(features.labels.end(), labels.begin(), labels.end());
}

/// Images [n, C, H, W], left and right exchanged.
Tensor mirrored(const Tensor& images) {
  Tensor turned(DType::kF32, images.shape());
  const auto width = static_cast<std::size_t>(images.shape()[3]);
  const auto from = images.data<float>();
  for (std::size_t row = 0; row < from.size(); row += width)
    std::reverse_copy(from.begin() + static_cast<std::ptrdiff_t>(row), from.begin() + static_cast<std::ptrdiff_t>(row + width),
                      turned.data<float>().begin() + static_cast<std::ptrdiff_t>(row));
  return turned;
}

/// Whether what will learn computes what the model computes.
Status agree(const Tensor& expected, const Tensor& learned) {
  float largest = 0, apart = 0;
  const auto a = expected.data<float>(), b = learned.data<float>();
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(a[i]));
    apart = std::max(apart, std::abs(a[i] - b[i]));
  }
  if (apart <= kMostApart * largest) return {};
  return Error{.code = ErrorCode::kMismatch,
               .what = "libtorch computes other features of the images than OpenVINO",
               .where = "penultimate tensor of the model",
               .got = std::to_string(apart) + " apart",
               .expected = "at most 0.001 of the largest, " + std::to_string(largest),
               .hint = "please report this with the model"};
}

Result<Features> compute(const Trainable& start, const std::string& tensor, const data::Dataset& dataset,
                         const train::TrainOptions& training, const RunContext& context) {
  HEDGE_TRY(const auto halves, graph::cut_at(start.graph, tensor));
  HEDGE_TRY(const auto executor, infer::make_openvino_executor(halves.head, {.threads = training.threads}));
  HEDGE_TRY(const auto trainable, train::make_torch_executor(halves.head));
  data::Loader loader(dataset, start.recipe,
                      {.batch = training.batch, .workers = training.loader_workers, .augmentation = {}, .strict = training.strict});
  loader.start(0);
  Features features;
  std::size_t done = 0;
  while (true) {
    HEDGE_TRY(const auto batch, loader.next());
    if (!batch) return features;
    if (context.should_stop && context.should_stop()) return Error{.code = ErrorCode::kCancelled, .what = "stopped on request"};
    const auto run = [&](const Tensor& images) -> Status {
      const NamedView view{halves.head.inputs[0].name, images.view()};
      HEDGE_TRY(const auto out, executor->run({&view, 1}));
      if (features.labels.empty()) {
        HEDGE_TRY(const auto learned, trainable->run({&view, 1}));
        HEDGE_CHECK(agree(out[0], learned[0]));
      }
      append_rows(out[0], batch->labels, features);
      return {};
    };
    HEDGE_CHECK(run(batch->images));
    if (training.augmentation.flip) HEDGE_CHECK(run(mirrored(batch->images)));
    done += batch->labels.size();
    if (context.progress)
      context.progress({"features", static_cast<double>(done), static_cast<double>(dataset.size()), -1, "features of the images"});
  }
}

/// The model's recipe for images of another size: what is cut off stays the same share.
void resize(data::Preprocess& recipe, std::int64_t size) {
  const double scale = static_cast<double>(size) / static_cast<double>(std::min(recipe.height, recipe.width));
  recipe.resize_shorter =
      recipe.resize_shorter == 0 ? 0 : std::max<std::int64_t>(size, std::llround(scale * static_cast<double>(recipe.resize_shorter)));
  recipe.height = recipe.width = size;
}

/// What the start depends on, for the file that keeps it.
Result<std::string> made_from(const Trainable& start, std::int64_t head_epochs, const data::Dataset& dataset,
                              const train::TrainOptions& training) {
  HEDGE_TRY(const auto bytes, graph::serialize_onnx(start.graph));  // as flags and sidecar make it of the file
  const Json question = {{"model", sha256_hex(bytes)},
                         {"images", dataset.content_hash()},
                         {"classes", dataset.class_names()},
                         {"recipe", start.recipe.to_json()},
                         {"flip", training.augmentation.flip},
                         {"epochs", head_epochs},
                         {"seed", training.seed}};
  return question.dump();
}

/// Replaces the classifier and fits the new one.
Status renew(Trainable& start, const TransferOptions& options, const data::Dataset& dataset, const train::TrainOptions& training,
             const RunContext& context) {
  const auto classes = static_cast<std::int64_t>(dataset.class_names().size());
  HEDGE_TRY(auto renewed, graph::with_new_classifier(std::move(start.graph), classes));
  start.graph = std::move(renewed.graph);
  HEDGE_TRY(auto features, compute(start, renewed.features, dataset, training, context));
  const auto rows = static_cast<std::int64_t>(features.labels.size());
  if (rows == 0) return Error{.code = ErrorCode::kBadData, .what = "no image could be decoded", .where = dataset.spec()};
  const Shape shape{rows, static_cast<std::int64_t>(features.values.size()) / rows};
  HEDGE_TRY(auto head, train::fit_linear_head(Tensor::of<float>(shape, features.values), features.labels, classes,
                                              {.epochs = options.head_epochs, .seed = training.seed}, hooks_of(context)));
  char accuracy[16];
  std::snprintf(accuracy, sizeof accuracy, "%.1f %%", 100 * head.accuracy);
  log(context.log, LogLevel::kInfo,
      "a new classifier of " + std::to_string(classes) + " classes on " + std::to_string(shape[1]) + " features is right on " + accuracy +
          " of the training images");
  start.graph.initializers.insert_or_assign(renewed.weights, std::move(head.weights));
  start.graph.initializers.insert_or_assign(renewed.bias, std::move(head.bias));
  return {};
}

}  // namespace

Result<Trainable> transfer(const TransferOptions& options, const TransferImages& images, const std::filesystem::path& kept,
                           const train::TrainOptions& training, const RunContext& context) {
  constexpr const char* kMadeFrom = "hedge.transfer";
  HEDGE_TRY(auto start, read_trainable(options.model, "say it with --recipe"));
  if (images.size > 0) resize(start.recipe, images.size);
  HEDGE_TRY(const auto question, made_from(start, options.head_epochs, images.dataset, training));
  if (!training.fresh)
    if (auto old = graph::read_onnx(kept); old && old->metadata.contains(kMadeFrom) && old->metadata.at(kMadeFrom) == question) {
      start.graph = std::move(*old);
      start.graph.metadata.erase(kMadeFrom);
      return start;
    }
  if (images.size > 0) {
    HEDGE_TRY(start.graph, graph::with_image_size(std::move(start.graph), images.size, images.size));
  }
  HEDGE_CHECK(renew(start, options, images.dataset, training, context));
  start.graph.metadata[kMadeFrom] = question;
  HEDGE_CHECK(graph::write_onnx(kept, start.graph));
  start.graph.metadata.erase(kMadeFrom);
  return start;
}

std::map<std::string, double> rates_by_depth(const graph::Graph& graph, double first) {
  std::vector<std::pair<std::string, std::int64_t>> depths;
  std::int64_t layers = 0;
  for (const auto& node : graph.nodes) {
    const bool weighted = node.op == "Conv" || node.op == "Gemm" || node.op == "MatMul";
    if (!weighted && node.op != "BatchNormalization") continue;
    if (weighted) ++layers;
    for (const auto& input : node.inputs)
      if (graph.initializers.contains(input)) depths.emplace_back(input, std::max<std::int64_t>(0, layers - 1));
  }
  std::map<std::string, double> rates;
  for (const auto& [name, depth] : depths)
    rates.emplace(name, layers < 2 ? 1.0 : std::pow(first, static_cast<double>(layers - 1 - depth) / static_cast<double>(layers - 1)));
  return rates;
}

}  // namespace hedge::workflow::internal

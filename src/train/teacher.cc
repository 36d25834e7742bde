#include "train/teacher.h"

#include <torch/torch.h>

#include <algorithm>
#include <thread>

#include "graph/operators.h"
#include "train/internal/device.h"
#include "train/internal/trainable_graph.h"
#include "train/internal/workers.h"

namespace hedge::train {
namespace {

using internal::TrainableGraph;

Status check_classes(const Teacher& teacher, const data::Dataset& dataset) {
  HEDGE_TRY(const auto shapes, graph::infer_shapes(teacher.graph));
  const auto& logits = shapes.at(teacher.graph.outputs.at(0).name).shape;
  const auto classes = static_cast<std::int64_t>(dataset.class_names().size());
  if (logits.size() == 2 && logits[1] == classes) return {};
  return Error{.code = ErrorCode::kMismatch,
               .what = "the teacher has other classes than the data set",
               .where = teacher.graph.name,
               .got = hedge::to_string(logits),
               .expected = hedge::to_string(Shape{-1, classes}),
               .hint = "name a teacher that was trained on the same classes"};
}

/// Logits [n, C] of a batch, each thread a part of it.
torch::Tensor forward(const TrainableGraph& network, const torch::Tensor& images, internal::Workers& workers) {
  const auto n = images.size(0);
  const auto parts = std::min<std::int64_t>(n, workers.plan().replicas);
  std::vector<torch::Tensor> results(static_cast<std::size_t>(parts));
  workers.run(results.size(), [&](std::size_t k) {
    torch::NoGradGuard guard;
    const auto from = static_cast<std::int64_t>(k) * n / parts, to = static_cast<std::int64_t>(k + 1) * n / parts;
    results[k] = network.forward({images.slice(0, from, to)}, false)[0].to(torch::kFloat);
  });
  return torch::cat(results);
}

void write_rows(const torch::Tensor& logits, const std::vector<std::size_t>& rows, std::size_t view, Tensor& all) {
  const auto contiguous = logits.to(torch::kCPU).contiguous();
  const auto classes = static_cast<std::size_t>(contiguous.size(1));
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::copy_n(contiguous.data_ptr<float>() + i * classes, classes, all.data<float>().data() + (2 * rows[i] + view) * classes);
}

Result<Tensor> predict_checked(const Teacher& teacher, const data::Dataset& dataset, const TrainOptions& options, const TrainHooks& hooks) {
  HEDGE_TRY(const auto device, internal::open_device(options.device));
  HEDGE_TRY(auto network, TrainableGraph::create(teacher.graph));
  network.move_to(device);
  const int threads = options.threads > 0 ? options.threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const bool gpu = options.device != Device::kCpu;
  internal::Workers workers(gpu ? internal::ThreadPlan{.operator_threads = threads} : internal::plan_threads(threads, options.batch));
  data::Loader loader(dataset, teacher.recipe,
                      {.batch = options.batch, .workers = options.loader_workers, .augmentation = {}, .strict = options.strict});
  const auto size = dataset.size();
  Tensor all(DType::kF32, {static_cast<std::int64_t>(size), 2, static_cast<std::int64_t>(dataset.class_names().size())});
  loader.start(0);
  std::size_t done = 0;
  while (true) {
    HEDGE_TRY(const auto batch, loader.next());
    if (!batch) return all;
    if (hooks.should_stop && hooks.should_stop()) return Error{.code = ErrorCode::kCancelled, .what = "stopped on request"};
    const auto images = internal::to_torch(batch->images.view()).to(device);
    const auto plain = forward(network, images, workers);
    write_rows(plain, batch->indices, 0, all);
    write_rows(options.augmentation.flip ? forward(network, images.flip(3), workers) : plain, batch->indices, 1, all);
    done += batch->indices.size();
    if (hooks.progress) hooks.progress({"teacher", static_cast<double>(done), static_cast<double>(size), -1, "predictions of the teacher"});
  }
}

}  // namespace

Result<Tensor> predict_teacher(const Teacher& teacher, const data::Dataset& dataset, const TrainOptions& options, const TrainHooks& hooks) {
  HEDGE_CHECK(check_classes(teacher, dataset));
  try {
    return predict_checked(teacher, dataset, options, hooks);
  } catch (const std::exception& e) {
    return Error{.code = ErrorCode::kInternal, .what = std::string("libtorch failed: ") + e.what(), .where = teacher.graph.name};
  }
}

}  // namespace hedge::train

// Training throughput of the interpreted graph against the same network hand-written with libtorch modules, in one run.
// Each pair of steps runs back to back, so that the ratio holds when the machine's speed drifts. Counters: images a second of each,
// and their ratio (interpreted / hand-written), median over the pairs.
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "graph/zoo.h"
#include "train/internal/autocast.h"
#include "train/internal/trainable_graph.h"

namespace {

namespace nn = torch::nn;
using hedge::train::internal::AutocastGuard;
using hedge::train::internal::TrainableGraph;

constexpr std::int64_t kBatch = 128;

nn::Conv2d convolution(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride, std::int64_t groups = 1) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).groups(groups).bias(false));
}

/// The zoo's basic block, by hand.
struct BasicBlock : nn::Module {
  BasicBlock(std::int64_t in, std::int64_t out, std::int64_t stride)
      : first(register_module("first", convolution(in, out, 3, stride))),
        second(register_module("second", convolution(out, out, 3, 1))),
        norm1(register_module("norm1", nn::BatchNorm2d(out))),
        norm2(register_module("norm2", nn::BatchNorm2d(out))) {
    if (stride == 1 && in == out) return;
    shortcut = register_module("shortcut", convolution(in, out, 1, stride));
    norm3 = register_module("norm3", nn::BatchNorm2d(out));
  }
  torch::Tensor forward(const torch::Tensor& x) {
    auto y = torch::relu(norm1(first(x)));
    y = norm2(second(y));
    return torch::relu(y + (shortcut ? norm3(shortcut(x)) : x));
  }
  nn::Conv2d first, second, shortcut{nullptr};
  nn::BatchNorm2d norm1, norm2, norm3{nullptr};
};

/// A network of the zoo, by hand.
struct HandWritten : nn::Module {
  virtual torch::Tensor forward(torch::Tensor x) = 0;
};

/// Without a bf16 kernel for relu6's backward in libtorch 1.13 one writes clamp there.
torch::Tensor relu6(const torch::Tensor& x) { return x.scalar_type() == torch::kFloat ? torch::hardtanh(x, 0, 6) : torch::clamp(x, 0, 6); }

/// The zoo's inverted residual, by hand.
struct InvertedResidual : nn::Module {
  InvertedResidual(std::int64_t in, std::int64_t out, std::int64_t expand, std::int64_t stride) : skip(stride == 1 && in == out) {
    const auto hidden = in * expand;
    if (expand > 1) layers->extend(*nn::Sequential(convolution(in, hidden, 1, 1), nn::BatchNorm2d(hidden), nn::Functional(relu6)));
    layers->extend(*nn::Sequential(convolution(hidden, hidden, 3, stride, hidden), nn::BatchNorm2d(hidden), nn::Functional(relu6),
                                   convolution(hidden, out, 1, 1), nn::BatchNorm2d(out)));
    register_module("layers", layers);
  }
  torch::Tensor forward(const torch::Tensor& x) { return skip ? x + layers->forward(x) : layers->forward(x); }
  bool skip;
  nn::Sequential layers;
};

/// The zoo's mobile:WIDTH, by hand.
struct MobileByHand : HandWritten {
  explicit MobileByHand(std::int64_t width) : stem(convolution(1, width, 3, 2), nn::BatchNorm2d(width), nn::Functional(relu6)) {
    register_module("stem", stem);
    std::int64_t channels = width;
    for (int stage = 0; stage < 3; ++stage)
      for (int block = 0; block < 2; ++block) {
        const bool first = stage == 0 && block == 0;
        blocks.push_back(
            register_module("block" + std::to_string(blocks.size()),
                            std::make_shared<InvertedResidual>(channels, width << stage, first ? 1 : 4, stage > 0 && block == 0 ? 2 : 1)));
        channels = width << stage;
      }
    head =
        register_module("head", nn::Sequential(convolution(channels, 8 * width, 1, 1), nn::BatchNorm2d(8 * width), nn::Functional(relu6)));
    classifier = register_module("classifier", nn::Linear(8 * width, 10));
  }
  torch::Tensor forward(torch::Tensor x) override {
    x = stem->forward(x);
    for (auto& block : blocks) x = block->forward(x);
    return classifier(torch::flatten(head->forward(x).mean({2, 3}, true), 1));
  }
  nn::Sequential stem, head;
  std::vector<std::shared_ptr<InvertedResidual>> blocks;
  nn::Linear classifier{nullptr};
};

/// The zoo's resnet:WIDTH,1, by hand.
struct ResnetByHand : HandWritten {
  explicit ResnetByHand(std::int64_t width)
      : stem(register_module("stem", convolution(1, width, 3, 1))), norm(register_module("norm", nn::BatchNorm2d(width))) {
    std::int64_t channels = width;
    for (int stage = 0; stage < 3; ++stage) {
      blocks.push_back(
          register_module("block" + std::to_string(stage), std::make_shared<BasicBlock>(channels, width << stage, stage > 0 ? 2 : 1)));
      channels = width << stage;
    }
    classifier = register_module("classifier", nn::Linear(channels, 10));
  }
  torch::Tensor forward(torch::Tensor x) override {
    x = torch::relu(norm(stem(x)));
    for (auto& block : blocks) x = block->forward(x);
    return classifier(torch::flatten(x.mean({2, 3}, true), 1));
  }
  nn::Conv2d stem;
  nn::BatchNorm2d norm;
  std::vector<std::shared_ptr<BasicBlock>> blocks;
  nn::Linear classifier{nullptr};
};

template <typename Forward>
double step_seconds(const Forward& forward, torch::optim::SGD& optimizer, const torch::Tensor& images, const torch::Tensor& labels,
                    bool bf16) {
  const auto start = std::chrono::steady_clock::now();
  optimizer.zero_grad();
  torch::Tensor logits;
  {
    AutocastGuard autocast(bf16, torch::kCPU);
    logits = forward(images);
  }
  auto loss = nn::functional::cross_entropy(logits.to(torch::kFloat), labels);
  loss.backward();
  optimizer.step();
  benchmark::DoNotOptimize(loss.item<float>());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// Arguments: residual network (0) or mobile one (1), width, bf16, channels last.
void train_step(benchmark::State& state) {
  const bool mobile = state.range(0) != 0;
  const auto width = state.range(1);
  const bool bf16 = state.range(2) != 0;
  const auto layout = state.range(3) != 0 ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous;
  at::set_num_threads(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  auto built =
      hedge::graph::build_zoo(mobile ? "mobile:" + std::to_string(width) : "resnet:" + std::to_string(width) + ",1", {1, 28, 28}, 10, 1);
  auto interpreted = TrainableGraph::create(std::move(built).value()).value();
  const std::shared_ptr<HandWritten> by_hand =
      mobile ? std::shared_ptr<HandWritten>(std::make_shared<MobileByHand>(width)) : std::make_shared<ResnetByHand>(width);
  const auto options = torch::optim::SGDOptions(0.01).momentum(0.9);
  torch::optim::SGD interpreted_optimizer(interpreted.parameters(), options), hand_optimizer(by_hand->parameters(), options);
  const auto images = torch::randn({kBatch, 1, 28, 28}).contiguous(layout);
  const auto labels = torch::randint(10, {kBatch}, torch::kLong);
  const auto run_interpreted = [&] {
    return step_seconds([&](const auto& x) { return interpreted.forward({x}, true)[0]; }, interpreted_optimizer, images, labels, bf16);
  };
  const auto run_by_hand = [&] {
    return step_seconds([&](const auto& x) { return by_hand->forward(x); }, hand_optimizer, images, labels, bf16);
  };
  run_interpreted(), run_by_hand();  // warm-up
  std::vector<double> ratios, ours, theirs;
  for (auto unused : state) {
    const bool first = ratios.size() % 2 == 0;  // alternate who goes first
    const double a = first ? run_interpreted() : 0.0;
    const double b = run_by_hand();
    const double c = first ? a : run_interpreted();
    ours.push_back(c), theirs.push_back(b), ratios.push_back(b / c);
  }
  state.counters["interpreted_per_s"] = static_cast<double>(kBatch) / median(ours);
  state.counters["hand_written_per_s"] = static_cast<double>(kBatch) / median(theirs);
  state.counters["ratio"] = median(ratios);
}

BENCHMARK(train_step)
    ->ArgNames({"mobile", "width", "bf16", "channels_last"})
    ->Args({0, 16, 0, 0})
    ->Args({0, 16, 1, 0})
    ->Args({0, 32, 1, 1})
    ->Args({1, 16, 0, 0})
    ->Args({1, 16, 1, 1})
    ->Iterations(30)
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();

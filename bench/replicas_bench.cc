// Training throughput of replicas with one thread each against threads inside the operators, side by side in one run, on a quiet machine
// and beside a plain busy loop (a process of its own that this program starts and ends).
//   replicas_bench [--threads N] [--rounds R] [--steps S] [--busy B] [--precision f32|bf16]
// N: CPU threads of either way (default: a thread for each core). A round takes S steps (default 8) of each way in turn after one to warm
// up; R rounds (default 9) on the quiet machine, then R beside B busy loops (default 1; 0: the quiet rounds alone). The networks are the
// demo's: its global (bf16, channels_last unless --precision says f32) and its base (f32, NCHW), batches of 128 of 28 x 28 images. Prints a
// line of JSON for each network and condition: images a second, the median over the rounds, of threads inside operators ("operators"),
// replicas, and one thread alone, and the median over the rounds of replicas / operators.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>

#include "core/clock.h"
#include "core/json.h"
#include "core/rng.h"
#include "graph/zoo.h"
#include "train/internal/step.h"

namespace {

using namespace hedge;
using train::internal::Form;
using train::internal::Stepper;
using train::internal::ThreadPlan;
using train::internal::TrainableGraph;
using train::internal::Workers;

constexpr std::int64_t kBatch = 128;

struct Settings {
  int threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  int rounds = 9, steps = 8, busy = 1;
  std::string precision = "bf16";
};

struct Network {
  const char* name;
  const char* spec;
  Form form;
};

/// Processes that do nothing but use the CPU, for the life of the object.
class BusyLoops {
 public:
  explicit BusyLoops(int count) {
    for (int i = 0; i < count; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        volatile unsigned turns = 0;
        while (true) turns = turns + 1;
      }
      if (child > 0) children_.push_back(child);
    }
  }
  BusyLoops(const BusyLoops&) = delete;
  BusyLoops& operator=(const BusyLoops&) = delete;
  ~BusyLoops() {
    for (const pid_t child : children_) ::kill(child, SIGKILL), ::waitpid(child, nullptr, 0);
  }
  [[nodiscard]] std::size_t size() const { return children_.size(); }

 private:
  std::vector<pid_t> children_;
};

data::Batch make_batch() {
  data::Batch batch;
  batch.images = Tensor(DType::kF32, {kBatch, 1, 28, 28});
  Rng rng(1);
  for (auto& value : batch.images.data<float>()) value = static_cast<float>(rng.normal());
  for (std::int64_t i = 0; i < kBatch; ++i) {
    batch.labels.push_back(static_cast<std::int64_t>(rng.below(10)));
    batch.indices.push_back(static_cast<std::size_t>(i));
  }
  return batch;
}

/// A network that is trained in one way.
class Way {
 public:
  Way(const Network& network, const graph::Graph& graph, const train::internal::Loss& loss, ThreadPlan plan)
      : form_(network.form), plan_(plan), graph_(TrainableGraph::create(graph).value()), stepper_(graph_, {}, loss) {}

  /// Images a second of `steps` steps.
  double rate(const data::Batch& batch, int steps) {
    Workers workers(plan_);
    stepper_.begin(form_, workers);
    stepper_.step(batch);
    const SteadyClock clock;
    const auto start = clock.now();
    for (int i = 0; i < steps; ++i) stepper_.step(batch);
    return static_cast<double>(steps * kBatch) / seconds_between(start, clock.now());
  }

 private:
  Form form_;
  ThreadPlan plan_;
  TrainableGraph graph_;
  Stepper stepper_;
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

void compare(const Network& network, const Settings& settings, int busy_loops) {
  const auto graph = graph::build_zoo(network.spec, {1, 28, 28}, 10, 1).value();
  const auto loss = train::internal::Loss::create({}, graph, {.channels = 1, .height = 28, .width = 28}, 0).value();
  const auto batch = make_batch();
  Way operators(network, graph, loss, {.replicas = 1, .operator_threads = settings.threads});
  Way replicas(network, graph, loss, train::internal::plan_threads(settings.threads, kBatch));
  Way alone(network, graph, loss, {});
  const BusyLoops busy(busy_loops);
  std::vector<double> a, b, c, ratios;
  for (int round = 0; round < settings.rounds; ++round) {
    const bool first = round % 2 == 0;  // alternate who goes first
    if (first) a.push_back(operators.rate(batch, settings.steps));
    b.push_back(replicas.rate(batch, settings.steps));
    if (!first) a.push_back(operators.rate(batch, settings.steps));
    c.push_back(alone.rate(batch, settings.steps));
    ratios.push_back(b.back() / a.back());
  }
  const Json line = {{"network", network.name},
                     {"spec", network.spec},
                     {"precision", train::to_string(network.form.precision)},
                     {"layout", train::to_string(network.form.layout)},
                     {"threads", settings.threads},
                     {"busy_loops", busy.size()},
                     {"operators_per_s", std::lround(median(a))},
                     {"replicas_per_s", std::lround(median(b))},
                     {"one_thread_per_s", std::lround(median(c))},
                     {"replicas_to_operators", std::round(100 * median(ratios)) / 100}};
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
}

/// False where a flag or value is none.
bool parse(int argc, char** argv, Settings& settings) {
  const std::map<std::string, int*> numbers = {
      {"--threads", &settings.threads}, {"--rounds", &settings.rounds}, {"--steps", &settings.steps}, {"--busy", &settings.busy}};
  for (int i = 1; i < argc; i += 2) {
    const std::string flag = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    const auto number = numbers.find(flag);
    if (number != numbers.end())
      *number->second = std::atoi(value.c_str());
    else if (flag == "--precision")
      settings.precision = value;
    else
      return false;
  }
  return settings.threads > 0 && settings.rounds > 0 && settings.steps > 0 && settings.busy >= 0 &&
         (settings.precision == "f32" || settings.precision == "bf16");
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  if (!parse(argc, argv, settings)) {
    std::fprintf(stderr, "usage: replicas_bench [--threads N] [--rounds R] [--steps S] [--busy B] [--precision f32|bf16]\n");
    return 2;
  }
  const auto precision = settings.precision == "f32" ? train::Precision::kF32 : train::Precision::kBf16;
  const Network networks[] = {{"global", "resnet:48,1,stem_stride=2", {precision, train::Layout::kChannelsLast}},
                              {"base", "mobile:6", {train::Precision::kF32, train::Layout::kNchw}}};
  for (const auto& network : networks) {
    compare(network, settings, 0);
    if (settings.busy > 0) compare(network, settings, settings.busy);
  }
}

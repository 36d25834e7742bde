// Training throughput of replicas with one thread each against threads inside the operators, side by side in one run, on a quiet machine
// and beside a plain busy loop (a process of its own that this program starts and ends); and of one libtorch against another.
//   replicas_bench [--threads N] [--rounds R] [--steps S] [--busy B] [--precision f32|bf16] [--network NAME] [--beside PROGRAM]
// N: CPU threads of either way (default: a thread for each core). A round takes S steps (default 8) of each way in turn after one to warm
// up; R rounds (default 9) on the quiet machine, then R beside B busy loops (default 1; 0: the quiet rounds alone). The networks: the
// demo's global (bf16, channels_last unless --precision says f32) and base (f32, NCHW) on 28 x 28 images, a "pooled" network on 32 x 32 (as
// the global), a "mobile" one on 96 x 96 (f32, channels_last), batches of 128; NAME: one of them alone. Prints a line of JSON for each
// network and condition: images a second, the median over the rounds, of threads inside operators ("operators"), replicas, and one thread
// alone, and the median over the rounds of replicas / operators. With PROGRAM, this benchmark of a build with another libtorch
// (build/release-torch2/bin/replicas_bench), each round measures that one too, in turn who is first, and the line has its rates under
// "beside" and the medians over the rounds of its rates / this one's.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <thread>

#include "core/clock.h"
#include "core/file.h"
#include "core/json.h"
#include "core/process.h"
#include "core/rng.h"
#include "graph/zoo.h"
#include "train/internal/step.h"
#include "train/torch_executor.h"

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
  std::string precision = "bf16", network, beside;
};

struct Network {
  const char* name;
  const char* spec;
  std::int64_t channels, side;
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

data::Batch make_batch(const Network& network) {
  data::Batch batch;
  batch.images = Tensor(DType::kF32, {kBatch, network.channels, network.side, network.side});
  Rng rng(1);
  for (auto& value : batch.images.data<float>()) value = static_cast<float>(rng.normal());
  for (std::int64_t i = 0; i < kBatch; ++i) {
    batch.labels.push_back(static_cast<std::int64_t>(rng.below(10)));
    batch.indices.push_back(static_cast<std::size_t>(i));
  }
  return batch;
}

/// Images a second by the way of training.
using Rates = std::map<std::string, double>;
using Series = std::map<std::string, std::vector<double>>;
constexpr const char* kOperators = "operators_per_s";
constexpr const char* kReplicas = "replicas_per_s";
constexpr const char* kAlone = "one_thread_per_s";

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

double hundredths(double value) { return std::round(100 * value) / 100; }

/// The three ways of training a network.
class Ways {
 public:
  Ways(const Network& network, int threads)
      : graph_(graph::build_zoo(network.spec, {network.channels, network.side, network.side}, 10, 1).value()),
        loss_(train::internal::Loss::create({}, graph_, {.channels = network.channels, .height = network.side, .width = network.side}, 0)
                  .value()),
        batch_(make_batch(network)),
        operators_(network, graph_, loss_, {.replicas = 1, .operator_threads = threads}),
        replicas_(network, graph_, loss_, train::internal::plan_threads(threads, kBatch)),
        alone_(network, graph_, loss_, {}) {}

  Rates measure(int steps, bool operators_first) {
    Rates rates;
    if (operators_first) rates[kOperators] = operators_.rate(batch_, steps);
    rates[kReplicas] = replicas_.rate(batch_, steps);
    if (!operators_first) rates[kOperators] = operators_.rate(batch_, steps);
    rates[kAlone] = alone_.rate(batch_, steps);
    return rates;
  }

 private:
  graph::Graph graph_;
  train::internal::Loss loss_;
  data::Batch batch_;
  Way operators_, replicas_, alone_;
};

/// The rates of a round of the other program. Errors: those of starting it and of its line.
Result<Rates> measure_beside(const Network& network, const Settings& settings) {
  const auto file = std::filesystem::temp_directory_path() / ("replicas_bench_" + std::to_string(::getpid()));
  HEDGE_TRY(auto child,
            ChildProcess::start({settings.beside, "--rounds", "1", "--busy", "0", "--threads", std::to_string(settings.threads), "--steps",
                                 std::to_string(settings.steps), "--precision", settings.precision, "--network", network.name},
                                file));
  const int code = child.wait();
  const auto line = read_json(file);
  std::filesystem::remove(file);
  if (code != 0 || !line) return Error{.code = ErrorCode::kInternal, .what = "the other program failed", .where = settings.beside};
  Rates rates;
  for (const char* name : {kOperators, kReplicas, kAlone}) {
    HEDGE_TRY(rates[name], get_field<double>(*line, name, settings.beside));
  }
  return rates;
}

/// One network under one condition, as a line of JSON.
Result<Json> compare(const Network& network, const Settings& settings, int busy_loops) {
  Ways ways(network, settings.threads);
  const BusyLoops busy(busy_loops);
  Series own, beside, to_own;
  std::vector<double> to_operators;
  for (int round = 0; round < settings.rounds; ++round) {
    const bool first = round % 2 == 0;  // alternate who goes first
    Rates mine, other;
    if (first) mine = ways.measure(settings.steps, round % 4 == 0);
    if (!settings.beside.empty()) {
      HEDGE_TRY(other, measure_beside(network, settings));
    }
    if (!first) mine = ways.measure(settings.steps, round % 4 == 1);
    to_operators.push_back(mine[kReplicas] / mine[kOperators]);
    for (const auto& [name, rate] : mine) own[name].push_back(rate);
    for (const auto& [name, rate] : other) beside[name].push_back(rate), to_own[name].push_back(rate / mine[name]);
  }
  Json line = {{"network", network.name},
               {"spec", network.spec},
               {"side", network.side},
               {"libtorch", train::torch_version()},
               {"precision", train::to_string(network.form.precision)},
               {"layout", train::to_string(network.form.layout)},
               {"threads", settings.threads},
               {"busy_loops", busy.size()}};
  for (const auto& [name, rates] : own) line[name] = std::lround(median(rates));
  line["replicas_to_operators"] = hundredths(median(to_operators));
  for (const auto& [name, rates] : beside) line["beside"][name] = std::lround(median(rates));
  for (const auto& [name, ratios] : to_own) line["beside_to_this"][name] = hundredths(median(ratios));
  return line;
}

/// False where a flag or value is none.
bool parse(int argc, char** argv, Settings& settings) {
  const std::map<std::string, int*> numbers = {
      {"--threads", &settings.threads}, {"--rounds", &settings.rounds}, {"--steps", &settings.steps}, {"--busy", &settings.busy}};
  const std::map<std::string, std::string*> words = {
      {"--precision", &settings.precision}, {"--network", &settings.network}, {"--beside", &settings.beside}};
  for (int i = 1; i < argc; i += 2) {
    const std::string flag = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    const auto number = numbers.find(flag);
    const auto word = words.find(flag);
    if (number != numbers.end())
      *number->second = std::atoi(value.c_str());
    else if (word != words.end())
      *word->second = value;
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
    std::fprintf(stderr,
                 "usage: replicas_bench [--threads N] [--rounds R] [--steps S] [--busy B] [--precision f32|bf16] [--network NAME] "
                 "[--beside PROGRAM]\n");
    return 2;
  }
  const auto precision = settings.precision == "f32" ? train::Precision::kF32 : train::Precision::kBf16;
  const Network networks[] = {{"global", "resnet:48,1,stem_stride=2", 1, 28, {precision, train::Layout::kChannelsLast}},
                              {"base", "mobile:6", 1, 28, {train::Precision::kF32, train::Layout::kNchw}},
                              {"pooled", "pooled:64,192,256", 3, 32, {precision, train::Layout::kChannelsLast}},
                              {"mobile96", "mobile:16", 3, 96, {train::Precision::kF32, train::Layout::kChannelsLast}}};
  bool any = false;
  for (const auto& network : networks) {
    if (!settings.network.empty() && settings.network != network.name) continue;
    any = true;
    for (const int busy : {0, settings.busy}) {
      const auto line = compare(network, settings, busy);
      if (!line) return std::fprintf(stderr, "%s\n", line.error().message().c_str()), 1;
      std::printf("%s\n", line->dump().c_str());
      std::fflush(stdout);
      if (settings.busy == 0) break;
    }
  }
  if (!any) return std::fprintf(stderr, "no network \"%s\"; there are global, base, pooled, mobile96\n", settings.network.c_str()), 2;
}

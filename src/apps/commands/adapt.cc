#include <algorithm>
#include <filesystem>
#include <memory>

#include "apps/commands.h"
#include "apps/training_flags.h"
#include "core/file.h"
#include "core/json.h"
#include "core/sha256.h"
#include "data/spec.h"
#include "eval/baselines.h"
#include "eval/curve.h"
#include "eval/predict.h"
#include "eval/router_scores.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "infer/openvino/openvino_executor.h"
#include "routing/splits.h"
#include "train/adapt.h"
#include "train/held_out.h"

namespace hedge::apps {
namespace {

struct Flags {
  std::string data, base, global, router, judge, out;
  std::string share = "soft";
  std::string router_kind = "gain";
  double held_share = 0.1;
  int seeds = 3;
  int resamples = 1000;
  train::AdaptOptions adapting;
  TrainingFlags training;
  double global_rate = 0;
};

/// One network of a pair as `eval::predict` takes it; `bytes` are its ONNX file's.
struct Opened {
  std::unique_ptr<Executor> executor;
  eval::ModelRun run;
};

Result<Opened> open_graph(const graph::Graph& graph, const data::Preprocess& recipe, const char* features, int threads) {
  Opened opened;
  HEDGE_TRY(const auto bytes, graph::serialize_onnx(graph));
  HEDGE_TRY(opened.executor,
            infer::make_openvino_executor(
                graph, {.throughput = threads != 1, .threads = threads, .normalization = recipe.normalization, .features = features}));
  HEDGE_TRY(const auto macs, graph::count_macs(graph));
  opened.run = {
      .executor = opened.executor.get(), .recipe = recipe, .sha256 = sha256_hex(bytes), .macs = macs, .parameters = graph.num_parameters()};
  const auto text = [&graph](const char* key) {
    const auto found = graph.metadata.find(key);
    return found != graph.metadata.end() ? found->second : std::string();
  };
  opened.run.trained_on = text(graph::kTrainedOnKey);
  opened.run.trained_on_hash = text(graph::kTrainedOnHashKey);
  return opened;
}

/// What the library asks of this program: OpenVINO for predictions, exact areas, ONNX files.
class Tools {
 public:
  Tools(data::Preprocess base, data::Preprocess global, int threads, ProgressSink progress)
      : base_(std::move(base)), global_(std::move(global)), threads_(threads), progress_(std::move(progress)) {}

  Result<routing::PredictionTable> predict(const graph::Graph& base, const graph::Graph& global, const data::Dataset& dataset) const {
    HEDGE_TRY(const auto b, open_graph(base, base_, "auto", threads_));
    HEDGE_TRY(const auto g, open_graph(global, global_, "", threads_));
    return eval::predict({.dataset = &dataset, .base = b.run, .global = g.run, .progress = progress_});
  }
  Result<std::vector<float>> score(const graph::Graph& router, const routing::PredictionTable& table) const {
    HEDGE_TRY(const auto executor, infer::make_openvino_executor(router, {.throughput = threads_ != 1, .threads = threads_}));
    return eval::scores_of(*executor, table);
  }
  [[nodiscard]] train::AdaptTools tools() const {
    return {.predict = [this](const auto& base, const auto& global, const auto& dataset) { return predict(base, global, dataset); },
            .score = [this](const auto& router, const auto& table) { return score(router, table); },
            .area = [](std::span<const float> scores, const routing::PredictionTable& table) -> Result<double> {
              HEDGE_TRY(const auto outcomes, routing::outcomes(table));
              HEDGE_TRY(const auto curve, eval::SelectiveCurve::make(scores, outcomes));
              return curve.area();
            },
            .save = [](const auto& path, const auto& graph) { return graph::write_onnx(path, graph); },
            .load = [](const auto& path) { return graph::read_onnx(path); }};
  }

 private:
  data::Preprocess base_, global_;
  int threads_;
  ProgressSink progress_;
};

/// A pair to be judged: its networks, and the seeds of routers fitted on its predictions of the training images.
struct Contender {
  std::string name;
  train::Hybrid hybrid;
  bool keep_router = false;  ///< judged with the router it was trained with; else with routers fitted anew
};

Json interval_json(const eval::Interval& i) { return {{"value", i.value}, {"low", i.low}, {"high", i.high}}; }

/// Writes a contender's networks and tables, and returns what it answers on the images it is judged by.
Result<eval::SharedMethod> judge(const Contender& contender, const Flags& flags, const Tools& tools, const data::Dataset& fit,
                                 const data::Dataset& test, Context& context) {
  const auto folder = std::filesystem::path(flags.out) / contender.name;
  const auto& h = contender.hybrid;
  HEDGE_CHECK(graph::write_onnx(folder / "base.onnx", h.base));
  HEDGE_CHECK(graph::write_onnx(folder / "global.onnx", h.global));
  HEDGE_TRY(const auto train_table, tools.predict(h.base, h.global, fit));
  HEDGE_TRY(const auto test_table, tools.predict(h.base, h.global, test));
  HEDGE_CHECK(routing::check_unseen(test_table.info));
  HEDGE_CHECK(routing::write_table(folder / "train.table", train_table));
  HEDGE_CHECK(routing::write_table(folder / "test.table", test_table));
  eval::SharedMethod method{.name = contender.name};
  HEDGE_TRY(method.outcomes, routing::outcomes(test_table));
  for (int seed = 1; seed <= (contender.keep_router ? 1 : flags.seeds); ++seed) {
    auto router = h.router;
    if (!contender.keep_router) {
      auto options = flags.adapting.router;
      options.seed = static_cast<std::uint64_t>(seed);
      HEDGE_TRY(auto fitted, train::fit_router(train_table, options, context.console.progress("hedge: ")));
      router = std::move(fitted.graph);
    }
    HEDGE_CHECK(graph::write_onnx(folder / ("router-" + std::to_string(seed) + ".onnx"), router));
    HEDGE_TRY(auto scores, tools.score(router, test_table));
    method.scores.push_back(std::move(scores));
  }
  return method;
}

Json arm_json(const train::ArmResult& arm) {
  return {{"name", arm.name},
          {"rounds", arm.areas.size()},
          {"best_round", arm.best_round},
          {"held_out_areas", arm.areas},
          {"mean_share", arm.mean_share}};
}

/// A line a contender: accuracies, area, and the paired differences to the control and to what there was before.
Result<Json> compare(const std::vector<eval::SharedMethod>& methods, int resamples) {
  const eval::BaselineOptions options{.resamples = resamples};
  Json list = Json::array();
  const auto find = [&](const std::string& name) -> const eval::SharedMethod& {
    return *std::find_if(methods.begin(), methods.end(), [&](const auto& m) { return m.name == name; });
  };
  for (const auto& method : methods) {
    HEDGE_TRY(const auto to_control, eval::compare_areas(method, find("control"), options));
    HEDGE_TRY(const auto to_before, eval::compare_areas(method, find("before"), options));
    list.push_back({{"name", method.name},
                    {"base_accuracy", method.outcomes.base_accuracy()},
                    {"global_accuracy", method.outcomes.global_accuracy()},
                    {"router_seeds", method.scores.size()},
                    {"area", interval_json(to_control.area)},
                    {"to_control", interval_json(to_control.difference)},
                    {"to_before", interval_json(to_before.difference)}});
  }
  return list;
}

Status finish_flags(Flags& flags) {
  HEDGE_CHECK(flags.training.finish());
  auto& a = flags.adapting;
  HEDGE_TRY(a.share, train::router_share(flags.share));
  HEDGE_TRY(a.router.kind, train::router_kind(flags.router_kind));
  a.router.target_coverage = a.coverage;
  a.router.threads = flags.training.options.threads;
  a.base = a.global = flags.training.options;
  if (flags.global_rate > 0) a.global.learning_rate = flags.global_rate;
  a.folder = std::filesystem::path(flags.out) / "rounds";
  return a.validate();
}

/// The split to judge on is not trained on. Errors: kMismatch.
Status check_judge(const data::Dataset& fit, const data::Dataset& test) {
  if (!routing::same_or_overlapping(fit.spec(), test.spec())) return {};
  return Error{.code = ErrorCode::kMismatch,
               .what = "the images to judge by are trained on",
               .got = test.spec(),
               .expected = "another split than " + fit.spec()};
}

Status run(Flags& flags, Context& context) {
  HEDGE_CHECK(finish_flags(flags));
  HEDGE_TRY(auto spec, data::parse_spec(flags.data));
  if (spec.split == data::Split::kAll) spec.split = data::Split::kTrain;
  if (flags.judge.empty()) {
    HEDGE_TRY(flags.judge, data::spec_with_split(data::to_string(spec), "test"));
  }
  HEDGE_TRY(const auto whole, data::open_dataset(data::to_string(spec), {.log = context.console.log()}));
  HEDGE_TRY(const auto test, data::open_dataset(flags.judge, {.log = context.console.log()}));
  HEDGE_CHECK(check_judge(*whole.dataset, *test.dataset));
  HEDGE_TRY(const auto parts, train::hold_out(*whole.dataset, flags.held_share, flags.training.options.seed));
  HEDGE_TRY(auto base, read_trainable(flags.base));
  HEDGE_TRY(auto global, read_trainable(flags.global));
  HEDGE_TRY(auto router, graph::read_onnx(flags.router));
  for (auto* graph : {&base.graph, &global.graph}) {
    graph->metadata[graph::kTrainedOnKey] = whole.dataset->spec();
    graph->metadata[graph::kTrainedOnHashKey] = whole.dataset->content_hash();
  }
  const train::Hybrid start{std::move(base.graph), std::move(global.graph), std::move(router)};
  const Tools tools(base.recipe, global.recipe, flags.training.options.threads, context.console.progress("hedge: "));
  const train::AdaptData data{.fit = parts.fit.get(), .held = parts.held.get(), .base_recipe = base.recipe, .global_recipe = global.recipe};
  HEDGE_TRY(
      const auto arms,
      train::adapt(start, data, flags.adapting, tools.tools(),
                   {.progress = context.console.progress("hedge: "), .log = context.console.log(), .should_stop = context.should_stop}));
  std::vector<Contender> contenders = {{"before", start}};
  for (const auto& arm : arms) contenders.push_back({arm.name, arm.hybrid, arm.name == "end_to_end"});
  if (flags.adapting.end_to_end) contenders.push_back({"end_to_end_refitted", arms[0].hybrid});
  std::vector<eval::SharedMethod> methods;
  for (const auto& contender : contenders) {
    HEDGE_TRY(auto method, judge(contender, flags, tools, *parts.fit, *test.dataset, context));
    methods.push_back(std::move(method));
  }
  HEDGE_TRY(auto rows, compare(methods, flags.resamples));
  Json json = {{"schema", 1},
               {"trained_on", whole.dataset->spec()},
               {"held_out", parts.held->size()},
               {"judged_on", test.dataset->spec()},
               {"pictures", test.dataset->size()},
               {"end_to_end", flags.adapting.end_to_end},
               {"share", flags.share},
               {"router", flags.router_kind},
               {"coverage", flags.adapting.coverage},
               {"epochs_a_round", flags.training.options.epochs},
               {"teacher_weight", flags.adapting.teacher_weight},
               {"resamples", flags.resamples},
               {"arms", Json::array()},
               {"hybrids", std::move(rows)}};
  for (const auto& arm : arms) json["arms"].push_back(arm_json(arm));
  HEDGE_CHECK(write_json(std::filesystem::path(flags.out) / "adapt.json", json));
  std::printf("%s\n", json.dump().c_str());
  return {};
}

}  // namespace

void add_adapt(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand(
      "adapt", "train base and global for each other by a router's weights, beside a control trained as long with weights 1");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  auto& a = f->adapting;
  app->add_option("--base", f->base, "the trained base (.onnx)")->required();
  app->add_option("--global", f->global, "the trained global (.onnx)")->required();
  app->add_option("--router", f->router, "the router's graph (.onnx) for the first round")->required();
  app->add_option("--data", f->data, "the data set; its train split by default, of which a part is held out to stop early by")->required();
  app->add_option("--judge", f->judge, "images that nothing is chosen by; default: the same data set's test split");
  app->add_option("-o,--out", f->out, "a folder: adapt.json, a folder of networks and tables for each arm, and the rounds")->required();
  app->add_option("--weights-by", f->share, "r of the weights 2 - r and 1 + r: soft, hard or oracle")
      ->capture_default_str()
      ->check(CLI::IsMember({"soft", "hard", "oracle"}));
  app->add_flag("--end-to-end", a.end_to_end,
                "instead: base and router by E[(1 - r) l_base + r l_global] with a coverage penalty; the global stays");
  app->add_option("--penalty", a.penalty, "of the coverage, end to end")->capture_default_str();
  app->add_option("--router-kind", f->router_kind, "of the routers that are fitted between rounds and to judge: gain or poster")
      ->capture_default_str();
  app->add_option("--router-epochs", a.router.epochs, "of those")->capture_default_str();
  app->add_option("--router-seeds", f->seeds, "routers fitted to judge each arm")->capture_default_str()->check(CLI::Range(1, 100));
  app->add_option("--coverage", a.coverage, "share of images that r leaves on the device")->capture_default_str();
  app->add_option("--rounds", a.rounds, "of training and fitting the router anew")->capture_default_str();
  app->add_option("--patience", a.patience, "rounds without a better area before both arms stop")->capture_default_str();
  app->add_option("--held-out", f->held_share, "share of the training images that is held out")->capture_default_str();
  app->add_option("--teacher-weight", a.teacher_weight, "of distilling the global into the base, in both arms; 0: none")
      ->capture_default_str();
  app->add_option("--temperature", a.temperature, "of that")->capture_default_str();
  app->add_option("--global-lr", f->global_rate, "the global's peak learning rate; default: the base's");
  app->add_option("--resamples", f->resamples, "of the bootstrap")->capture_default_str()->check(CLI::Range(100, 100000));
  f->training.options.epochs = 1;
  f->training.options.learning_rate = 5e-4;
  f->training.add(*app);
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::apps

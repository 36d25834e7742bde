#include "workflow/search.h"

#include <algorithm>
#include <map>

#include "core/safetensors.h"
#include "core/sha256.h"
#include "plan/cost.h"
#include "workflow/internal/held_answers.h"
#include "workflow/internal/pricer.h"
#include "workflow/internal/trainable.h"
#include "workflow/train.h"

namespace hedge::workflow {
namespace {

constexpr std::int64_t kMostDefaultSide = 64;  // as workflow::train has it
constexpr const char* kLogits = "logits";
constexpr const char* kLabels = "labels";
constexpr const char* kHalf = "half";  // of the held-out images (internal::half_of)

/// What the networks are for.
struct Images {
  std::int64_t channels = 0, side = 0, classes = 0;
};

/// A finalist with its answers.
struct Answers {
  std::vector<search::Model> models;
  std::vector<std::int64_t> labels;
  std::vector<std::uint32_t> choose, judge;
};

class Search {
 public:
  Search(const SearchOptions& options, const RunContext& context)
      : options_(options),
        context_(context),
        pricer_(options.latency_table.empty() ? options.out / "latency.json" : options.latency_table) {}

  Status open() {
    HEDGE_CHECK(options_.validate());
    std::error_code code;
    std::filesystem::create_directories(options_.out / "trials", code);
    if (code) return Error{.code = ErrorCode::kIo, .what = "cannot make the folder: " + code.message(), .where = options_.out.string()};
    const auto path = options_.out / "question.json";
    Json asked = question();
    if (!std::filesystem::exists(path)) {
      HEDGE_CHECK(look_at_images());
      asked["images"] = {{"channels", images_.channels}, {"side", images_.side}, {"classes", images_.classes}};
      return write_json(path, asked);
    }
    HEDGE_TRY(const auto there, read_json(path));
    const auto where = path.string();
    for (const auto& [key, value] : asked.items())
      if (!there.contains(key) || there.at(key) != value)
        return Error{.code = ErrorCode::kMismatch,
                     .what = "the folder is of another search: \"" + key + "\" differs",
                     .where = where,
                     .got = value.dump(),
                     .expected = there.contains(key) ? there.at(key).dump() : "nothing",
                     .hint = "give another --out, or remove the folder"};
    HEDGE_TRY(const auto images, get_field<Json>(there, "images", where));
    HEDGE_TRY(images_.channels, get_field<std::int64_t>(images, "channels", where));
    HEDGE_TRY(images_.side, get_field<std::int64_t>(images, "side", where));
    HEDGE_TRY(images_.classes, get_field<std::int64_t>(images, "classes", where));
    return {};
  }

  /// Where the tournament of one role stands.
  Result<search::Standing> standing(bool global) {
    const auto cost_of = [&](const search::Candidate& candidate) { return cost(candidate, global); };
    const auto accuracy_of = [&](const search::Trial& trial) { return accuracy({global, trial}); };
    return search::advance(role(global), cost_of, accuracy_of);
  }

  Result<std::vector<SearchTrial>> pending() {
    std::vector<SearchTrial> trials;
    for (const bool global : {false, true}) {
      if (global && options_.global_spaces.empty()) continue;
      HEDGE_TRY(const auto now, standing(global));
      for (const auto& trial : now.pending) trials.push_back({global, trial});
    }
    return trials;
  }

  Status run(const SearchTrial& trial) {
    if (accuracy(trial)) return {};
    const auto model = file(trial, ".onnx");
    TrainOptions training{.data = options_.data,
                          .net = trial.trial.candidate.net,
                          .out = model,
                          .size = trial.trial.candidate.size,
                          .held_share = options_.held_share,
                          .training = options_.training,
                          .recipe = options_.recipe};
    training.insist = [&](train::TrainOptions& o) {
      if (options_.insist) options_.insist(o);
      o.epochs = trial.trial.epochs;
      o.seed = trial.trial.seed;
      o.checkpoint = file(trial, ".checkpoint");
    };
    training.training.epochs = trial.trial.epochs;
    training.training.seed = trial.trial.seed;
    HEDGE_TRY(const auto trained, workflow::train(training, context_));
    HEDGE_CHECK(keep_answers(*trained.held_out, file(trial, ".held")));
    const double accuracy = trained.held_out->accuracy();
    const Json result = {
        {"trial", trial.to_string()}, {"accuracy", accuracy}, {"macs", trained.macs}, {"seconds", trained.summary.seconds}};
    HEDGE_CHECK(write_json(file(trial, ".json"), result));  // last: what makes the trial done
    std::error_code code;
    std::filesystem::remove(file(trial, ".checkpoint"), code);
    char text[16];
    std::snprintf(text, sizeof text, "%.2f %%", 100 * accuracy);
    log(context_.log, LogLevel::kInfo, trial.to_string() + ": " + text + " of the held-out images");
    return {};
  }

  Result<SearchReport> report() {
    SearchReport report;
    HEDGE_TRY(auto bases, standing(false));
    report.bases = std::move(bases.entered);
    const auto best = std::filesystem::path(options_.out / "base.onnx");
    if (options_.global_spaces.empty()) {
      report.base = {report.bases.front(), best};
      HEDGE_CHECK(copy({false, report.base.entrant.trial}, best));
      return report;
    }
    HEDGE_TRY(auto globals, standing(true));
    report.globals = std::move(globals.entered);
    HEDGE_TRY(const auto of_bases, finalists(false, report.bases));
    HEDGE_TRY(const auto of_globals, finalists(true, report.globals));
    for (const auto& model : of_bases.models) report.base_names.push_back(model.name);
    for (const auto& model : of_globals.models) report.global_names.push_back(model.name);
    if (of_bases.labels != of_globals.labels)
      return Error{.code = ErrorCode::kMismatch, .what = "bases and globals were judged on other images", .where = options_.out.string()};
    HEDGE_TRY(report.pair, choose(of_bases, of_globals, report));
    report.base = {report.bases[report.pair->chosen.base], best};
    report.global = FoundModel{report.globals[report.pair->chosen.global], options_.out / "global.onnx"};
    HEDGE_CHECK(copy({false, report.base.entrant.trial}, best));
    HEDGE_CHECK(copy({true, report.global->entrant.trial}, report.global->path));
    return report;
  }

 private:
  [[nodiscard]] search::TournamentOptions role(bool global) const {
    auto tournament = global ? options_.global : options_.base;
    tournament.spaces = global ? options_.global_spaces : options_.base_spaces;
    tournament.limits = global ? options_.global_limits : options_.base_limits;
    tournament.all_costs = !options_.global_spaces.empty();
    return tournament;
  }

  /// What the trials' results depend on, beside what each trial says.
  [[nodiscard]] Json question() const {
    auto training = options_.training;
    if (options_.insist) options_.insist(training);
    training.seed = 1;
    return {{"data", options_.data},
            {"held_share", options_.held_share},
            {"training", parse_json(train::training_json(options_.recipe, training, 0), "training").value()}};
  }

  Status look_at_images() {
    HEDGE_TRY(const auto opened, internal::open_training_images(options_.data, options_.training.strict, context_));
    const auto& dataset = *opened.dataset;
    images_.classes = static_cast<std::int64_t>(dataset.class_names().size());
    HEDGE_TRY(const auto first, dataset.image(0));
    images_.channels = first.channels;
    images_.side = std::min({first.height, first.width, kMostDefaultSide});
    return {};
  }

  Result<search::Costs> cost(const search::Candidate& candidate, bool global) {
    if (const auto found = costs_[global].find(candidate); found != costs_[global].end()) return found->second;
    const auto& limits = global ? options_.global_limits : options_.base_limits;
    const auto side = candidate.size > 0 ? candidate.size : images_.side;
    const internal::CostQuestion question{candidate.net, {images_.channels, side, side}, images_.classes, limits, options_.target};
    HEDGE_TRY(const auto costs, pricer_.cost(question));
    return costs_[global][candidate] = costs;
  }

  [[nodiscard]] std::filesystem::path file(const SearchTrial& trial, const char* ending) const {
    return options_.out / "trials" / (sha256_hex(trial.to_string()).substr(0, 16) + ending);
  }

  /// Of a trial that is done. A file that cannot be read counts as none: the training is done again.
  [[nodiscard]] std::optional<double> accuracy(const SearchTrial& trial) const {
    const auto path = file(trial, ".json");
    const auto json = read_json(path);
    if (!json) return std::nullopt;
    const auto text = get_field<std::string>(*json, "trial", path.string());
    const auto accuracy = get_field<double>(*json, "accuracy", path.string());
    if (!text || *text != trial.to_string() || !accuracy) return std::nullopt;
    return *accuracy;
  }

  static Status keep_answers(const HeldOutAnswers& held, const std::filesystem::path& path) {
    TensorFile answers;
    answers.tensors.emplace(kLogits, held.logits);
    answers.tensors.emplace(kLabels, Tensor::of<std::int64_t>({static_cast<std::int64_t>(held.labels.size())}, held.labels));
    std::vector<std::uint8_t> half;
    for (const auto& group : held.groups) half.push_back(static_cast<std::uint8_t>(internal::half_of(group)));
    answers.tensors.emplace(kHalf, Tensor::of<std::uint8_t>({static_cast<std::int64_t>(half.size())}, half));
    return write_safetensors(path, answers);
  }

  /// Those that were trained longest.
  Result<Answers> finalists(bool global, const std::vector<search::Entrant>& entered) {
    Answers answers;
    for (const auto& entrant : entered) {
      if (entrant.trial.epochs < entered.front().trial.epochs) break;
      HEDGE_TRY(const auto held, read_safetensors(file({global, entrant.trial}, ".held")));
      HEDGE_TRY(const auto* logits, held.get(kLogits, DType::kF32, {-1, -1}));
      answers.models.push_back({.name = entrant.trial.candidate.to_string(), .cost = 0, .logits = *logits});
      if (!answers.labels.empty()) continue;
      HEDGE_TRY(const auto* labels, held.get(kLabels, DType::kI64, {-1}));
      HEDGE_TRY(const auto* half, held.get(kHalf, DType::kU8, {-1}));
      answers.labels.assign(labels->data<std::int64_t>().begin(), labels->data<std::int64_t>().end());
      for (std::uint32_t i = 0; i < half->data<std::uint8_t>().size(); ++i)
        (half->data<std::uint8_t>()[i] == 0 ? answers.choose : answers.judge).push_back(i);
    }
    return answers;
  }

  /// Bytes of a query, raw: the global's image, a byte a value.
  [[nodiscard]] double query_bytes(const search::Candidate& global) const {
    const auto side = global.size > 0 ? global.size : images_.side;
    return static_cast<double>(side * side * images_.channels);
  }

  Result<search::PairChoice> choose(Answers bases, Answers globals, const SearchReport& report) const {
    const auto& mean = options_.mean_cost;
    constexpr double kNothing = 1e-9;  // a base's cost where only queries count
    double most = mean.value;
    if (mean.kind == MeanCost::Kind::kCoverage) most = 1 - mean.value + kNothing;
    const auto cost = [&](double device_macs, double cloud_macs, double bytes) {
      return plan::linear_cost({.device_macs = device_macs, .cloud_macs = cloud_macs, .query_bytes = bytes}, mean.setting);
    };
    const auto part = [&](const plan::Cost& c) { return mean.kind == MeanCost::Kind::kLatency ? c.latency_ms : c.energy_mj; };
    for (std::size_t i = 0; i < bases.models.size(); ++i) {
      const auto macs = static_cast<double>(report.bases[i].costs.macs);
      auto& to = bases.models[i].cost;
      to = mean.kind == MeanCost::Kind::kCoverage ? kNothing : mean.kind == MeanCost::Kind::kMacs ? macs : part(cost(macs, 0, 0).fixed);
    }
    for (std::size_t i = 0; i < globals.models.size(); ++i) {
      const auto& entrant = report.globals[i];
      const auto macs = static_cast<double>(entrant.costs.macs);
      auto& to = globals.models[i].cost;
      to = mean.kind == MeanCost::Kind::kCoverage ? 1
           : mean.kind == MeanCost::Kind::kMacs   ? macs
                                                  : part(cost(0, macs, query_bytes(entrant.trial.candidate)).per_query);
    }
    return search::choose_pair(bases.models, globals.models, bases.labels, {bases.choose, bases.judge}, most);
  }

  Status copy(const SearchTrial& trial, const std::filesystem::path& to) const {
    std::error_code code;
    std::filesystem::copy_file(file(trial, ".onnx"), to, std::filesystem::copy_options::overwrite_existing, code);
    if (!code) return {};
    return Error{.code = ErrorCode::kIo, .what = "cannot copy the model: " + code.message(), .where = to.string()};
  }

  const SearchOptions& options_;
  const RunContext& context_;
  Images images_;
  internal::Pricer pricer_;
  std::map<search::Candidate, search::Costs> costs_[2];
};

}  // namespace

Status SearchOptions::validate() const {
  const auto bad = [](const char* what, const char* where, const char* expected) {
    return Error{.code = ErrorCode::kInvalidArgument, .what = what, .where = where, .expected = expected};
  };
  if (base_spaces.empty()) return bad("nothing to search", "base_spaces", "a search space, such as mobile");
  if (!(held_share > 0 && held_share <= 0.5)) return bad("the share of held-out images", "held_share", "above 0, up to 0.5");
  if (training.time_budget > 0) return bad("trainings are compared by their epochs", "time_budget", "no time budget");
  const bool coverage = mean_cost.kind == MeanCost::Kind::kCoverage;
  if (coverage ? !(mean_cost.value >= 0 && mean_cost.value <= 1) : !(mean_cost.value > 0))
    return bad("the mean cost of a pair", "mean_cost", coverage ? "a coverage of 0 to 1" : "above 0");
  return training.validate();
}

std::string SearchTrial::to_string() const { return (global ? "global " : "base ") + trial.to_string(); }

Result<std::vector<SearchTrial>> pending_trials(const SearchOptions& options, const RunContext& context) {
  Search search(options, context);
  HEDGE_CHECK(search.open());
  return search.pending();
}

Status run_trial(const SearchOptions& options, const std::string& trial, const RunContext& context) {
  Search search(options, context);
  HEDGE_CHECK(search.open());
  HEDGE_TRY(const auto pending, search.pending());
  for (const auto& one : pending)
    if (one.to_string() == trial) return search.run(one);
  if (std::filesystem::exists(options.out / "trials" / (sha256_hex(trial).substr(0, 16) + ".json"))) return {};  // done before
  return Error{.code = ErrorCode::kNotFound,
               .what = "the search does not wait for this training",
               .got = trial,
               .expected = pending.empty() ? "none: nothing is pending"
                                           : "one of " + std::to_string(pending.size()) + ", such as " + pending[0].to_string()};
}

Result<SearchReport> search_networks(const SearchOptions& options, const RunContext& context) {
  Search search(options, context);
  HEDGE_CHECK(search.open());
  while (true) {
    HEDGE_TRY(const auto pending, search.pending());
    if (pending.empty()) break;
    log(context.log, LogLevel::kInfo, std::to_string(pending.size()) + " trainings are pending");
    for (const auto& trial : pending) HEDGE_CHECK(search.run(trial));
  }
  HEDGE_TRY(const auto report, search.report());
  HEDGE_CHECK(write_json(options.out / "search.json", to_json(report)));
  HEDGE_CHECK(write_file_atomic(options.out / "search.html", to_html(report)));
  return report;
}

}  // namespace hedge::workflow

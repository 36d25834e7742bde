#include "workflow/supernet_search.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/clock.h"
#include "core/json.h"
#include "core/sha256.h"
#include "eval/bootstrap.h"
#include "graph/once_for_all.h"
#include "graph/onnx/onnx_io.h"
#include "search/evolution.h"
#include "search/predictor.h"
#include "train/supernet.h"
#include "workflow/internal/held_answers.h"
#include "workflow/internal/pricer.h"
#include "workflow/internal/trainable.h"

namespace hedge::workflow {
namespace {

/// Shares of right answers on the two halves of the held-out images, divided by groups: one to choose by, one to judge on.
struct Scores {
  double choose = 0;
  search::Judged judge;
};

/// Errors: kBadData: no image in one of the halves.
Result<Scores> scores_of(const HeldOutAnswers& answers, const std::string& where) {
  constexpr int kResamples = 1000;
  const auto best = routing::argmax_rows(answers.logits.view());
  std::vector<std::uint8_t> right[2];
  std::vector<std::int64_t> groups;  // of the half to judge on, as numbers
  std::map<std::string, std::int64_t> numbers;
  for (std::size_t i = 0; i < best.size(); ++i) {
    const int half = internal::half_of(answers.groups[i]);
    right[half].push_back(best[i] == answers.labels[i] ? 1 : 0);
    if (half == 1) groups.push_back(numbers.try_emplace(answers.groups[i], static_cast<std::int64_t>(numbers.size())).first->second);
  }
  if (right[0].empty() || right[1].empty())
    return Error{.code = ErrorCode::kBadData,
                 .what = "too few held-out images to choose a network on one half of them and judge it on the other",
                 .where = where,
                 .got = std::to_string(best.size()) + " images, " + std::to_string(right[0].size()) + " of them in the first half",
                 .hint = "train the supernet with a larger --held-out, or on more images"};
  const auto share = [](auto sum, auto all) { return static_cast<double>(sum) / static_cast<double>(all); };
  const routing::Outcomes outcomes{.base_right = right[1]};
  eval::Resampler resampler(outcomes, 1, groups);
  std::vector<double> samples;
  for (int sample = 0; sample < kResamples; ++sample) {
    const auto& drawn = resampler.next();
    samples.push_back(share(drawn.base_right, drawn.total));
  }
  const auto rate = [&](const std::vector<std::uint8_t>& of) { return share(std::accumulate(of.begin(), of.end(), 0), of.size()); };
  return Scores{.choose = rate(right[0]), .judge = search::interval_of(rate(right[1]), std::move(samples))};
}

/// The space of a supernet's networks.
Result<search::Space> space_of(const graph::OfaChoices& choices) {
  const auto values = [](const std::string& digits) {
    std::string text;
    for (const char digit : digits) text += (text.empty() ? "" : "|") + std::string(1, digit);
    return text;
  };
  std::string text = "ofa-mbv3:halvings=" + std::to_string(choices.halvings) + ",width=";
  auto widths = choices.widths;
  std::sort(widths.begin(), widths.end());
  for (const double width : widths) text += (width == widths.front() ? "" : "|") + graph::width_text(width);
  for (int i = 1; i <= 20; ++i) text += ",kernel" + std::to_string(i) + "=" + values(choices.kernels);
  for (int i = 1; i <= 20; ++i) text += ",expand" + std::to_string(i) + "=" + values(choices.expands);
  for (int i = 1; i <= 5; ++i) text += ",depth" + std::to_string(i) + "=" + values(choices.depths);
  return search::Space::parse(text);
}

class SupernetSearch {
 public:
  SupernetSearch(const SupernetSearchOptions& options, const RunContext& context)
      : options_(options),
        context_(context),
        pricer_(options.latency_table.empty() ? options.out / "latency.json" : options.latency_table) {}

  Status open() {
    HEDGE_TRY(supernet_, internal::read_trainable({.path = options_.supernet}));
    HEDGE_TRY(const auto choices, graph::supernet_of(supernet_.graph));
    HEDGE_TRY(space_, space_of(choices));
    HEDGE_TRY(opened_, internal::open_training_images(options_.data, false, context_));
    HEDGE_TRY(parts_, internal::hold_out(*opened_.dataset, options_.held_share));
    const auto trained_on = supernet_.graph.metadata.find(graph::kTrainedOnHashKey);
    if (trained_on == supernet_.graph.metadata.end() || trained_on->second != parts_.fit->content_hash())
      return Error{.code = ErrorCode::kMismatch,
                   .what = "the supernet was trained on other images than those that are left without the held-out ones",
                   .where = options_.supernet.string(),
                   .expected = "the same data and --held-out as in its training",
                   .hint = "networks are judged on images that the supernet has not seen: train it with hedge train … --held-out " +
                           std::to_string(options_.held_share).substr(0, 4)};
    return claim_folder();
  }

  Result<SearchReport> run() {
    search::EvolutionOptions evolution{.space = *space_,
                                       .limits = options_.limits,
                                       .population = options_.population,
                                       .generations = options_.generations,
                                       .mutation = options_.mutation,
                                       .seed = options_.seed};
    HEDGE_CHECK(evolution.validate());
    const search::CostOf cost_of = [this](const search::Candidate& candidate) { return cost(candidate); };
    auto everything = evolution;
    everything.limits = {};  // so that a search with other limits finds them judged
    HEDGE_TRY(const auto drawn, search::draw_networks(everything, static_cast<std::size_t>(options_.judged), cost_of));
    HEDGE_CHECK(judge(drawn, "drawn"));
    std::vector<std::vector<double>> descriptions;
    std::vector<double> accuracies;
    for (const auto& one : drawn) {
      descriptions.push_back(space_->describe(one.genotype));
      accuracies.push_back(scores_.at(one.candidate).choose);
    }
    HEDGE_TRY(const auto predictor, search::AccuracyPredictor::fit(std::move(descriptions), accuracies));
    PredictorFacts facts{.judged = static_cast<std::int64_t>(drawn.size()),
                         .kendall_tau = search::kendall_tau(predictor.left_out(), accuracies)};
    char text[96];
    std::snprintf(text, sizeof text, "the predictor orders networks that it has not seen with Kendall's tau %.2f", facts.kendall_tau);
    log(context_.log, LogLevel::kInfo, text);
    HEDGE_TRY(auto proposed, search::evolve(evolution, cost_of, [&](const search::Genotype& genotype) {
                return predictor.predict(space_->describe(genotype));
              }));
    facts.considered = static_cast<std::int64_t>(proposed.size());
    proposed.resize(std::min(proposed.size(), static_cast<std::size_t>(options_.proposed)));
    HEDGE_CHECK(judge(proposed, "proposed"));
    return report(drawn, proposed, facts);
  }

 private:
  /// The folder is this supernet's, or nobody's yet.
  Status claim_folder() {
    HEDGE_TRY(const auto identity, sha256_file(options_.supernet));
    const Json asked = {
        {"supernet", identity}, {"images", parts_.held->content_hash()}, {"statistics", options_.images}, {"seed", options_.seed}};
    const auto path = options_.out / "question.json";
    if (!std::filesystem::exists(path)) return write_json(path, asked);
    HEDGE_TRY(const auto there, read_json(path));
    if (there == asked) return {};
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the folder is of another search",
                 .where = path.string(),
                 .got = asked.dump(),
                 .expected = there.dump(),
                 .hint = "give another --out, or remove the folder"};
  }

  [[nodiscard]] train::TrainOptions computing() const { return {.seed = options_.seed, .threads = options_.threads}; }

  Result<graph::Graph> network(const search::Candidate& candidate) const {
    HEDGE_TRY(const auto spec, graph::parse_ofa(candidate.net));
    HEDGE_TRY(auto part, train::sub_network(supernet_.graph, spec));
    return train::recalibrate(std::move(part), *parts_.fit, supernet_.recipe, computing(), options_.images, internal::hooks_of(context_));
  }

  Result<Scores> judge_one(const search::Candidate& candidate) const {
    HEDGE_TRY(const auto graph, network(candidate));
    auto quiet = context_;
    quiet.progress = nullptr;
    HEDGE_TRY(const auto answers, internal::answer(graph, supernet_.recipe, *parts_.held, computing(), quiet));
    return scores_of(answers, parts_.held->spec());
  }

  [[nodiscard]] std::filesystem::path file(const search::Candidate& candidate) const {
    return options_.out / "judged" / (sha256_hex(candidate.to_string()).substr(0, 16) + ".json");
  }

  /// What is known of a network. A file that cannot be read counts as none.
  [[nodiscard]] std::optional<Scores> kept(const search::Candidate& candidate) const {
    const auto path = file(candidate);
    const auto json = read_json(path);
    if (!json) return std::nullopt;
    const auto where = path.string();
    const auto name = get_field<std::string>(*json, "network", where);
    const auto choose = get_field<double>(*json, "accuracy", where), value = get_field<double>(*json, "judged", where);
    const auto low = get_field<double>(*json, "low", where), high = get_field<double>(*json, "high", where);
    if (!name || *name != candidate.to_string() || !choose || !value || !low || !high) return std::nullopt;
    return Scores{.choose = *choose, .judge = {.value = *value, .low = *low, .high = *high}};
  }

  Status judge(const std::vector<search::Proposal>& proposals, const char* kind) {
    const SteadyClock clock;
    const auto begin = clock.now();
    std::size_t done = 0, computed = 0;
    for (const auto& one : proposals) {
      if (context_.should_stop && context_.should_stop())
        return Error{.code = ErrorCode::kCancelled, .what = "stopped on request", .hint = "run the same command again to continue"};
      ++done;
      auto scores = kept(one.candidate);
      if (!scores) {
        HEDGE_TRY(scores, judge_one(one.candidate));
        const Json json = {{"network", one.candidate.to_string()}, {"accuracy", scores->choose},
                           {"judged", scores->judge.value},        {"low", scores->judge.low},
                           {"high", scores->judge.high},           {"macs", one.costs.macs}};
        HEDGE_CHECK(write_json(file(one.candidate), json));
        ++computed;
      }
      scores_[one.candidate] = *scores;
      if (!context_.progress) continue;
      const double rate = static_cast<double>(computed) / std::max(1e-9, seconds_between(begin, clock.now()));
      context_.progress({"judge", static_cast<double>(done), static_cast<double>(proposals.size()),
                         rate > 0 ? static_cast<double>(proposals.size() - done) / rate : -1, std::string(kind) + " networks"});
    }
    return {};
  }

  Result<search::Costs> cost(const search::Candidate& candidate) {
    if (const auto found = costs_.find(candidate); found != costs_.end()) return found->second;
    const auto& image = supernet_.recipe;
    const internal::CostQuestion question{candidate.net,
                                          {image.channels, image.height, image.width},
                                          static_cast<std::int64_t>(opened_.dataset->class_names().size()),
                                          options_.limits,
                                          options_.target};
    HEDGE_TRY(const auto costs, pricer_.cost(question));
    return costs_[candidate] = costs;
  }

  [[nodiscard]] search::Entrant entrant_of(const search::Proposal& proposal) const {
    search::Entrant entrant;
    entrant.trial.candidate = proposal.candidate;
    entrant.costs = proposal.costs;
    entrant.accuracy = scores_.at(proposal.candidate).choose;
    return entrant;
  }

  Result<SearchReport> report(const std::vector<search::Proposal>& drawn, const std::vector<search::Proposal>& proposed,
                              PredictorFacts facts) {
    std::map<search::Candidate, search::Entrant> entrants;
    for (const auto* proposals : {&drawn, &proposed})
      for (const auto& one : *proposals) entrants[one.candidate] = entrant_of(one);
    std::vector<double> predicted, found;
    for (const auto& one : proposed) predicted.push_back(one.score), found.push_back(scores_.at(one.candidate).choose);
    if (predicted.size() > 1) facts.kendall_tau_proposed = search::kendall_tau(predicted, found);
    SearchReport report{.predictor = facts};
    for (auto& [candidate, entrant] : entrants) report.bases.push_back(std::move(entrant));
    const auto fits = [&](const search::Entrant& one) { return options_.limits.hold(one.costs); };
    std::stable_sort(report.bases.begin(), report.bases.end(), [&](const search::Entrant& a, const search::Entrant& b) {
      return fits(a) != fits(b) ? fits(a) : a.accuracy > b.accuracy;
    });
    report.base = {report.bases.front(), options_.out / "base.onnx"};
    report.base_judged = scores_.at(report.base.entrant.trial.candidate).judge;
    HEDGE_TRY(const auto graph, network(report.base.entrant.trial.candidate));
    HEDGE_CHECK(graph::write_onnx(report.base.path, graph));
    HEDGE_CHECK(write_json(options_.out / "search.json", to_json(report)));
    HEDGE_CHECK(write_file_atomic(options_.out / "search.html", to_html(report)));
    return report;
  }

  const SupernetSearchOptions& options_;
  const RunContext& context_;
  internal::Trainable supernet_;
  std::optional<search::Space> space_;
  data::Opened opened_;
  train::HeldOut parts_;
  std::map<search::Candidate, Scores> scores_;
  internal::Pricer pricer_;
  std::map<search::Candidate, search::Costs> costs_;
};

}  // namespace

Result<SearchReport> search_supernet(const SupernetSearchOptions& options, const RunContext& context) {
  const auto bad = [](const char* where, const std::string& expected) {
    return Error{
        .code = ErrorCode::kInvalidArgument, .what = "a search in a supernet cannot be done so", .where = where, .expected = expected};
  };
  constexpr auto kFewest = static_cast<std::int64_t>(search::AccuracyPredictor::kFewest);
  if (options.judged < kFewest) return bad("judged", std::to_string(kFewest) + " networks or more, for the predictor to learn from");
  if (options.proposed < 1) return bad("proposed", "1 or more");
  if (options.images < 2) return bad("images", "2 or more");
  SupernetSearch search(options, context);
  HEDGE_CHECK(search.open());
  return search.run();
}

}  // namespace hedge::workflow

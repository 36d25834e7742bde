#include "workflow/internal/search.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "core/rng.h"
#include "eval/statistics.h"

namespace hedge::workflow::internal {
namespace {

constexpr double kClearly = 0.01;          // family-wise, over all conventions tried
constexpr double kProbably = 0.01;         // taken alone
constexpr double kLeastGain = 0.03;        // less is not worth an alarm
constexpr double kLeastGainLearned = 0.1;  // an order that was learned also fits the habits of a weak model
constexpr double kHopeless = 0.001;        // a convention so surely behind the best is run on no further image
constexpr std::size_t kFirstPart = 30, kPart = 60;
constexpr std::size_t kRounds = 3;
constexpr double kImagesToLearnOrder = 4;  // a class, on average

using Hits = std::vector<bool>;

/// An order that was learned on one half of the images and is judged on the other.
struct LearnedOrder {
  ClassConvention classes;  ///< learned on all
  Hits hits;                ///< cross-fitted
  std::size_t run = 0;
};

/// A pair of a run and an order of classes beside the reference.
struct Candidate {
  std::size_t run = 0;
  std::size_t classes = 0;  ///< of the list; npos: the learned order
  bool several = false;
  Hits hits;
  TriedConvention tried;
};
constexpr std::size_t kLearned = std::numeric_limits<std::size_t>::max();

std::int64_t count(const Hits& hits) { return std::count(hits.begin(), hits.end(), true); }

/// Images that `a` has right and `b` has not, of those that both were run on.
std::int64_t only(const Hits& a, const Hits& b) {
  std::int64_t n = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) n += a[i] && !b[i] ? 1 : 0;
  return n;
}

/// Adds the outputs that a run answers with on its newer images, where `excluded` ones are none.
void add_best_outputs(const ConventionRun& run, const std::vector<std::int64_t>& excluded, std::vector<std::int64_t>& answers) {
  for (std::size_t i = answers.size(); i < run.images; ++i) {
    const float* row = run.logits.data() + i * static_cast<std::size_t>(run.outputs);
    std::int64_t best = -1;
    for (std::int64_t o = 0; o < run.outputs; ++o)
      if ((best < 0 || row[o] > row[best]) && !std::binary_search(excluded.begin(), excluded.end(), o)) best = o;
    answers.push_back(best);
  }
}

Hits hits_of(const std::vector<std::int64_t>& outputs, const std::vector<std::int64_t>& output_of,
             const std::vector<std::int64_t>& labels) {
  Hits hits(outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i)
    hits[i] = outputs[i] >= 0 && output_of[static_cast<std::size_t>(labels[i])] == outputs[i];
  return hits;
}

Hits right(const std::vector<std::int64_t>& labels, const std::vector<std::int64_t>& answers) {
  Hits hits(labels.size());
  for (std::size_t i = 0; i < hits.size(); ++i) hits[i] = labels[i] == answers[i];
  return hits;
}

/// The data set's class of each answered output; -1 where it is none of them.
std::vector<std::int64_t> as_classes(const std::vector<std::int64_t>& outputs, const std::vector<std::int64_t>& output_of) {
  std::vector<std::int64_t> answers;
  for (const auto output : outputs) {
    const auto found = std::find(output_of.begin(), output_of.end(), output);
    answers.push_back(output >= 0 && found != output_of.end() ? found - output_of.begin() : -1);
  }
  return answers;
}

/// One round: everything around one convention.
class Round {
 public:
  Round(const SearchInput& input, std::vector<ConventionRun> runs, std::vector<ClassConvention> classes)
      : input_(input), runs_(std::move(runs)), classes_(std::move(classes)) {}

  Status run(std::vector<data::Skipped>& skipped, const std::string& what) {
    const ConventionRunner runner(
        {.executor = input_.executor, .dataset = input_.dataset, .threads = input_.threads, .should_stop = input_.context.should_stop});
    const auto& sample = input_.sample;
    for (std::size_t first = 0; first < sample.size();) {
      const auto size = std::min(first == 0 ? kFirstPart : kPart, sample.size() - first);
      HEDGE_TRY(const auto used, runner.run(std::span(sample).subspan(first, size), runs_, skipped));
      for (const auto index : used) labels_.push_back(input_.dataset->label(index));
      first += size;
      end_hopeless();
      if (input_.context.progress)
        input_.context.progress({.what = what, .done = static_cast<double>(first), .total = static_cast<double>(sample.size())});
    }
    if (labels_.empty())
      return Error{.code = ErrorCode::kBadData, .what = "no image of the data set could be decoded", .where = input_.dataset->spec()};
    learn_orders();
    judge();
    return {};
  }

  [[nodiscard]] const ConventionRun& stated() const { return runs_.front(); }
  [[nodiscard]] const std::vector<std::int64_t>& labels() const { return labels_; }
  [[nodiscard]] const std::vector<Candidate>& candidates() const { return candidates_; }
  [[nodiscard]] const std::vector<ConventionRun>& runs() const { return runs_; }

  /// The clearly better one. A single change goes before two at once, and these before an order that was learned, which can imitate any of
  /// them, unless the later one is clearly better still; among equals the most accurate one is taken.
  [[nodiscard]] const Candidate* best() const {
    const Candidate* best = nullptr;
    for (const int rank : {0, 1, 2})
      for (const auto& one : candidates_) {
        if (rank_of(one) != rank || one.tried.compared != Compared::kClearlyBetter || one.hits.size() < labels_.size()) continue;
        if (best == nullptr || beats(one, *best)) best = &one;
      }
    return best;
  }

  [[nodiscard]] Convention convention(const Candidate& candidate) const {
    return {.input = runs_[candidate.run].convention,
            .classes = candidate.classes == kLearned ? learned_of(candidate.run)->classes : classes_[candidate.classes]};
  }

  /// The outputs that a run answers with; kept, because they are asked for again and again.
  const std::vector<std::int64_t>& outputs_under(std::size_t run, const ClassConvention& classes) {
    auto& answers = outputs_[{run, classes.excluded}];
    add_best_outputs(runs_[run], classes.excluded, answers);
    return answers;
  }

 private:
  /// How much a candidate is free to fit the images.
  static int rank_of(const Candidate& one) { return one.classes == kLearned ? 2 : one.several ? 1 : 0; }

  [[nodiscard]] bool beats(const Candidate& a, const Candidate& b) const {
    const auto wins = only(a.hits, b.hits), losses = only(b.hits, a.hits);
    if (rank_of(a) == rank_of(b)) return wins > losses;
    return eval::sign_test(wins, losses) * static_cast<double>(candidates_.size()) <= kClearly;
  }

  Hits hits(std::size_t run, std::size_t classes) {
    return hits_of(outputs_under(run, classes_[classes]), classes_[classes].output_of, labels_);
  }

  [[nodiscard]] const LearnedOrder* learned_of(std::size_t run) const {
    const auto found = std::find_if(learned_.begin(), learned_.end(), [run](const auto& one) { return one.run == run; });
    return found == learned_.end() ? nullptr : &*found;
  }

  /// The run and the order of classes that are right most often so far.
  std::pair<std::size_t, std::size_t> leader() {
    std::pair<std::size_t, std::size_t> best{0, 0};
    std::int64_t most = -1;
    for (std::size_t r = 0; r < runs_.size(); ++r)
      for (std::size_t c = 0; c < classes_.size() && !runs_[r].ended; ++c)
        if (const auto right = count(hits(r, c)); right > most) most = right, best = {r, c};
    return best;
  }

  /// Ends what is hopelessly behind the best so far, and, from half of the images on, what is not even ahead of the stated one. The stated
  /// one is run to the end. To give a convention up can only miss that it is better, never claim it.
  void end_hopeless() {
    if (labels_.empty()) return;
    const auto [best, order] = leader();
    const auto of_best = hits(best, order), of_stated = hits(0, order);
    const bool half = 2 * labels_.size() >= input_.sample.size();
    for (std::size_t r = 1; r < runs_.size(); ++r) {
      if (runs_[r].ended || runs_[r].same || r == best) continue;
      const auto mine = hits(r, order);
      const bool behind = eval::sign_test(only(of_best, mine), only(mine, of_best)) <= kHopeless;
      const bool idle = half && only(mine, of_stated) <= only(of_stated, mine);
      runs_[r].ended = behind || idle;
    }
  }

  /// Of the stated run, and of the one that is right most often under any order.
  void learn_orders() {
    if (static_cast<double>(labels_.size()) < kImagesToLearnOrder * static_cast<double>(input_.classes.dataset.size())) return;
    for (const auto run : {std::size_t{0}, leader().first})
      if (learned_of(run) == nullptr) learn_order(run);
  }

  void learn_order(std::size_t r) {
    const auto& run = runs_[r];
    const auto& stated = classes_.front();
    const auto outputs = outputs_under(r, stated);
    std::vector<bool> even(labels_.size()), odd(labels_.size());
    std::vector<std::size_t> seen(input_.classes.dataset.size(), 0);
    for (std::size_t i = 0; i < labels_.size(); ++i) {  // halves of each class
      even[i] = seen[static_cast<std::size_t>(labels_[i])]++ % 2 == 0;
      odd[i] = !even[i];
    }
    const auto learn = [&](const std::vector<bool>& use) {
      return eval::most_answered(labels_, outputs, use, stated.output_of, run.outputs);
    };
    const auto from_even = hits_of(outputs, learn(even), labels_), from_odd = hits_of(outputs, learn(odd), labels_);
    LearnedOrder order{.hits = from_even, .run = r};
    for (std::size_t i = 0; i < order.hits.size(); ++i)
      if (even[i]) order.hits[i] = from_odd[i];
    auto all = learn(std::vector<bool>());
    if (all == stated.output_of) return;
    order.classes = classes_as(input_.classes, std::move(all), "order=images", "the order that the images show");
    learned_.push_back(std::move(order));
  }

  /// Every pair of a run and an order beside the stated ones.
  void judge() {
    for (std::size_t r = 0; r < runs_.size(); ++r) {
      if (runs_[r].images == 0 || (r > 0 && runs_[r].same) || !runs_[r].failed.empty()) continue;
      for (std::size_t c = 0; c < classes_.size(); ++c)
        if (r + c > 0) add(r, c, hits(r, c));
      if (const auto* learned = learned_of(r)) add(r, kLearned, learned->hits);
    }
    double single = 0, several = 0;
    for (const auto& one : candidates_) (one.several ? several : single) += 1;
    const auto stated = hits(0, 0);
    for (auto& one : candidates_) compare(one, stated, 2 * (one.several ? several : single));
  }

  void add(std::size_t run, std::size_t classes, Hits hits) {
    const auto& input = runs_[run].convention;
    const auto& order = classes == kLearned ? learned_of(run)->classes : classes_[classes];
    const bool both = run > 0 && (classes == kLearned || classes > 0);
    Candidate one{.run = run, .classes = classes, .several = both || input.several, .hits = std::move(hits)};
    one.tried.key = both ? input.key + "," + order.key : run > 0 ? input.key : order.key;
    one.tried.name = both ? input.name + ", " + order.name : run > 0 ? input.name : order.name;
    candidates_.push_back(std::move(one));
  }

  static void compare(Candidate& one, const Hits& stated, double tests) {
    auto& tried = one.tried;
    tried.images = static_cast<std::int64_t>(one.hits.size());
    tried.accuracy = eval::wilson_interval(count(one.hits), tried.images);
    tried.better = only(one.hits, stated);
    tried.worse = only(stated, one.hits);
    const double p = eval::sign_test(tried.better, tried.worse);
    tried.p = std::min(1.0, p * tests);
    const double gain = static_cast<double>(tried.better - tried.worse) / static_cast<double>(tried.images);
    if (tried.p <= kClearly && gain >= (one.classes == kLearned ? kLeastGainLearned : kLeastGain))
      tried.compared = Compared::kClearlyBetter;
    else if (p <= kProbably)
      tried.compared = Compared::kProbablyBetter;
  }

  const SearchInput& input_;
  std::vector<ConventionRun> runs_;
  std::vector<ClassConvention> classes_;
  std::map<std::pair<std::size_t, std::vector<std::int64_t>>, std::vector<std::int64_t>> outputs_;
  std::vector<LearnedOrder> learned_;
  std::vector<std::int64_t> labels_;
  std::vector<Candidate> candidates_;
};

std::vector<ConventionRun> runs_around(const InputConvention& stated, const SearchInput& input, bool pairs) {
  std::vector<ConventionRun> runs;
  if (!input.alternatives) {
    runs.push_back({.convention = stated});
    return runs;
  }
  for (auto& one : input_conventions(stated, input.freedom, pairs)) runs.push_back({.convention = std::move(one)});
  return runs;
}

/// What of the first round people are shown: the stated one, every single change, and two at once where that is clearly better.
std::vector<TriedConvention> tried_in(const Round& round, const SearchResult& result) {
  const auto& stated = round.stated();
  TriedConvention first{.key = "stated", .name = "as stated", .compared = Compared::kStated};
  first.images = static_cast<std::int64_t>(stated.images);
  first.accuracy = eval::wilson_interval(count(right(result.labels, result.answers)), first.images);
  std::vector<TriedConvention> tried = {first};
  const auto* best = round.best();
  for (const auto& one : round.candidates())
    if (!one.several || &one == best) tried.push_back(one.tried);
  for (const auto& run : round.runs())
    if (&run != &stated && (run.same || !run.failed.empty()))
      tried.push_back({.key = run.convention.key,
                       .name = run.convention.name + (run.failed.empty() ? "" : ": " + run.failed),
                       .compared = run.same ? Compared::kNoDifference : Compared::kImpossible});
  return tried;
}

/// A change on top of others, as it is beside the stated convention.
TriedConvention on_top(const Convention& before, TriedConvention tried, const SearchResult& result) {
  for (const bool classes : {true, false}) {
    const auto& key = classes ? before.classes.key : before.input.key;
    if (key == "stated") continue;
    tried.key = key + "," + tried.key;
    tried.name = (classes ? before.classes.name : before.input.name) + ", " + tried.name;
  }
  const auto stated = right(result.labels, result.answers), better = right(result.labels, result.better_answers);
  tried.better = only(better, stated);
  tried.worse = only(stated, better);
  return tried;
}

void add_shown(std::vector<ClassConvention>& classes, const ClassConvention& stated, const SearchInput& input, bool known) {
  classes.push_back(stated);
  if (!input.alternatives) return;
  for (auto& one : other_classes(input.classes, known ? &stated : nullptr)) classes.push_back(std::move(one));
}

/// The first round's result: what holds as stated.
void take_stated(Round& round, const ClassConvention& classes, SearchResult& result) {
  result.labels = round.labels();
  result.stated_classes = classes;
  result.answered_outputs = round.outputs_under(0, classes);
  result.answers = as_classes(result.answered_outputs, classes.output_of);
  result.logits = round.stated().logits;
  result.outputs = round.stated().outputs;
}

}  // namespace

Result<SearchResult> search(const SearchInput& input) {
  SearchResult result;
  auto stated = stated_classes(input.classes);
  if (!stated) {
    result.unmatched = stated.error();
    ClassConvention none{.key = "stated", .name = "as stated"};
    none.output_of.assign(input.classes.dataset.size(), -1);
    stated = std::move(none);
  }
  Convention around{.input = input.stated, .classes = std::move(stated).value()};
  for (std::size_t r = 0; r < kRounds; ++r) {
    const bool known = r > 0 || !result.unmatched;
    std::vector<ClassConvention> classes;
    add_shown(classes, around.classes, input, known);
    Round round(input, runs_around(around.input, input, r == 0), std::move(classes));
    std::vector<data::Skipped> again;
    HEDGE_CHECK(round.run(r == 0 ? result.skipped : again, input.what + (r == 0 ? "" : ", around what is better")));
    if (r == 0) {
      take_stated(round, around.classes, result);
      result.tried = tried_in(round, result);
    }
    const auto* best = round.best();
    if (best == nullptr) break;
    auto next = round.convention(*best);
    result.better_answers = as_classes(round.outputs_under(best->run, next.classes), next.classes.output_of);
    result.better_tried = r > 0 ? on_top(around, best->tried, result) : best->tried;
    if (r > 0) result.tried.push_back(*result.better_tried);
    around = next;
    result.better = std::move(next);
  }
  return result;
}

std::vector<std::size_t> balanced_sample(const data::Dataset& dataset, std::size_t count) {
  std::vector<std::vector<std::size_t>> by_class(dataset.class_names().size());
  for (std::size_t i = 0; i < dataset.size(); ++i) by_class[static_cast<std::size_t>(dataset.label(i))].push_back(i);
  std::erase_if(by_class, [](const auto& images) { return images.empty(); });
  std::vector<std::size_t> wanted(by_class.size(), 0);
  const auto total = std::min(count, dataset.size());
  if (by_class.size() > total) {  // evenly over the classes, one each
    for (std::size_t i = 0; i < total; ++i) wanted[i * by_class.size() / total] = 1;
  } else {
    for (std::size_t left = total; left > 0;)
      for (std::size_t c = 0; c < by_class.size() && left > 0; ++c)
        if (wanted[c] < by_class[c].size()) ++wanted[c], --left;
  }
  std::vector<std::size_t> sample;
  for (std::size_t c = 0; c < by_class.size(); ++c)
    for (std::size_t i = 0; i < wanted[c]; ++i) sample.push_back(by_class[c][i * by_class[c].size() / wanted[c]]);
  Rng(1).shuffle(std::span(sample));
  return sample;
}

}  // namespace hedge::workflow::internal

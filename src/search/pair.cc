#include "search/pair.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "eval/bootstrap.h"
#include "eval/curve.h"
#include "hedge/router.h"
#include "search/front.h"

namespace hedge::search {
namespace {

constexpr int kResamples = 1000;
constexpr int kFrontSteps = 20;  // coverages of a pair that may lie on the front

/// What a model says of some of the images.
struct Answers {
  std::vector<std::uint8_t> right;
  std::vector<float> margin;
};

Tensor rows_of(const Tensor& logits, std::span<const std::uint32_t> rows) {
  const auto width = static_cast<std::size_t>(logits.shape()[1]);
  Tensor some(DType::kF32, {static_cast<std::int64_t>(rows.size()), logits.shape()[1]});
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::copy_n(logits.data<float>().begin() + static_cast<std::ptrdiff_t>(rows[i] * width), width,
                some.data<float>().begin() + static_cast<std::ptrdiff_t>(i * width));
  return some;
}

std::vector<Answers> answers_of(std::span<const Model> models, std::span<const std::int64_t> labels, std::span<const std::uint32_t> rows) {
  std::vector<Answers> all;
  for (const auto& model : models) {
    const Tensor logits = rows_of(model.logits, rows);
    const auto best = routing::argmax_rows(logits.view());
    Answers answers{.right = {}, .margin = routing::free_score(routing::FreeScore::kMargin, logits.view())};
    for (std::size_t i = 0; i < rows.size(); ++i) answers.right.push_back(best[i] == labels[rows[i]] ? 1 : 0);
    all.push_back(std::move(answers));
  }
  return all;
}

double accuracy_of(const Answers& answers) {
  return static_cast<double>(std::count(answers.right.begin(), answers.right.end(), 1)) / static_cast<double>(answers.right.size());
}

/// All models' answers to the images `rows`.
struct View {
  std::vector<Answers> bases, globals;

  [[nodiscard]] Result<eval::SelectiveCurve> curve(std::size_t base, std::size_t global) const {
    return eval::SelectiveCurve::make(bases[base].margin, {bases[base].right, globals[global].right});
  }
};

class Chooser {
 public:
  Chooser(std::span<const Model> bases, std::span<const Model> globals, const View& view) : bases_(bases), globals_(globals), view_(view) {}

  /// At the lowest coverage that `most` allows. Nothing: the base alone costs more. Where the global is worse than the base on the images
  /// that would be queried, a higher coverage is better: the best one is taken.
  Result<std::optional<Pair>> pair_at(std::size_t base, std::size_t global, double most) const {
    if (bases_[base].cost > most) return std::optional<Pair>();
    HEDGE_TRY(const auto curve, view_.curve(base, global));
    const double least = std::clamp(1 - (most - bases_[base].cost) / globals_[global].cost, 0.0, 1.0);
    Pair best{.base = base, .global = global, .coverage = 1, .cost = bases_[base].cost, .accuracy = curve.accuracy_at(1)};
    for (int i = 0; i < kFrontSteps; ++i) {
      const Pair pair = at(base, global, curve, least + (1 - least) * i / kFrontSteps);
      if (pair.accuracy > best.accuracy) best = pair;
    }
    return std::optional(best);
  }

  [[nodiscard]] Pair at(std::size_t base, std::size_t global, const eval::SelectiveCurve& curve, double coverage) const {
    return {.base = base,
            .global = global,
            .coverage = coverage,
            .cost = bases_[base].cost + (1 - coverage) * globals_[global].cost,
            .accuracy = curve.accuracy_at(coverage)};
  }

  Result<std::vector<Pair>> front() const {
    std::vector<Pair> all;
    std::vector<Point> points;
    for (std::size_t b = 0; b < bases_.size(); ++b)
      for (std::size_t g = 0; g < globals_.size(); ++g) {
        HEDGE_TRY(const auto curve, view_.curve(b, g));
        for (int i = 0; i <= kFrontSteps; ++i) all.push_back(at(b, g, curve, static_cast<double>(i) / kFrontSteps));
      }
    for (const auto& pair : all) points.push_back({pair.accuracy, pair.cost});
    std::vector<Pair> front;
    for (const auto i : pareto_front(points)) front.push_back(all[i]);
    return front;
  }

 private:
  std::span<const Model> bases_, globals_;
  const View& view_;
};

/// Both pairs on the images that neither was chosen by.
Status judge(const View& view, PairChoice& choice) {
  HEDGE_TRY(const auto one, view.curve(choice.chosen.base, choice.chosen.global));
  HEDGE_TRY(const auto other, view.curve(choice.separate.base, choice.separate.global));
  const routing::Outcomes outcomes{view.bases[choice.chosen.base].right, view.globals[choice.chosen.global].right};
  eval::Resampler resampler(outcomes, 1);
  std::vector<double> ones, others, differences;
  for (int i = 0; i < kResamples; ++i) {
    const auto& weights = resampler.next();
    double a = 0, b = 0;
    one.evaluate(weights, std::span(&choice.chosen.coverage, 1), {}, std::span(&a, 1));
    other.evaluate(weights, std::span(&choice.separate.coverage, 1), {}, std::span(&b, 1));
    ones.push_back(a);
    others.push_back(b);
    differences.push_back(a - b);
  }
  const double a = one.accuracy_at(choice.chosen.coverage), b = other.accuracy_at(choice.separate.coverage);
  choice.chosen_judged = interval_of(a, std::move(ones));
  choice.separate_judged = interval_of(b, std::move(others));
  choice.difference = interval_of(a - b, std::move(differences));
  return {};
}

Status check(std::span<const Model> bases, std::span<const Model> globals, std::span<const std::int64_t> labels, const PairImages& images) {
  const auto bad = [](const char* what) { return Error{.code = ErrorCode::kInvalidArgument, .what = what, .where = "choosing a pair"}; };
  if (bases.empty() || globals.empty()) return bad("there must be a base and a global at least");
  if (images.choose.empty() || images.judge.empty()) return bad("there must be images to choose by, and others to judge on");
  for (const auto& models : {bases, globals})
    for (const auto& model : models) {
      if (!(model.cost > 0) || !std::isfinite(model.cost)) return bad("a model's cost must be above 0");
      const Shape& shape = model.logits.shape();
      if (shape.size() != 2 || shape[0] != static_cast<std::int64_t>(labels.size()) || shape[1] != bases[0].logits.shape()[1])
        return Error{.code = ErrorCode::kMismatch, .what = "the models' answers are of other images or classes", .where = model.name};
    }
  return {};
}

}  // namespace

Judged interval_of(double value, std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const auto at = [&](double share) {
    return samples[static_cast<std::size_t>(std::lround(share * static_cast<double>(samples.size() - 1)))];
  };
  return {.value = value, .low = at(0.025), .high = at(0.975)};
}

Result<PairChoice> choose_pair(std::span<const Model> bases, std::span<const Model> globals, std::span<const std::int64_t> labels,
                               const PairImages& images, double most) {
  HEDGE_CHECK(check(bases, globals, labels, images));
  const auto cheapest = std::min_element(bases.begin(), bases.end(), [](const Model& a, const Model& b) { return a.cost < b.cost; });
  if (!(cheapest->cost <= most))
    return Error{.code = ErrorCode::kUnreachable,
                 .what = "the mean cost is less than the cheapest base alone",
                 .where = cheapest->name,
                 .got = std::to_string(most),
                 .expected = "at least " + std::to_string(cheapest->cost)};
  const View view{answers_of(bases, labels, images.choose), answers_of(globals, labels, images.choose)};
  const Chooser chooser(bases, globals, view);
  std::optional<Pair> chosen;
  std::size_t best_base = static_cast<std::size_t>(cheapest - bases.begin()), best_global = 0;
  for (std::size_t b = 0; b < bases.size(); ++b) {
    if (bases[b].cost > most) continue;
    if (accuracy_of(view.bases[b]) > accuracy_of(view.bases[best_base])) best_base = b;
    for (std::size_t g = 0; g < globals.size(); ++g) {
      HEDGE_TRY(const auto pair, chooser.pair_at(b, g, most));
      if (pair && (!chosen || pair->accuracy > chosen->accuracy)) chosen = pair;
    }
  }
  for (std::size_t g = 0; g < globals.size(); ++g)
    if (accuracy_of(view.globals[g]) > accuracy_of(view.globals[best_global])) best_global = g;
  HEDGE_TRY(const auto separate, chooser.pair_at(best_base, best_global, most));
  PairChoice choice{.chosen = *chosen, .separate = *separate};
  HEDGE_TRY(choice.front, chooser.front());
  HEDGE_CHECK(judge({answers_of(bases, labels, images.judge), answers_of(globals, labels, images.judge)}, choice));
  return choice;
}

}  // namespace hedge::search

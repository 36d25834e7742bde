#include "eval/verdict.h"

#include <cmath>
#include <cstdio>

namespace hedge::eval {
namespace {

constexpr double kKeptShare = 0.9;

std::string percent(double share, int digits = 1) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f %%", digits, 100 * share);
  return text;
}

std::string points(const Interval& difference) {
  char text[96];
  std::snprintf(text, sizeof text, "%+.2f points (95 %%: %+.2f to %+.2f)", 100 * difference.value, 100 * difference.low,
                100 * difference.high);
  return text;
}

/// "0.07 points (95 %: +0.03 to +0.11) above margin's".
std::string beside(const Interval& difference, const std::string& other) {
  char text[96];
  std::snprintf(text, sizeof text, "%.2f points (95 %%: %+.2f to %+.2f) ", 100 * std::abs(difference.value), 100 * difference.low,
                100 * difference.high);
  return text + std::string(difference.value < 0 ? "below " : "above ") + other;
}

const Interval& accuracy_of(const CurveRow& row, const std::string& method) {
  for (const MethodPoint& point : row.methods)
    if (point.method == method) return point.accuracy;
  return row.methods.front().accuracy;
}

/// The row of highest coverage that loses at most `allowed` accuracy against the global, or nullptr. Coverage 1 is no hybrid.
const CurveRow* highest_row(const EvaluationReport& report, double allowed) {
  for (auto row = report.curve.rbegin(); row != report.curve.rend(); ++row)
    if (row->coverage < 1 && row->over_global->value >= -allowed) return &*row;
  return nullptr;
}

std::string query_nothing(const EvaluationReport& report) {
  return "Query nothing: the global's accuracy (" + percent(report.global.accuracy.value) + ") is " +
         beside(*report.global_over_base, "the base's (" + percent(report.base.accuracy.value) + ")") + "; a hybrid would only cost more.";
}

/// The row where the hybrid is most surely better than the base, or nullptr.
const CurveRow* surest_row(const EvaluationReport& report) {
  const CurveRow* surest = nullptr;
  for (const CurveRow& row : report.curve)
    if (row.coverage < 1 && row.over_base->low > 0 && (surest == nullptr || row.over_base->low > surest->over_base->low)) surest = &row;
  return surest;
}

std::string specialist(const EvaluationReport& report, const CurveRow& row) {
  return "The global alone (" + percent(report.global.accuracy.value) + ") is not better than the base (" +
         percent(report.base.accuracy.value) + "), but it knows what the base does not: at " + percent(row.coverage, 0) +
         " coverage the hybrid's accuracy is " + percent(accuracy_of(row, report.default_method).value) + ", " +
         beside(*row.over_base, "the base's") + ". Do not query every image.";
}

std::string abstain(const EvaluationReport& report) {
  const std::vector<AbstentionRow>& rows = report.abstention.rows;
  if (rows.empty()) return "";
  const AbstentionRow* best = &rows.front();
  for (const AbstentionRow& row : rows)
    if (row.aurc.value < best->aurc.value) best = &row;
  std::string text =
      "There is no global, so the base answers or stays silent: " + percent(report.base.accuracy.value) + " of all images are right";
  for (std::size_t i = 0; i < best->at.size(); ++i)
    text += (i + 1 == best->at.size() ? " and " : ", ") + percent(best->at[i].value) + " of the surest " +
            percent(report.abstention.coverages[i], 0);
  return text + " (by " + best->method + ").";
}

/// What the sent images cost, where that is known.
std::string price(const EvaluationReport& report, const CurveRow& row) {
  if (!report.price) return "";
  constexpr double kImages = 1000;
  char money[32];
  std::snprintf(money, sizeof money, "%.4g", kImages * (1 - row.coverage) * report.price->per_query);
  return ", which costs " + std::string(money) + " " + report.price->currency + " for 1000 images";
}

std::string macs_share(const EvaluationReport& report, const CurveRow& row) {
  if (report.global.macs <= 0 || report.base.macs <= 0) return "";  // not known
  return " and needs " + percent(row.macs / static_cast<double>(report.global.macs), 0) + " of the cloud's MACs in all";
}

/// The hybrid beside the cloud alone, at a row whose estimate is no worse: what the interval carries, and no more.
std::string beside_the_cloud(const EvaluationReport& report, const CurveRow& row) {
  const std::string cloud = "asking the cloud always (" + percent(report.global.accuracy.value) + ")";
  if (row.over_global->low > 0) return " and " + beside(*row.over_global, cloud);
  return " and not shown to differ from " + cloud + ": the difference is " + points(*row.over_global);
}

std::string recommend(const EvaluationReport& report, const CurveRow& row, bool parity) {
  const std::string at = percent(row.coverage, 0);
  const Interval& accuracy = accuracy_of(row, report.default_method);
  if (row.over_base->low <= 0)
    return "A hybrid is not shown to be worth it: at " + at + " coverage its accuracy is " + beside(*row.over_base, "the base's") +
           "; on these images that may be chance.";
  if (report.global.macs > 0 && row.macs >= static_cast<double>(report.global.macs))
    return "A hybrid is not worth its computation: at " + at +
           " coverage base, router and queries cost at least as many MACs as the cloud alone (" + percent(report.global.accuracy.value) +
           ").";
  std::string text = "A hybrid is worth it at " + at + " coverage: " + percent(accuracy.value) + " of its answers are right, " +
                     beside(*row.over_base, "the base alone (" + percent(report.base.accuracy.value) + ")");
  if (parity) {
    text += beside_the_cloud(report, row);
  } else {
    const double kept = row.over_base->value / report.global_over_base->value;
    text += "; that is " + percent(kept, 0) + " of what asking the cloud always adds (" + percent(report.global.accuracy.value) + ")";
  }
  return text + ". It sends " + percent(1 - row.coverage, 0) + " of the images to the cloud" + macs_share(report, row) +
         price(report, row) + ".";
}

std::string against_free_scores(const EvaluationReport& report) {
  const AreaRow* area = report.area_of(report.default_method);
  const std::string& name = report.default_method;
  const bool fitted = name != "entropy" && name != "margin" && name != "max_probability" && name != "energy";
  if (area == nullptr || !fitted) return "";
  std::string text;
  if (area->to_margin.low > 0)
    text = " The fitted router is worth fitting: its";
  else if (area->to_margin.high < 0)
    text = " Use margin, a free score, instead of the fitted router: the router's";
  else
    text = " A free score suffices: the fitted router is not shown to be better than margin; its";
  return text + " mean accuracy is " + beside(area->to_margin, "margin's") + " and " + beside(area->to_entropy, "entropy's") + ".";
}

std::string routing_verdict(const EvaluationReport& report) {
  if (!report.has_global) return abstain(report);
  if (report.global_over_base->value <= 0) {
    const CurveRow* surest = surest_row(report);
    return surest == nullptr ? query_nothing(report) : specialist(report, *surest) + against_free_scores(report);
  }
  std::string text;
  if (report.global_over_base->low <= 0)
    text = "The global is not shown to be better than the base on " + std::to_string(report.images) + " images: the difference is " +
           points(*report.global_over_base) + ". ";
  const CurveRow* parity = highest_row(report, 0);
  const CurveRow* knee = highest_row(report, (1 - kKeptShare) * report.global_over_base->value);
  if (parity != nullptr)
    text += recommend(report, *parity, true);
  else if (knee != nullptr)
    text += recommend(report, *knee, false);
  else
    return text + "A hybrid is not worth it: at no coverage of the curve does it keep " + percent(kKeptShare, 0) +
           " of what the cloud adds to the base, " + points(*report.global_over_base) + ". Query every image, or train a better router." +
           against_free_scores(report);
  return text + against_free_scores(report);
}

}  // namespace

std::string verdict(const EvaluationReport& report) {
  std::string text;
  if (report.answers) text += constant_models(*report.answers);
  text += routing_verdict(report);
  if (report.answers) text += doubts_about(*report.answers, report.images, report.base.accuracy.value);
  if (report.copies) {
    const auto copies = say_copies(*report.copies, report.images, report.base.accuracy.value);
    if (!copies.empty()) text += " " + copies;
  }
  return text;
}

}  // namespace hedge::eval

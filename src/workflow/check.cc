#include "workflow/check.h"

#include <algorithm>
#include <cstdio>
#include <span>

#include "core/clock.h"
#include "data/near_copies.h"
#include "data/spec.h"
#include "hedge/open_model.h"
#include "model/metadata.h"
#include "model/sidecar.h"
#include "workflow/internal/check_model.h"
#include "workflow/internal/findings.h"

namespace hedge::workflow {
namespace {

/// Copies across splits are looked for in data sets of at most so many images: all of them are decoded.
constexpr std::size_t kMostCompared = 100000;
constexpr std::size_t kShownPairs = 3, kMostPairs = 100;  // in a sentence, in the report

Status validate(const CheckOptions& options) {
  const auto bad = [](const char* what, const char* hint) {
    return Error{.code = ErrorCode::kInvalidArgument, .what = what, .hint = hint};
  };
  if (options.models.empty()) return bad("there is no model to check", "give one or more model files");
  if (options.images < 1) return bad("a check needs images", "--images takes 1 or more");
  if (options.threads < 0) return bad("the number of threads is negative", "--threads 0 takes a thread a core");
  return {};
}

/// "t10k/04998 and train/13360 (likeness 0.99)", a pair each.
std::vector<std::string> named(const std::vector<data::NearCopy>& pairs, const data::Dataset& a, const data::Dataset& b) {
  std::vector<std::string> names;
  for (const auto& pair : std::span(pairs).first(std::min(kMostPairs, pairs.size()))) {
    char likeness[32];
    std::snprintf(likeness, sizeof likeness, " (likeness %.2f)", pair.likeness);
    names.push_back(a.id(pair.a) + " and " + b.id(pair.b) + (pair.exact ? "" : likeness));
  }
  return names;
}

std::string first_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(kShownPairs, names.size()); ++i) text += (i > 0 ? ", " : "") + names[i];
  return text + (names.size() > kShownPairs ? ", …" : "");
}

/// Images that stand in two splits, or nearly so. Nothing where the data set cannot be divided. Errors: kCancelled.
Result<std::vector<Finding>> find_copies_across(const data::Dataset& dataset, const CheckOptions& options, const RunContext& context) {
  if (dataset.size() > kMostCompared)
    return std::vector<Finding>{{.kind = "copies-not-looked-for",
                                 .text = "copies across the splits were not looked for in so many images",
                                 .way_out = "run \"hedge data --overlap\""}};
  std::vector<data::Opened> splits;
  for (const auto split : {data::Split::kTrain, data::Split::kCalibration, data::Split::kTest}) {
    HEDGE_TRY(const auto spec, data::spec_with_split(options.data, data::to_string(split)));
    auto opened = data::open_dataset(spec);
    if (!opened) return std::vector<Finding>();
    splits.push_back(std::move(opened).value());
  }
  const data::NearCopyOptions how{
      .threads = internal::threads_of(options.threads), .should_stop = context.should_stop, .progress = context.progress};
  constexpr std::pair<std::size_t, std::size_t> kPairs[] = {{2, 0}, {1, 0}, {2, 1}};
  constexpr const char* kNames[] = {"train", "calibration", "test"};
  std::vector<Finding> findings;
  for (const auto& [a, b] : kPairs) {
    HEDGE_TRY(const auto copies, data::near_copies(*splits[a].dataset, *splits[b].dataset, how));
    if (copies.images == 0) continue;
    const auto exact = std::count_if(copies.pairs.begin(), copies.pairs.end(), [](const auto& pair) { return pair.exact; });
    auto names = named(copies.pairs, *splits[a].dataset, *splits[b].dataset);
    findings.push_back(
        {.weight = Weight::kWarning,
         .kind = "copies",
         .text = std::to_string(copies.images) + " of the " + std::to_string(splits[a].dataset->size()) + " " + kNames[a] +
                 " images are also in the " + kNames[b] + " split, or nearly so (" + std::to_string(exact) +
                 " pairs byte for byte): " + first_of(names),
         .way_out = "remove the copies, or divide the images into train/ and test/ yourself: accuracies on copies are too high",
         .examples = std::move(names)});
  }
  return findings;
}

Status fix(CheckedModel& model, const ModelOptions& options) {
  const bool layout = model.better_layout != model::Layout::kUnknown;
  if (!model.better_recipe && model.better_labels.empty() && !layout) return {};
  const model::SidecarChange change{.recipe = model.better_recipe, .labels = model.better_labels, .input_layout = model.better_layout};
  HEDGE_TRY(const auto path, model::change_sidecar(model.path, change));
  model.fixed = path.string() + ": ";
  if (model.better_recipe) model.fixed += "the recipe " + internal::short_form(*model.better_recipe);
  if (!model.better_labels.empty())
    model.fixed +=
        std::string(model.better_recipe ? " and " : "") + "the names of " + std::to_string(model.better_labels.size()) + " outputs";
  if (layout)
    model.fixed +=
        std::string(model.better_recipe || !model.better_labels.empty() ? " and " : "") + "the layout " + to_string(model.better_layout);
  const bool recipe = model.better_recipe && !options.recipe.empty(), labels = !model.better_labels.empty() && !options.labels.empty();
  if (recipe || labels)
    model.fixed += std::string("; leave ") + (recipe ? "--recipe" : "") + (recipe && labels ? " and " : "") + (labels ? "--labels" : "") +
                   " out from now on: flags come before the sidecar";
  return {};
}

/// What `fix` mends by writing a sidecar.
bool is_mended(const Finding& finding, const CheckedModel& model) {
  if (model.fixed.empty()) return false;
  return finding.kind == "better-convention" || finding.kind == "class-order" || finding.kind == "exchanged-classes" ||
         finding.kind == "no-recipe" || finding.kind == "classes-unmatched" || finding.kind == "at-chance" || finding.kind == "layout";
}

}  // namespace

const char* to_string(Weight weight) {
  switch (weight) {
    case Weight::kNote: return "note";
    case Weight::kWarning: return "warning";
    case Weight::kAlarm: return "alarm";
  }
  return "unknown";
}

const char* to_string(Compared compared) {
  switch (compared) {
    case Compared::kStated: return "stated";
    case Compared::kNotBetter: return "not-better";
    case Compared::kProbablyBetter: return "probably-better";
    case Compared::kClearlyBetter: return "clearly-better";
    case Compared::kNoDifference: return "no-difference";
    case Compared::kImpossible: return "impossible";
  }
  return "unknown";
}

std::vector<std::string> CheckReport::alarms() const {
  std::vector<std::string> sentences;
  for (const auto& model : models)
    for (const auto& finding : model.findings)
      if (finding.weight == Weight::kAlarm && !is_mended(finding, model))
        sentences.push_back(model.path.filename().string() + ": " + finding.text);
  for (const auto& finding : data_findings)
    if (finding.weight == Weight::kAlarm) sentences.push_back(finding.text);
  return sentences;
}

Status alarm_status(const std::vector<std::string>& alarms, const std::string& where) {
  if (alarms.empty()) return {};
  return Error{.code = ErrorCode::kAlarm,
               .what = alarms.front() + (alarms.size() > 1 ? " (and " + std::to_string(alarms.size() - 1) + " more)" : ""),
               .where = where,
               .hint = "see \"hedge check\"; to go on all the same, give --accept-risk"};
}

Result<CheckReport> check(const CheckOptions& options, const RunContext& context) {
  HEDGE_CHECK(validate(options));
  HEDGE_TRY(const auto opened, data::open_dataset(options.data, {.strict = options.strict, .log = context.log}));
  const auto& dataset = *opened.dataset;
  CheckReport report{.data = dataset.spec(),
                     .images = static_cast<std::int64_t>(dataset.size()),
                     .classes = static_cast<std::int64_t>(dataset.class_names().size())};
  if (options.data_too) {
    report.data_findings = internal::judge_data(opened);
    HEDGE_TRY(auto copies, find_copies_across(dataset, options, context));
    std::move(copies.begin(), copies.end(), std::back_inserter(report.data_findings));
    internal::alarms_first(report.data_findings);
  }
  const internal::ModelCheck how{.dataset = dataset,
                                 .sample = internal::balanced_sample(dataset, options.images),
                                 .alternatives = options.alternatives,
                                 .threads = options.threads};
  const SteadyClock clock;
  for (const auto& model : options.models) {
    const auto start = clock.now();
    HEDGE_TRY(auto checked, internal::check_model(model, how, context));
    if (options.fix) HEDGE_CHECK(fix(checked, model));
    checked.seconds = seconds_between(start, clock.now());
    report.models.push_back(std::move(checked));
  }
  return report;
}

}  // namespace hedge::workflow

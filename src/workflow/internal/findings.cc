#include "workflow/internal/findings.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace hedge::workflow::internal {
namespace {

constexpr double kTooSure = 0.2;          // the confidence may exceed the accuracy's upper end by so much before it is said
constexpr std::int64_t kFewImages = 100;  // below it small differences cannot be found, which is said
constexpr std::int64_t kTinyClass = 10;
constexpr double kImbalance = 10;

std::string number(std::int64_t value) { return std::to_string(value); }

std::string accuracy_of(const eval::Interval& accuracy) {
  return percent(accuracy.value) + " (95 %: " + percent(accuracy.low) + " to " + percent(accuracy.high) + ")";
}

std::string name_of(const std::vector<std::string>& classes, std::int64_t c) { return "\"" + classes[static_cast<std::size_t>(c)] + "\""; }

bool changes_classes(const Convention& better, const SearchResult& result) {
  return better.classes.output_of != result.stated_classes.output_of;
}

/// The first few classes that stand elsewhere than stated: "\"cat\" is output 5, not 3".
std::string moved_classes(const Judged& judged, const Convention& better) {
  constexpr std::size_t kShown = 3;
  const auto &now = better.classes.output_of, &before = judged.result.stated_classes.output_of;
  std::string text;
  std::size_t moved = 0;
  for (std::size_t c = 0; c < now.size(); ++c) {
    if (now[c] == before[c] || now[c] < 0) continue;
    if (++moved > kShown) continue;
    text += (text.empty() ? "" : ", ") + name_of(judged.input.classes.dataset, static_cast<std::int64_t>(c)) + " is output " +
            number(now[c]) + (before[c] < 0 ? "" : ", not " + number(before[c]));
  }
  return text + (moved > kShown ? " and " + std::to_string(moved - kShown) + " more" : "");
}

std::string way_to(const Convention& better, bool recipe, bool classes, bool layout) {
  std::string flags;
  const auto add = [&](const std::string& flag) { flags += (flags.empty() ? "" : " and ") + flag; };
  if (recipe) add("--recipe " + short_form(better.input.recipe));
  if (classes) add("--labels with the names in the outputs' order");
  if (layout) add(std::string("--input-layout ") + (better.input.layout == model::Layout::kNchw ? "nchw" : "nhwc"));
  return "run \"hedge check --fix\", which writes it into MODEL.hedge.json, or give " + flags;
}

void find_better(const Judged& judged, CheckedModel& model) {
  const auto& result = judged.result;
  if (!result.better || !result.better_tried) return;
  const auto& best = *result.better_tried;
  const bool classes = changes_classes(*result.better, result);
  const bool recipe = result.better->input.recipe != judged.input.stated.recipe;
  const bool layout = result.better->input.layout != judged.input.stated.layout;
  Finding finding{.weight = Weight::kAlarm, .kind = classes ? "class-order" : "better-convention"};
  finding.text = best.name + " gives " + percent(best.accuracy.value) + ", what is stated " + percent(model.as_stated.accuracy.value) +
                 " of " + number(model.as_stated.images) + " images (right on " + number(best.better) + " that it has wrong, wrong on " +
                 number(best.worse) + " that it has right)";
  if (classes) finding.text += ": " + moved_classes(judged, *result.better);
  finding.way_out = way_to(*result.better, recipe, classes, layout);
  model.findings.push_back(std::move(finding));
  if (recipe) model.better_recipe = result.better->input.recipe;
  if (classes) model.better_labels = result.better->classes.labels;
  if (layout) model.better_layout = result.better->input.layout;
}

/// What is better, but not surely so; not where something clearly is.
void find_perhaps_better(CheckedModel& model) {
  if (std::any_of(model.findings.begin(), model.findings.end(), [](const auto& one) { return one.weight == Weight::kAlarm; })) return;
  const TriedConvention* said = nullptr;
  for (const auto& one : model.tried) {
    if (one.compared != Compared::kProbablyBetter || 2 * (one.better - one.worse) <= one.images / 50) continue;
    if (said != nullptr && one.better == said->better && one.worse == said->worse) continue;  // right on the same images
    said = &one;
    model.findings.push_back({.kind = "perhaps-better",
                              .text = one.name + " gives " + percent(one.accuracy.value) + ", what is stated " +
                                      percent(model.as_stated.accuracy.value) + "; of " + number(one.images) + " images that may be chance",
                              .way_out = "check with more images (--images)"});
  }
}

void exchange_labels(const Judged& judged, const eval::ExchangedClasses& pair, CheckedModel& model) {
  const auto& stated = judged.result.stated_classes;
  const auto output = [&](std::int64_t c) { return static_cast<std::size_t>(stated.output_of[static_cast<std::size_t>(c)]); };
  if (model.better_labels.empty()) model.better_labels = stated.labels;
  std::swap(model.better_labels[output(pair.a)], model.better_labels[output(pair.b)]);
}

void find_exchanged(const Judged& judged, CheckedModel& model) {
  const auto& names = judged.input.classes.dataset;
  const auto& result = judged.result;
  if (result.unmatched || result.outputs == 0) return;
  const bool known = !model.better_labels.empty();  // the order that the images show has it already
  for (const auto& pair : eval::exchanged_classes(
           {.labels = result.labels, .logits = result.logits, .outputs = result.outputs, .output_of = result.stated_classes.output_of})) {
    if (!known) exchange_labels(judged, pair, model);
    model.findings.push_back(
        {.weight = Weight::kAlarm,
         .kind = "exchanged-classes",
         .text = name_of(names, pair.a) + " and " + name_of(names, pair.b) + " look exchanged: of " + number(pair.a_images) +
                 " images of the first " + number(pair.a_as_b) + " are answered with the second and " + number(pair.a_as_a) +
                 " with the first, of " + number(pair.b_images) + " images of the second " + number(pair.b_as_a) + " with the first and " +
                 number(pair.b_as_b) + " with the second",
         .way_out =
             "exchange their names among the model's outputs (\"hedge check --fix\" does), or, where the folders are wrong, theirs"});
  }
}

/// Names that flags or the sidecar give in another order than the model's file.
void find_contradiction(const Judged& judged, CheckedModel& model) {
  const auto& classes = judged.input.classes;
  if (classes.own.empty() || !permuted(classes.own, classes.model.names)) return;
  const auto own = std::find_if(model.tried.begin(), model.tried.end(), [](const auto& one) { return one.key == "names=own"; });
  const bool stated_is_right = own != model.tried.end() && own->worse > own->better && eval::sign_test(own->worse, own->better) <= 0.01;
  const bool alarm = !stated_is_right;
  std::size_t first = 0;
  while (classes.own[first] == classes.model.names[first]) ++first;
  model.findings.push_back({.weight = alarm ? Weight::kAlarm : Weight::kNote,
                            .kind = "names-contradict",
                            .text = "the class names that are given have another order than those in the model's file: output " +
                                    std::to_string(first) + " is \"" + classes.model.names[first] + "\", in the file \"" +
                                    classes.own[first] + "\"" + (stated_is_right ? "; the images agree with the given ones" : ""),
                            .way_out = alarm ? "leave the names out, so that the file's hold, or correct them" : ""});
}

void find_output(const Judged& judged, CheckedModel& model) {
  const auto& result = judged.result;
  if (!are_probabilities(result.logits, result.outputs)) return;
  model.findings.push_back(
      {.weight = Weight::kAlarm,
       .kind = "probabilities",
       .text = "the output that is read as logits holds probabilities (each row sums to one): answers stay right, but scores "
               "and thresholds would be computed from probabilities of probabilities",
       .way_out = "export the model without its last softmax"});
}

void find_confidence(CheckedModel& model) {
  if (model.confidence - model.as_stated.accuracy.high <= kTooSure) return;
  model.findings.push_back({.weight = Weight::kWarning,
                            .kind = "too-sure",
                            .text = "the model is sure of " + percent(model.confidence) + " on average and right on " +
                                    accuracy_of(model.as_stated.accuracy) +
                                    ": these images are unlike those that it was trained on, or prepared otherwise"});
}

}  // namespace

std::string percent(double share) {
  char text[24];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

void alarms_first(std::vector<Finding>& findings) {
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) { return a.weight > b.weight; });
}

bool are_probabilities(std::span<const float> rows, std::int64_t outputs) {
  const auto width = static_cast<std::size_t>(outputs);
  if (width < 2 || rows.empty()) return false;
  for (std::size_t first = 0; first < rows.size(); first += width) {
    double sum = 0;
    for (const float value : rows.subspan(first, width)) {
      if (value < -1e-5F || value > 1 + 1e-5F) return false;
      sum += static_cast<double>(value);
    }
    if (std::abs(sum - 1) > 1e-3) return false;
  }
  return true;
}

double mean_confidence(std::span<const float> logits, std::int64_t outputs) {
  const auto width = static_cast<std::size_t>(outputs);
  if (width == 0 || logits.empty()) return 0;
  const bool probabilities = are_probabilities(logits, outputs);
  double sum = 0;
  for (std::size_t first = 0; first < logits.size(); first += width) {
    const auto row = logits.subspan(first, width);
    const float most = *std::max_element(row.begin(), row.end());
    double total = 0;
    for (const float value : row) total += std::exp(static_cast<double>(value - most));
    sum += probabilities ? static_cast<double>(most) : 1 / total;
  }
  return sum / (static_cast<double>(logits.size()) / static_cast<double>(width));
}

std::vector<Finding> judge_answers(const eval::AnswerCheck& answers, const std::string& role, const std::vector<std::string>& classes) {
  std::vector<Finding> findings;
  if (!answers.above_chance()) {
    const bool alarm = answers.enough;
    std::string text = role + " is right on " + accuracy_of(answers.accuracy) + " of " + number(answers.images) +
                       " images, which is not above chance (" + percent(answers.by_chance) + ")";
    if (answers.constant)
      text += *answers.constant >= 0 && *answers.constant < static_cast<std::int64_t>(classes.size())
                  ? "; it always answers " + name_of(classes, *answers.constant)
                  : "; it always answers the same, which is none of the data set's classes";
    if (!alarm) text += "; so few images do not show what that means";
    findings.push_back({.weight = alarm ? Weight::kAlarm : Weight::kNote,
                        .kind = "at-chance",
                        .text = std::move(text),
                        .way_out = alarm ? "see whether recipe, class names and weights are the model's own (\"hedge check\")" : ""});
  } else if (answers.constant) {
    findings.push_back({.weight = Weight::kWarning, .kind = "constant", .text = role + " answers every image alike"});
  }
  return findings;
}

std::vector<Finding> judge_data(const data::Opened& opened) {
  std::vector<Finding> findings;
  const auto& dataset = *opened.dataset;
  const auto& names = dataset.class_names();
  std::vector<std::int64_t> counts(names.size(), 0);
  for (std::size_t i = 0; i < dataset.size(); ++i) ++counts[static_cast<std::size_t>(dataset.label(i))];
  std::string tiny, empty;
  std::size_t tinies = 0, empties = 0;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    const auto name = name_of(names, static_cast<std::int64_t>(c));
    if (counts[c] == 0 && ++empties <= 3) empty += (empty.empty() ? "" : ", ") + name;
    if (counts[c] > 0 && counts[c] < kTinyClass && ++tinies <= 3)
      tiny += (tiny.empty() ? "" : ", ") + name + " (" + number(counts[c]) + ")";
  }
  const auto several = [](std::size_t n) { return std::to_string(n) + (n == 1 ? " class has" : " classes have"); };
  if (empties > 0)
    findings.push_back({.kind = "empty-classes", .text = several(empties) + " no image here: " + empty + (empties > 3 ? ", …" : "")});
  if (tinies > 0)
    findings.push_back({.kind = "tiny-classes",
                        .text = several(tinies) + " fewer than " + number(kTinyClass) + " images: " + tiny + (tinies > 3 ? ", …" : "")});
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  if (*least >= kTinyClass && static_cast<double>(*most) >= kImbalance * static_cast<double>(*least))
    findings.push_back({.weight = Weight::kWarning,
                        .kind = "imbalance",
                        .text = "the largest class, " + name_of(names, most - counts.begin()) + ", has " + number(*most) +
                                " images, the smallest, " + name_of(names, least - counts.begin()) + ", " + number(*least) +
                                ": accuracies are mostly those of the large ones"});
  const auto left_out = std::count_if(opened.skipped.begin(), opened.skipped.end(), [](const data::Skipped& one) {
    return !one.reason.ends_with("the class has no file in this split");
  });
  if (left_out > 0)
    findings.push_back({.weight = Weight::kWarning,
                        .kind = "left-out",
                        .text = number(left_out) + (left_out == 1 ? " file is" : " files are") + " left out, the first " +
                                opened.skipped.front().path + ": " + opened.skipped.front().reason});
  return findings;
}

CheckedModel judge_model(const Judged& judged) {
  const auto& result = judged.result;
  CheckedModel model{.path = judged.card.path, .sha256 = judged.card.sha256, .recipe = short_form(judged.input.stated.recipe)};
  const auto& names = judged.input.classes.dataset;
  model.as_stated = eval::check_answers(result.labels, result.answers, static_cast<std::int64_t>(names.size()));
  model.confidence = mean_confidence(result.logits, result.outputs);
  model.tried = result.tried;
  if (result.unmatched)
    model.findings.push_back({.weight = Weight::kAlarm,
                              .kind = "classes-unmatched",
                              .text = "the model's outputs cannot be matched with the data set's classes: " + result.unmatched->what,
                              .way_out = result.unmatched->hint});
  find_better(judged, model);
  if (!result.unmatched)
    for (auto& finding : judge_answers(model.as_stated, "the model", names)) model.findings.push_back(std::move(finding));
  find_exchanged(judged, model);
  find_contradiction(judged, model);
  find_output(judged, model);
  find_perhaps_better(model);
  find_confidence(model);
  if (model.as_stated.images < kFewImages)
    model.findings.push_back(
        {.kind = "few-images",
         .text = "only " + number(model.as_stated.images) + " images were looked at: small differences cannot be told from chance"});
  if (!result.skipped.empty())
    model.findings.push_back({.weight = Weight::kWarning,
                              .kind = "not-decoded",
                              .text = std::to_string(result.skipped.size()) + " images could not be decoded, the first " +
                                      result.skipped.front().path + ": " + result.skipped.front().reason});
  alarms_first(model.findings);
  return model;
}

}  // namespace hedge::workflow::internal

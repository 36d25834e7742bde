#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/form_flags.h"
#include "core/file.h"
#include "workflow/check.h"

namespace hedge::cli {
namespace {

struct Flags {
  workflow::CheckOptions check;
  std::vector<std::string> models;
  std::string recipe, labels, json;
  FormFlags form;
  bool accept_risk = false, as_stated = false, models_only = false;
};

const char* mark(workflow::Compared compared) {
  switch (compared) {
    case workflow::Compared::kStated: return "<- as stated";
    case workflow::Compared::kClearlyBetter: return "<- clearly better";
    case workflow::Compared::kProbablyBetter: return "<- perhaps better";
    default: break;
  }
  return "";
}

void print(const workflow::TriedConvention& tried) {
  if (tried.compared == workflow::Compared::kNoDifference)
    std::printf("  %-58.58s  no pixel of these images changes\n", tried.name.c_str());
  else if (tried.compared == workflow::Compared::kImpossible)
    std::printf("  %-58.58s  cannot be run\n", tried.name.c_str());
  else
    std::printf("  %-58.58s %5.1f %%  (%5.1f to %5.1f)  %4lld  %+5lld %+5lld  %s\n", tried.name.c_str(), 100 * tried.accuracy.value,
                100 * tried.accuracy.low, 100 * tried.accuracy.high, static_cast<long long>(tried.images),
                static_cast<long long>(tried.better), -static_cast<long long>(tried.worse), mark(tried.compared));
}

void print(const std::vector<workflow::Finding>& findings) {
  for (const auto& finding : findings) {
    std::printf("%s: %s\n", to_string(finding.weight), finding.text.c_str());
    if (!finding.way_out.empty()) std::printf("  -> %s\n", finding.way_out.c_str());
  }
}

void print(const workflow::CheckReport& report) {
  std::printf("data %s: %lld images, %lld classes\n", report.data.c_str(), static_cast<long long>(report.images),
              static_cast<long long>(report.classes));
  print(report.data_findings);
  for (const auto& model : report.models) {
    std::printf("\n%s: recipe %s; %.1f s\n", model.path.c_str(), model.recipe.c_str(), model.seconds);
    std::printf("  %-58s %7s  %-16s %6s  %5s %5s\n", "convention", "right", "(95 %)", "images", "more", "fewer");
    for (const auto& tried : model.tried) print(tried);
    print(model.findings);
    if (!model.fixed.empty()) std::printf("wrote %s\n", model.fixed.c_str());
    if (std::none_of(model.findings.begin(), model.findings.end(), [](const auto& f) { return f.weight == workflow::Weight::kAlarm; }))
      std::printf("nothing looks wrong\n");
  }
}

Status run(const Flags& flags, Context& context) {
  auto options = flags.check;
  for (const auto& path : flags.models) {
    options.models.push_back({.path = path, .recipe = flags.recipe, .labels = flags.labels});
    apply(flags.form, {}, options.models.back());
  }
  options.alternatives = !flags.as_stated;
  options.data_too = !flags.models_only;
  HEDGE_TRY(const auto report, workflow::check(options, context.run()));
  const auto json = workflow::to_json(report);
  if (flags.json == "-")
    std::printf("%s\n", json.dump(2).c_str());
  else
    print(report);
  if (!flags.json.empty() && flags.json != "-") HEDGE_CHECK(write_json(flags.json, json));
  return flags.accept_risk ? Status() : workflow::alarm_status(report.alarms(), options.data);
}

}  // namespace

void add_check(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand(
      "check",
      "find what is wrong with models and data: run each model on labelled images as it says, and under the other conventions in use - "
      "mean "
      "and std, RGB or BGR, layout, resizing, order of classes -, and say which is clearly better\n"
      "Columns: images right, with a 95 % interval; more and fewer: images right here and wrong as stated, and the reverse. \"Clearly "
      "better\" "
      "allows for chance and for the number of conventions tried.\n"
      "Exit code 13 is an alarm: a model that is not above chance, class names that contradict the model's own, two exchanged classes, a "
      "convention that is clearly better.");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  auto& o = f->check;
  app->add_option("MODEL", f->models, "one or more .onnx, .tflite or .xml files (OpenVINO IR)")->required();
  app->add_option("--data", o.data, "labelled images, best ones that the models were not trained on, e.g. folder:photos?split=test")
      ->required();
  app->add_option(
      "--recipe", f->recipe,
      "how images are prepared for all of the models: a JSON file, or e.g. resize=256,crop=224,mean=imagenet,std=imagenet. Default: "
      "MODEL.hedge.json, else the metadata");
  app->add_option("--labels", f->labels, "file with the class names of all of the models' outputs. Default: as for --recipe");
  f->form.add(*app, "", "the models");
  app->add_option("--images", o.images, "images to look at, evenly from all classes; more find smaller differences and take longer")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  app->add_flag("--as-stated", f->as_stated, "try no other convention: faster, and finds only what the stated one shows");
  app->add_flag("--models-only", f->models_only, "do not look for copies, tiny classes and files left out in the data set");
  app->add_flag("--fix", o.fix,
                "write the recipe or class names that are clearly better into MODEL.hedge.json beside the model; its other fields stay");
  app->add_flag("--accept-risk", f->accept_risk, "exit with 0 in spite of alarms");
  app->add_option("--json", f->json, "file for the report as JSON (docs/formats/check_json.md); -: print it instead of the table");
  app->add_option("--threads", o.threads, "CPU threads; 0: one per core")->capture_default_str()->check(CLI::Range(0, 1024));
  app->add_flag("--strict", o.strict, "stop with an error at a file that is no image; without it the file is left out and counted");
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::cli

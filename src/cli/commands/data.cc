#include <memory>

#include "cli/commands.h"
#include "core/json.h"
#include "data/overlap.h"
#include "data/spec.h"
#include "hedge/dataset.h"

namespace hedge::cli {
namespace {

struct Flags {
  std::string data;
  bool strict = false;
  bool overlap = false;
};

Json describe(const data::Opened& opened) {
  const auto& dataset = *opened.dataset;
  std::vector<std::int64_t> counts(dataset.class_names().size(), 0);
  for (std::size_t i = 0; i < dataset.size(); ++i) ++counts[static_cast<std::size_t>(dataset.label(i))];
  Json classes = Json::object();
  for (std::size_t c = 0; c < counts.size(); ++c) classes[dataset.class_names()[c]] = counts[c];
  Json skipped = Json::array();
  for (const auto& file : opened.skipped) skipped.push_back({{"path", file.path}, {"reason", file.reason}});
  return {{"spec", dataset.spec()},
          {"pictures", dataset.size()},
          {"content_hash", dataset.content_hash()},
          {"classes", classes},
          {"skipped", skipped}};
}

Status run(const Flags& flags, Context& context) {
  Json json = Json::object();
  std::vector<data::Opened> splits;
  for (const auto split : {data::Split::kTrain, data::Split::kCalibration, data::Split::kTest}) {
    HEDGE_TRY(const auto spec, data::spec_with_split(flags.data, data::to_string(split)));
    HEDGE_TRY(auto opened, data::open_dataset(spec, {.strict = flags.strict, .log = context.console.log()}));
    json[data::to_string(split)] = describe(opened);
    splits.push_back(std::move(opened));
  }
  if (flags.overlap)
    json["pictures_in_two_splits"] = {{"train_and_calibration", data::shared_images(*splits[0].dataset, *splits[1].dataset)},
                                      {"train_and_test", data::shared_images(*splits[0].dataset, *splits[2].dataset)},
                                      {"calibration_and_test", data::shared_images(*splits[1].dataset, *splits[2].dataset)}};
  std::printf("%s\n", json.dump(2).c_str());
  return {};
}

}  // namespace

void add_data(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("data", "show a data set: splits, classes, hashes, and the files that are left out");
  auto flags = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  app->add_option("DATA", flags->data, "fashion-mnist or folder:PATH; ?limit=N takes N images, evenly from all classes")->required();
  app->add_flag("--strict", flags->strict, "stop with an error at a file that cannot be decoded; without it the file is skipped");
  app->add_flag("--overlap", flags->overlap, "also count the images that are in two splits, pixel for pixel; reads all images");
  app->callback([flags, &context] { context.chosen = [flags, &context] { return run(*flags, context); }; });
}

}  // namespace hedge::cli

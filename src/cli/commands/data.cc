#include <cstdint>
#include <memory>
#include <set>
#include <unordered_set>

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
  std::set<std::string> groups;
  for (std::size_t i = 0; i < dataset.size(); ++i)
    if (auto group = dataset.group(i); !group.empty()) groups.insert(std::move(group));
  return {{"spec", dataset.spec()}, {"pictures", dataset.size()}, {"groups", groups.size()}, {"content_hash", dataset.content_hash()},
          {"classes", classes},     {"skipped", skipped}};
}

/// Images of `a` whose stored bytes are those of an image of `b`.
std::size_t exact_copies(const data::Dataset& a, const data::Dataset& b) {
  std::unordered_set<std::uint64_t> in_b;
  for (std::size_t i = 0; i < b.size(); ++i)
    if (const auto hash = b.stored_hash(i)) in_b.insert(*hash);
  std::size_t copies = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (const auto hash = a.stored_hash(i); hash && in_b.contains(*hash)) ++copies;
  return copies;
}

/// `count` of each two splits, under the names that they have in the output.
template <typename Count>
Json of_two_splits(const std::vector<data::Opened>& splits, const Count& count) {
  return {{"train_and_calibration", count(*splits[0].dataset, *splits[1].dataset)},
          {"train_and_test", count(*splits[0].dataset, *splits[2].dataset)},
          {"calibration_and_test", count(*splits[1].dataset, *splits[2].dataset)}};
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
  json["exact_copies"] = of_two_splits(splits, exact_copies);
  if (flags.overlap) json["pictures_in_two_splits"] = of_two_splits(splits, data::shared_images);
  std::printf("%s\n", json.dump(2).c_str());
  return {};
}

}  // namespace

void add_data(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("data", "show a data set: splits, classes, hashes, and the files that are left out");
  auto flags = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  app->add_option(
         "DATA", flags->data,
         "fashion-mnist, folder:PATH, csv:FILE, idx:PATH, cifar:FOLDER or flat:FOLDER?list=FILE; ?limit=N takes N images, evenly from all "
         "classes, ?group=REGEX keeps images of one track or patient in one split (docs/formats/datasets.md)")
      ->required();
  app->add_flag("--strict", flags->strict, "stop with an error at a file that cannot be decoded; without it the file is skipped");
  app->add_flag("--overlap", flags->overlap, "also count the images that are in two splits, pixel for pixel; reads all images");
  app->callback([flags, &context] { context.chosen = [flags, &context] { return run(*flags, context); }; });
}

}  // namespace hedge::cli

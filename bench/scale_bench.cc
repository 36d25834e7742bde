// Statistics, labels, exact thresholds and curves of very large prediction tables, from the disk.
//   scale_bench FOLDER [ROWS [CLASSES [keep]]]     (default: 1000000 rows of 1000 classes: 8 GB in FOLDER, removed at the end unless kept)
// Prints one line of JSON: seconds a stage, processor seconds in all, and the most anonymous memory (RssAnon) seen after any of them.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>

#include "core/file.h"
#include "core/json.h"
#include "core/rng.h"
#include "core/safetensors.h"
#include "eval/curve.h"
#include "hedge/promise.h"
#include "hedge/threshold.h"
#include "routing/mapped_table.h"

namespace {

using namespace hedge;
using Clock = std::chrono::steady_clock;

std::int64_t anonymous_kib() {
  std::ifstream file("/proc/self/status");
  std::string word;
  while (file >> word)
    if (word == "RssAnon:") return file >> word, std::atoll(word.c_str());
  return 0;
}

/// Logits out of a pool of normal noise, the label's raised: by 3 for the base, by 4.5 for the global.
Status write_logits(FileWriter& writer, std::int64_t rows, std::int64_t classes, const std::vector<std::int64_t>& labels, float signal,
                    std::uint64_t seed) {
  Rng rng(seed);
  std::vector<float> pool(1 << 20);
  for (float& value : pool) value = static_cast<float>(rng.normal());
  std::vector<float> block;
  const auto width = static_cast<std::size_t>(classes);
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto at = static_cast<std::ptrdiff_t>(rng.below(pool.size() - width));
    block.insert(block.end(), pool.begin() + at, pool.begin() + at + classes);
    block[block.size() - width + static_cast<std::size_t>(labels[static_cast<std::size_t>(row)])] += signal;
    if (block.size() < (1U << 20) && row + 1 < rows) continue;
    HEDGE_CHECK(writer.write({reinterpret_cast<const char*>(block.data()), block.size() * sizeof(float)}));
    block.clear();
  }
  return {};
}

Status make_table(const std::filesystem::path& path, std::int64_t rows, std::int64_t classes) {
  Rng rng(1);
  std::vector<std::int64_t> labels(static_cast<std::size_t>(rows));
  for (auto& label : labels) label = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(classes)));
  std::map<std::string, std::string> metadata = {{"format", "hedge.prediction_table"}, {"schema", "1"}, {"class_names", "[]"}};
  for (const char* key : {"dataset", "split", "content_hash", "base_hash", "global_hash", "executor", "mode"}) metadata[key] = "bench";
  for (const char* key : {"base_macs", "global_macs", "base_parameters", "global_parameters"}) metadata[key] = "0";
  const std::vector<SafetensorsEntry> entries = {{.name = "labels", .dtype = DType::kI64, .shape = {rows}},
                                                 {.name = "base_logits", .dtype = DType::kF32, .shape = {rows, classes}},
                                                 {.name = "global_logits", .dtype = DType::kF32, .shape = {rows, classes}}};
  return write_file_atomic(path, [&](FileWriter& writer) -> Status {
    HEDGE_CHECK(writer.write(safetensors_header(entries, metadata)));
    HEDGE_CHECK(writer.write({reinterpret_cast<const char*>(labels.data()), labels.size() * sizeof(std::int64_t)}));
    HEDGE_CHECK(write_logits(writer, rows, classes, labels, 3, 2));
    return write_logits(writer, rows, classes, labels, 4.5F, 3);
  });
}

class Stages {
 public:
  void done(const char* name) {
    const auto now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - last_).count();
    json_[name] = seconds;
    total_ += seconds;
    most_ = std::max(most_, anonymous_kib());
    last_ = Clock::now();
  }
  Json finish() {
    json_["total_seconds"] = total_;
    json_["cpu_seconds"] = static_cast<double>(std::clock() - cpu_) / CLOCKS_PER_SEC;  // of this thread, the only one
    json_["anonymous_mib"] = most_ / 1024;
    return json_;
  }

 private:
  Clock::time_point last_ = Clock::now();
  std::clock_t cpu_ = std::clock();
  double total_ = 0;
  std::int64_t most_ = 0;
  Json json_;
};

Result<Json> measure(const std::filesystem::path& path) {
  Stages stages;
  HEDGE_TRY(const auto table, routing::MappedTable::open(path));
  HEDGE_TRY(const auto scan, table.scan());
  stages.done("open_scan_scores");
  const auto gain = routing::gain_labels(scan.outcomes);
  const auto oracle = routing::oracle_labels(scan.outcomes);
  stages.done("labels");
  for (const auto& scores : scan.scores) {
    for (const double coverage : {0.5, 0.8, 0.95}) HEDGE_CHECK(routing::threshold_for_coverage(scores, scan.outcomes, coverage));
    HEDGE_CHECK(routing::threshold_for_accuracy(scores, scan.outcomes, scan.outcomes.base_accuracy()));
  }
  stages.done("thresholds");
  HEDGE_TRY(const auto promised,
            routing::threshold_for_promise(scan.scores[0], scan.outcomes,
                                           {.kind = routing::PromiseKind::kAccuracy, .target = scan.outcomes.base_accuracy()}));
  stages.done("promise");
  Json areas = Json::object();
  for (std::size_t s = 0; s < scan.scores.size(); ++s) {
    HEDGE_TRY(const auto curve, eval::SelectiveCurve::make(scan.scores[s], scan.outcomes));
    areas[routing::to_string(routing::kFreeScores[s])] = curve.area();
  }
  HEDGE_TRY(const auto bound, eval::SelectiveCurve::make(routing::oracle_scores(scan.outcomes), scan.outcomes));
  areas["upper_bound"] = bound.area();
  stages.done("curves");
  Json json = stages.finish();
  json["rows"] = table.size();
  json["classes"] = table.classes();
  json["base_accuracy"] = scan.outcomes.base_accuracy();
  json["global_accuracy"] = scan.outcomes.global_accuracy();
  json["helps"] = std::count(gain.begin(), gain.end(), 0);
  json["hurts"] = std::count(gain.begin(), gain.end(), 2);
  json["oracle_queries"] = std::count(oracle.begin(), oracle.end(), 1);
  json["promised_coverage"] = promised.point.coverage;
  json["areas"] = std::move(areas);
  return json;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: scale_bench FOLDER [ROWS [CLASSES [keep]]]\n");
    return 2;
  }
  const std::int64_t rows = argc > 2 ? std::atoll(argv[2]) : 1000000;
  const std::int64_t classes = argc > 3 ? std::atoll(argv[3]) : 1000;
  const auto path = std::filesystem::path(argv[1]) / "scale_bench.table";
  auto status = make_table(path, rows, classes);
  if (status) {
    const auto json = measure(path);
    if (json) std::printf("%s\n", json->dump().c_str());
    if (!json) status = json.error();
  }
  std::error_code ignored;
  if (argc <= 4) std::filesystem::remove(path, ignored);
  if (!status) std::fprintf(stderr, "scale_bench: %s\n", status.error().message().c_str());
  return status ? 0 : static_cast<int>(status.error().code);
}

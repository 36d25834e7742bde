#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "eval/evaluate.h"
#include "hedge/result.h"
#include "routing/table_view.h"
#include "workflow/context.h"

namespace hedge::workflow {

/// A router to judge, as one seed of the method `name`: several of one name are that method's seeds.
struct MethodSource {
  std::string name;             ///< lower case, digits and "_"; see eval::MethodScores
  std::string router;           ///< a folder of `fit`, or a free score's name
  std::filesystem::path table;  ///< other models' predictions of the judged images (an adapted pair); empty: the judged table itself
};

struct EvaluateOptions {
  std::filesystem::path table;        ///< predictions of a split that nothing was trained, fitted or calibrated on
  std::vector<MethodSource> methods;  ///< none: the free scores alone
  std::string default_method;         ///< whom the operating point, the classes and the verdict are about; empty: the first
  std::filesystem::path baselines;    ///< a file of `compare` on the same images; empty: none
  std::filesystem::path out;          ///< a folder: report.json, report.html, curve.csv; empty: nothing is written
  std::string title = "Hedge";
  std::vector<std::string> notes;  ///< said in the report as they are, e.g. that the images are lossy
  std::size_t images = 24;         ///< so many of the queried images are shown, and four times as many around the threshold
  int resamples = 1000;            ///< >= 100; of the bootstrap
};

/// Judges routers on a test table. Errors: those of reading tables and routers; kMismatch (another pair's policy, other images, a table
/// that something was trained, fitted or calibrated on); kInvalidArgument (a free score and a folder, or several tables, under one name);
/// kNotFound (the default method); those of eval::evaluate; kIo.
Result<eval::EvaluationReport> evaluate(const EvaluateOptions& options, const RunContext& context = {});
/// The same of predictions in memory; `options.table` is not looked at.
Result<eval::EvaluationReport> evaluate(const routing::TableView& table, const EvaluateOptions& options, const RunContext& context = {});

}  // namespace hedge::workflow

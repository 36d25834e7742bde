#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "eval/evaluate.h"
#include "hedge/result.h"
#include "hedge/workflow.h"
#include "plan/profiles.h"
#include "plan/report_plan.h"
#include "workflow/measure.h"

namespace hedge::workflow {

struct PlanOptions {
  std::filesystem::path report;           ///< the report.json of `evaluate`
  std::filesystem::path profiles;         ///< a file with own profiles (docs/formats/plan_profiles.md); empty: the built-in ones alone
  std::string device = "paper-mcu";       ///< a device profile
  std::string link = "paper";             ///< a link profile
  std::string cloud = "instant";          ///< a cloud profile
  double query_bytes = 0;                 ///< of an image that is sent; 0: what the baselines say
  std::optional<double> price_per_query;  ///< in money, > 0; nothing: what the report's table says
  std::string currency;                   ///< of that price; empty: the report's, or USD
  std::filesystem::path baselines;        ///< a file of `compare`, put into the report; empty: those that are there
  std::optional<MeasureOptions> here;     ///< also measure the models on this machine, for the plot of one device
  std::filesystem::path out;              ///< folder of the report with the plan; empty: the report's own
};

struct PlannedReport {
  plan::Plan plan;
  std::filesystem::path html;
};

/// What a report's methods cost in latency and energy in one setting; drawn into the report (report.json, report.html).
/// Errors: those of reading the report, profiles and baselines; kNotFound (a profile); those of lines_of, plan::make_plan and measure; kIo.
Result<PlannedReport> plan(const PlanOptions& options, const RunContext& context = {});

/// The built-in profiles and those of a file; an empty path: none. Errors: those of reading and of plan::parse_profiles.
Result<plan::Profiles> read_profiles(const std::filesystem::path& own);

/// What there is to plan: the methods of the report's curve, from coverage 0 (the cloud's accuracy) to 1, then the rows of its baselines
/// that the curve does not have, then base and global alone as on_device and on_cloud where no row is so called. `query_bytes`: of an image
/// that is sent. Errors: kBadData: no global, or no curve.
Result<std::vector<plan::Line>> lines_of(const eval::EvaluationReport& report, double query_bytes);

}  // namespace hedge::workflow

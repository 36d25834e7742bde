#pragma once

#include <string>
#include <vector>

#include "hedge/dataset.h"
#include "hedge/predictions.h"
#include "hedge/result.h"
#include "hedge/workflow.h"

namespace hedge::workflow::internal {

/// What the predictions of a table say against its models, a sentence an alarm: a base or a global that is not above chance on enough
/// images. Costs nothing: the predictions are there.
std::vector<std::string> table_alarms(const routing::PredictionTable& table);

/// The same, and, where a model is suspicious - not above chance, far surer than right, or its names contradict its file's -, what
/// check_model finds on some of the images. `dataset`: the images of the table, whose labels it has.
/// Errors: kCancelled.
Result<std::vector<std::string>> prediction_alarms(const routing::PredictionTable& table, const data::Dataset& dataset,
                                                   const PairOptions& pair, const RunContext& context);

/// Each of `more` that is not among `risks` yet is added.
void add_risks(const std::vector<std::string>& more, std::vector<std::string>& risks);

/// Lets accepted alarms pass, with a warning each. Errors: kAlarm where they are not accepted.
Status accept(const std::vector<std::string>& alarms, bool accept_risk, const std::string& where, const LogSink& sink);

}  // namespace hedge::workflow::internal

#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "codegen/calibrate.h"
#include "codegen/host.h"
#include "codegen/quantize.h"
#include "codegen/quantize_report.h"
#include "codegen/quantize_tune.h"
#include "core/json.h"
#include "graph/graph.h"
#include "hedge/result.h"
#include "hedge/workflow.h"

namespace hedge::workflow {

/// How a graph in floats becomes int8.
struct GraphQuantisation {
  codegen::CalibrationOptions ranges;
  bool equalize = true;                        ///< codegen::equalize_channels first
  std::optional<codegen::Tuning> tuning = {};  ///< codegen::tune at last; only graphs of one input of images
  int threads = 0;                             ///< of the graph in floats, which OpenVINO computes; 0: as many as it likes
};

/// A graph in int8, and the plan that it was made by.
struct QuantisedGraph {
  codegen::QuantizationPlan plan;
  graph::Graph graph;
};
/// Errors: those of codegen::plan_quantization, equalize_channels, calibrate, quantize and tune.
Result<QuantisedGraph> quantise_graph(graph::Graph graph, const codegen::CalibrationData& data, const GraphQuantisation& options);

/// Training for being rounded (quantisation-aware): the int8 model learns to answer as the model in floats does. No labels.
struct FineTuning {
  std::int64_t epochs = 0;      ///< passes over the images; 0: none
  double learning_rate = 1e-4;  ///< peak, of AdamW
  std::int64_t batch = 64;      ///< images a step
};

/// What quantise() does. Just one of `data` and `table` is given.
struct QuantiseOptions {
  std::string model;          ///< an .onnx file in floats: a base, or a router
  std::filesystem::path out;  ///< where the int8 model goes (.onnx)
  std::string data;           ///< specification of the images that ranges are measured on; their labels are not used
  std::string table;          ///< instead, for a router: a prediction table
  std::string test;           ///< specification of labelled images on which floats and int8 are compared; empty: not
  std::string recipe;         ///< how images are prepared, a JSON file or the short form; empty: as the model says
  std::string labels;         ///< a file of the outputs' class names; empty: as the model says
  std::size_t images = 256;   ///< how many of `data`, evenly spread
  codegen::RangeMethod method = codegen::RangeMethod::kMeanSquareError;
  double percentile = 99.99;                                     ///< of the values, 50 < percentile <= 100; of RangeMethod::kPercentile
  bool equalize = true;                                          ///< even out the channels before depthwise layers
  codegen::Tuning tuning = {};                                   ///< of the constants at last; never for a router
  codegen::Arithmetic arithmetic = codegen::Arithmetic::kExact;  ///< of the comparison
  FineTuning fine_tuning = {};                                   ///< on all of `data`, whose classes are the model's; never for a router
  bool costs = false;                                            ///< measure too what each layer costs alone (codegen::measure_costs)
  int threads = 0;                                               ///< of the model in floats; 0: as many as OpenVINO likes
  /// 0..1: the least accuracy of int8 on `test`, else nothing is written. Nothing: int8 must not be worse than floats by more than
  /// kMostLoss with 95 % confidence (paired), where there is `test`.
  std::optional<double> least_accuracy = {};
  bool accept_risk = false;  ///< writes the model in spite of a loss above kMostLoss or floats at chance, and says so
};

/// The accuracy, 0..1, that int8 may lose without a word from the user.
inline constexpr double kMostLoss = 0.05;
/// Images to measure ranges on; fewer are warned of, because the ranges then depend on which images they are.
inline constexpr std::size_t kFewestCalibrationImages = 64;

/// What became of a model.
struct QuantiseReport {
  std::string model, out, method;                          ///< as the options say
  std::optional<std::vector<codegen::TensorNoise>> noise;  ///< of each activation; nothing for a router
  std::optional<codegen::AccuracyReport> accuracy;         ///< on `test`, in `arithmetic`; nothing where none was given
  std::string test, arithmetic;
  std::optional<Error> refused = {};       ///< why no model was written, though all was measured; nothing: it was written
  std::vector<std::string> warnings = {};  ///< logged as well: a small loss, few images
  std::vector<std::string> accepted_risks = {};
};

/// The gate: what the comparison says for and against writing the model. Fills `refused`, `warnings` and `accepted_risks`.
/// Precondition: report.accuracy.
void judge_loss(const QuantiseOptions& options, QuantiseReport& report);

/// Quantises a model in floats and writes it as ONNX with QuantizeLinear and DequantizeLinear; with images also measures the noise of each
/// activation, and the accuracy on `test`.
/// A model that the gate refuses is not written; the report says why (`refused`: kUnreachable for least_accuracy, kAlarm otherwise).
/// Errors: kInvalidArgument not just one of `data` and `table`, `least_accuracy` without `test`, `fine_tuning` of a router; kNotFound no
/// recipe for images; those of reading, of quantise_graph, of codegen::lower and of model::map_classes; kIo; kCancelled.
Result<QuantiseReport> quantise(const QuantiseOptions& options, const RunContext& context = {});

/// docs/formats/quantised_model.md.
Json to_json(const QuantiseReport& report);

}  // namespace hedge::workflow

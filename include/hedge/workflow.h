#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hedge/api.h"
#include "hedge/dataset.h"
#include "hedge/log.h"
#include "hedge/policy.h"
#include "hedge/predictions.h"
#include "hedge/result.h"
#include "hedge/router_fit.h"

namespace hedge::workflow {

/// What a long piece of work talks to; every part may be left empty. Sinks are called on the calling thread.
struct RunContext {
  LogSink log = {};                        ///< what is worth knowing, and warnings
  ProgressSink progress = {};              ///< how far it is, with the seconds left
  std::function<bool()> should_stop = {};  ///< polled; true ends the work with kCancelled, and what was done is kept
};

/// A model file, and what is to hold instead of what it says of itself (docs/formats/model.md).
struct ModelOptions {
  std::filesystem::path path = {};    ///< .onnx, .tflite or .xml
  std::string recipe = {};            ///< a JSON file or the short form "resize=256,crop=224,…"; empty: as the model or its sidecar says
  std::filesystem::path labels = {};  ///< a file with the names of its outputs; empty: as the model or its sidecar says
  std::string features = {};          ///< the penultimate tensor by name, "auto", or empty: none
  std::string input_layout = {};      ///< "nchw" or "nhwc": where its image input has the channels; empty: found by evidence
  std::string output = {};            ///< its classifying output by name; empty: the one called "logits", or the only one
  std::string output_kind = {};       ///< "logits", "probabilities", "log_probabilities" or "sigmoid"; empty: found
};

/// The two models of a hybrid, and how they are run.
struct PairOptions {
  ModelOptions base{.features = "auto"};
  ModelOptions global = {};          ///< an empty path: no global, everything is for abstaining only
  std::filesystem::path cache = {};  ///< a folder that keeps predictions, so that a stopped run goes on; empty: none
  std::int64_t batch = 256;          ///< images a step, >= 1; larger is faster up to a few hundred and takes more memory
  int threads = 0;                   ///< 0: as many as OpenVINO likes
  bool strict = false;               ///< an image that cannot be decoded is an error; otherwise it is left out and listed
  /// What the images show to be wrong (a model at chance, another way of preparing images clearly better) is an error, kAlarm; with this
  /// it is logged and recorded instead.
  bool accept_risk = false;
};

struct PredictOptions {
  std::string data = {};  ///< a data set with its split, e.g. "fashion-mnist?split=test"
  PairOptions pair = {};
  std::filesystem::path out = {};  ///< the table's file (safetensors); empty: it is returned only
};

/// What base and global say of each image, and what was left out.
struct Predictions {
  routing::PredictionTable table;
  std::vector<data::Skipped> skipped;   ///< files that are no image, at opening and while decoding
  std::vector<std::string> risks = {};  ///< the alarms that were accepted, a sentence each
};

/// Runs base and global over a split. The class orders of data set, base and global are brought together; what was taken for granted
/// there is logged. Errors: those of opening models and data sets, model::map_classes and eval::predict; kCancelled; kIo; kAlarm, unless
/// the risk is accepted, once the table is written.
HEDGE_API Result<Predictions> predict(const PredictOptions& options, const RunContext& context = {});

/// Where a router's threshold is put. One of the four holds: the promise, else the accuracy, else the price, else the coverage.
struct OperatingTarget {
  double coverage = 0.8;  ///< 0..1: at least this share of the calibration's images stays on the device
  double accuracy = 0;    ///< 0..1: the highest coverage whose calibration accuracy is at least this; 0: not asked for
  /// The expected price of 1000 images is at most this, in the tables' currency; they must know the price of a query (TableInfo::price).
  std::optional<double> price_per_1000 = {};
  std::optional<routing::Promise> promise = {};  ///< what new images get with confidence 1 - delta; costs some coverage or accuracy
};

/// How a router is fitted and calibrated.
struct HEDGE_API FitOptions {
  /// Files of predictions. `table` is learned from: of the training set, in evaluation mode, or of images the models have not seen.
  /// `calibration` has neither models nor router seen: the threshold comes from it. `held_out` chooses, fuses and finds temperatures;
  /// empty: where that is needed, the images of `table` do, by cross-fitting, if the models have not seen them and they are not fewer than
  /// `held_out_share` of the calibration's; else that share does.
  std::filesystem::path table = {}, calibration = {}, held_out = {};
  /// Or images, predicted here into `out` (predict_splits); no split in the specification, and no tables then.
  std::string data = {};
  PairOptions pair = {};
  double held_out_share = 0.5;  ///< in (0, 1)
  /// For small data: so many folds of `table`, whose images are scored by routers that have not seen them and calibrate; 0: not.
  int cross_fit = 0;
  std::optional<train::RouterKind> router = {};  ///< nothing: the best on held-out predictions (choose_router)
  bool fuse = false;                             ///< learn whether a query's answer is better combined with the base's
  bool calibrate_temperature = false;            ///< of a free score: the temperature that calibrates the base
  OperatingTarget point = {};
  train::RouterFitOptions training = {};  ///< kind and target_coverage are set from the above
  std::filesystem::path out = {};         ///< a folder: router.onnx and policy.json; empty: they are returned only

  /// Errors: kInvalidArgument, for what contradicts itself.
  [[nodiscard]] Status validate() const;
};

/// A router with its policy.
struct FitResult {
  train::RouterKind kind = train::RouterKind::kMargin;
  std::string router_onnx;  ///< the router's file, byte for byte
  train::RouterFigures figures;
  std::int64_t macs = 0;
  routing::Policy policy;
  std::optional<routing::Price> price;  ///< of a query, as the calibration table has it
  std::filesystem::path router_path;  ///< empty where nothing was written
  std::filesystem::path test_table;   ///< where images were predicted here: what the router may be judged on
};

/// Fits a router on predictions, calibrates its threshold on others and writes both. Errors: kInvalidArgument (options); kAlarm, unless
/// `options.pair.accept_risk` (a model that is not above chance on the calibration images, those of predict);
/// kMismatch (splits that must be disjoint are not); kUnreachable (the target); those of reading, predicting and fitting; kIo.
HEDGE_API Result<FitResult> fit(const FitOptions& options, const RunContext& context = {});

/// Predictions in memory, for the same. Cross-fitting takes `fit` alone.
struct FitTables {
  routing::PredictionTable fit;
  routing::PredictionTable calibration;
  std::optional<routing::PredictionTable> held_out;
};
/// `options.table`, `calibration`, `held_out` and `data` are not looked at. Errors: as above.
HEDGE_API Result<FitResult> fit(FitTables tables, const FitOptions& options, const RunContext& context = {});

/// A router to judge, as one seed of the method `name`: several of one name are that method's seeds.
struct MethodSource {
  std::string name = {};             ///< lower case, digits and "_"; see eval::MethodScores
  std::string router = {};           ///< a folder of `fit`, or a free score's name
  std::filesystem::path table = {};  ///< other models' predictions of the judged images (an adapted pair); empty: the judged table itself
};

struct EvaluateOptions {
  std::filesystem::path table = {};        ///< predictions of a split that nothing was trained, fitted or calibrated on
  std::vector<MethodSource> methods = {};  ///< none: the free scores alone
  std::string default_method = {};         ///< whom the operating point, the classes and the verdict are about; empty: the first
  std::filesystem::path baselines = {};    ///< a file of `compare` on the same images; empty: none
  std::filesystem::path out = {};          ///< a folder: report.json, report.html, curve.csv; empty: nothing is written
  std::string title = "Hedge";
  std::vector<std::string> notes = {};  ///< said in the report as they are, e.g. that the images are lossy
  std::size_t images = 24;              ///< so many of the queried images are shown, and four times as many around the threshold
  int resamples = 1000;                 ///< >= 100; of the bootstrap
};

/// A method of an evaluation, in brief. Estimates carry their 95 % intervals; differences are paired.
struct JudgedMethod {
  std::string name;
  std::vector<routing::Estimate> accuracy;  ///< at Judgement::coverages
  routing::Estimate area;                   ///< mean accuracy over the coverages 0.3 to 1
  routing::Estimate to_entropy;             ///< its area less that of the free score entropy
  routing::Estimate to_margin;
};

/// The policy's threshold on the judged images.
struct JudgedPoint {
  float threshold = 0;
  routing::Estimate coverage;
  routing::Estimate accuracy;
};

/// What an evaluation says; report.json and report.html say all of it.
struct Judgement {
  std::int64_t images = 0;
  routing::Estimate base_accuracy;
  std::optional<routing::Estimate> global_accuracy;  ///< nothing: no global, and no methods below
  std::vector<double> coverages;
  std::vector<JudgedMethod> methods;  ///< the given ones, the free scores and the upper bound
  std::optional<JudgedPoint> operating_point;
  std::string verdict;
};

/// Judges routers on a test table, and writes the report where `options.out` names a folder. Errors: those of reading tables and routers;
/// kMismatch (another pair's policy, other images, a table that something was trained, fitted or calibrated on); kInvalidArgument (a free
/// score and a folder, or several tables, under one name); kNotFound (the default method); kCancelled; kIo.
HEDGE_API Result<Judgement> judge(const EvaluateOptions& options, const RunContext& context = {});
/// The same of predictions in memory; `options.table` is not looked at.
HEDGE_API Result<Judgement> judge(const routing::PredictionTable& table, const EvaluateOptions& options, const RunContext& context = {});

}  // namespace hedge::workflow

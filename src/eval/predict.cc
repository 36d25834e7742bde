#include "eval/predict.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>

#include "data/loader.h"

namespace hedge::eval {
namespace {

constexpr double kProgressEveryS = 0.5;

/// Says how far it is, at most every half a second.
class Progress {
 public:
  Progress(const PredictInputs& inputs, double total)
      : sink_(inputs.progress), clock_(inputs.clock != nullptr ? *inputs.clock : steady_), start_(clock_.now()), last_(start_), total_(total) {}

  void advance(double done, const std::string& what) {
    done_ += done;
    const TimePoint now = clock_.now();
    if (!sink_ || (seconds_between(last_, now) < kProgressEveryS && done_ < total_)) return;
    last_ = now;
    const double seconds = seconds_between(start_, now);
    ProgressUpdate update = {.what = what, .done = done_, .total = total_};
    if (seconds > 0 && done_ > 0) {
      update.eta_s = std::max(0.0, seconds * (total_ - done_) / done_);
      update.note = std::to_string(std::llround(done_ / seconds)) + " pictures/s";
    }
    sink_(update);
  }

 private:
  SteadyClock steady_;
  const ProgressSink& sink_;
  const Clock& clock_;
  TimePoint start_;
  TimePoint last_;
  double total_;
  double done_ = 0;
};

/// What one model says, row by row in the order of `indices`.
struct Predictions {
  std::vector<std::size_t> indices;
  std::int64_t classes = 0;
  std::int64_t features = 0;
  std::vector<float> logits;
  std::vector<float> feature_values;
  std::vector<data::Skipped> skipped;
};

Error disagreement(std::string what, std::string where, std::string got, std::string expected) {
  return Error{.code = ErrorCode::kMismatch, .what = std::move(what), .where = std::move(where), .got = std::move(got), .expected = std::move(expected)};
}

/// Which tensors of an executor are used, and its batch.
struct Wiring {
  std::string input;
  bool raw = false;  ///< u8 pictures
  std::size_t logits = 0;
  std::optional<std::size_t> features;
  std::int64_t batch = 0;
  bool fixed_batch = false;
};

Result<Wiring> wire(const ModelRun& model, std::int64_t batch, const std::string& role) {
  if (model.executor->inputs().size() != 1)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the model has another number of inputs than one",
                 .where = role,
                 .got = std::to_string(model.executor->inputs().size())};
  const TensorSpec& input = model.executor->inputs()[0];
  if (input.dtype != DType::kF32 && input.dtype != DType::kU8)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the model's input has an element type that pictures cannot have",
                 .where = role + ": " + input.name,
                 .got = to_string(input.dtype),
                 .expected = "f32 or u8"};
  Wiring wiring = {.input = input.name, .raw = input.dtype == DType::kU8, .batch = batch};
  const data::Preprocess& r = model.recipe;
  const Shape picture = wiring.raw ? Shape{-1, r.height, r.width, r.channels} : Shape{-1, r.channels, r.height, r.width};
  Shape spec = input.shape;
  if (!spec.empty() && spec[0] > 0) {
    wiring.batch = spec[0];
    wiring.fixed_batch = true;
    spec[0] = -1;
  }
  if (!fits(picture, spec))
    return disagreement("the model's input does not fit its preprocessing recipe", role + ": " + input.name, to_string(picture), to_string(input.shape));
  HEDGE_TRY(wiring.logits, find_spec(model.executor->outputs(), "logits"));
  if (auto features = find_spec(model.executor->outputs(), "features")) wiring.features = *features;
  return wiring;
}

/// The batch as the executor wants it; `padded` keeps a short one that had to be filled up to a fixed size.
TensorView batch_view(const data::Batch& batch, const Wiring& wiring, Tensor& padded) {
  const Tensor& pictures = wiring.raw ? batch.pixels : batch.images;
  if (!wiring.fixed_batch || pictures.shape()[0] == wiring.batch) return pictures.view();
  Shape shape = pictures.shape();
  shape[0] = wiring.batch;
  padded = Tensor(pictures.dtype(), shape);
  std::memcpy(padded.bytes(), pictures.bytes(), pictures.num_bytes());
  return padded.view();
}

/// Appends the first `rows` rows of an output, flattened to a matrix. `width` is set by the first batch and checked afterwards.
Status append_rows(const Tensor& output, std::size_t rows, const std::string& where, std::int64_t& width, std::vector<float>& values) {
  const bool enough = !output.shape().empty() && output.shape()[0] >= static_cast<std::int64_t>(rows);
  if (output.dtype() != DType::kF32 || !enough)
    return disagreement("an output has another type or number of rows", where, std::string(to_string(output.dtype())) + to_string(output.shape()),
                        "f32[" + std::to_string(rows) + ", …]");
  const std::int64_t here = output.num_elements() / output.shape()[0];
  if (values.empty()) width = here;
  if (here != width)
    return disagreement("an output's width changes from batch to batch", where, std::to_string(here), std::to_string(width));
  const auto data = output.data<float>().first(rows * static_cast<std::size_t>(width));
  values.insert(values.end(), data.begin(), data.end());
  return {};
}

Status check_finite(const std::vector<float>& values, std::int64_t width, const data::Batch& batch, const PredictInputs& inputs,
                    const std::string& where) {
  const std::size_t first = values.size() - batch.indices.size() * static_cast<std::size_t>(width);
  const auto bad = std::find_if(values.begin() + static_cast<std::ptrdiff_t>(first), values.end(), [](float v) { return !std::isfinite(v); });
  if (bad == values.end()) return {};
  const auto row = (static_cast<std::size_t>(bad - values.begin()) - first) / static_cast<std::size_t>(width);
  return Error{.code = ErrorCode::kBadData,
               .what = "the model gives a number that is not finite",
               .where = where + ", picture " + inputs.dataset->id(batch.indices[row]),
               .got = std::to_string(*bad),
               .hint = "its weights may hold NaN"};
}

Status run_batch(const ModelRun& model, const Wiring& wiring, const data::Batch& batch, const PredictInputs& inputs, const std::string& role,
                 Predictions& all) {
  Tensor padded;
  const NamedView input = {wiring.input, batch_view(batch, wiring, padded)};
  HEDGE_TRY(const std::vector<Tensor> outputs, model.executor->run({&input, 1}));
  if (outputs.size() != model.executor->outputs().size())
    return Error{.code = ErrorCode::kInternal, .what = "the executor gave another number of outputs than it has", .where = role};
  const std::size_t rows = batch.indices.size();
  HEDGE_CHECK(append_rows(outputs[wiring.logits], rows, role + ": logits", all.classes, all.logits));
  HEDGE_CHECK(check_finite(all.logits, all.classes, batch, inputs, role + ": logits"));
  if (wiring.features) {
    HEDGE_CHECK(append_rows(outputs[*wiring.features], rows, role + ": features", all.features, all.feature_values));
    HEDGE_CHECK(check_finite(all.feature_values, all.features, batch, inputs, role + ": features"));
  }
  all.indices.insert(all.indices.end(), batch.indices.begin(), batch.indices.end());
  return {};
}

Result<Predictions> run_model(const ModelRun& model, const PredictInputs& inputs, const std::string& role, Progress& progress) {
  HEDGE_CHECK(model.recipe.validate());
  HEDGE_TRY(const Wiring wiring, wire(model, inputs.batch, role));
  data::LoaderOptions options;
  options.batch = wiring.batch;
  options.workers = inputs.workers;
  options.strict = inputs.strict;
  data::Loader loader(*inputs.dataset, model.recipe, options, wiring.raw);
  loader.start(0);
  Predictions all;
  while (true) {
    HEDGE_TRY(const std::optional<data::Batch> batch, loader.next());
    if (!batch) break;
    if (batch->indices.empty()) continue;
    HEDGE_CHECK(run_batch(model, wiring, *batch, inputs, role, all));
    progress.advance(static_cast<double>(batch->indices.size()), "predict with the " + role);
  }
  all.skipped = loader.skipped();
  if (all.indices.empty())
    return Error{.code = ErrorCode::kBadData, .what = "no picture of the data set could be decoded", .where = inputs.dataset->spec()};
  const auto names = static_cast<std::int64_t>(inputs.dataset->class_names().size());
  if (all.classes != names)
    return disagreement("the model has another number of classes than the data set", role + ": logits", std::to_string(all.classes), std::to_string(names));
  return all;
}

/// The rows of `values` at `rows`, as a matrix.
Tensor select(const std::vector<float>& values, std::int64_t width, const std::vector<std::size_t>& rows) {
  Tensor matrix(DType::kF32, {static_cast<std::int64_t>(rows.size()), width});
  const auto step = static_cast<std::size_t>(width);
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(rows[i] * step), step, matrix.data<float>().begin() + static_cast<std::ptrdiff_t>(i * step));
  return matrix;
}

/// Positions in `a` and in `b` of the pictures that both have.
struct Common {
  std::vector<std::size_t> in_a;
  std::vector<std::size_t> in_b;
};

Common intersect(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b) {
  std::map<std::size_t, std::size_t> where;
  for (std::size_t i = 0; i < b.size(); ++i) where.emplace(b[i], i);
  Common common;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto found = where.find(a[i]);
    if (found == where.end()) continue;
    common.in_a.push_back(i);
    common.in_b.push_back(found->second);
  }
  return common;
}

/// "test" of "fashion-mnist?split=test&limit=100"; without a split it is the whole, "all".
std::string split_of(const std::string& spec) {
  const std::string key = "split=";
  const std::size_t query = spec.find('?');
  const std::size_t at = query == std::string::npos ? query : spec.find(key, query);
  if (at == std::string::npos) return "all";
  const std::size_t begin = at + key.size();
  return spec.substr(begin, std::min(spec.find('&', begin), spec.size()) - begin);
}

routing::TableInfo table_info(const PredictInputs& inputs) {
  const bool has_global = inputs.global.executor != nullptr;
  return {.dataset = inputs.dataset->spec(),
          .split = split_of(inputs.dataset->spec()),
          .content_hash = inputs.dataset->content_hash(),
          .base_hash = inputs.base.sha256,
          .global_hash = has_global ? inputs.global.sha256 : "",
          .executor = inputs.base.executor->description(),
          .class_names = inputs.dataset->class_names(),
          .features = inputs.base.features,
          .base_trained_on = inputs.base.trained_on,
          .base_trained_on_hash = inputs.base.trained_on_hash,
          .global_trained_on = has_global ? inputs.global.trained_on : "",
          .global_trained_on_hash = has_global ? inputs.global.trained_on_hash : "",
          .base_macs = inputs.base.macs,
          .global_macs = has_global ? inputs.global.macs : 0,
          .base_parameters = inputs.base.parameters,
          .global_parameters = has_global ? inputs.global.parameters : 0};
}

Status check_inputs(const PredictInputs& inputs) {
  const auto bad = [](const char* what) { return Error{.code = ErrorCode::kInvalidArgument, .what = what}; };
  if (inputs.dataset == nullptr) return bad("there is no data set to predict");
  if (inputs.base.executor == nullptr) return bad("there is no base to predict with");
  if (inputs.batch < 1) return bad("the batch must be at least 1");
  if (inputs.workers < 1) return bad("there must be at least one decoding worker");
  return {};
}

/// Every picture once, whoever left it out.
std::vector<data::Skipped> merge_skipped(std::vector<data::Skipped> skipped, const std::vector<data::Skipped>& more) {
  for (const data::Skipped& one : more) {
    const bool known = std::any_of(skipped.begin(), skipped.end(), [&](const data::Skipped& s) { return s.path == one.path; });
    if (!known) skipped.push_back(one);
  }
  return skipped;
}

}  // namespace

Result<routing::PredictionTable> predict(const PredictInputs& inputs) {
  HEDGE_CHECK(check_inputs(inputs));
  const bool has_global = inputs.global.executor != nullptr;
  Progress progress(inputs, static_cast<double>(inputs.dataset->size()) * (has_global ? 2 : 1));
  HEDGE_TRY(const Predictions base, run_model(inputs.base, inputs, "base", progress));
  Predictions global;
  if (has_global) {
    HEDGE_TRY(global, run_model(inputs.global, inputs, "global", progress));
  }
  const Common rows = intersect(base.indices, has_global ? global.indices : base.indices);
  routing::PredictionTable table;
  table.info = table_info(inputs);
  table.labels = Tensor(DType::kI64, {static_cast<std::int64_t>(rows.in_a.size())});
  PredictReport report = {.skipped = merge_skipped(base.skipped, global.skipped)};
  for (std::size_t i = 0; i < rows.in_a.size(); ++i) {
    report.indices.push_back(base.indices[rows.in_a[i]]);
    table.labels.data<std::int64_t>()[i] = inputs.dataset->label(report.indices.back());
  }
  table.base_logits = select(base.logits, base.classes, rows.in_a);
  table.base_features = select(base.feature_values, base.features, rows.in_a);
  table.global_logits = has_global ? select(global.logits, global.classes, rows.in_b) : Tensor(DType::kF32, {0, base.classes});
  for (const data::Skipped& one : report.skipped) log(inputs.log, LogLevel::kWarning, one.path + " is left out: " + one.reason);
  HEDGE_CHECK(table.validate());
  if (inputs.report != nullptr) *inputs.report = std::move(report);
  return table;
}

}  // namespace hedge::eval

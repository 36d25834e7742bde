#include "eval/internal/run_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "data/loader.h"

namespace hedge::eval::internal {
namespace {

constexpr double kProgressEveryS = 0.5;

Error disagreement(std::string what, std::string where, std::string got, std::string expected) {
  return Error{.code = ErrorCode::kMismatch,
               .what = std::move(what),
               .where = std::move(where),
               .got = std::move(got),
               .expected = std::move(expected)};
}

/// A range of a data set as a data set of its own; borrows it.
class Slice final : public data::Dataset {
 public:
  Slice(const data::Dataset& whole, ImageRange range) : whole_(whole), range_(range) {}
  [[nodiscard]] std::size_t size() const override { return range_.end - range_.begin; }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return whole_.class_names(); }
  [[nodiscard]] std::int64_t label(std::size_t index) const override { return whole_.label(range_.begin + index); }
  [[nodiscard]] std::string id(std::size_t index) const override { return whole_.id(range_.begin + index); }
  [[nodiscard]] Result<data::Image> image(std::size_t index) const override { return whole_.image(range_.begin + index); }
  [[nodiscard]] const std::string& content_hash() const override { return whole_.content_hash(); }
  [[nodiscard]] const std::string& spec() const override { return whole_.spec(); }

 private:
  const data::Dataset& whole_;
  ImageRange range_;
};

/// Which tensors of an executor are used, and its batch.
struct Wiring {
  std::string input;
  bool raw = false;  ///< u8 images
  std::size_t logits = 0;
  std::optional<std::size_t> features;
  std::int64_t batch = 0;
  bool fixed_batch = false;
};

Result<Wiring> wire(const ModelRun& model, std::int64_t batch, const std::string& role) {
  if (model.executor->inputs().size() != 1)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the model must have exactly one input",
                 .where = role,
                 .got = std::to_string(model.executor->inputs().size())};
  const TensorSpec& input = model.executor->inputs()[0];
  if (input.dtype != DType::kF32 && input.dtype != DType::kU8)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the model's input has an element type that images cannot have",
                 .where = role + ": " + input.name,
                 .got = to_string(input.dtype),
                 .expected = "f32 or u8"};
  Wiring wiring = {.input = input.name, .raw = input.dtype == DType::kU8, .batch = batch};
  const data::Preprocess& r = model.recipe;
  const Shape image = wiring.raw ? Shape{-1, r.height, r.width, r.channels} : Shape{-1, r.channels, r.height, r.width};
  Shape spec = input.shape;
  if (!spec.empty() && spec[0] > 0) {
    wiring.batch = spec[0];
    wiring.fixed_batch = true;
    spec[0] = -1;
  }
  if (!fits(image, spec))
    return disagreement("the model's input does not fit its preprocessing recipe", role + ": " + input.name, to_string(image),
                        to_string(input.shape));
  HEDGE_TRY(wiring.logits, find_spec(model.executor->outputs(), "logits"));
  if (auto features = find_spec(model.executor->outputs(), "features")) wiring.features = *features;
  return wiring;
}

/// The batch as the executor wants it; `padded` keeps a short one that had to be filled up to a fixed size.
TensorView batch_view(const data::Batch& batch, const Wiring& wiring, Tensor& padded) {
  const Tensor& images = wiring.raw ? batch.pixels : batch.images;
  if (!wiring.fixed_batch || images.shape()[0] == wiring.batch) return images.view();
  Shape shape = images.shape();
  shape[0] = wiring.batch;
  padded = Tensor(images.dtype(), shape);
  std::memcpy(padded.bytes(), images.bytes(), images.num_bytes());
  return padded.view();
}

/// Appends the first `rows` rows of an output, flattened to a matrix. `width` is set by the first batch and checked afterwards.
Status append_rows(const Tensor& output, std::size_t rows, const std::string& where, std::int64_t& width, std::vector<float>& values) {
  const bool enough = !output.shape().empty() && output.shape()[0] >= static_cast<std::int64_t>(rows);
  if (output.dtype() != DType::kF32 || !enough)
    return disagreement("an output has another type or number of rows", where,
                        std::string(to_string(output.dtype())) + to_string(output.shape()), "f32[" + std::to_string(rows) + ", …]");
  const std::int64_t here = output.num_elements() / output.shape()[0];
  if (values.empty()) width = here;
  if (here != width)
    return disagreement("an output's width changes from batch to batch", where, std::to_string(here), std::to_string(width));
  const auto data = output.data<float>().first(rows * static_cast<std::size_t>(width));
  values.insert(values.end(), data.begin(), data.end());
  return {};
}

Status check_finite(const std::vector<float>& values, std::int64_t width, const data::Batch& batch, const data::Dataset& images,
                    const std::string& where) {
  const std::size_t first = values.size() - batch.indices.size() * static_cast<std::size_t>(width);
  const auto bad =
      std::find_if(values.begin() + static_cast<std::ptrdiff_t>(first), values.end(), [](float v) { return !std::isfinite(v); });
  if (bad == values.end()) return {};
  const auto row = (static_cast<std::size_t>(bad - values.begin()) - first) / static_cast<std::size_t>(width);
  return Error{.code = ErrorCode::kBadData,
               .what = "the model gives a number that is not finite",
               .where = where + ", image " + images.id(batch.indices[row]),
               .got = std::to_string(*bad),
               .hint = "its weights may hold NaN"};
}

/// A batch's rows, appended to `all`. `images` is what the batch's indices are of.
Status run_batch(const ModelRun& model, const Wiring& wiring, const data::Batch& batch, const data::Dataset& images,
                 const std::string& role, Predictions& all) {
  Tensor padded;
  const NamedView input = {wiring.input, batch_view(batch, wiring, padded)};
  HEDGE_TRY(const std::vector<Tensor> outputs, model.executor->run({&input, 1}));
  if (outputs.size() != model.executor->outputs().size())
    return Error{.code = ErrorCode::kInternal, .what = "the executor gave a wrong number of outputs", .where = role};
  const std::size_t rows = batch.indices.size();
  HEDGE_CHECK(append_rows(outputs[wiring.logits], rows, role + ": logits", all.classes, all.logits));
  HEDGE_CHECK(check_finite(all.logits, all.classes, batch, images, role + ": logits"));
  if (wiring.features) {
    HEDGE_CHECK(append_rows(outputs[*wiring.features], rows, role + ": features", all.features, all.feature_values));
    HEDGE_CHECK(check_finite(all.feature_values, all.features, batch, images, role + ": features"));
  }
  all.indices.insert(all.indices.end(), batch.indices.begin(), batch.indices.end());
  return {};
}

}  // namespace

PredictProgress::PredictProgress(const PredictInputs& inputs, double total)
    : sink_(inputs.progress),
      clock_(inputs.clock != nullptr ? *inputs.clock : steady_),
      start_(clock_.now()),
      last_(start_),
      total_(total) {}

void PredictProgress::skip(double done) {
  done_ += done;
  found_ += done;
}

void PredictProgress::advance(double done, const std::string& what) {
  done_ += done;
  const TimePoint now = clock_.now();
  if (!sink_ || (seconds_between(last_, now) < kProgressEveryS && done_ < total_)) return;
  last_ = now;
  const double seconds = seconds_between(start_, now);
  const double computed = done_ - found_;
  ProgressUpdate update = {.what = what, .done = done_, .total = total_};
  if (seconds > 0 && computed > 0) {
    update.eta_s = std::max(0.0, seconds * (total_ - done_) / computed);
    update.note = std::to_string(std::llround(computed / seconds)) + " images/s";
  }
  sink_(update);
}

Result<Predictions> run_model(const ModelRun& model, const PredictInputs& inputs, const std::string& role, ImageRange range,
                              PredictProgress& progress) {
  HEDGE_CHECK(model.recipe.validate());
  HEDGE_TRY(const Wiring wiring, wire(model, inputs.batch, role));
  const Slice images(*inputs.dataset, range);
  data::LoaderOptions options;
  options.batch = wiring.batch;
  options.workers = inputs.workers;
  options.strict = inputs.strict;
  data::Loader loader(images, model.recipe, options, wiring.raw);
  loader.start(0);
  Predictions all;
  while (true) {
    HEDGE_TRY(const std::optional<data::Batch> batch, loader.next());
    if (!batch) break;
    if (batch->indices.empty()) continue;
    HEDGE_CHECK(run_batch(model, wiring, *batch, images, role, all));
    progress.advance(static_cast<double>(batch->indices.size()), "predict with the " + role);
  }
  for (auto& index : all.indices) index += range.begin;
  all.skipped = loader.skipped();
  return all;
}

}  // namespace hedge::eval::internal

#include "edge/runtime.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace hedge::edge {
namespace {

constexpr const char* kLogits = "logits";
constexpr const char* kScore = "score";

Error unfit(std::string where, std::string what, std::string got, std::string expected) {
  return {.code = ErrorCode::kMismatch,
          .what = std::move(what),
          .where = std::move(where),
          .got = std::move(got),
          .expected = std::move(expected)};
}

std::string describe(const TensorSpec& spec) { return std::string(to_string(spec.dtype)) + " " + hedge::to_string(spec.shape); }

Status check_matrix(const TensorSpec& spec, std::int64_t columns, const char* of) {
  const bool fits_columns = spec.shape.size() == 2 && (columns < 0 || spec.shape[1] < 0 || spec.shape[1] == columns);
  if (spec.dtype == DType::kF32 && fits_columns) return {};
  return unfit(std::string(of) + ": " + spec.name, "a tensor of another form", describe(spec),
               "f32 " + hedge::to_string(Shape{-1, columns}));
}

/// A tensor that has at least the columns that are taken, or as many as labels where all are.
Status check_base_logits(const TensorSpec& spec, std::int64_t classes, const std::vector<std::int64_t>& columns) {
  if (columns.empty()) return check_matrix(spec, classes, "base");
  HEDGE_CHECK(check_matrix(spec, -1, "base"));
  if (static_cast<std::int64_t>(columns.size()) != classes)
    return unfit("base: columns", "there is not a column for each label", std::to_string(columns.size()), std::to_string(classes));
  const auto [least, most] = std::minmax_element(columns.begin(), columns.end());
  if (*least >= 0 && (spec.shape[1] < 0 || *most < spec.shape[1])) return {};
  return unfit("base: " + spec.name, "the base does not have the outputs of the labels", describe(spec),
               "more than " + std::to_string(*most) + " outputs");
}

/// The columns of [1, width] logits as [1, K]. Precondition: all are below the width.
Tensor take_columns(const Tensor& logits, const std::vector<std::int64_t>& columns) {
  Tensor taken(DType::kF32, {1, static_cast<std::int64_t>(columns.size())});
  const auto from = logits.data<float>();
  const auto to = taken.data<float>();
  for (std::size_t i = 0; i < columns.size(); ++i) to[i] = from[static_cast<std::size_t>(columns[i])];
  return taken;
}

Status check_base_input(const Executor& base, const data::Preprocess& recipe) {
  const Shape image = {1, recipe.height, recipe.width, recipe.channels};
  if (base.inputs().size() != 1) return unfit("base", "a base takes one input", std::to_string(base.inputs().size()), "1");
  const TensorSpec& input = base.inputs().front();
  if (input.dtype == DType::kU8 && fits(image, input.shape)) return {};
  return unfit("base: " + input.name, "the input does not take the recipe's images", describe(input), "u8 " + hedge::to_string(image));
}

Result<std::size_t> find_output(const Executor& model, const std::string& name, const char* of) {
  auto index = find_spec(model.outputs(), name);
  if (!index) {
    Error error = index.error();
    error.where = std::string(of) + (error.where.empty() ? "" : ": " + error.where);
    return error;
  }
  return index;
}

bool all_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

/// Milliseconds since the last call, or since the start.
class Stopwatch {
 public:
  explicit Stopwatch(const Clock& clock) : clock_(clock), last_(clock.now()) {}
  double lap_ms() {
    const auto now = clock_.now();
    const double ms = seconds_between(last_, now) * 1e3;
    last_ = now;
    return ms;
  }

 private:
  const Clock& clock_;
  TimePoint last_;
};

}  // namespace

std::string failure_reason(const Error& error) {
  switch (error.code) {
    case ErrorCode::kDeadline: return "cloud late: " + error.message();
    case ErrorCode::kMismatch:
    case ErrorCode::kBadData:
    case ErrorCode::kBadFormat: return "cloud answer refused: " + error.message();
    default: return "cloud unavailable: " + error.message();
  }
}

const char* to_string(Source source) {
  switch (source) {
    case Source::kEdge: return "edge";
    case Source::kCloud: return "cloud";
    case Source::kEdgeFallback: return "edge-fallback";
  }
  return "unknown";
}

Result<std::unique_ptr<EdgeRuntime>> EdgeRuntime::create(RuntimeParts parts, const Clock& clock) {
  const auto refuse = [](const char* what) { return Error{.code = ErrorCode::kInvalidArgument, .what = what, .where = "edge runtime"}; };
  if (!parts.base || !parts.router) return refuse("the base or the router is missing");
  if (parts.labels.size() < 2) return refuse("fewer than two labels");
  if (std::isnan(parts.threshold)) return refuse("the threshold is not a number");
  if (parts.fusion && (parts.fusion->top_k < 1 || parts.fusion->top_k > static_cast<std::int64_t>(parts.labels.size())))
    return unfit("policy: fusion", "as many of the global's logits as there are not", std::to_string(parts.fusion->top_k),
                 "1 to the number of labels");
  HEDGE_CHECK(check_base_input(*parts.base, parts.preprocess));
  std::unique_ptr<EdgeRuntime> runtime(new EdgeRuntime(std::move(parts), clock));
  const auto& [base, router] = std::tie(runtime->parts_.base, runtime->parts_.router);
  const auto classes = static_cast<std::int64_t>(runtime->parts_.labels.size());
  HEDGE_TRY(runtime->logits_, find_output(*base, kLogits, "base"));
  HEDGE_CHECK(check_base_logits(base->outputs()[runtime->logits_], classes, runtime->parts_.base_columns));
  for (const TensorSpec& input : router->inputs()) {
    HEDGE_TRY(const auto index, find_output(*base, input.name, "router's input, from the base"));
    const Shape& given = base->outputs()[index].shape;
    const auto width = index == runtime->logits_ ? classes : given.size() == 2 ? given[1] : -1;
    HEDGE_CHECK(check_matrix(input, width, "router"));
    runtime->router_inputs_.push_back(index);
  }
  if (router->inputs().empty())
    return unfit("router", "a router takes the base's logits", "no input", "\"logits\" and, or not, \"features\"");
  HEDGE_TRY(runtime->score_, find_output(*router, kScore, "router"));
  if (router->outputs()[runtime->score_].dtype != DType::kF32)
    return unfit("router: score", "the score is of another type", to_string(router->outputs()[runtime->score_].dtype), "f32");
  return runtime;
}

Result<std::vector<Tensor>> EdgeRuntime::run_base(const data::Image& fitted) const {
  const TensorView pixels{.dtype = DType::kU8,
                          .shape = {1, fitted.height, fitted.width, fitted.channels},
                          .bytes = reinterpret_cast<const std::byte*>(fitted.pixels.data())};
  const NamedView input{.name = parts_.base->inputs().front().name, .view = pixels};
  HEDGE_TRY(auto outputs, parts_.base->run(std::span(&input, 1)));
  Tensor& logits = outputs.at(logits_);
  const auto& columns = parts_.base_columns;
  const auto least =
      columns.empty() ? static_cast<std::int64_t>(parts_.labels.size()) : 1 + *std::max_element(columns.begin(), columns.end());
  const Shape& shape = logits.shape();
  if (shape.size() != 2 || shape[0] != 1 || shape[1] < least || (columns.empty() && shape[1] != least))
    return unfit("base: logits", "the base's answer is of another form", hedge::to_string(shape), hedge::to_string(Shape{1, least}));
  if (!all_finite(logits.data<float>()))
    return Error{.code = ErrorCode::kBadData, .what = "the base's logits are not finite", .where = "base: logits"};
  if (!columns.empty()) logits = take_columns(logits, columns);  // the router was fitted on the labels' logits
  return outputs;
}

Result<float> EdgeRuntime::run_router(const std::vector<Tensor>& base) const {
  std::vector<NamedView> inputs;
  for (std::size_t i = 0; i < router_inputs_.size(); ++i) {
    inputs.push_back({.name = parts_.router->inputs()[i].name, .view = base.at(router_inputs_[i]).view()});
  }
  HEDGE_TRY(const auto outputs, parts_.router->run(inputs));
  const Tensor& score = outputs.at(score_);
  if (score.num_elements() != 1)
    return unfit("router: score", "a router gives one score an image", hedge::to_string(score.shape()), "[1] or [1, 1]");
  const float value = score.data<float>()[0];
  if (!std::isfinite(value)) return Error{.code = ErrorCode::kBadData, .what = "the score is not finite", .where = "router: score"};
  return value;
}

Result<std::int64_t> EdgeRuntime::ask_cloud(const data::Image& image, std::span<const float> base_logits) const {
  if (!parts_.fusion || !parts_.fusion->adopted) return parts_.cloud->classify(image);
  HEDGE_TRY(const auto logits, parts_.cloud->logits(image));
  const auto top = routing::top_logits(logits, parts_.fusion->top_k);
  return routing::fused_answer(*parts_.fusion, base_logits, top.classes, top.logits);
}

void EdgeRuntime::query(const data::Image& image, std::span<const float> base_logits, Answer& answer) const {
  if (!parts_.cloud) {
    answer.reason = "no cloud configured";
    return;
  }
  const auto label = ask_cloud(image, base_logits);
  if (label) {
    answer.label_index = *label;
    answer.source = Source::kCloud;
    answer.reason = "queried";
  } else {
    answer.source = Source::kEdgeFallback;
    answer.reason = failure_reason(label.error());
  }
}

Result<Answer> EdgeRuntime::answer(const data::Image& image) const {
  Answer answer;
  Stopwatch total(clock_);
  Stopwatch step(clock_);
  HEDGE_TRY(const auto fitted, data::fit_image(image, parts_.preprocess));
  answer.times_ms.preprocess = step.lap_ms();
  HEDGE_TRY(const auto base, run_base(fitted));
  const auto logits = base[logits_].data<float>();
  answer.label_index = std::max_element(logits.begin(), logits.end()) - logits.begin();
  answer.times_ms.base = step.lap_ms();
  HEDGE_TRY(answer.score, run_router(base));
  answer.times_ms.router = step.lap_ms();
  answer.wants_cloud = answer.score > parts_.threshold;
  if (answer.wants_cloud) {
    query(image, logits, answer);
    if (parts_.cloud) answer.times_ms.cloud = step.lap_ms();
  } else {
    answer.reason = "score<=threshold";
  }
  answer.label = parts_.labels[static_cast<std::size_t>(answer.label_index)];
  answer.times_ms.total = total.lap_ms();
  return answer;
}

}  // namespace hedge::edge

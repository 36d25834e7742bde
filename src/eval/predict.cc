#include "eval/predict.h"

#include <algorithm>
#include <map>
#include <optional>

#include "core/json.h"
#include "data/skipped.h"
#include "eval/internal/prediction_parts.h"
#include "eval/internal/run_model.h"
#include "eval/prediction_cache.h"

namespace hedge::eval {
namespace {

using internal::Predictions;

Error disagreement(std::string what, std::string where, std::string got, std::string expected) {
  return Error{.code = ErrorCode::kMismatch,
               .what = std::move(what),
               .where = std::move(where),
               .got = std::move(got),
               .expected = std::move(expected)};
}

/// The rows of `part` behind those of `all`.
Status append(Predictions part, const std::string& role, Predictions& all) {
  if (all.indices.empty()) {
    all.classes = part.classes;
    all.features = part.features;
  }
  const bool fits = part.indices.empty() || (part.classes == all.classes && part.features == all.features);
  if (!fits)
    return disagreement("an output's width changes from part to part", role, std::to_string(part.classes), std::to_string(all.classes));
  all.indices.insert(all.indices.end(), part.indices.begin(), part.indices.end());
  all.logits.insert(all.logits.end(), part.logits.begin(), part.logits.end());
  all.feature_values.insert(all.feature_values.end(), part.feature_values.begin(), part.feature_values.end());
  all.skipped.insert(all.skipped.end(), part.skipped.begin(), part.skipped.end());
  return {};
}

/// All parts of one model's predictions, found in the cache or computed and left there.
Result<Predictions> predict_model(const ModelRun& model, const PredictInputs& inputs, const std::string& role,
                                  internal::PredictProgress& progress) {
  const auto size = inputs.dataset->size();
  const bool cached = !inputs.cache.empty();
  const Json key = cached ? prediction_key(model, inputs.dataset->content_hash()) : Json();
  const auto folder = cached ? prediction_folder(inputs.cache, key) : std::filesystem::path();
  const auto step = cached ? internal::kPartImages : size;
  Predictions all;
  for (std::size_t begin = 0; begin < size; begin += step) {
    const internal::ImageRange range{.begin = begin, .end = std::min(size, begin + step)};
    auto part = cached ? internal::read_part(folder, key, range, inputs.log) : std::nullopt;
    if (part && inputs.strict && !part->skipped.empty()) part.reset();  // computed again, it says the error
    if (part) {
      progress.skip(static_cast<double>(range.end - range.begin));
    } else {
      if (inputs.should_stop && inputs.should_stop())
        return Error{
            .code = ErrorCode::kCancelled, .what = "stopped on request", .where = role, .hint = cached ? "run it again to continue" : ""};
      HEDGE_TRY(part, internal::run_model(model, inputs, role, range, progress));
      if (cached) HEDGE_CHECK(internal::write_part(folder, key, range, *part));
    }
    HEDGE_CHECK(append(std::move(*part), role, all));
  }
  if (all.indices.empty())
    return Error{.code = ErrorCode::kBadData, .what = "no image of the data set could be decoded", .where = inputs.dataset->spec()};
  return all;
}

/// The rows of `values` at `rows`, as a matrix; of each row the columns `columns`, or all where there are none.
Tensor select(const std::vector<float>& values, std::int64_t width, const std::vector<std::size_t>& rows,
              const std::vector<std::int64_t>& columns = {}) {
  const auto wanted = columns.empty() ? width : static_cast<std::int64_t>(columns.size());
  Tensor matrix(DType::kF32, {static_cast<std::int64_t>(rows.size()), wanted});
  auto out = matrix.data<float>().begin();
  for (const std::size_t row : rows) {
    const auto in = values.begin() + static_cast<std::ptrdiff_t>(row) * width;
    if (columns.empty()) out = std::copy_n(in, width, out);
    for (const std::int64_t column : columns) *out++ = in[column];
  }
  return matrix;
}

/// Positions in `a` and in `b` of the images that both have.
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

const std::vector<std::string>& names_of(const PredictInputs& inputs) {
  return inputs.classes.names.empty() ? inputs.dataset->class_names() : inputs.classes.names;
}

routing::TableInfo table_info(const PredictInputs& inputs) {
  const bool has_global = inputs.global.executor != nullptr;
  return {.dataset = inputs.dataset->spec(),
          .split = split_of(inputs.dataset->spec()),
          .content_hash = inputs.dataset->content_hash(),
          .base_hash = inputs.base.sha256,
          .global_hash = has_global ? inputs.global.sha256 : "",
          .executor = inputs.base.executor->description(),
          .class_names = names_of(inputs),
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
  const auto& of_dataset = inputs.classes.of_dataset;
  const auto names = static_cast<std::int64_t>(names_of(inputs).size());
  const bool all = inputs.classes.names.empty() || of_dataset.size() == inputs.dataset->class_names().size();
  if (!all || std::any_of(of_dataset.begin(), of_dataset.end(), [names](std::int64_t c) { return c < 0 || c >= names; }))
    return bad("not each class of the data set has its class of the table");
  return {};
}

/// The model gives each class of the table.
Status check_classes(const ModelRun& model, std::int64_t outputs, const PredictInputs& inputs, const std::string& role) {
  const auto names = static_cast<std::int64_t>(names_of(inputs).size());
  Error error = disagreement("the model has another number of classes than the data set", role + ": logits", std::to_string(outputs),
                             std::to_string(names));
  error.hint = "where they are called otherwise or stand in another order, give the classes' names (--labels)";
  if (model.columns.empty() ? outputs != names : static_cast<std::int64_t>(model.columns.size()) != names) return error;
  const bool inside = std::all_of(model.columns.begin(), model.columns.end(), [&](std::int64_t c) { return c >= 0 && c < outputs; });
  if (inside) return {};
  return error;
}

/// Groups by their number in the order of the rows; an image without a group among others is one of its own.
void set_groups_and_hashes(const data::Dataset& dataset, const std::vector<std::size_t>& indices, routing::PredictionTable& table) {
  std::map<std::string, std::int64_t> numbers;
  std::vector<std::int64_t> groups, hashes;
  bool grouped = false;
  for (const std::size_t index : indices) {
    const auto group = dataset.group(index);
    grouped = grouped || !group.empty();
    const auto own = group.empty() ? "\n" + std::to_string(index) : group;  // no group's name holds a line end alone before a number
    groups.push_back(numbers.emplace(own, static_cast<std::int64_t>(numbers.size())).first->second);
    if (const auto hash = dataset.stored_hash(index)) hashes.push_back(static_cast<std::int64_t>(*hash));
  }
  const Shape shape = {static_cast<std::int64_t>(indices.size())};
  if (grouped) table.groups = Tensor::of<std::int64_t>(shape, groups);
  if (hashes.size() == indices.size()) table.image_hashes = Tensor::of<std::int64_t>(shape, hashes);
}

/// Every image once, whoever left it out.
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
  internal::PredictProgress progress(inputs, static_cast<double>(inputs.dataset->size()) * (has_global ? 2 : 1));
  HEDGE_TRY(const Predictions base, predict_model(inputs.base, inputs, "base", progress));
  HEDGE_CHECK(check_classes(inputs.base, base.classes, inputs, "base"));
  Predictions global;
  if (has_global) {
    HEDGE_TRY(global, predict_model(inputs.global, inputs, "global", progress));
    HEDGE_CHECK(check_classes(inputs.global, global.classes, inputs, "global"));
  }
  const Common rows = intersect(base.indices, has_global ? global.indices : base.indices);
  routing::PredictionTable table;
  table.info = table_info(inputs);
  table.labels = Tensor(DType::kI64, {static_cast<std::int64_t>(rows.in_a.size())});
  PredictReport report = {.skipped = merge_skipped(base.skipped, global.skipped)};
  for (std::size_t i = 0; i < rows.in_a.size(); ++i) {
    report.indices.push_back(base.indices[rows.in_a[i]]);
    const auto label = inputs.dataset->label(report.indices.back());
    table.labels.data<std::int64_t>()[i] =
        inputs.classes.names.empty() ? label : inputs.classes.of_dataset[static_cast<std::size_t>(label)];
  }
  set_groups_and_hashes(*inputs.dataset, report.indices, table);
  table.base_logits = select(base.logits, base.classes, rows.in_a, inputs.base.columns);
  table.base_features = select(base.feature_values, base.features, rows.in_a);
  table.global_logits = has_global ? select(global.logits, global.classes, rows.in_b, inputs.global.columns)
                                   : Tensor(DType::kF32, {0, table.base_logits.shape()[1]});
  for (const auto& line : data::skipped_lines(report.skipped)) log(inputs.log, LogLevel::kWarning, line);
  HEDGE_CHECK(table.validate());
  if (inputs.report != nullptr) *inputs.report = std::move(report);
  return table;
}

}  // namespace hedge::eval

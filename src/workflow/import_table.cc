#include "workflow/import_table.h"

#include <algorithm>
#include <utility>

#include "core/sha256.h"
#include "data/array.h"
#include "hedge/router.h"
#include "routing/row_identity.h"
#include "train/router_data.h"
#include "workflow/internal/given_classes.h"
#include "workflow/internal/given_ids.h"
#include "workflow/internal/given_model.h"
#include "workflow/internal/quiet_check.h"

namespace hedge::workflow {
namespace {

using internal::GivenClasses;
using internal::GivenPredictions;
using internal::Part;

constexpr const char* kAnswer = "answer";  ///< as features

Error contradiction(std::string what, std::string expected) {
  return {.code = ErrorCode::kInvalidArgument, .what = std::move(what), .expected = std::move(expected)};
}

Status validate_model(const GivenModel& model, const std::string& role) {
  const std::string flag = "--" + role;
  const int forms = (model.logits.empty() ? 0 : 1) + (model.probabilities.empty() ? 0 : 1) +
                    (model.top_classes.empty() && model.top_probabilities.empty() ? 0 : 1);
  const auto expected = flag + "-logits, " + flag + "-probabilities, or " + flag + "-top-classes with " + flag + "-top-probabilities";
  if (forms != 1) return contradiction("the " + role + "'s predictions are given " + (forms == 0 ? "not at all" : "in two ways"), expected);
  if (model.top_classes.empty() != model.top_probabilities.empty())
    return contradiction("the " + role + "'s top classes and their probabilities belong together", expected);
  return {};
}

/// Everything that was read, and which row of each part makes a row of the table.
struct Given {
  data::Array labels;
  Tensor label_numbers;
  GivenClasses classes;
  std::int64_t count = 0;  ///< of classes
  GivenPredictions base;
  std::optional<GivenPredictions> global;
  std::vector<Part> parts;                     ///< labels, base, perhaps global
  std::vector<std::vector<std::size_t>> rows;  ///< by part
};

/// The number of classes, as it is told, or as the files have it.
Result<std::int64_t> count_classes(const TableImport& options, const Given& given, const LogSink& sink) {
  const auto names = static_cast<std::int64_t>(given.classes.names.size());
  if (names != 0 && options.classes != 0 && names != options.classes)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "there are more or fewer class names than classes",
                 .got = std::to_string(names) + " names",
                 .expected = std::to_string(options.classes)};
  if (names != 0 || options.classes != 0) return std::max(names, options.classes);
  const auto labels = given.label_numbers.data<std::int64_t>();
  std::int64_t largest = labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end()) + 1;
  for (const auto* one : {&given.base, given.global ? &*given.global : nullptr}) {
    if (one == nullptr || !one->names.empty()) continue;
    if (!one->is_top()) return one->classes();
    largest = std::max(largest, one->classes());
  }
  log(sink, LogLevel::kInfo, "the largest class makes it " + std::to_string(largest) + " classes; --classes says otherwise");
  return largest;
}

Status read_parts(const TableImport& options, Given& given) {
  const auto add = [&](const char* name, const std::string& ids, const std::vector<std::string>& sources, std::size_t rows) -> Status {
    Part part{.name = name, .ids = {}, .rows = rows};
    HEDGE_TRY(part.ids, internal::read_ids(ids, sources));
    if (part.ids && part.ids->of_row.size() != rows)
      return Error{.code = ErrorCode::kMismatch,
                   .what = "there are more or fewer ids than rows of the " + part.name,
                   .where = part.ids->where,
                   .got = std::to_string(part.ids->of_row.size()),
                   .expected = std::to_string(rows)};
    given.parts.push_back(std::move(part));
    return {};
  };
  const auto sources = [](const GivenModel& m) { return std::vector{m.logits, m.probabilities, m.top_classes, m.top_probabilities}; };
  HEDGE_CHECK(add("labels", options.ids, {options.labels}, static_cast<std::size_t>(given.labels.rows())));
  HEDGE_CHECK(add("base", options.base.ids, sources(options.base), given.base.rows()));
  if (given.global) HEDGE_CHECK(add("global", options.global.ids, sources(options.global), given.global->rows()));
  return {};
}

Result<Given> read_all(const TableImport& options, const LogSink& sink) {
  Given given;
  HEDGE_TRY(given.labels, data::read_array(options.labels));
  if (given.labels.shape.size() != 1)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "labels are one class a row",
                 .where = given.labels.where,
                 .got = to_string(given.labels.shape),
                 .expected = "[images]"};
  HEDGE_TRY(given.classes, internal::find_classes(options, given.labels));
  HEDGE_TRY(given.label_numbers, internal::class_numbers(given.labels, given.classes));
  HEDGE_TRY(given.base, internal::read_given(options.base, "base", given.classes));
  if (!options.global.empty()) {
    HEDGE_TRY(given.global, internal::read_given(options.global, "global", given.classes));
  }
  HEDGE_TRY(given.count, count_classes(options, given, sink));
  HEDGE_CHECK(read_parts(options, given));
  HEDGE_TRY(given.rows, internal::match_rows(given.parts, options.common));
  const auto kept = given.rows[0].size();
  log(sink, LogLevel::kInfo,
      !given.parts[0].ids ? "there are no ids: row i of every file is the same image"
      : kept < given.parts[0].rows
          ? std::to_string(kept) + " images are common to all, of " + std::to_string(given.parts[0].rows) + " labels"
          : "rows are matched by " + given.parts[0].ids->where);
  return given;
}

/// Numbers a row from a source in the order of a part: features, or groups.
Result<data::Array> read_beside(const std::string& source, const Part& part, const char* what) {
  HEDGE_TRY(auto array, data::read_array(source));
  if (array.rows() == static_cast<std::int64_t>(part.rows)) return array;
  return Error{.code = ErrorCode::kMismatch,
               .what = std::string("the ") + what + " have another number of rows than the " + part.name,
               .where = array.where,
               .got = std::to_string(array.rows()),
               .expected = std::to_string(part.rows)};
}

/// The base's answers as features, which routers do not see otherwise: 1 in the answer's column.
Tensor answers_of(const Tensor& logits) {
  Tensor features(DType::kF32, logits.shape());
  const auto answers = routing::argmax_rows(logits);
  const auto classes = static_cast<std::size_t>(logits.shape()[1]);
  for (std::size_t row = 0; row < answers.size(); ++row) features.data<float>()[row * classes + static_cast<std::size_t>(answers[row])] = 1;
  return features;
}

Result<Tensor> read_features(const TableImport& options, const Given& given) {
  const auto rows = static_cast<std::int64_t>(given.parts[1].rows);
  if (options.features.empty()) return Tensor(DType::kF32, {rows, 0});
  HEDGE_TRY(auto array, read_beside(options.features, given.parts[1], "features"));
  if (array.shape.size() == 2 && array.has_numbers() && array.numbers.dtype() == DType::kF32) return std::move(array.numbers);
  return Error{.code = ErrorCode::kMismatch,
               .what = "features are no matrix of floats",
               .where = array.where,
               .got = to_string(array.shape),
               .expected = "[images, features]"};
}

/// A number a row: one's own, or made of a text.
Result<Tensor> read_groups(const TableImport& options, const Given& given) {
  if (options.groups.empty()) return Tensor(DType::kI64, {0});
  HEDGE_TRY(auto array, read_beside(options.groups, given.parts[0], "groups"));
  if (array.shape.size() == 1 && array.has_numbers() && array.numbers.dtype() == DType::kI64) return std::move(array.numbers);
  if (array.shape.size() != 1 || array.texts.empty())
    return Error{.code = ErrorCode::kMismatch,
                 .what = "groups are neither texts nor whole numbers, one a row",
                 .where = array.where,
                 .got = to_string(array.shape),
                 .expected = "[images]"};
  Tensor groups(DType::kI64, array.shape);
  std::transform(array.texts.begin(), array.texts.end(), groups.data<std::int64_t>().begin(),
                 [](const std::string& text) { return routing::hash_of(text); });
  return groups;
}

/// One part's rows of a tensor, in the table's order.
Tensor ordered(Tensor tensor, const std::vector<std::size_t>& rows) {
  if (tensor.shape()[0] == 0) return tensor;
  bool same = rows.size() == static_cast<std::size_t>(tensor.shape()[0]);
  for (std::size_t i = 0; same && i < rows.size(); ++i) same = rows[i] == i;
  return same ? std::move(tensor) : train::take_tensor_rows(tensor, rows);
}

Result<routing::PredictionTable> assemble(const TableImport& options, const Given& given) {
  if (given.rows[0].empty())
    return Error{.code = ErrorCode::kBadData, .what = "no image is left", .where = given.labels.where, .hint = "do the ids agree?"};
  routing::PredictionTable table;
  table.labels = ordered(given.label_numbers, given.rows[0]);
  HEDGE_TRY(auto base, internal::to_logits(given.base, given.classes, given.count));
  table.base_logits = ordered(std::move(base), given.rows[1]);
  if (options.features == kAnswer) {
    table.base_features = answers_of(table.base_logits);
  } else {
    HEDGE_TRY(auto features, read_features(options, given));
    table.base_features = ordered(std::move(features), given.rows[1]);
  }
  table.global_logits = Tensor(DType::kF32, {0, given.count});
  if (given.global) {
    HEDGE_TRY(auto global, internal::to_logits(*given.global, given.classes, given.count));
    table.global_logits = ordered(std::move(global), given.rows[2]);
  }
  HEDGE_TRY(auto groups, read_groups(options, given));
  table.groups = ordered(std::move(groups), given.rows[0]);
  return table;
}

std::string_view bytes_of(const Tensor& tensor) { return {reinterpret_cast<const char*>(tensor.bytes()), tensor.num_bytes()}; }

/// A model's identity: its name, else its predictions.
std::string model_hash(const GivenModel& model, const Tensor& logits) {
  if (!model.name.empty()) return sha256_hex("hedge imported model\n" + model.name);
  return logits.shape()[0] == 0 ? "" : sha256_hex(bytes_of(logits));
}

/// Of the images, as far as the files tell: their ids, else all that is known of them.
std::string images_hash(const Given& given, const routing::PredictionTable& table) {
  Sha256 hash;
  hash.update(bytes_of(table.labels));
  if (!given.parts[0].ids) return hash.update(bytes_of(table.base_logits)).hex();
  for (const auto row : given.rows[0]) hash.update(given.parts[0].ids->of_row[row]).update("\n");
  return hash.hex();
}

void identify(const TableImport& options, const Given& given, routing::PredictionTable& table) {
  const auto images = images_hash(given, table);
  constexpr std::size_t kShown = 8;
  const auto stem = std::filesystem::path(data::split_source(options.labels).file).stem().string();
  const auto name = options.dataset.empty() ? routing::table_name_of(stem) + "-" + images.substr(0, kShown) : options.dataset;
  table.info.dataset = routing::table_dataset(name, options.split);
  table.image_hashes = Tensor(DType::kI64, table.labels.shape());
  auto hashes = table.image_hashes.data<std::int64_t>();
  for (std::size_t i = 0; i < hashes.size(); ++i)
    hashes[i] = given.parts[0].ids ? routing::row_hash(name, given.parts[0].ids->of_row[given.rows[0][i]])
                                   : routing::row_hash(name, images + " row " + std::to_string(i));
  table.info.content_hash = routing::rows_hash(table);
  table.info.base_hash = model_hash(options.base, table.base_logits);
  table.info.global_hash = model_hash(options.global, table.global_logits);
}

void describe(const TableImport& options, const Given& given, routing::TableInfo& info) {
  info.split = options.split;
  info.executor = "imported predictions";
  info.class_names = given.classes.names;
  info.features = options.features.empty() ? "" : options.features == kAnswer ? kAnswer : "imported";
  info.base_macs = options.base.macs;
  info.base_parameters = options.base.parameters;
  info.base_name = options.base.name;
  info.base_form = given.base.form(given.count);
  info.price = options.price;
  if (!given.global) return;
  info.global_macs = options.global.macs;
  info.global_parameters = options.global.parameters;
  info.global_name = options.global.name;
  info.global_form = given.global->form(given.count);
}

}  // namespace

Status TableImport::validate() const {
  HEDGE_CHECK(validate_model(base, "base"));
  if (!global.empty()) HEDGE_CHECK(validate_model(global, "global"));
  if (labels.empty()) return contradiction("there are no labels", "--labels FILE[:NAME]");
  if ((!base.class_names.empty() || !global.class_names.empty()) && class_names.empty())
    return contradiction("a model's outputs are named, but the table's classes are not", "--class-names");
  if (price && !(price->per_query > 0)) return contradiction("a price is no number above 0", "--price-per-query 0.0015");
  if (price && global.empty()) return contradiction("there is a price of a query, but no global", "--global-logits or its like");
  return routing::check_table_name(dataset);
}

Result<routing::PredictionTable> import_table(const TableImport& options, const RunContext& context) {
  HEDGE_CHECK(options.validate());
  HEDGE_TRY(const auto given, read_all(options, context.log));
  HEDGE_TRY(auto table, assemble(options, given));
  describe(options, given, table.info);
  identify(options, given, table);
  HEDGE_CHECK(table.validate());
  for (const auto& alarm : internal::table_alarms(table)) log(context.log, LogLevel::kWarning, alarm);
  if (!options.out.empty()) HEDGE_CHECK(routing::write_table(options.out, table));
  return table;
}

}  // namespace hedge::workflow

#include "hedge/predictions.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "binding.h"
#include "hedge/promise.h"
#include "hedge/router.h"
#include "hedge/threshold.h"

namespace hedge::python {
namespace {

using routing::OperatingPoint;
using routing::Outcomes;
using routing::PredictionTable;
using routing::PromisedPoint;

struct TableArguments {
  Array<std::int64_t, 1> labels;
  Array<float, 2> base_logits;
  std::optional<Array<float, 2>> global_logits;
  std::optional<Array<float, 2>> base_features;
  std::vector<std::string> class_names;
  std::string dataset, split, content_hash;
};

/// Names the images where the caller does not: other labels or logits have another name.
std::string hash_of(const PredictionTable& table) {
  const nb::object hash = nb::module_::import_("hashlib").attr("sha256")();
  for (const Tensor* tensor : {&table.labels, &table.base_logits})
    hash.attr("update")(nb::bytes(reinterpret_cast<const char*>(tensor->bytes()), tensor->num_bytes()));
  return nb::cast<std::string>(hash.attr("hexdigest")());
}

PredictionTable make_table(const TableArguments& given) {
  const auto rows = static_cast<std::int64_t>(given.labels.shape(0));
  const auto classes = static_cast<std::int64_t>(given.base_logits.shape(1));
  PredictionTable table{.labels = to_tensor<std::int64_t>(given.labels),
                        .base_logits = to_tensor<float>(given.base_logits),
                        .base_features = given.base_features ? to_tensor<float>(*given.base_features) : Tensor(DType::kF32, {rows, 0}),
                        .global_logits = given.global_logits ? to_tensor<float>(*given.global_logits) : Tensor(DType::kF32, {0, classes})};
  table.info.dataset = given.dataset;
  table.info.split = given.split;
  table.info.class_names = given.class_names;
  if (!given.base_features) table.info.features = "";
  unwrap(table.validate());
  table.info.content_hash = given.content_hash.empty() ? hash_of(table) : given.content_hash;
  return table;
}

Outcomes outcomes_of(const PredictionTable& table) {
  return table.has_global() ? unwrap(routing::outcomes(table)) : routing::base_outcomes(table);
}

nb::ndarray<nb::numpy, float> free_score(const PredictionTable& table, const std::string& name, double temperature) {
  const auto which = routing::free_score_named(name);
  if (!which) throw nb::value_error("no free score has this name; there are entropy, margin, max_probability and energy");
  if (!(temperature > 0)) throw nb::value_error("the temperature must be above 0");
  const auto scores = routing::free_score(*which, table.base_logits, temperature);
  return to_numpy(scores.data(), {scores.size()});
}

std::span<const float> span_of(const Array<float, 1>& scores) { return {scores.data(), scores.shape(0)}; }

OperatingPoint threshold(const PredictionTable& table, const Array<float, 1>& scores, std::optional<double> coverage,
                         std::optional<double> accuracy, std::optional<double> risk) {
  if (int{coverage.has_value()} + int{accuracy.has_value()} + int{risk.has_value()} != 1)
    throw nb::value_error("give one of coverage, accuracy and risk");
  const auto outcomes = outcomes_of(table);
  if (coverage) return unwrap(routing::threshold_for_coverage(span_of(scores), outcomes, *coverage));
  if (accuracy) return unwrap(routing::threshold_for_accuracy(span_of(scores), outcomes, *accuracy));
  return unwrap(routing::threshold_for_risk(span_of(scores), outcomes, *risk));
}

PromisedPoint promise(const PredictionTable& table, const Array<float, 1>& scores, const std::string& wanted, double delta,
                      std::uint64_t seed) {
  const auto parsed = unwrap(routing::parse_promise(wanted, delta));
  return unwrap(routing::threshold_for_promise(span_of(scores), outcomes_of(table), parsed, {.seed = seed}));
}

void bind_points(nb::module_& module) {
  nb::class_<OperatingPoint>(module, "OperatingPoint", "A threshold and what the images say of it. Query where score > threshold.")
      .def_ro("target_coverage", &OperatingPoint::target_coverage)
      .def_ro("threshold", &OperatingPoint::threshold)
      .def_ro("coverage", &OperatingPoint::coverage, "Share of the images with score <= threshold.")
      .def_ro("accuracy", &OperatingPoint::accuracy, "Of the hybrid; without a global of the base on the covered.");
  nb::class_<PromisedPoint>(module, "PromisedPoint", "A threshold that keeps a promise for new images, and its price.")
      .def_prop_ro("promise", [](const PromisedPoint& point) { return point.promise.to_string(); })
      .def_ro("point", &PromisedPoint::point)
      .def_ro("exact", &PromisedPoint::exact, "The threshold without the promise.")
      .def_ro("images", &PromisedPoint::images)
      .def_ro("bound", &PromisedPoint::bound)
      .def_prop_ro("accuracy_given_up", &PromisedPoint::accuracy_given_up)
      .def_prop_ro("coverage_given_up", &PromisedPoint::coverage_given_up);
}

}  // namespace

void bind_predictions(nb::module_& module) {
  bind_points(module);
  nb::class_<PredictionTable>(module, "Predictions",
                              "What base and global say of each image of a split; copies what it is given and gives copies.")
      .def(
          "__init__",
          [](PredictionTable* self, Array<std::int64_t, 1> labels, Array<float, 2> base_logits,
             std::optional<Array<float, 2>> global_logits, std::optional<Array<float, 2>> base_features,
             std::vector<std::string> class_names, std::string dataset, std::string split, std::string content_hash) {
            new (self) PredictionTable(make_table({labels, base_logits, global_logits, base_features, std::move(class_names),
                                                   std::move(dataset), std::move(split), std::move(content_hash)}));
          },
          nb::arg("labels"), nb::arg("base_logits"), nb::arg("global_logits") = nb::none(), nb::arg("base_features") = nb::none(),
          nb::kw_only(), nb::arg("class_names") = std::vector<std::string>(), nb::arg("dataset") = "", nb::arg("split") = "",
          nb::arg("content_hash") = "",
          "labels: int64 [N], 0..C-1. base_logits, global_logits: float32 [N, C]. base_features: float32 [N, F]. dataset: "
          "NAME?split=SPLIT; "
          "content_hash: names the images; images that must be disjoint are told apart by both.")
      .def_static(
          "read",
          [](const std::filesystem::path& path) {
            const nb::gil_scoped_release release;
            return unwrap(routing::read_table(path));
          },
          nb::arg("path"), "Reads a table that `hedge predict` or write() wrote.")
      .def(
          "write",
          [](const PredictionTable& table, const std::filesystem::path& path) {
            const nb::gil_scoped_release release;
            unwrap(routing::write_table(path, table));
          },
          nb::arg("path"), "Writes the file as a whole or not at all.")
      .def("__len__", &PredictionTable::size)
      .def_prop_ro(
          "labels", [](const PredictionTable& table) { return to_numpy<std::int64_t>(table.labels); }, nb::rv_policy::move, "int64 [N].")
      .def_prop_ro(
          "base_logits", [](const PredictionTable& table) { return to_numpy<float>(table.base_logits); }, nb::rv_policy::move,
          "float32 [N, C].")
      .def_prop_ro(
          "global_logits", [](const PredictionTable& table) { return to_numpy<float>(table.global_logits); }, nb::rv_policy::move,
          "float32 [N, C]; [0, C] without a global.")
      .def_prop_ro(
          "base_features", [](const PredictionTable& table) { return to_numpy<float>(table.base_features); }, nb::rv_policy::move,
          "float32 [N, F].")
      .def_prop_ro("class_names", [](const PredictionTable& table) { return table.info.class_names; })
      .def_prop_ro("dataset", [](const PredictionTable& table) { return table.info.dataset; })
      .def_prop_ro("split", [](const PredictionTable& table) { return table.info.split; })
      .def_prop_ro("has_global", &PredictionTable::has_global)
      .def_prop_ro("base_accuracy", [](const PredictionTable& table) { return outcomes_of(table).base_accuracy(); })
      .def_prop_ro("global_accuracy",
                   [](const PredictionTable& table) -> std::optional<double> {
                     if (!table.has_global()) return std::nullopt;
                     return outcomes_of(table).global_accuracy();
                   })
      .def("score", &free_score, nb::arg("name"), nb::arg("temperature") = 1.0,
           "A free score an image, float32 [N]: \"entropy\", \"margin\", \"max_probability\" or \"energy\". Higher: sooner to the cloud.")
      .def("threshold", &threshold, nb::arg("scores"), nb::kw_only(), nb::arg("coverage") = nb::none(), nb::arg("accuracy") = nb::none(),
           nb::arg("risk") = nb::none(),
           "The exact threshold on these images: the lowest with this coverage, or the highest coverage with this accuracy, or with this "
           "share "
           "of wrong answers among the covered.")
      .def("promise", &promise, nb::arg("scores"), nb::arg("promise"), nb::kw_only(), nb::arg("delta") = 0.05, nb::arg("seed") = 1,
           "The threshold that keeps \"coverage>=0.8\", \"accuracy>=0.92\" or \"risk<=0.05\" for new images with probability 1 - delta.");
}

}  // namespace hedge::python

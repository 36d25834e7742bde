// What needs libtorch: fitting routers and judging them. Its types are those of _native, which is loaded before.
#include "hedge/workflow.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <tuple>

#include "binding.h"

namespace hedge::python {
namespace {

using routing::PredictionTable;
using workflow::FitOptions;
using workflow::FitResult;

struct FitArguments {
  std::string router;
  double coverage;
  std::optional<double> accuracy;
  std::optional<std::string> promise;
  double delta;
  bool fuse, calibrate_temperature;
  std::uint64_t seed;
  std::int64_t epochs;
  int threads;
  std::optional<std::filesystem::path> out;
  bool accept_risk;
};

FitOptions to_options(const FitArguments& given) {
  FitOptions options{.fuse = given.fuse, .calibrate_temperature = given.calibrate_temperature};
  if (given.router != "auto") options.router = unwrap(train::router_kind(given.router));
  options.point.coverage = given.coverage;
  options.point.accuracy = given.accuracy.value_or(0);
  if (given.promise) options.point.promise = unwrap(routing::parse_promise(*given.promise, given.delta));
  options.training.seed = given.seed;
  options.training.epochs = given.epochs;
  options.training.threads = given.threads;
  options.out = given.out.value_or("");
  options.pair.accept_risk = given.accept_risk;
  return options;
}

/// A KeyboardInterrupt ends the work with hedge.Error, code "cancelled".
workflow::RunContext interruptible() {
  return {.should_stop = [] {
    const nb::gil_scoped_acquire acquire;
    return PyErr_CheckSignals() != 0;
  }};
}

/// Releases the GIL around `work`; a pending KeyboardInterrupt goes before the library's own error.
template <typename Work>
auto without_gil(const Work& work) {
  auto result = [&] {
    const nb::gil_scoped_release release;
    return work();
  }();
  if (PyErr_Occurred() != nullptr) throw nb::python_error();
  return unwrap(std::move(result));
}

FitResult fit(const PredictionTable& table, const PredictionTable& calibration, const PredictionTable* held_out,
              const FitArguments& given) {
  const auto options = to_options(given);
  workflow::FitTables tables{.fit = table, .calibration = calibration, .held_out = {}};
  if (held_out != nullptr) tables.held_out = *held_out;
  return without_gil([&] { return workflow::fit(std::move(tables), options, interruptible()); });
}

using Methods = std::vector<std::tuple<std::string, std::string>>;

workflow::Judgement judge(const PredictionTable& table, const Methods& methods, const std::optional<std::filesystem::path>& out,
                          const std::string& title, int resamples) {
  workflow::EvaluateOptions options{.out = out.value_or(""), .title = title, .resamples = resamples};
  for (const auto& [name, router] : methods) options.methods.push_back({.name = name, .router = router});
  return without_gil([&] { return workflow::judge(table, options, interruptible()); });
}

void bind_fit(nb::module_& module) {
  nb::class_<FitResult>(module, "FitResult")
      .def_prop_ro("router", [](const FitResult& result) { return std::string(train::to_string(result.kind)); })
      .def_prop_ro("router_onnx", [](const FitResult& result) { return nb::bytes(result.router_onnx.data(), result.router_onnx.size()); })
      .def_prop_ro("policy_json", [](const FitResult& result) { return result.policy.to_json(); })
      .def_prop_ro("point", [](const FitResult& result) { return result.policy.chosen; })
      .def_prop_ro("promised", [](const FitResult& result) { return result.policy.promise; })
      .def_ro("macs", &FitResult::macs)
      .def_prop_ro("loss", [](const FitResult& result) { return result.figures.final_loss; })
      .def_prop_ro("helps", [](const FitResult& result) { return result.figures.helps; })
      .def_prop_ro("hurts", [](const FitResult& result) { return result.figures.hurts; });
  module.def(
      "fit",
      [](const PredictionTable& table, const PredictionTable& calibration, const PredictionTable* held_out, const std::string& router,
         double coverage, std::optional<double> accuracy, std::optional<std::string> promise, double delta, bool fuse,
         bool calibrate_temperature, std::uint64_t seed, std::int64_t epochs, int threads, std::optional<std::filesystem::path> out,
         bool accept_risk) {
        return fit(table, calibration, held_out,
                   {router, coverage, accuracy, std::move(promise), delta, fuse, calibrate_temperature, seed, epochs, threads,
                    std::move(out), accept_risk});
      },
      nb::arg("table"), nb::arg("calibration"), nb::arg("held_out").none(), nb::arg("router"), nb::arg("coverage"),
      nb::arg("accuracy").none(), nb::arg("promise").none(), nb::arg("delta"), nb::arg("fuse"), nb::arg("calibrate_temperature"),
      nb::arg("seed"), nb::arg("epochs"), nb::arg("threads"), nb::arg("out").none(), nb::arg("accept_risk"));
}

void bind_judge(nb::module_& module) {
  nb::class_<routing::Estimate>(module, "Estimate")
      .def_ro("value", &routing::Estimate::value)
      .def_ro("low", &routing::Estimate::low)
      .def_ro("high", &routing::Estimate::high);
  nb::class_<workflow::JudgedMethod>(module, "JudgedMethod")
      .def_ro("name", &workflow::JudgedMethod::name)
      .def_ro("accuracy", &workflow::JudgedMethod::accuracy)
      .def_ro("area", &workflow::JudgedMethod::area)
      .def_ro("to_entropy", &workflow::JudgedMethod::to_entropy)
      .def_ro("to_margin", &workflow::JudgedMethod::to_margin);
  nb::class_<workflow::JudgedPoint>(module, "JudgedPoint")
      .def_ro("threshold", &workflow::JudgedPoint::threshold)
      .def_ro("coverage", &workflow::JudgedPoint::coverage)
      .def_ro("accuracy", &workflow::JudgedPoint::accuracy);
  nb::class_<workflow::Judgement>(module, "Judgement")
      .def_ro("images", &workflow::Judgement::images)
      .def_ro("base_accuracy", &workflow::Judgement::base_accuracy)
      .def_ro("global_accuracy", &workflow::Judgement::global_accuracy)
      .def_ro("coverages", &workflow::Judgement::coverages)
      .def_ro("methods", &workflow::Judgement::methods)
      .def_ro("operating_point", &workflow::Judgement::operating_point)
      .def_ro("verdict", &workflow::Judgement::verdict);
  module.def("evaluate", &judge, nb::arg("table"), nb::arg("methods"), nb::arg("out").none(), nb::arg("title"), nb::arg("resamples"));
}

}  // namespace

NB_MODULE(_workbench, module) {
  translate_failures(nb::module_::import_("hedge._native").attr("Error"));
  bind_fit(module);
  bind_judge(module);
}

}  // namespace hedge::python

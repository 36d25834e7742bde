#include "hedge/runtime.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>

#include "binding.h"

namespace hedge::python {
namespace {

using Pixels = nb::ndarray<nb::ro, nb::device::cpu>;

/// Any strides, as slices and flips have them.
data::Image to_image(const Pixels& pixels) {
  const bool gray = pixels.ndim() == 2;
  const auto size = data::ImageSize{.height = static_cast<std::int64_t>(pixels.shape(0)),
                                    .width = static_cast<std::int64_t>(pixels.shape(1)),
                                    .channels = gray ? 1 : static_cast<std::int64_t>(pixels.shape(2))};
  data::Image image{.height = size.height, .width = size.width, .channels = size.channels, .pixels = {}};
  image.pixels.reserve(pixels.size());
  const auto* first = static_cast<const std::uint8_t*>(pixels.data());
  for (std::int64_t y = 0; y < size.height; ++y)
    for (std::int64_t x = 0; x < size.width; ++x)
      for (std::int64_t c = 0; c < size.channels; ++c)
        image.pixels.push_back(first[y * pixels.stride(0) + x * pixels.stride(1) + (gray ? 0 : c * pixels.stride(2))]);
  return image;
}

Answer answer_encoded(const Runtime& runtime, const void* bytes, std::size_t size) {
  const nb::gil_scoped_release release;
  return unwrap(runtime.answer(std::span(static_cast<const std::byte*>(bytes), size)));
}

Answer answer_array(const Runtime& runtime, const Pixels& array) {
  if (array.dtype() != nb::dtype<std::uint8_t>()) throw nb::type_error("an image's array must be of dtype uint8");
  if (array.ndim() == 1 && (array.size() < 2 || array.stride(0) == 1)) return answer_encoded(runtime, array.data(), array.size());
  if (array.ndim() != 2 && array.ndim() != 3)
    throw nb::value_error("an image's array must be [height, width] or [height, width, channels]; one dimension: the bytes of a file");
  const data::Image image = to_image(array);
  const nb::gil_scoped_release release;
  return unwrap(runtime.answer(image));
}

struct OpenArguments {
  std::filesystem::path bundle;
  std::optional<std::string> cloud;
  int deadline_ms, threads;
  bool throughput, tls;
  std::optional<std::filesystem::path> tls_ca, tls_certificate, tls_key;
  std::string tls_server_name;
  int failures_to_open, probe_interval_ms;
  bool accept_other_global;
  nb::object log;
};

Runtime open(OpenArguments given) {
  RuntimeOptions options{.bundle = given.bundle, .threads = given.threads, .throughput = given.throughput};
  if (given.cloud)
    options.cloud = CloudConnection{.address = *given.cloud,
                                    .deadline_ms = given.deadline_ms,
                                    .tls = given.tls,
                                    .tls_files = {.ca = given.tls_ca.value_or(""),
                                                  .certificate = given.tls_certificate.value_or(""),
                                                  .key = given.tls_key.value_or("")},
                                    .tls_server_name = given.tls_server_name,
                                    .failures_to_open = given.failures_to_open,
                                    .probe_interval_ms = given.probe_interval_ms,
                                    .accept_other_global = given.accept_other_global};
  if (!given.log.is_none()) {
    // Shared, because a LogSink must be copyable; it may be dropped by a thread that does not hold the GIL.
    const std::shared_ptr<nb::object> log(new nb::object(std::move(given.log)), [](nb::object* held) {
      const nb::gil_scoped_acquire acquire;
      delete held;
    });
    options.log = [log](LogLevel level, const std::string& message) {
      const nb::gil_scoped_acquire acquire;
      (*log)(static_cast<int>(level), message);
    };
  }
  const nb::gil_scoped_release release;
  return unwrap(Runtime::open(options));
}

void bind_answer(nb::module_& module) {
  nb::class_<edge::AnswerTimes>(module, "AnswerTimes", "Milliseconds of an answer's steps; 0 for a step that was not taken.")
      .def_ro("preprocess", &edge::AnswerTimes::preprocess)
      .def_ro("base", &edge::AnswerTimes::base)
      .def_ro("router", &edge::AnswerTimes::router)
      .def_ro("cloud", &edge::AnswerTimes::cloud)
      .def_ro("total", &edge::AnswerTimes::total);
  nb::class_<Answer>(module, "Answer", "What the hybrid says of one image.")
      .def_ro("label_index", &Answer::label_index, "Index into Runtime.labels.")
      .def_ro("label", &Answer::label)
      .def_prop_ro(
          "source", [](const Answer& answer) { return edge::to_string(answer.source); }, "\"edge\", \"cloud\" or \"edge-fallback\".")
      .def_ro("score", &Answer::score, "The router's; the image is queried where it is above the threshold.")
      .def_ro("wants_cloud", &Answer::wants_cloud)
      .def_ro("reason", &Answer::reason, "Why this source.")
      .def_ro("times_ms", &Answer::times_ms)
      .def("__repr__", [](const Answer& answer) {
        return "Answer(label='" + answer.label + "', source='" + edge::to_string(answer.source) +
               "', score=" + std::to_string(answer.score) + ")";
      });
  nb::class_<RuntimeStatistics>(module, "RuntimeStatistics", "What a runtime's answers add up to since it was opened.")
      .def_ro("answered", &RuntimeStatistics::answered)
      .def_ro("errors", &RuntimeStatistics::errors)
      .def_ro("edge", &RuntimeStatistics::edge)
      .def_ro("cloud", &RuntimeStatistics::cloud)
      .def_ro("fallback", &RuntimeStatistics::fallback)
      .def_ro("coverage", &RuntimeStatistics::coverage)
      .def_ro("mean_ms", &RuntimeStatistics::mean_ms)
      .def_ro("p50_ms", &RuntimeStatistics::p50_ms)
      .def_ro("p99_ms", &RuntimeStatistics::p99_ms)
      .def_ro("alarm", &RuntimeStatistics::alarm,
              "Why queries fail, where that does not pass by itself (another model is served, ...), or that none has succeeded although "
              "some were wanted; empty: nothing of this.");
}

}  // namespace

void bind_runtime(nb::module_& module) {
  bind_answer(module);
  nb::class_<Runtime>(
      module, "Runtime",
      "A bundle, opened: answers images by the base on this device, and by the global in the cloud where the router says that "
      "this helps. Its answers are those of hedge-edge. Threads may share one; answering releases the GIL.")
      .def(
          "__init__",
          [](Runtime* self, std::filesystem::path bundle, std::optional<std::string> cloud, int deadline_ms, int threads, bool throughput,
             bool tls, std::optional<std::filesystem::path> tls_ca, std::optional<std::filesystem::path> tls_certificate,
             std::optional<std::filesystem::path> tls_key, std::string tls_server_name, int failures_to_open, int probe_interval_ms,
             bool accept_other_global, nb::object log) {
            new (self) Runtime(open({std::move(bundle), std::move(cloud), deadline_ms, threads, throughput, tls, std::move(tls_ca),
                                     std::move(tls_certificate), std::move(tls_key), std::move(tls_server_name), failures_to_open,
                                     probe_interval_ms, accept_other_global, std::move(log)}));
          },
          nb::arg("bundle"), nb::arg("cloud") = nb::none(), nb::kw_only(), nb::arg("deadline_ms") = 200, nb::arg("threads") = 0,
          nb::arg("throughput") = false, nb::arg("tls") = false, nb::arg("tls_ca") = nb::none(), nb::arg("tls_certificate") = nb::none(),
          nb::arg("tls_key") = nb::none(), nb::arg("tls_server_name") = "", nb::arg("failures_to_open") = 5,
          nb::arg("probe_interval_ms") = 500, nb::arg("accept_other_global") = false, nb::arg("log") = nb::none(),
          "bundle: the folder that `hedge bundle` wrote. cloud: HOST:PORT of the server with the global; None: the base answers "
          "everything. "
          "deadline_ms: longest wait for one answer of the cloud; longer: fewer fallbacks, a slower worst case. threads: CPU threads for "
          "the "
          "base's network; 0: OpenVINO's choice. throughput: several threads will answer at once. failures_to_open, probe_interval_ms: "
          "after "
          "so many failed queries in a row the cloud is left alone, but for one query this often. accept_other_global: query also a server "
          "whose model is not the judged one, or cannot be shown to be; the report's accuracy does not hold then. log: called with (level, "
          "message) where "
          "the cloud cannot be reached at the start, or serves another model.")
      .def(
          "answer", [](const Runtime& runtime, const nb::bytes& image) { return answer_encoded(runtime, image.data(), image.size()); },
          nb::arg("image"), "Answers the bytes of an image file (JPEG, PNG, WebP, BMP, TIFF, GIF).")
      .def(
          "answer",
          [](const Runtime& runtime, const std::filesystem::path& image) {
            const nb::gil_scoped_release release;
            return unwrap(runtime.answer(image));
          },
          nb::arg("image"), "Answers an image file (JPEG, PNG, WebP, BMP, TIFF, GIF).")
      .def("answer", &answer_array, nb::arg("image"),
           "Answers pixels, uint8 [height, width] (gray) or [height, width, 1 or 3], of any size. One dimension: the bytes of a file.")
      .def_prop_ro("labels", &Runtime::labels, "Class names in the order of Answer.label_index.")
      .def_prop_ro("statistics", &Runtime::statistics);
}

}  // namespace hedge::python

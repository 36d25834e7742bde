#include "binding.h"

#include "hedge/runtime.h"

namespace hedge::python {

NB_MODULE(_native, module) {
  module.attr("__version__") = version();
  const auto error = nb::steal(PyErr_NewExceptionWithDoc(
      "hedge.Error", "What the library reports. Attributes: code (\"not_found\", \"bad_format\", ...), what, where, got, expected, hint.",
      PyExc_RuntimeError, nullptr));
  module.attr("Error") = error;
  translate_failures(error);
  bind_runtime(module);
  bind_predictions(module);
}

}  // namespace hedge::python

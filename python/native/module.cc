#include "binding.h"

#include "hedge/runtime.h"

namespace hedge::python {
namespace {

/// The exception with the error's parts as attributes.
void raise(PyObject* type, const Error& error) {
  const nb::object exception = nb::borrow<nb::object>(type)(error.message().c_str());
  exception.attr("code") = to_string(error.code);
  const auto set = [&](const char* name, const std::string& text) { exception.attr(name) = nb::str(text.c_str(), text.size()); };
  set("what", error.what);
  set("where", error.where);
  set("got", error.got);
  set("expected", error.expected);
  set("hint", error.hint);
  PyErr_SetObject(type, exception.ptr());
}

}  // namespace

NB_MODULE(_native, module) {
  module.attr("__version__") = version();
  static PyObject* error_type = PyErr_NewExceptionWithDoc(
      "hedge.Error", "What the library reports. Attributes: code (\"not_found\", \"bad_format\", ...), what, where, got, expected, hint.",
      PyExc_RuntimeError, nullptr);
  module.attr("Error") = nb::borrow(error_type);
  nb::register_exception_translator([](const std::exception_ptr& pointer, void*) {
    try {
      std::rethrow_exception(pointer);
    } catch (const Failure& failure) {
      raise(error_type, failure.error);
    }
  });
  bind_runtime(module);
  bind_predictions(module);
}

}  // namespace hedge::python

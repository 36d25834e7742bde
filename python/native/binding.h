// What the files of the binding share: errors become exceptions, arrays become tensors and back.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstring>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::python {

namespace nb = nanobind;

/// An Error on its way to Python, where it is hedge.Error.
struct Failure {
  Error error;
};

template <typename T>
T unwrap(Result<T> result) {
  if (!result) throw Failure{std::move(result).error()};
  return std::move(result).value();
}
inline void unwrap(const Status& status) {
  if (!status) throw Failure{status.error()};
}

template <typename T, std::size_t Dimensions>
using Array = nb::ndarray<const T, nb::ndim<Dimensions>, nb::c_contig, nb::device::cpu>;

/// A copy of a NumPy array, which is an Array<T, Dimensions>.
template <typename T, typename NumpyArray>
Tensor to_tensor(const NumpyArray& array) {
  Shape shape;
  for (std::size_t i = 0; i < array.ndim(); ++i) shape.push_back(static_cast<std::int64_t>(array.shape(i)));
  return Tensor(TensorView{.dtype = dtype_of<T>(), .shape = std::move(shape), .bytes = reinterpret_cast<const std::byte*>(array.data())});
}

/// A NumPy array of its own with these values.
template <typename T>
nb::ndarray<nb::numpy, T> to_numpy(const T* values, std::vector<std::size_t> shape) {
  std::size_t size = 1;
  for (const std::size_t side : shape) size *= side;
  T* copy = new T[size];
  const nb::capsule owner(copy, [](void* memory) noexcept { delete[] static_cast<T*>(memory); });
  if (size > 0) std::memcpy(copy, values, size * sizeof(T));
  return nb::ndarray<nb::numpy, T>(copy, shape.size(), shape.data(), owner);
}
template <typename T>
nb::ndarray<nb::numpy, T> to_numpy(const Tensor& tensor) {
  return to_numpy(tensor.data<T>().data(), std::vector<std::size_t>(tensor.shape().begin(), tensor.shape().end()));
}

/// The exception with the error's parts as attributes.
inline void raise(PyObject* type, const Error& error) {
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

/// From now on this module's Failures reach Python as `type`, which is hedge.Error and lives as long as the interpreter.
inline void translate_failures(const nb::object& type) {
  static PyObject* error_type = nb::object(type).release().ptr();
  nb::register_exception_translator([](const std::exception_ptr& pointer, void*) {
    try {
      std::rethrow_exception(pointer);
    } catch (const Failure& failure) {
      raise(error_type, failure.error);
    }
  });
}

void bind_runtime(nb::module_& module);
void bind_predictions(nb::module_& module);

}  // namespace hedge::python

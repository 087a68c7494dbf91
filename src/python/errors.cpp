#include <array>
#include <new>
#include <string>

#include "base/error.h"
#include "python/bindings.h"

namespace nb = nanobind;

namespace asap::python {
namespace {

PyObject* data_error = PyExc_ValueError;
PyObject* numerical_error = PyExc_ValueError;

/// Messages begin with members of asap_attention or the name of a configuration; users know the
/// arguments of Python's functions.
std::string in_words_of_python(std::string message) {
  struct Name {
    const char *of_c, *of_python;
  };
  static constexpr std::array kNames{Name{"queries: ", "q: "},
                                     Name{"keys: ", "k: "},
                                     Name{"values: ", "v: "},
                                     Name{"fit: ", ""},
                                     Name{"settings: ", ""},
                                     Name{"a query length ", "query_lengths: a length "},
                                     Name{"a key length ", "key_lengths: a length "}};
  for (const Name& name : kNames)
    if (message.starts_with(name.of_c))
      return message.replace(0, std::string(name.of_c).size(), name.of_python);
  return message;
}

PyObject* exception_of(base::ErrorKind kind) {
  switch (kind) {
    case base::ErrorKind::usage:
      return PyExc_ValueError;
    case base::ErrorKind::data:
      return data_error;
    case base::ErrorKind::numerical:
      return numerical_error;
    case base::ErrorKind::internal:
      break;
  }
  return PyExc_RuntimeError;
}

void translate(const std::exception_ptr& failure, void*) {
  try {
    std::rethrow_exception(failure);
  } catch (const base::Error& error) {
    std::string message = in_words_of_python(error.what());
    if (!error.hint().empty()) message += " (hint: " + error.hint() + ")";
    PyErr_SetString(exception_of(error.kind()), message.c_str());
  }
}

/// References to them are kept until the process ends.
void set_exceptions(const nb::object& of_data, const nb::object& of_numbers) {
  data_error = nb::object(of_data).release().ptr();
  numerical_error = nb::object(of_numbers).release().ptr();
}

}  // namespace

void bind_errors(nb::module_& module) {
  module.def("set_exceptions", &set_exceptions, nb::arg("data_error"), nb::arg("numerical_error"));
  nb::register_exception_translator(translate);
}

void check(asap_status status, const asap_error& error) {
  switch (status) {
    case ASAP_OK:
      return;
    case ASAP_USAGE:
      throw base::UsageError(error.message);
    case ASAP_DATA:
      throw base::DataError(error.message);
    case ASAP_NUMERICAL:
      throw base::NumericalError(error.message);
    case ASAP_MEMORY:
      throw std::bad_alloc();
    case ASAP_INTERNAL:
      break;
  }
  throw base::InternalError(error.message);
}

}  // namespace asap::python

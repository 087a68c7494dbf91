#include "python/bindings.h"

namespace nb = nanobind;

namespace asap::python {
namespace {

void set_threads(int threads) {
  asap_error error;
  check(asap_set_threads(threads, &error), error);
}

}  // namespace
}  // namespace asap::python

NB_MODULE(_asap, module) {
  module.doc() = "The compiled part of asap. Use the functions of the package instead.";
  asap::python::bind_errors(module);
  module.def("version", &asap_version);
  module.def("set_threads", &asap::python::set_threads, nb::arg("threads"));
  module.def("threads", &asap_threads);
  asap::python::bind_attention(module);
  asap::python::bind_operator(module);
  asap::python::bind_model(module);
  asap::python::bind_region(module);
}

#include <string>
#include <utility>
#include <vector>

#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "base/error.h"
#include "python/arrays.h"
#include "python/bindings.h"
#include "region/network/network_file.h"
#include "region/network/piecewise_linear.h"
#include "region/run/fit_run.h"
#include "region/run/network_files.h"

namespace nb = nanobind;

namespace asap::python {
namespace {

/// A region-constrained network, and the summary of its fit as JSON text; empty for one that was
/// read from a file.
struct Network {
  region::StoredNetwork stored;
  std::string summary;
};

std::vector<double> column(const Array<const double, 1>& values) {
  return {values.data(), values.data() + values.shape(0)};
}

/// Lets Ctrl-C end a fit.
void check_signals() {
  const nb::gil_scoped_acquire locked;
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
}

Network fit_network(const std::string& settings, const Array<const double, 1>& x,
                    const Array<const double, 1>& y,
                    const std::optional<Array<const double, 1>>& weight) {
  region::FitConfig config;
  config.data = "points";
  config::from_json(io::parse_json(settings, "settings"), config, "settings");
  region::Samples samples{column(x), column(y), weight ? column(*weight) : std::vector<double>()};
  const nb::gil_scoped_release unlocked;
  const region::FitRun run =
      region::run_fit(config, std::move(samples), asap_threads(), [](double) { check_signals(); });
  return {{run.fit.network, run.target.interval}, region::fit_summary(run).dump()};
}

Network load_network(const std::string& path) { return {region::read_network(path), ""}; }

void values(const Network& self, const Array<const double, 2>& x, const Array<double, 1>& y) {
  const nb::gil_scoped_release unlocked;
  const std::span<double> to(y.data(), y.shape(0));
  const region::ReluNetwork& network = self.stored.network;
  if (to.empty()) return;
  if (network.inputs() == 1)
    network.evaluate(std::span<const double>(x.data(), x.shape(0)), to);
  else
    network.evaluate(tensor::MatrixView<const double>(
                         x.data(), static_cast<std::int64_t>(x.shape(0)), network.inputs()),
                     to);
}

/// The knots of the network on its interval.
std::pair<std::vector<double>, std::vector<double>> knots(const Network& self) {
  if (self.stored.network.inputs() != 1 || !self.stored.interval)
    throw base::UsageError("segments are for networks of one input that know their interval");
  const nb::gil_scoped_release unlocked;
  region::PiecewiseLinear pieces = region::pieces_of(self.stored.network, *self.stored.interval);
  return {std::move(pieces.x), std::move(pieces.y)};
}

std::int64_t depth_of(const Network& self) { return self.stored.network.depth(); }

void potentials_1d(const Array<const double, 1>& s, const Array<const double, 1>& t,
                   const Array<double, 1>& phi, const Array<double, 1>& psi) {
  const nb::gil_scoped_release unlocked;
  asap_error error;
  check(asap_potentials_1d(s.data(), static_cast<std::int64_t>(s.shape(0)), t.data(),
                           static_cast<std::int64_t>(t.shape(0)), phi.data(), psi.data(), &error),
        error);
}

}  // namespace

void bind_region(nb::module_& module) {
  const auto plain = [](const char* name) { return nb::arg(name).noconvert(); };
  nb::class_<Network>(module, "Network")
      .def_static("fit", &fit_network, nb::arg("settings"), plain("x"), plain("y"),
                  plain("weight").none())
      .def_static("load", &load_network, nb::arg("path"))
      .def(
          "save_to",
          [](const Network& self, const std::string& path) {
            region::write_network(self.stored, path);
          },
          nb::arg("path"))
      .def("values", &values, plain("x"), plain("y"))
      .def("knots", &knots)
      .def_prop_ro("inputs", [](const Network& self) { return self.stored.network.inputs(); })
      .def_prop_ro("depth", &depth_of)
      .def_prop_ro("parameters",
                   [](const Network& self) { return self.stored.network.parameter_count(); })
      .def_prop_ro("interval",
                   [](const Network& self) -> std::optional<std::pair<double, double>> {
                     if (!self.stored.interval) return std::nullopt;
                     return std::pair(self.stored.interval->low, self.stored.interval->high);
                   })
      .def_prop_ro("summary", [](const Network& self) { return self.summary; });
  module.def("potentials_1d", &potentials_1d, plain("s"), plain("t"), plain("phi"), plain("psi"));
}

}  // namespace asap::python

#include <algorithm>
#include <cmath>
#include <vector>

#include "c_api/guarded.h"
#include "region/network/network_file.h"
#include "transport/kantorovich_1d.h"

struct asap_network {
  asap::region::ReluNetwork network;
};

namespace asap::c_api {
namespace {

constexpr std::int64_t kMostNumbers = std::int64_t{1} << 40;

void require_finite(const double* values, std::int64_t count, const char* name) {
  if (!std::all_of(values, values + count, [](double value) { return std::isfinite(value); }))
    throw base::NumericalError(std::string(name) + " has a value that is not finite");
}

std::span<const double> numbers(const double* values, std::int64_t count, const char* name) {
  require_range(count, 1, kMostNumbers, "a number of values");
  require(values, name);
  require_finite(values, count, name);
  return {values, static_cast<std::size_t>(count)};
}

}  // namespace
}  // namespace asap::c_api

using namespace asap::c_api;

extern "C" {

asap_status asap_potentials_1d(const double* s, int64_t n, const double* t, int64_t m, double* phi,
                               double* psi, asap_error* error) {
  return guarded(error, [&] {
    const std::span<const double> from = numbers(s, n, "s"), to = numbers(t, m, "t");
    require(phi, "phi");
    asap::tensor::Arena arena;
    const std::span<double> first(phi, from.size());
    if (psi)
      asap::transport::kantorovich_potentials_1d<double>(from, to, first, {psi, to.size()}, arena);
    else
      asap::transport::kantorovich_potential_1d<double>(from, to, first, arena);
  });
}

asap_status asap_network_load(const char* path, asap_network** network, asap_error* error) {
  return guarded(error, [&] {
    require(path, "path");
    require(network, "network");
    *network = new asap_network{asap::region::read_network(path).network};
  });
}

void asap_network_free(asap_network* network) { delete network; }

int64_t asap_network_inputs(const asap_network* network) {
  return network ? network->network.inputs() : 0;
}

asap_status asap_network_values(const asap_network* network, const double* x, int64_t count,
                                double* y, asap_error* error) {
  return guarded(error, [&] {
    require(network, "network");
    require_range(count, 0, kMostNumbers / network->network.inputs(), "count");
    if (count == 0) return;
    const std::int64_t inputs = network->network.inputs();
    const std::span<const double> points = numbers(x, count * inputs, "x");
    require(y, "y");
    const std::span<double> values(y, static_cast<std::size_t>(count));
    if (inputs == 1)
      network->network.evaluate(points, values);
    else
      network->network.evaluate(
          asap::tensor::MatrixView<const double>(points.data(), count, inputs), values);
  });
}
}

#include <cmath>
#include <vector>

#include "c_api/asap.h"
#include <doctest/doctest.h>

#include "io/json.h"
#include "io/safetensors.h"
#include "region/network/network_file.h"
#include "support/temporary_folder.h"

using namespace asap::region;
using namespace asap::test;

namespace {

/// A network of this many inputs with one hidden layer of three neurons.
ReluNetwork small_network(std::int64_t inputs) {
  ReluNetwork network{{DenseLayer(3, inputs), DenseLayer(1, 3)}};
  for (std::int64_t i = 0; i < 3; ++i) {
    for (std::int64_t j = 0; j < inputs; ++j)
      network.layers[0].w(i, j) = 0.7 * static_cast<double>(i) - 0.4 * static_cast<double>(j) - 0.5;
    network.layers[0].bias[static_cast<std::size_t>(i)] = 0.1 * static_cast<double>(i);
    network.layers[1].w(0, i) = 1.5 - static_cast<double>(i);
  }
  return network;
}

}  // namespace

TEST_CASE("a network's values are those of the toolkit, for one and several inputs") {
  const TemporaryFolder folder;
  for (const std::int64_t inputs : {1, 3}) {
    const ReluNetwork network = small_network(inputs);
    const std::string path = folder / "network.json";
    asap::io::write_json(path, network_json({network, {}}));
    asap_network* loaded = nullptr;
    REQUIRE(asap_network_load(path.c_str(), &loaded, nullptr) == ASAP_OK);
    CHECK(asap_network_inputs(loaded) == inputs);
    std::vector<double> x, y(5), expected(5);
    for (std::int64_t i = 0; i < 5 * inputs; ++i) x.push_back(std::sin(static_cast<double>(i)));
    REQUIRE(asap_network_values(loaded, x.data(), 5, y.data(), nullptr) == ASAP_OK);
    network.evaluate(asap::tensor::MatrixView<const double>(x.data(), 5, inputs), expected);
    CHECK(y == expected);
    CHECK(asap_network_values(loaded, x.data(), 0, nullptr, nullptr) == ASAP_OK);
    CHECK(asap_network_values(loaded, x.data(), -1, y.data(), nullptr) == ASAP_USAGE);
    CHECK(asap_network_values(loaded, nullptr, 5, y.data(), nullptr) == ASAP_USAGE);
    x[1] = NAN;
    CHECK(asap_network_values(loaded, x.data(), 5, y.data(), nullptr) == ASAP_NUMERICAL);
    asap_network_free(loaded);
  }
  asap_network* none = nullptr;
  asap_error error{};
  CHECK(asap_network_load((folder / "other.json").c_str(), &none, &error) == ASAP_DATA);
  CHECK(std::string(error.message).find("other.json") != std::string::npos);
  CHECK(none == nullptr);
  CHECK(asap_network_inputs(nullptr) == 0);
  asap_network_free(nullptr);
}

TEST_CASE("potentials on the line are feasible, and tight in sum: the sorted matching is optimal") {
  const std::vector<double> s = {3, -1, 2, 0.5}, t = {1, -2, 0, 4};
  std::vector<double> phi(4), psi(4), alone(4);
  REQUIRE(asap_potentials_1d(s.data(), 4, t.data(), 4, phi.data(), psi.data(), nullptr) == ASAP_OK);
  REQUIRE(asap_potentials_1d(s.data(), 4, t.data(), 4, alone.data(), nullptr, nullptr) == ASAP_OK);
  double dual = 0, mean = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(alone[i] == doctest::Approx(phi[i]).epsilon(1e-14));
    mean += phi[i];
    dual += (phi[i] + psi[i]) / 4;
    for (std::size_t j = 0; j < 4; ++j) CHECK(phi[i] + psi[j] <= -s[i] * t[j] + 1e-12);
  }
  CHECK(std::abs(mean) < 1e-12);
  CHECK(dual == doctest::Approx(-(-1 * -2 + 0.5 * 0 + 2 * 1 + 3 * 4) / 4.0));
  const double nan = NAN;
  CHECK(asap_potentials_1d(&nan, 1, t.data(), 4, phi.data(), nullptr, nullptr) == ASAP_NUMERICAL);
  CHECK(asap_potentials_1d(s.data(), 0, t.data(), 4, phi.data(), nullptr, nullptr) == ASAP_USAGE);
  CHECK(asap_potentials_1d(s.data(), 4, t.data(), 4, nullptr, nullptr, nullptr) == ASAP_USAGE);
}

// Regions in the plane and along segments, against each other and against sampled patterns.

#include "region/network/region_map.h"

#include <cmath>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/random.h"
#include "region/network/region_count.h"

namespace asap::test {
namespace {

region::ReluNetwork random_network(std::int64_t inputs, const std::vector<std::int64_t>& widths,
                                   std::uint32_t stream) {
  base::RandomStream random(11, base::RandomPurpose::test, stream);
  region::ReluNetwork network;
  std::int64_t reads = inputs;
  std::vector<std::int64_t> outputs = widths;
  outputs.push_back(1);
  for (const std::int64_t width : outputs) {
    region::DenseLayer layer(width, reads);
    for (double& weight : layer.weight.flat()) weight = random.normal();
    for (double& bias : layer.bias) bias = 0.5 * random.normal();
    network.layers.push_back(std::move(layer));
    reads = width;
  }
  return network;
}

/// Which neurons are on.
std::string pattern(const region::ReluNetwork& network, std::vector<double> h) {
  std::string result;
  for (std::size_t l = 0; l + 1 < network.layers.size(); ++l) {
    const region::DenseLayer& layer = network.layers[l];
    std::vector<double> next;
    for (std::int64_t k = 0; k < layer.outputs(); ++k) {
      double z = layer.bias[static_cast<std::size_t>(k)];
      for (std::int64_t j = 0; j < layer.inputs(); ++j)
        z += layer.w(k, j) * h[static_cast<std::size_t>(j)];
      result += z > 0 ? '1' : '0';
      next.push_back(std::max(z, 0.0));
    }
    h = next;
  }
  return result;
}

bool holds(const region::RegionPolygon& polygon, double x, double y) {
  for (std::size_t i = 0; i < polygon.corners.size(); ++i) {
    const auto &p = polygon.corners[i], &q = polygon.corners[(i + 1) % polygon.corners.size()];
    if ((q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0]) < 0) return false;
  }
  return true;
}

constexpr region::Rectangle kRectangle{{-1, 2}, {-2, 1}};

TEST_CASE("polygons tile the rectangle, are affine pieces of the network, and one pattern each") {
  for (std::uint32_t seed = 0; seed < 4; ++seed) {
    const region::ReluNetwork network = random_network(2, {5, 4, 3}, seed);
    const std::vector<region::RegionPolygon> polygons =
        region::region_polygons(network, kRectangle);
    double area = 0;
    std::set<std::string> patterns;
    for (const region::RegionPolygon& polygon : polygons) {
      area += polygon.area();
      double x = 0, y = 0;
      for (const auto& corner : polygon.corners) {
        x += corner[0] / static_cast<double>(polygon.corners.size());
        y += corner[1] / static_cast<double>(polygon.corners.size());
      }
      patterns.insert(pattern(network, {x, y}));
      double value = 0;
      const double point[2] = {x, y};
      network.evaluate(tensor::MatrixView<const double>(point, 1, 2), std::span(&value, 1));
      CHECK(polygon.slope[0] * x + polygon.slope[1] * y + polygon.height ==
            doctest::Approx(value).epsilon(1e-9));
    }
    CHECK(area == doctest::Approx(9).epsilon(1e-9));
    CHECK(patterns.size() == polygons.size());
    // No pattern of a fine grid is missing.
    base::RandomStream random(seed, base::RandomPurpose::test, 77);
    for (int i = 0; i < 20000; ++i)
      patterns.insert(pattern(network, {random.uniform(-1, 2), random.uniform(-2, 1)}));
    CHECK(patterns.size() == polygons.size());
  }
}

TEST_CASE("a segment crosses as many polygons as it has regions") {
  const region::ReluNetwork network = random_network(2, {6, 5}, 9);
  const std::vector<region::RegionPolygon> polygons = region::region_polygons(network, kRectangle);
  base::RandomStream random(3, base::RandomPurpose::test);
  for (int s = 0; s < 20; ++s) {
    const std::vector<double> from{random.uniform(-1, 2), random.uniform(-2, 1)};
    const std::vector<double> to{random.uniform(-1, 2), random.uniform(-2, 1)};
    const region::RegionCount count = region::count_regions(network, from, to);
    std::set<std::size_t> crossed;
    for (int i = 0; i < 40000; ++i) {
      const double t = (i + 0.5) / 40000;
      const double x = from[0] + t * (to[0] - from[0]), y = from[1] + t * (to[1] - from[1]);
      for (std::size_t k = 0; k < polygons.size(); ++k)
        if (holds(polygons[k], x, y)) crossed.insert(k);
    }
    CHECK(count.activation_regions == static_cast<std::int64_t>(crossed.size()));
  }
}

TEST_CASE("regions along a segment are those of the network of its parameter") {
  const region::ReluNetwork network = random_network(5, {8, 6}, 2);
  base::RandomStream random(8, base::RandomPurpose::test);
  for (int s = 0; s < 20; ++s) {
    std::vector<double> from, to;
    for (int j = 0; j < 5; ++j) {
      from.push_back(random.normal());
      to.push_back(random.normal());
    }
    region::ReluNetwork line = network;
    region::DenseLayer first(8, 1);
    for (std::int64_t k = 0; k < 8; ++k) {
      first.bias[static_cast<std::size_t>(k)] = network.layers[0].bias[static_cast<std::size_t>(k)];
      for (std::int64_t j = 0; j < 5; ++j) {
        const auto at = static_cast<std::size_t>(j);
        first.bias[static_cast<std::size_t>(k)] += network.layers[0].w(k, j) * from[at];
        first.w(k, 0) += network.layers[0].w(k, j) * (to[at] - from[at]);
      }
    }
    line.layers[0] = first;
    const region::RegionCount along = region::count_regions(network, from, to),
                              of_line = region::count_regions(line, {0, 1});
    CHECK(along.activation_regions == of_line.activation_regions);
    REQUIRE(along.linear_regions == of_line.linear_regions);
    for (std::size_t i = 0; i < along.slopes.size(); ++i)
      CHECK(along.slopes[i] == doctest::Approx(of_line.slopes[i]).epsilon(1e-9));
  }
}

TEST_CASE("a network without corners is one polygon, and a picture has one path for each") {
  region::ReluNetwork plane = random_network(2, {1}, 1);
  plane.layers[0].bias[0] = 100;
  const std::vector<region::RegionPolygon> one = region::region_polygons(plane, kRectangle);
  REQUIRE(one.size() == 1);
  CHECK(one[0].corners.size() == 4);
  const std::string svg = region::draw_regions(one, kRectangle, {"a<b", "y"}, "title");
  CHECK(svg.find("a&lt;b") != std::string::npos);
  CHECK(svg.find("<path") == svg.rfind("<path"));
  CHECK_THROWS_AS(region::region_polygons(random_network(3, {2}, 1), kRectangle), base::UsageError);
}

}  // namespace
}  // namespace asap::test

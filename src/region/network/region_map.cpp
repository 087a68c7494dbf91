#include "region/network/region_map.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace asap::region {
namespace {

constexpr std::size_t kMostRegions = 1'000'000;
constexpr double kThin = 1e-9;  // in sides of the rectangle

using Corner = std::array<double, 2>;

/// a x + b y + c.
struct Plane {
  double a = 0, b = 0, c = 0;
  double at(const Corner& p) const { return a * p[0] + b * p[1] + c; }
};

/// A polygon and the outputs of the layer before on it.
struct Cell {
  std::vector<Corner> corners;
  std::vector<Plane> hidden;
};

/// The parts of a convex polygon on which the plane is positive and negative. A part that the line
/// only touches is empty.
std::array<std::vector<Corner>, 2> cut(const std::vector<Corner>& corners, const Plane& plane) {
  const double steepness = std::hypot(plane.a, plane.b);
  const double touch = kThin * steepness;
  std::vector<double> value;
  bool above = false, below = false;
  for (const Corner& corner : corners) {
    value.push_back(plane.at(corner));
    above = above || value.back() > touch;
    below = below || value.back() < -touch;
  }
  if (!below || !above) {
    // A plane that is zero everywhere counts as off.
    if (above) return {corners, {}};
    return {std::vector<Corner>{}, corners};
  }
  std::array<std::vector<Corner>, 2> parts;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const std::size_t next = (i + 1) % corners.size();
    const double v = value[i], w = value[next];
    if (v >= 0) parts[0].push_back(corners[i]);
    if (v <= 0) parts[1].push_back(corners[i]);
    if (!((v > 0 && w < 0) || (v < 0 && w > 0))) continue;
    const double t = v / (v - w);
    const Corner at{corners[i][0] + t * (corners[next][0] - corners[i][0]),
                    corners[i][1] + t * (corners[next][1] - corners[i][1])};
    parts[0].push_back(at);
    parts[1].push_back(at);
  }
  return parts;
}

class Partition {
 public:
  explicit Partition(const ReluNetwork& network) {
    for (const DenseLayer& layer : network.layers) layers_.emplace_back(layer);
  }

  std::vector<RegionPolygon> run(std::vector<Corner> corners) {
    divide({std::move(corners), {{1, 0, 0}, {0, 1, 0}}}, 0);
    return std::move(polygons_);
  }

 private:
  static std::vector<Plane> apply(const SparseRows& rows, const std::vector<Plane>& hidden) {
    std::vector<Plane> result;
    for (std::int64_t k = 0; k < rows.rows(); ++k) {
      Plane plane{0, 0, rows.bias(k)};
      for (const auto& [column, weight] : rows.row(k)) {
        const Plane& input = hidden[static_cast<std::size_t>(column)];
        plane.a += weight * input.a;
        plane.b += weight * input.b;
        plane.c += weight * input.c;
      }
      result.push_back(plane);
    }
    return result;
  }

  void divide(const Cell& cell, std::size_t layer) {
    const std::vector<Plane> planes = apply(layers_[layer], cell.hidden);
    if (layer + 1 == layers_.size()) {
      if (polygons_.size() == kMostRegions)
        throw base::NumericalError("the network has more than a million regions in the rectangle",
                                   "choose a smaller rectangle");
      polygons_.push_back({cell.corners, {planes[0].a, planes[0].b}, planes[0].c});
      return;
    }
    std::vector<Cell> parts{{cell.corners, {}}};
    for (const Plane& plane : planes) {
      std::vector<Cell> next;
      for (Cell& part : parts) {
        auto [on, off] = cut(part.corners, plane);
        if (on.size() >= 3) {
          next.push_back({std::move(on), part.hidden});
          next.back().hidden.push_back(plane);
        }
        if (off.size() >= 3) {
          next.push_back({std::move(off), std::move(part.hidden)});
          next.back().hidden.push_back({});
        }
      }
      parts = std::move(next);
    }
    for (const Cell& part : parts) divide(part, layer + 1);
  }

  std::vector<SparseRows> layers_;
  std::vector<RegionPolygon> polygons_;
};

}  // namespace

double RegionPolygon::area() const {
  double twice = 0;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const Corner &p = corners[i], &q = corners[(i + 1) % corners.size()];
    twice += p[0] * q[1] - p[1] * q[0];
  }
  return twice / 2;
}

std::vector<RegionPolygon> region_polygons(const ReluNetwork& network, const Rectangle& rectangle) {
  if (network.inputs() != 2)
    throw base::UsageError("a map of regions needs a network of two inputs, this one reads " +
                           std::to_string(network.inputs()));
  const auto& [x, y] = rectangle;
  base::check(x.low < x.high && y.low < y.high, "region_polygons: the rectangle is empty");
  // In units of the rectangle, so thinness does not depend on the units of the inputs.
  ReluNetwork unit = network;
  DenseLayer& first = unit.layers.front();
  for (std::int64_t k = 0; k < first.outputs(); ++k) {
    first.bias[static_cast<std::size_t>(k)] += first.w(k, 0) * x.low + first.w(k, 1) * y.low;
    first.w(k, 0) *= x.length();
    first.w(k, 1) *= y.length();
  }
  std::vector<RegionPolygon> polygons = Partition(unit).run({{0, 0}, {1, 0}, {1, 1}, {0, 1}});
  for (RegionPolygon& polygon : polygons) {
    for (Corner& corner : polygon.corners) corner = {x.at(corner[0]), y.at(corner[1])};
    polygon.slope[0] /= x.length();
    polygon.slope[1] /= y.length();
    polygon.height -= polygon.slope[0] * x.low + polygon.slope[1] * y.low;
  }
  return polygons;
}

}  // namespace asap::region

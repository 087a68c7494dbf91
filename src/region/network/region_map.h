#pragma once

#include <array>
#include <string>
#include <vector>

#include "numerics/curve.h"
#include "region/network/relu_network.h"

namespace asap::region {

/// A rectangle in the plane.
struct Rectangle {
  numerics::Interval x, y;
};

/// A convex region of the plane on which no neuron switches: the network is
/// slope[0] x + slope[1] y + height there.
struct RegionPolygon {
  std::vector<std::array<double, 2>> corners;  ///< counter-clockwise
  std::array<double, 2> slope{};
  double height = 0;

  double area() const;
};

/// The activation regions of a network of two inputs inside a rectangle, exactly up to float64
/// rounding: each layer cuts the polygons of the layer before along the lines on which its neurons
/// switch. Regions thinner than 1e-9 of the rectangle are not separated. UsageError for another
/// number of inputs; NumericalError beyond a million regions.
std::vector<RegionPolygon> region_polygons(const ReluNetwork& network, const Rectangle& rectangle);

/// An SVG picture of the regions: each polygon in the colour of the network's value at its middle,
/// with borders, axes, names and a colour scale.
std::string draw_regions(const std::vector<RegionPolygon>& polygons, const Rectangle& rectangle,
                         const std::array<std::string, 2>& names, const std::string& title);

}  // namespace asap::region

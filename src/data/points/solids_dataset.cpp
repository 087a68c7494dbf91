#include "data/points/solids_dataset.h"

#include <array>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/random.h"
#include "data/points/point_set.h"

namespace asap::data {
namespace {

using Vector = std::array<double, 3>;

constexpr double kTurn = 2 * std::numbers::pi;

/// Uniform on the unit sphere.
Vector direction(base::RandomStream& random) {
  const double z = random.uniform(-1, 1), angle = random.uniform(0, kTurn);
  const double radius = std::sqrt(1 - z * z);
  return {radius * std::cos(angle), radius * std::sin(angle), z};
}

Vector on_circle(double radius, double angle, double z) {
  return {radius * std::cos(angle), radius * std::sin(angle), z};
}

/// A point of a unit square in the plane that is normal to one axis.
Vector on_face(base::RandomStream& random, std::size_t axis, double height) {
  Vector point{random.uniform(-1, 1), random.uniform(-1, 1), random.uniform(-1, 1)};
  point[axis] = height;
  return point;
}

Vector on_cube(base::RandomStream& random) {
  const auto axis = static_cast<std::size_t>(random.below(3));
  return on_face(random, axis, random.below(2) == 0 ? -1 : 1);
}

Vector on_cylinder(base::RandomStream& random) {
  const double angle = random.uniform(0, kTurn);
  // Side and lids by their areas: 4 pi of height 2, twice pi.
  if (random.below(3) < 2) return on_circle(1, angle, random.uniform(-1, 1));
  return on_circle(std::sqrt(random.uniform()), angle, random.below(2) == 0 ? -1 : 1);
}

Vector on_cone(base::RandomStream& random) {
  const double angle = random.uniform(0, kTurn), radius = std::sqrt(random.uniform());
  return on_circle(radius, angle, random.below(3) == 0 ? -1 : 1 - 2 * radius);
}

Vector on_torus(base::RandomStream& random) {
  const double around = random.uniform(0, kTurn), across = random.uniform(0, kTurn);
  return on_circle(1 + 0.4 * std::cos(across), around, 0.4 * std::sin(across));
}

Vector on_pyramid(base::RandomStream& random) {
  if (random.below(3) == 0) return on_face(random, 2, -1);
  // A side: the nearer to the tip, the narrower.
  const double width = std::sqrt(random.uniform());
  const double along = random.uniform(-width, width);
  const double across = random.below(2) == 0 ? -width : width;
  const double height = 1 - 2 * width;
  return random.below(2) == 0 ? Vector{along, across, height} : Vector{across, along, height};
}

Vector on_helix(base::RandomStream& random) {
  const double t = random.uniform(-1, 1);
  return on_circle(0.7, 2 * kTurn * t, 1.2 * t);
}

Vector on_plates(base::RandomStream& random) {
  return on_face(random, static_cast<std::size_t>(random.below(2)), 0);
}

struct Solid {
  const char* name;
  Vector (*draw)(base::RandomStream&);
};

constexpr std::array<Solid, kSolidKinds> kSolids{{{"sphere", direction},
                                                  {"cube", on_cube},
                                                  {"cylinder", on_cylinder},
                                                  {"cone", on_cone},
                                                  {"torus", on_torus},
                                                  {"pyramid", on_pyramid},
                                                  {"helix", on_helix},
                                                  {"plates", on_plates}}};

/// Three orthonormal rows, a random rotation.
std::array<Vector, 3> rotation(base::RandomStream& random) {
  const Vector a = direction(random);
  Vector b = direction(random);
  const double along = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  double length = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    b[k] -= along * a[k];
    length += b[k] * b[k];
  }
  for (double& value : b) value /= std::sqrt(length);
  const Vector c{a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
  return {a, b, c};
}

void draw_solid(const Solid& solid, const config::SolidsConfig& config, base::RandomStream& random,
                std::vector<float>& points) {
  const std::array<Vector, 3> turned = rotation(random);
  Vector stretch;
  for (double& factor : stretch) factor = random.uniform(0.7, 1.3);
  for (int i = 0; i < config.points; ++i) {
    const Vector point = solid.draw(random);
    for (const Vector& row : turned) {
      double value = config.noise * random.normal();
      for (std::size_t k = 0; k < 3; ++k) value += row[k] * stretch[k] * point[k];
      points.push_back(static_cast<float>(value));
    }
  }
}

}  // namespace

Dataset draw_solids_dataset(const config::DataConfig& config, Split split) {
  if (config.classes > kSolidKinds)
    throw base::UsageError("data.classes is " + std::to_string(config.classes) +
                               ", but there are " + std::to_string(kSolidKinds) + " solids to draw",
                           "--set data.classes=" + std::to_string(kSolidKinds));
  const config::SolidsConfig& solids = config.solids;
  Dataset dataset;
  dataset.name = std::string("solids ") + split_name(split);
  dataset.kind = ExampleKind::points;
  dataset.point_width = 3;
  for (int label = 0; label < config.classes; ++label)
    dataset.class_names.emplace_back(kSolids[static_cast<std::size_t>(label)].name);
  dataset.offsets = {0};
  const int count = split == Split::train ? solids.examples : solids.test_examples;
  for (int i = 0; i < count; ++i) {
    base::RandomStream random(solids.seed, base::RandomPurpose::generated_data,
                              static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(split));
    const auto label =
        static_cast<std::size_t>(random.below(static_cast<std::uint64_t>(config.classes)));
    draw_solid(kSolids[label], solids, random, dataset.points);
    dataset.labels.push_back(static_cast<std::int32_t>(label));
    dataset.offsets.push_back(dataset.offsets.back() + solids.points);
  }
  return finish_point_sets(std::move(dataset), config.points);
}

}  // namespace asap::data

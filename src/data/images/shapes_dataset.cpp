#include "data/images/shapes_dataset.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/random.h"

namespace asap::data {
namespace {

constexpr int kSamplesPerSide = 4;  // 16 samples per pixel give 17 grey levels along edges

/// A point in the shape's own frame: centre 0, radius 1, upright.
struct Point {
  double x;
  double y;
};

double radius(Point p) { return std::hypot(p.x, p.y); }

/// Regular polygon with `corners` corners on the unit circle, one of them at the top.
bool inside_polygon(Point p, int corners) {
  const double sector = 2 * std::numbers::pi / corners;
  const double angle = std::atan2(p.x, p.y);
  const double to_corner = std::abs(std::remainder(angle, sector));
  return radius(p) * std::cos(sector / 2 - to_corner) <= std::cos(sector / 2);
}

/// Five-pointed star: edges run straight from tips on the unit circle to dents at kDent.
bool inside_star(Point p) {
  constexpr double kDent = 0.4;
  constexpr double kHalfSector = std::numbers::pi / 5;
  const double angle = std::abs(std::remainder(std::atan2(p.x, p.y), 2 * kHalfSector));
  const Point q{radius(p) * std::sin(angle), radius(p) * std::cos(angle)};
  const Point valley{kDent * std::sin(kHalfSector), kDent * std::cos(kHalfSector)};
  return (valley.x - 0) * (q.y - 1) - (valley.y - 1) * q.x <= 0;
}

/// Whether t >= 0 lies in an even one of the bands of this width.
bool in_even_band(double t, double width) { return std::fmod(std::floor(t / width), 2.0) == 0; }

struct ShapeKind {
  const char* name;
  bool (*contains)(Point);
};

constexpr std::array<ShapeKind, kShapeKinds> kKinds{{
    {"circle", [](Point p) { return radius(p) <= 0.85; }},
    {"square", [](Point p) { return inside_polygon(p, 4); }},
    {"triangle", [](Point p) { return inside_polygon(p, 3); }},
    {"cross",
     [](Point p) {
       const double x = std::abs(p.x);
       const double y = std::abs(p.y);
       return std::max(x, y) <= 0.95 && std::min(x, y) <= 0.28;
     }},
    {"ring", [](Point p) { return radius(p) <= 0.95 && radius(p) >= 0.55; }},
    {"stripes", [](Point p) { return radius(p) <= 1 && in_even_band(p.x + 1, 0.4); }},
    {"star", [](Point p) { return inside_star(p); }},
    {"crescent",
     [](Point p) {
       return radius(p) <= 0.95 && radius({p.x - 0.5, p.y}) >= 0.75;
     }},
    {"bar", [](Point p) { return std::abs(p.x) <= 1 && std::abs(p.y) <= 0.25; }},
    {"checkerboard",
     [](Point p) {
       constexpr double kTile = 0.55;
       constexpr double kHalfSide = 1.5 * kTile;
       return std::max(std::abs(p.x), std::abs(p.y)) < kHalfSide &&
              in_even_band(p.x + kHalfSide, kTile) == in_even_band(p.y + kHalfSide, kTile);
     }},
}};

/// Where and how one shape is drawn. Lengths in pixels.
struct Placement {
  Point centre;
  double size;   ///< radius
  double angle;  ///< radians
  double foreground;
  double background;
};

Placement draw_placement(base::RandomStream& random, int image_size) {
  Placement placement;
  placement.size = image_size * random.uniform(0.28, 0.44);
  // The unit circle stays inside the image, up to a little that may be cut off.
  const double play = std::max(0.0, image_size / 2.0 - 0.9 * placement.size);
  placement.centre = {image_size / 2.0 + random.uniform(-play, play),
                      image_size / 2.0 + random.uniform(-play, play)};
  placement.angle = random.uniform(0, 2 * std::numbers::pi);
  placement.background = random.uniform(0, 0.3);
  placement.foreground = placement.background + random.uniform(0.4, 0.7);
  return placement;
}

/// Share of the pixel that the shape covers.
double coverage(const ShapeKind& kind, const Placement& placement, int column, int row) {
  // Every shape lies within this many radii of its centre; most pixels need no samples.
  constexpr double kReach = 1.2;
  if (std::hypot(column + 0.5 - placement.centre.x, row + 0.5 - placement.centre.y) >
      kReach * placement.size + 1)
    return 0;
  const double cosine = std::cos(placement.angle) / placement.size;
  const double sine = std::sin(placement.angle) / placement.size;
  int hits = 0;
  for (int i = 0; i < kSamplesPerSide; ++i)
    for (int k = 0; k < kSamplesPerSide; ++k) {
      const double x = column + (k + 0.5) / kSamplesPerSide - placement.centre.x;
      const double y = row + (i + 0.5) / kSamplesPerSide - placement.centre.y;
      hits += kind.contains({cosine * x + sine * y, cosine * y - sine * x}) ? 1 : 0;
    }
  return static_cast<double>(hits) / (kSamplesPerSide * kSamplesPerSide);
}

void draw_image(const ShapeKind& kind, const config::ShapesConfig& config,
                base::RandomStream& random, std::uint8_t* pixels) {
  const int size = config.image_size;
  const Placement placement = draw_placement(random, size);
  for (int row = 0; row < size; ++row)
    for (int column = 0; column < size; ++column) {
      const double share = coverage(kind, placement, column, row);
      const double clean =
          placement.background + share * (placement.foreground - placement.background);
      const double value = std::clamp(clean + config.noise * random.normal(), 0.0, 1.0);
      pixels[row * size + column] = static_cast<std::uint8_t>(std::lround(255 * value));
    }
}

}  // namespace

Dataset draw_shapes_dataset(const config::DataConfig& config, Split split) {
  if (config.classes > kShapeKinds)
    throw base::UsageError("data.classes is " + std::to_string(config.classes) + ", but only " +
                               std::to_string(kShapeKinds) + " kinds of shapes can be drawn",
                           "--set data.classes=" + std::to_string(kShapeKinds));
  const config::ShapesConfig& shapes = config.shapes;
  Dataset dataset;
  dataset.name = std::string("shapes ") + split_name(split);
  dataset.height = dataset.width = shapes.image_size;
  for (int label = 0; label < config.classes; ++label)
    dataset.class_names.emplace_back(kKinds[static_cast<std::size_t>(label)].name);
  const int limit = split == Split::train ? config.train_examples : config.test_examples;
  int count = split == Split::train ? shapes.examples : shapes.test_examples;
  if (limit > 0) count = std::min(count, limit);
  dataset.labels.resize(static_cast<std::size_t>(count));
  dataset.pixels.resize(static_cast<std::size_t>(count * dataset.image_size()));
  for (int i = 0; i < count; ++i) {
    base::RandomStream random(shapes.seed, base::RandomPurpose::generated_data,
                              static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(split));
    const auto label =
        static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(config.classes)));
    dataset.labels[static_cast<std::size_t>(i)] = label;
    draw_image(kKinds[static_cast<std::size_t>(label)], shapes, random,
               dataset.pixels.data() + i * dataset.image_size());
  }
  dataset.fingerprint = dataset_fingerprint(dataset);
  return dataset;
}

}  // namespace asap::data

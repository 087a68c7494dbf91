#pragma once

#include <cmath>
#include <vector>

#include "attention/tiled/tiled_attention.h"
#include "base/random.h"
#include "support/share.h"
#include "tensor/core/tensor.h"

// Heads and dual maps in float, and the same numbers in double, for the tests of this folder.
namespace asap::test {

using namespace asap::attention;
using namespace asap::base;
using namespace asap::tensor;

struct Sizes {
  std::int64_t n, m, width, value_width;
};
// One token, fewer than a block, whole blocks, ragged blocks, queries and keys of different number.
inline const Sizes kSizes[] = {{1, 1, 4, 4},       {3, 2, 8, 5},      {49, 49, 32, 32},
                               {24, 96, 16, 16},   {97, 130, 20, 40}, {196, 196, 32, 32},
                               {250, 203, 64, 64}, {401, 500, 33, 70}};

inline Tensor<double> random_tensor(std::int64_t rows, std::int64_t cols, std::uint32_t which,
                                    double deviation, double mean = 0) {
  Tensor<double> out({rows, cols});
  RandomStream random(5, RandomPurpose::test, which);
  for (double& value : out.flat()) value = mean + deviation * random.normal();
  return out;
}

template <class T>
Tensor<T> cast(const Tensor<double>& from) {
  Tensor<T> out(from.shape());
  for (std::size_t i = 0; i < from.flat().size(); ++i)
    out.flat()[i] = static_cast<T>(from.flat()[i]);
  return out;
}

/// One head in float, and the same numbers in double.
struct Case {
  Tensor<float> q, k, v;
  Tensor<double> q64, k64, v64;
  double scale;
  Sizes sizes;

  Case(const Sizes& s, double deviation, double mean = 0.3)
      : q(cast<float>(random_tensor(s.n, s.width, 1, deviation, mean))),
        k(cast<float>(random_tensor(s.m, s.width, 2, deviation, -mean))),
        v(cast<float>(random_tensor(s.m, s.value_width, 3, 1))),
        q64(widen(q)),
        k64(widen(k)),
        v64(widen(v)),
        scale(1 / std::sqrt(static_cast<double>(s.width))),
        sizes(s) {}

  static Tensor<double> widen(const Tensor<float>& from) {
    Tensor<double> out(from.shape());
    for (std::size_t i = 0; i < from.flat().size(); ++i) out.flat()[i] = from.flat()[i];
    return out;
  }
  AttentionHead<float> head() const {
    return {q.rows(), k.rows(), v.rows(), static_cast<float>(scale)};
  }
  AttentionHead<double> head64() const { return {q64.rows(), k64.rows(), v64.rows(), scale}; }
  Tensor<float> output() const { return Tensor<float>({sizes.n, sizes.value_width}); }
  Tensor<double> output64() const { return Tensor<double>({sizes.n, sizes.value_width}); }
};

inline double largest_difference(const Tensor<float>& a, const Tensor<double>& b) {
  double worst = 0;
  for (std::size_t i = 0; i < a.flat().size(); ++i) {
    const double difference = std::abs(a.flat()[i] - b.flat()[i]);
    if (!(difference <= worst)) worst = difference;  // lets NaN through
  }
  return worst;
}

/// Scores of size s have an error of s epsilon in float, which their exponentials turn into a
/// relative one; the values are of size 1.
inline double tolerance(double deviation) { return 1e-6 * (4 + 40 * deviation * deviation); }

inline constexpr SweepOptions kWays[] = {
    {.storage = GibbsStorage::recompute},
    {.storage = GibbsStorage::single},
    {.storage = GibbsStorage::bfloat16},
    {.storage = GibbsStorage::recompute, .precision = ProductPrecision::bfloat16},
    {.storage = GibbsStorage::single, .precision = ProductPrecision::bfloat16},
    {.storage = GibbsStorage::bfloat16, .precision = ProductPrecision::bfloat16},
    {.storage = GibbsStorage::rows},
};

/// Plan entries and values in bfloat16 are right to 2^-9; a row of the plan sums to 1. Where scores
/// are rounded, too, their error is 2^-9 of their size, which grows with the square of the
/// deviation.
inline double tolerance(double deviation, const SweepOptions& way) {
  const bool bfloat16 = way.precision == ProductPrecision::bfloat16;
  if (bfloat16 && way.storage == GibbsStorage::recompute)
    return 1e-2 + 1.5e-2 * deviation * deviation;
  return tolerance(deviation) + (bfloat16                                ? 1.2e-2
                                 : way.storage == GibbsStorage::bfloat16 ? 6e-3
                                                                         : 0);
}

/// Calls body(case, deviation, parameter, way) for heads of all sizes, flat and sharp, with every
/// parameter and in every way; for a share of them where tests are shortened.
template <class Parameter, class Body>
void for_each_case(const std::vector<Parameter>& parameters, const Body& body) {
  std::int64_t index = 0;
  for (const Sizes& sizes : kSizes)
    for (const double deviation : {0.5, 2.0})
      for (const Parameter& parameter : parameters)
        for (const SweepOptions& way : kWays)
          if (in_share(index++)) body(Case(sizes, deviation), deviation, parameter, way);
}

/// A dual map with every feature and weights of the size of fitted ones.
struct Map {
  Tensor<double> a, b;
  Tensor<float> a32, b32;
  std::vector<double> weights;
  std::vector<float> weights32;

  Map(std::int64_t slices, std::int64_t width)
      : a(random_tensor(slices, width, 7, 1 / std::sqrt(width))),
        b(random_tensor(slices, width, 8, 1 / std::sqrt(width))),
        a32(cast<float>(a)),
        b32(cast<float>(b)) {
    RandomStream random(5, RandomPurpose::test, 9);
    for (std::int64_t p = 0; p < DualFeatures().count(slices); ++p) {
      weights32.push_back(static_cast<float>(0.3 * random.normal()));
      weights.push_back(weights32.back());
    }
    weights.back() = weights32.back() = 0.5f;
    for (std::size_t i = 0; i < a.flat().size(); ++i) {
      a.flat()[i] = a32.flat()[i];
      b.flat()[i] = b32.flat()[i];
    }
  }
  DualMap<float> map32() const { return {DualFeatures(), a32.rows(), b32.rows(), weights32}; }
  DualMap<double> map64() const { return {DualFeatures(), a.rows(), b.rows(), weights}; }
  /// Without the last feature, log_sum_exp.
  DualMap<float> known32() const {
    DualMap<float> map = map32();
    map.features.log_sum_exp = false;
    map.weights = map.weights.first(weights.size() - 1);
    return map;
  }
  DualMap<double> known64() const {
    DualMap<double> map = map64();
    map.features.log_sum_exp = false;
    map.weights = map.weights.first(weights.size() - 1);
    return map;
  }
};

/// A dual map that starts from the scores and corrects its iterations.
struct CorrectedMap {
  DualFeatures features{};
  Tensor<double> landmarks;
  Tensor<float> landmarks32;
  std::vector<double> weights;
  std::vector<float> weights32;

  CorrectedMap(int corrections, int prototypes, std::int64_t width)
      : landmarks(random_tensor(prototypes, width, 11, 0.5)), landmarks32(cast<float>(landmarks)) {
    features = DualFeatures::none();
    features.tilt = features.log_sum_exp = features.first_dual = true;
    features.landmarks = prototypes;
    features.corrections = corrections;
    for (std::size_t i = 0; i < landmarks.flat().size(); ++i)
      landmarks.flat()[i] = landmarks32.flat()[i];
    RandomStream random(5, RandomPurpose::test, 12);
    for (std::int64_t p = 0; p < features.weight_count(0); ++p) {
      weights32.push_back(static_cast<float>(0.2 * random.normal()));
      weights.push_back(weights32.back());
    }
  }
  DualMap<float> map32() const { return {features, {}, {}, weights32, {landmarks32.rows(), 5}}; }
  DualMap<double> map64() const { return {features, {}, {}, weights, {landmarks.rows(), 5}}; }
};

/// A loop that starts as the teacher's and relaxes its iterations.
struct RelaxedMap {
  DualFeatures features = DualFeatures::none();
  std::vector<double> weights;
  std::vector<float> weights32;

  explicit RelaxedMap(int corrections, double size = 0.3) {
    features.start = true;
    features.corrections = corrections;
    RandomStream random(5, RandomPurpose::test, 13);
    for (std::int64_t p = 0; p < features.weight_count(0); ++p) {
      weights32.push_back(static_cast<float>(size * random.normal()));
      weights.push_back(weights32.back());
    }
  }
  DualMap<float> map32() const { return {features, {}, {}, weights32}; }
  DualMap<double> map64() const { return {features, {}, {}, weights}; }
};

/// A key bias of the tilt and of six landmarks.
struct KeyLandmarks : CorrectedMap {
  explicit KeyLandmarks(std::int64_t width) : CorrectedMap(0, 6, width) {
    features.log_sum_exp = features.first_dual = false;
    weights = {0.5, 0.75};
    weights32 = {0.5f, 0.75f};
  }
  DualMap<float> map32() const {
    return {features, {}, {}, weights32, {landmarks32.rows(), 5, true}};
  }
  DualMap<double> map64() const { return {features, {}, {}, weights, {landmarks.rows(), 5, true}}; }
};

inline constexpr ProductPrecision kPrecisions[] = {ProductPrecision::single,
                                                   ProductPrecision::bfloat16};

}  // namespace asap::test

#include "tensor/kernels/point_features.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace asap::tensor {
namespace {

constexpr double kLowestFrequency = 6;  // about one wave over coordinates from -0.5 to 0.5

}  // namespace

template <class T>
void point_features(int frequencies, MatrixView<const T> points, MatrixView<T> features) {
  base::check(features.rows == points.rows &&
                  features.cols == point_feature_count(points.cols, frequencies),
              "point_features: shapes do not fit");
  for (std::int64_t i = 0; i < points.rows; ++i) {
    T* out = std::ranges::copy(points.row(i), features.row(i).data()).out;
    T frequency = static_cast<T>(kLowestFrequency);
    for (int k = 0; k < frequencies; ++k, frequency *= 2) {
      for (const T x : points.row(i)) *out++ = std::sin(frequency * x);
      for (const T x : points.row(i)) *out++ = std::cos(frequency * x);
    }
  }
}

template void point_features<float>(int, MatrixView<const float>, MatrixView<float>);
template void point_features<double>(int, MatrixView<const double>, MatrixView<double>);

}  // namespace asap::tensor

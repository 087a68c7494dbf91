#include "evaluate/study/rank_bound.h"

#include <algorithm>
#include <cmath>

#include "tensor/core/tensor.h"
#include "tensor/kernels/gemm.h"

namespace asap::evaluate {
namespace {

using tensor::MatrixView;
using tensor::Tensor;

constexpr int kSquarings = 6;  // (AᵀA)^(2^6)

double trace(const Tensor<double>& matrix) {
  double sum = 0;
  for (std::int64_t i = 0; i < matrix.rows().rows; ++i) sum += matrix.rows()(i, i);
  return sum;
}

Tensor<double> widened(MatrixView<const float> block) {
  Tensor<double> out({block.rows, block.cols});
  for (std::int64_t i = 0; i < block.rows; ++i)
    std::ranges::copy(block.row(i), out.rows().row(i).begin());
  return out;
}

/// op(a) b of float blocks in float64.
Tensor<double> product(tensor::Transpose transpose, MatrixView<const float> a,
                       MatrixView<const float> b) {
  Tensor<double> out({transpose == tensor::Transpose::yes ? a.cols : a.rows, b.cols});
  tensor::gemm<double>(transpose, tensor::Transpose::no, 1, widened(a).rows(), widened(b).rows(), 0,
                       out.rows());
  return out;
}

/// W_Q W_Kᵀ and (W_V W_O)ᵀ of one head: [W, W] each.
struct HeadProducts {
  Tensor<double> score, value;
};

HeadProducts head_products(MatrixView<const float> qkv, MatrixView<const float> output,
                           std::int64_t heads, std::int64_t head) {
  const std::int64_t width = qkv.cols, head_width = width / heads, at = head * head_width;
  return {product(tensor::Transpose::yes, qkv.block(at, 0, head_width, width),
                  qkv.block(width + at, 0, head_width, width)),
          product(tensor::Transpose::no, output.block(0, at, width, head_width),
                  qkv.block(2 * width + at, 0, head_width, width))};
}

/// The largest sum of absolute values of a row.
double largest_row_sum(MatrixView<const double> a) {
  double largest = 0;
  for (std::int64_t i = 0; i < a.rows; ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < a.cols; ++j) sum += std::abs(a(i, j));
    largest = std::max(largest, sum);
  }
  return largest;
}

double largest_column_sum(MatrixView<const double> a) {
  double largest = 0;
  for (std::int64_t j = 0; j < a.cols; ++j) {
    double sum = 0;
    for (std::int64_t i = 0; i < a.rows; ++i) sum += std::abs(a(i, j));
    largest = std::max(largest, sum);
  }
  return largest;
}

}  // namespace

double spectral_bound(MatrixView<const double> a) {
  Tensor<double> power({a.cols, a.cols}), square({a.cols, a.cols});
  tensor::gemm<double>(tensor::Transpose::yes, tensor::Transpose::no, 1, a, a, 0, power.rows());
  double logarithm = 0;  // of what (AᵀA)^(2^s) has been divided by
  for (int s = 0; s <= kSquarings; ++s) {
    const double size = trace(power);
    if (size <= 0) return 0;
    logarithm += std::log(size);
    if (s == kSquarings) break;
    for (double& entry : power.flat()) entry /= size;
    tensor::gemm<double>(tensor::Transpose::no, tensor::Transpose::no, 1, power.rows(),
                         power.rows(), 0, square.rows());
    std::swap(power, square);
    logarithm *= 2;
  }
  return std::exp(logarithm / std::ldexp(2.0, kSquarings));
}

double composite_norm(MatrixView<const double> a) {
  return std::sqrt(largest_column_sum(a) * largest_row_sum(a));
}

double diameter(MatrixView<const float> tokens) {
  double largest = 0;
  for (std::int64_t i = 0; i < tokens.rows; ++i)
    for (std::int64_t j = 0; j < i; ++j) {
      double square = 0;
      for (std::int64_t k = 0; k < tokens.cols; ++k) {
        const double difference = double{tokens(i, k)} - tokens(j, k);
        square += difference * difference;
      }
      largest = std::max(largest, square);
    }
  return std::sqrt(largest);
}

std::vector<HeadNorms> head_norms(MatrixView<const float> qkv, MatrixView<const float> output,
                                  std::span<const float> scales) {
  std::vector<HeadNorms> norms;
  for (std::size_t head = 0; head < scales.size(); ++head) {
    const HeadProducts products =
        head_products(qkv, output, std::ssize(scales), static_cast<std::int64_t>(head));
    norms.push_back({spectral_bound(products.value.rows()),
                     double{scales[head]} * spectral_bound(products.score.rows())});
  }
  return norms;
}

std::vector<CompositeNorms> composite_norms(MatrixView<const float> qkv,
                                            MatrixView<const float> output,
                                            std::span<const float> scales) {
  std::vector<CompositeNorms> norms;
  for (std::size_t head = 0; head < scales.size(); ++head) {
    const HeadProducts products =
        head_products(qkv, output, std::ssize(scales), static_cast<std::int64_t>(head));
    norms.push_back({composite_norm(products.value.rows()),
                     double{scales[head]} * largest_column_sum(products.score.rows())});
  }
  return norms;
}

double next_diameter(std::span<const HeadNorms> heads, double before) {
  double factor = 0;
  for (const HeadNorms& head : heads)
    factor += head.value * std::tanh(head.score * before * before / 4);
  return factor * before;
}

double collapse_factor(std::span<const HeadNorms> heads) {
  double factor = 0;
  for (const HeadNorms& head : heads) factor += head.value * head.score / 4;
  return factor;
}

double theorem_base(std::span<const std::vector<CompositeNorms>> layers,
                    MatrixView<const float> tokens) {
  Tensor<double> residual({tokens.rows, tokens.cols});
  for (std::int64_t k = 0; k < tokens.cols; ++k) {
    double mean = 0;
    for (std::int64_t i = 0; i < tokens.rows; ++i) mean += tokens(i, k);
    mean /= static_cast<double>(std::max<std::int64_t>(tokens.rows, 1));
    for (std::int64_t i = 0; i < tokens.rows; ++i) residual.rows()(i, k) = tokens(i, k) - mean;
  }
  double beta = 0;
  std::size_t heads = 0;
  for (const std::vector<CompositeNorms>& layer : layers) {
    heads = std::max(heads, layer.size());
    for (const CompositeNorms& head : layer) beta = std::max(beta, head.score * head.value);
  }
  const double size = composite_norm(residual.rows());
  return 4 * beta * static_cast<double>(heads) * size * size;
}

}  // namespace asap::evaluate

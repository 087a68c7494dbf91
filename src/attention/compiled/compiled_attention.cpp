#include "attention/compiled/compiled_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attention/stored/scaling_kernels.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/row_ops.h"
#include "transport/c_transform.h"
#include "transport/marginals.h"

namespace asap::attention {
namespace {

/// Entries of K and of u below the smallest normal number may be lost; times the largest scalings
/// they would add at most this much to the plan.
constexpr double kLostPlanEntry = 1e-8;

/// The Gibbs kernel K = exp(x . y + r + c) of one head with its scalings.
template <class T>
struct Kernel {
  tensor::MatrixView<T> k;           // [n, m], rows padded
  tensor::VectorView<T> row_shift;   // r: [n]
  tensor::VectorView<T> u;           // [n]
  tensor::VectorView<T> v;           // [padded m]
  tensor::VectorView<T> column_sum;  // Kᵀ u: [padded m]
  double largest_scaling = 1;        // of u, so far
  double largest_product = 0;        // of u_i v_j, so far

  T column_mass() const { return static_cast<T>(k.rows) / static_cast<T>(k.cols); }  // N / M
};

/// Builds K and writes the features' log_row_sums: log sum_j exp(x_i . y_j), [n].
template <class T>
Kernel<T> build_kernel(const CentredHead<T>& head, tensor::VectorView<T> log_row_sums,
                       tensor::Arena& scratch) {
  const std::int64_t n = head.x.rows, m = head.y.rows, padded = padded_columns<T>(m);
  Kernel<T> kernel{{scratch.take<T>(n * padded), n, m, padded},
                   scratch.vector<T>(n),
                   scratch.vector<T>(n),
                   scratch.vector<T>(padded),
                   scratch.vector<T>(padded)};
  const tensor::VectorView<T> column_shift = scratch.vector<T>(padded);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, T(1), head.x, head.y, T(0),
                  kernel.k);
  score_shifts<T>(kernel.k, kernel.row_shift, column_shift);
  tensor::scale<T>(T(-1), column_shift,
                   kernel.v);  // undoes the column shift: u below is 1 / sum_j exp(S + r)
  tensor::exponential<T>(kernel.v, kernel.v);
  std::fill(kernel.v.begin() + m, kernel.v.end(), T(0));
  exponentiate_and_scale<T>(kernel.k, kernel.row_shift, column_shift, kernel.v, kernel.u,
                            kernel.column_sum);
  for (std::int64_t i = 0; i < n; ++i)
    log_row_sums[i] = -kernel.row_shift[i] - std::log(kernel.u[i]);
  return kernel;
}

/// f̂: [n]
template <class T>
void predict_row_dual(const DualMap<T>& map, const CentredHead<T>& head,
                      tensor::VectorView<const T> log_row_sums, tensor::VectorView<T> row_dual,
                      tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  std::fill(row_dual.begin(), row_dual.end(), T(0));
  const std::int64_t count = map.features.count(map.query_slices.rows);
  base::check(std::ssize(map.weights) == count,
              "compiled_attention: one weight per feature expected");
  const tensor::MatrixView<T> features = scratch.matrix<T>(count, head.x.rows);
  dual_features<T>(map, head, log_row_sums, features, scratch);
  for (std::int64_t p = 0; p < count; ++p)
    tensor::axpy<T>(map.weights[p], features.row(p), row_dual);
}

/// v = (N / M) / (Kᵀ u)
template <class T>
void close_columns(Kernel<T>& kernel) {
  const T mass = kernel.column_mass();
  for (std::int64_t j = 0; j < kernel.k.cols; ++j) kernel.v[j] = mass / kernel.column_sum[j];
  kernel.largest_product =
      std::max(kernel.largest_product,
               kernel.largest_scaling * static_cast<double>(tensor::maximum<T>(kernel.v)));
}

template <class T>
void note_row_scaling(Kernel<T>& kernel) {
  const double largest = tensor::maximum<T>(kernel.u);
  kernel.largest_scaling = std::max(kernel.largest_scaling, largest);
  kernel.largest_product =
      std::max(kernel.largest_product, largest * static_cast<double>(tensor::maximum<T>(kernel.v)));
}

/// Column closure of u = exp(f̂), then the extra iterations; leaves v to be used.
template <class T>
void scale_kernel(Kernel<T>& kernel, tensor::VectorView<const T> row_dual, int extra_iterations) {
  const std::size_t n = row_dual.size();
  for (std::size_t i = 0; i < n; ++i) kernel.u[i] = row_dual[i] - kernel.row_shift[i];
  const T largest = tensor::maximum<T>(kernel.u);
  for (T& exponent : kernel.u) exponent -= largest;
  tensor::exponential<T>(kernel.u, kernel.u);
  weighted_column_sum<T>(kernel.k, kernel.u, kernel.column_sum);
  close_columns(kernel);
  for (int k = 0; k < extra_iterations; ++k) {
    scaling_sweep<T>(kernel.k, kernel.v, kernel.u, kernel.column_sum);
    note_row_scaling(kernel);
    close_columns(kernel);
  }
}

/// Row closure u = 1 / (K v), then output = u ∘ K (v ∘ V). Leaves Kᵀ u in column_sum.
template <class T>
void apply_kernel(Kernel<T>& kernel, tensor::MatrixView<const T> values,
                  tensor::MatrixView<T> output, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  scaling_sweep<T>(kernel.k, kernel.v, kernel.u, kernel.column_sum);
  note_row_scaling(kernel);
  const tensor::MatrixView<T> scaled_values = scratch.matrix<T>(values.rows, values.cols);
  tensor::scale_rows<T>(values, kernel.v.first(static_cast<std::size_t>(values.rows)),
                        scaled_values);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no, T(1), kernel.k, scaled_values, T(0),
                  output);
  tensor::scale_rows<T>(output, kernel.u, output);
}

/// False when a scaling overflowed or entries of K that underflowed could have carried mass.
template <class T>
bool trustworthy(const Kernel<T>& kernel) {
  return kernel.largest_product <=
         kLostPlanEntry / static_cast<double>(std::numeric_limits<T>::min());
}

/// mean_j |M/N sum_i A_ij - 1|
template <class T>
double column_error(const Kernel<T>& kernel) {
  double total = 0;
  for (std::int64_t j = 0; j < kernel.k.cols; ++j)
    total += std::abs(kernel.v[j] * kernel.column_sum[j] / kernel.column_mass() - 1);
  return total / static_cast<double>(kernel.k.cols);
}

/// The same closure with every update a log-sum-exp: slower, finite for any finite scores.
template <class T>
CompiledEvidence log_domain_attention(const CentredHead<T>& head,
                                      tensor::MatrixView<const T> values,
                                      tensor::VectorView<T> row_dual, int extra_iterations,
                                      tensor::MatrixView<T> output, tensor::Arena& scratch) {
  const tensor::MatrixView<T> plan = scratch.matrix<T>(head.x.rows, head.y.rows);
  const tensor::VectorView<T> column_dual = scratch.vector<T>(head.y.rows);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, T(1), head.x, head.y, T(0), plan);
  for (int k = 0; k <= extra_iterations; ++k) {
    transport::column_c_transform<T>(plan, row_dual, column_dual);
    transport::row_c_transform<T>(plan, column_dual, row_dual);
  }
  transport::plan_from_duals<T>(plan, row_dual, column_dual, plan);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no, T(1), plan, values, T(0), output);
  return {true, transport::marginal_errors<T>(plan).column_mean};
}

}  // namespace

template <class T>
CompiledEvidence compiled_attention(const DualMap<T>& map, const AttentionHead<T>& head,
                                    int extra_iterations, tensor::MatrixView<T> output,
                                    tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  if (head.queries.rows == 0 || head.keys.rows == 0) {
    for (std::int64_t i = 0; i < output.rows; ++i)
      for (T& value : output.row(i)) value = T(0);
    return {};
  }
  const CentredHead<T> centred = centre_head<T>(head.queries, head.keys, head.scale, scratch);
  const tensor::VectorView<T> log_row_sums = scratch.vector<T>(head.queries.rows);
  const tensor::VectorView<T> row_dual = scratch.vector<T>(head.queries.rows);
  Kernel<T> kernel = build_kernel<T>(centred, log_row_sums, scratch);
  predict_row_dual<T>(map, centred, log_row_sums, row_dual, scratch);
  scale_kernel<T>(kernel, row_dual, extra_iterations);
  apply_kernel<T>(kernel, head.values, output, scratch);
  if (!trustworthy(kernel))
    return log_domain_attention<T>(centred, head.values, row_dual, extra_iterations, output,
                                   scratch);
  return {false, column_error(kernel)};
}

template CompiledEvidence compiled_attention<float>(const DualMap<float>&,
                                                    const AttentionHead<float>&, int,
                                                    tensor::MatrixView<float>, tensor::Arena&);
template CompiledEvidence compiled_attention<double>(const DualMap<double>&,
                                                     const AttentionHead<double>&, int,
                                                     tensor::MatrixView<double>, tensor::Arena&);

}  // namespace asap::attention

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
struct GibbsKernel {
  tensor::MatrixView<T> k;           // [n, m], rows padded
  tensor::VectorView<T> row_shift;   // r: [n]
  tensor::VectorView<T> u;           // [n]
  tensor::VectorView<T> v;           // [padded m]
  tensor::VectorView<T> column_sum;  // Kᵀ u: [padded m]
  double largest_scaling = 1;        // of u, so far
  double largest_product = 0;        // of u_i v_j, so far

  T column_mass() const { return static_cast<T>(k.rows) / static_cast<T>(k.cols); }  // N / M
};

/// Builds K and writes log_sum_exp_i = log sum_j exp(x_i . y_j): [n].
template <class T>
GibbsKernel<T> build_gibbs_kernel(const CentredHead<T>& head, tensor::VectorView<T> log_sum_exp,
                                  tensor::Arena& scratch) {
  const std::int64_t n = head.x.rows, m = head.y.rows, padded = padded_columns<T>(m);
  GibbsKernel<T> gibbs{{scratch.take<T>(n * padded), n, m, padded},
                       scratch.vector<T>(n),
                       scratch.vector<T>(n),
                       scratch.vector<T>(padded),
                       scratch.vector<T>(padded)};
  const tensor::VectorView<T> column_shift = scratch.vector<T>(padded);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::yes, T(1), head.x, head.y, T(0),
                  gibbs.k);
  score_shifts<T>(gibbs.k, gibbs.row_shift, column_shift);
  tensor::scale<T>(T(-1), column_shift,
                   gibbs.v);  // undoes the column shift: u below is 1 / sum_j exp(S + r)
  tensor::exponential<T>(gibbs.v, gibbs.v);
  std::fill(gibbs.v.begin() + m, gibbs.v.end(), T(0));
  exponentiate_and_scale<T>(gibbs.k, gibbs.row_shift, column_shift, gibbs.v, gibbs.u,
                            gibbs.column_sum);
  for (std::int64_t i = 0; i < n; ++i) log_sum_exp[i] = -gibbs.row_shift[i] - std::log(gibbs.u[i]);
  return gibbs;
}

/// f̂: [n]
template <class T>
void predict_row_dual(const DualMap<T>& map, const CentredHead<T>& head,
                      tensor::VectorView<const T> log_sum_exp, tensor::VectorView<T> row_dual,
                      tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  std::fill(row_dual.begin(), row_dual.end(), T(0));
  const std::int64_t count = map.features.count(map.query_slices.rows);
  base::check(std::ssize(map.weights) == count,
              "compiled_attention: one weight per feature expected");
  const tensor::MatrixView<T> features = scratch.matrix<T>(count, head.x.rows);
  dual_features<T>(map, head, log_sum_exp, features, scratch);
  for (std::int64_t p = 0; p < count; ++p)
    tensor::axpy<T>(map.weights[p], features.row(p), row_dual);
}

/// v = (N / M) / (Kᵀ u)
template <class T>
void close_columns(GibbsKernel<T>& gibbs) {
  const T mass = gibbs.column_mass();
  for (std::int64_t j = 0; j < gibbs.k.cols; ++j) gibbs.v[j] = mass / gibbs.column_sum[j];
  gibbs.largest_product =
      std::max(gibbs.largest_product,
               gibbs.largest_scaling * static_cast<double>(tensor::maximum<T>(gibbs.v)));
}

template <class T>
void note_row_scaling(GibbsKernel<T>& gibbs) {
  const double largest = tensor::maximum<T>(gibbs.u);
  gibbs.largest_scaling = std::max(gibbs.largest_scaling, largest);
  gibbs.largest_product =
      std::max(gibbs.largest_product, largest * static_cast<double>(tensor::maximum<T>(gibbs.v)));
}

/// Column closure of u = exp(f̂), then the extra iterations; leaves v to be used.
template <class T>
void scale_gibbs_kernel(GibbsKernel<T>& gibbs, tensor::VectorView<const T> row_dual,
                        int extra_iterations) {
  const std::size_t n = row_dual.size();
  for (std::size_t i = 0; i < n; ++i) gibbs.u[i] = row_dual[i] - gibbs.row_shift[i];
  const T largest = tensor::maximum<T>(gibbs.u);
  for (T& exponent : gibbs.u) exponent -= largest;
  tensor::exponential<T>(gibbs.u, gibbs.u);
  weighted_column_sum<T>(gibbs.k, gibbs.u, gibbs.column_sum);
  close_columns(gibbs);
  for (int k = 0; k < extra_iterations; ++k) {
    scaling_sweep<T>(gibbs.k, gibbs.v, gibbs.u, gibbs.column_sum);
    note_row_scaling(gibbs);
    close_columns(gibbs);
  }
}

/// Row closure u = 1 / (K v), then output = u ∘ K (v ∘ V). Leaves Kᵀ u in column_sum.
template <class T>
void apply_gibbs_kernel(GibbsKernel<T>& gibbs, tensor::MatrixView<const T> values,
                        tensor::MatrixView<T> output, tensor::Arena& scratch) {
  const tensor::ArenaScope scope(scratch);
  scaling_sweep<T>(gibbs.k, gibbs.v, gibbs.u, gibbs.column_sum);
  note_row_scaling(gibbs);
  const tensor::MatrixView<T> scaled_values = scratch.matrix<T>(values.rows, values.cols);
  tensor::scale_rows<T>(values, gibbs.v.first(static_cast<std::size_t>(values.rows)),
                        scaled_values);
  tensor::gemm<T>(tensor::Transpose::no, tensor::Transpose::no, T(1), gibbs.k, scaled_values, T(0),
                  output);
  tensor::scale_rows<T>(output, gibbs.u, output);
}

/// False when a scaling overflowed or entries of K that underflowed could have carried mass.
template <class T>
bool trustworthy(const GibbsKernel<T>& gibbs) {
  return gibbs.largest_product <=
         kLostPlanEntry / static_cast<double>(std::numeric_limits<T>::min());
}

/// mean_j |M/N sum_i A_ij - 1|
template <class T>
double column_error(const GibbsKernel<T>& gibbs) {
  double total = 0;
  for (std::int64_t j = 0; j < gibbs.k.cols; ++j)
    total += std::abs(gibbs.v[j] * gibbs.column_sum[j] / gibbs.column_mass() - 1);
  return total / static_cast<double>(gibbs.k.cols);
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
  const tensor::VectorView<T> log_sum_exp = scratch.vector<T>(head.queries.rows);
  const tensor::VectorView<T> row_dual = scratch.vector<T>(head.queries.rows);
  GibbsKernel<T> gibbs = build_gibbs_kernel<T>(centred, log_sum_exp, scratch);
  predict_row_dual<T>(map, centred, log_sum_exp, row_dual, scratch);
  scale_gibbs_kernel<T>(gibbs, row_dual, extra_iterations);
  apply_gibbs_kernel<T>(gibbs, head.values, output, scratch);
  if (!trustworthy(gibbs))
    return log_domain_attention<T>(centred, head.values, row_dual, extra_iterations, output,
                                   scratch);
  return {false, column_error(gibbs)};
}

template CompiledEvidence compiled_attention<float>(const DualMap<float>&,
                                                    const AttentionHead<float>&, int,
                                                    tensor::MatrixView<float>, tensor::Arena&);
template CompiledEvidence compiled_attention<double>(const DualMap<double>&,
                                                     const AttentionHead<double>&, int,
                                                     tensor::MatrixView<double>, tensor::Arena&);

}  // namespace asap::attention

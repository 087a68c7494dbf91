#include "attention/transport/transport_problem.h"

#include <algorithm>
#include <limits>

namespace asap::attention {

template <class T>
void dustbin_marginals(tensor::VectorView<T> row_marginals,
                       tensor::VectorView<T> column_marginals) {
  base::check(!row_marginals.empty() && !column_marginals.empty(),
              "dustbin_marginals: no room for the dustbins");
  std::ranges::fill(row_marginals, T(1));
  std::ranges::fill(column_marginals, T(1));
  row_marginals.back() = static_cast<T>(column_marginals.size() - 1);
  column_marginals.back() = static_cast<T>(row_marginals.size() - 1);
}

template <class T>
void log_transport_plan(const TransportProblem<T>& problem, const TransportDuals<const T>& duals,
                        tensor::MatrixView<T> out) {
  base::check(out.rows == problem.rows() && out.cols == problem.columns(),
              "log_transport_plan: shapes do not fit");
  for (std::int64_t i = 0; i < out.rows; ++i) {
    const tensor::VectorView<T> row = out.row(i);
    for (std::int64_t j = 0; j < out.cols; ++j)
      row[j] = problem.row_marginals[i] > T(0) && problem.column_marginals[j] > T(0)
                   ? problem.score(i, j) + duals.rows[i] + duals.columns[j]
                   : -std::numeric_limits<T>::infinity();
  }
}

#define ASAP_INSTANTIATE(T)                                                                       \
  template void dustbin_marginals<T>(tensor::VectorView<T>, tensor::VectorView<T>);               \
  template void log_transport_plan<T>(const TransportProblem<T>&, const TransportDuals<const T>&, \
                                      tensor::MatrixView<T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention

#include "transport/sinkhorn_log.h"

#include <vector>

#include "transport/c_transform.h"

namespace asap {

template <class T>
SinkhornTrace<T> sinkhorn_log(MatrixView<const T> scores, VectorView<const T> start,
                              int iterations) {
  check(iterations >= 0, "sinkhorn_log: negative number of iterations");
  SinkhornTrace<T> trace{Tensor<T>({iterations + 1, scores.rows}),
                         Tensor<T>({iterations, scores.cols})};
  const MatrixView<T> row_duals = trace.row_duals.rows();
  const MatrixView<T> column_duals = trace.column_duals.rows();
  const std::vector<T> zero(start.empty() ? static_cast<std::size_t>(scores.cols) : 0, T(0));
  row_c_transform<T>(scores, start.empty() ? VectorView<const T>(zero) : start, row_duals.row(0));
  for (int t = 0; t < iterations; ++t) {
    column_c_transform<T>(scores, row_duals.row(t), column_duals.row(t));
    row_c_transform<T>(scores, column_duals.row(t), row_duals.row(t + 1));
  }
  return trace;
}

template SinkhornTrace<float> sinkhorn_log<float>(MatrixView<const float>, VectorView<const float>,
                                                  int);
template SinkhornTrace<double> sinkhorn_log<double>(MatrixView<const double>,
                                                    VectorView<const double>, int);

}  // namespace asap

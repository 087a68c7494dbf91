#include "transport/sinkhorn_log.h"

#include <vector>

#include "transport/c_transform.h"

namespace asap::transport {

template <class T>
SinkhornTrace<T> sinkhorn_log(tensor::MatrixView<const T> scores, tensor::VectorView<const T> start,
                              int iterations, const Slack<T>& slack) {
  base::check(iterations >= 0, "sinkhorn_log: negative number of iterations");
  SinkhornTrace<T> trace{tensor::Tensor<T>({iterations + 1, scores.rows}),
                         tensor::Tensor<T>({iterations, scores.cols})};
  const tensor::MatrixView<T> row_duals = trace.row_duals.rows();
  const tensor::MatrixView<T> column_duals = trace.column_duals.rows();
  const std::vector<T> zero(start.empty() ? static_cast<std::size_t>(scores.cols) : 0, T(0));
  tensor::VectorView<const T> column_dual =
      start.empty() ? tensor::VectorView<const T>(zero) : start;
  row_c_transform<T>(scores, column_dual, row_duals.row(0));
  for (int t = 0; t < iterations; ++t) {
    column_c_transform<T>(scores, row_duals.row(t), column_duals.row(t));
    if (slack.exists())
      add_slack_to_columns<T>(slack, scores.rows, slack_dual<T>(slack, scores.rows, column_dual),
                              column_duals.row(t));
    column_dual = column_duals.row(t);
    row_c_transform<T>(scores, column_duals.row(t), row_duals.row(t + 1));
  }
  return trace;
}

template SinkhornTrace<float> sinkhorn_log<float>(tensor::MatrixView<const float>,
                                                  tensor::VectorView<const float>, int,
                                                  const Slack<float>&);
template SinkhornTrace<double> sinkhorn_log<double>(tensor::MatrixView<const double>,
                                                    tensor::VectorView<const double>, int,
                                                    const Slack<double>&);

}  // namespace asap::transport

#include "attention/interface/trainable_attention.h"

#include "tensor/kernels/elementwise.h"

namespace asap {

template <class T>
T TrainableAttention<T>::row_products(MatrixView<const T> a, MatrixView<const T> b) {
  T total = T(0);
  for (std::int64_t i = 0; i < a.rows; ++i) total += dot<T>(a.row(i), b.row(i));
  return total;
}

template class TrainableAttention<float>;
template class TrainableAttention<double>;

}  // namespace asap

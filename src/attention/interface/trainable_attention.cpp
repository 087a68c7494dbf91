#include "attention/interface/trainable_attention.h"

#include "tensor/kernels/elementwise.h"

namespace asap::attention {

template <class T>
T TrainableAttention<T>::row_products(tensor::MatrixView<const T> a,
                                      tensor::MatrixView<const T> b) {
  T total = T(0);
  for (std::int64_t i = 0; i < a.rows; ++i) total += tensor::dot<T>(a.row(i), b.row(i));
  return total;
}

template class TrainableAttention<float>;
template class TrainableAttention<double>;

}  // namespace asap::attention

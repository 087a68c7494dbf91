#include "attention/stored/column_updates.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/stored/column_updates.cpp"
#include <hwy/foreach_target.h>

#include "attention/stored/column_updates_kernel_set.h"
#include "tensor/simd/dispatch.h"
#include "tensor/simd/partial-inl.h"
#include "tensor/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace asap::attention {
namespace HWY_NAMESPACE {

using namespace tensor::HWY_NAMESPACE;
namespace {

template <class T>
void update(std::int64_t columns, T b, const T* column_sum, T* v, std::int64_t padded) {
  for_each_vector<T>(columns, [=](auto d, std::int64_t j) HWY_ATTR {
    hn::StoreU(hn::Div(hn::Set(d, b), hn::LoadU(d, column_sum + j)), d, v + j);
  });
  for (std::int64_t j = columns; j < padded; ++j) v[j] = T(0);
}

template <class T>
void adjoint(T b, const T* pulled, const T* extra, const T* v, T* w, std::int64_t padded) {
  const T factor = T(-1) / b;
  for_each_vector<T>(padded, [=](auto d, std::int64_t j) HWY_ATTR {
    auto gradient = hn::LoadU(d, pulled + j);
    if (extra) gradient = hn::Add(gradient, hn::LoadU(d, extra + j));
    const auto scaling = hn::LoadU(d, v + j);
    hn::StoreU(hn::Mul(hn::Mul(hn::Set(d, factor), gradient), hn::Mul(scaling, scaling)), d, w + j);
  });
}

template <class T>
T update_with_slack(std::int64_t columns, T b, T scaling, const T* entries, const T* column_sum,
                    T* v, std::int64_t padded) {
  const T total = sum_vectors<T>(columns, [=](auto d, std::int64_t j) HWY_ATTR {
    const auto entry = hn::LoadU(d, entries + j);
    const auto mass = hn::MulAdd(hn::Set(d, scaling), entry, hn::LoadU(d, column_sum + j));
    const auto updated = hn::Div(hn::Set(d, b), mass);
    hn::StoreU(updated, d, v + j);
    return hn::Mul(entry, updated);
  });
  for (std::int64_t j = columns; j < padded; ++j) v[j] = T(0);
  return total;
}

template <class T>
T adjoint_with_slack(T b, T weight, const T* entries, const T* pulled, const T* extra, const T* v,
                     T* w, std::int64_t padded) {
  const T factor = T(-1) / b;
  return sum_vectors<T>(padded, [=](auto d, std::int64_t j) HWY_ATTR {
    auto gradient =
        hn::MulAdd(hn::Set(d, weight), hn::LoadU(d, entries + j), hn::LoadU(d, pulled + j));
    if (extra) gradient = hn::Add(gradient, hn::LoadU(d, extra + j));
    const auto scaling = hn::LoadU(d, v + j);
    const auto product = hn::Mul(gradient, scaling);
    hn::StoreU(hn::Mul(hn::Mul(hn::Set(d, factor), product), scaling), d, w + j);
    return product;
  });
}

template <class T>
T error(std::int64_t columns, T b, const T* column_sum, const T* v) {
  const T scale = T(1) / b;
  const T total = sum_vectors<T>(columns, [=](auto d, std::int64_t j) HWY_ATTR {
    const auto mass = hn::Mul(hn::LoadU(d, v + j), hn::LoadU(d, column_sum + j));
    return hn::Abs(hn::MulAdd(mass, hn::Set(d, scale), hn::Set(d, T(-1))));
  });
  return total / static_cast<T>(columns);
}

template <class T>
constexpr ColumnUpdatesKernelSet<T> kKernelSet = {
    .update = &update<T>,
    .adjoint = &adjoint<T>,
    .update_with_slack = &update_with_slack<T>,
    .adjoint_with_slack = &adjoint_with_slack<T>,
    .error = &error<T>,
};

const ColumnUpdatesKernelSet<float>* float_kernel_set() { return &kKernelSet<float>; }
const ColumnUpdatesKernelSet<double>* double_kernel_set() { return &kKernelSet<double>; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace asap::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace asap::attention {
namespace {

ASAP_DEFINE_FLOAT_AND_DOUBLE_KERNELS(ColumnUpdatesKernelSet)

}  // namespace

template <class T>
void update_columns(std::int64_t columns, T b, tensor::VectorView<const T> column_sum,
                    tensor::VectorView<T> v) {
  kernels<T>().update(columns, b, column_sum.data(), v.data(), static_cast<std::int64_t>(v.size()));
}

template <class T>
void adjoint_columns(T b, tensor::VectorView<const T> pulled, tensor::VectorView<const T> extra,
                     tensor::VectorView<const T> v, tensor::VectorView<T> w) {
  kernels<T>().adjoint(b, pulled.data(), extra.data(), v.data(), w.data(),
                       static_cast<std::int64_t>(w.size()));
}

template <class T>
T column_error(std::int64_t columns, T b, tensor::VectorView<const T> column_sum,
               tensor::VectorView<const T> v) {
  return kernels<T>().error(columns, b, column_sum.data(), v.data());
}

template <class T>
T update_columns_with_slack(std::int64_t columns, T b, const SlackRow<T>& row,
                            tensor::VectorView<const T> column_sum, tensor::VectorView<T> v) {
  return kernels<T>().update_with_slack(columns, b, row.scaling, row.entries.data(),
                                        column_sum.data(), v.data(),
                                        static_cast<std::int64_t>(v.size()));
}

template <class T>
T adjoint_columns_with_slack(T b, const SlackRow<T>& row, tensor::VectorView<const T> pulled,
                             tensor::VectorView<const T> extra, tensor::VectorView<const T> v,
                             tensor::VectorView<T> w) {
  return kernels<T>().adjoint_with_slack(b, row.scaling, row.entries.data(), pulled.data(),
                                         extra.data(), v.data(), w.data(),
                                         static_cast<std::int64_t>(w.size()));
}

#define ASAP_INSTANTIATE(T)                                                                     \
  template void update_columns<T>(std::int64_t, T, tensor::VectorView<const T>,                 \
                                  tensor::VectorView<T>);                                       \
  template void adjoint_columns<T>(T, tensor::VectorView<const T>, tensor::VectorView<const T>, \
                                   tensor::VectorView<const T>, tensor::VectorView<T>);         \
  template T update_columns_with_slack<T>(std::int64_t, T, const SlackRow<T>&,                  \
                                          tensor::VectorView<const T>, tensor::VectorView<T>);  \
  template T adjoint_columns_with_slack<T>(T, const SlackRow<T>&, tensor::VectorView<const T>,  \
                                           tensor::VectorView<const T>,                         \
                                           tensor::VectorView<const T>, tensor::VectorView<T>); \
  template T column_error<T>(std::int64_t, T, tensor::VectorView<const T>,                      \
                             tensor::VectorView<const T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::attention
#endif  // HWY_ONCE

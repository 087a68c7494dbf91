#include "autodiff/parameter_store.h"

namespace asap::autodiff {

template <class T>
ParameterId ParameterStore<T>::add(const std::string& name, const tensor::Shape& shape,
                                   bool decay) {
  for (const Entry& entry : entries_) base::check(entry.name != name, "ParameterStore: name taken");
  constexpr std::int64_t kLine = tensor::kAlignment / sizeof(T);
  const std::int64_t offset = used_;
  used_ += (shape.size() + kLine - 1) / kLine * kLine;
  if (used_ > values_.size()) {
    tensor::Tensor<T> larger(tensor::Shape{std::max(used_, 2 * values_.size())});
    std::copy_n(values_.data(), offset, larger.data());
    values_ = std::move(larger);
  }
  entries_.push_back({name, shape, offset, decay});
  return {static_cast<int>(entries_.size()) - 1};
}

template <class T>
ParameterId ParameterStore<T>::add_statistics(const std::string& name, const tensor::Shape& shape) {
  const ParameterId id = add(name, shape, false);
  entries_.back().trained = false;
  return id;
}

template <class T>
std::int64_t ParameterStore<T>::parameter_count() const {
  std::int64_t count = 0;
  for (const Entry& entry : entries_)
    if (entry.trained) count += entry.shape.size();
  return count;
}

template class ParameterStore<float>;
template class ParameterStore<double>;

}  // namespace asap::autodiff

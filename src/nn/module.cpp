#include "nn/module.h"

#include <cmath>

namespace asap::nn {

template <class T>
autodiff::ParameterId ParameterBuilder<T>::add(const std::string& name, const tensor::Shape& shape,
                                               bool decay) const {
  return store_->add(prefix_ + name, shape, decay);
}

template <class T>
autodiff::ParameterId ParameterBuilder<T>::weight(const std::string& name, std::int64_t out,
                                                  std::int64_t in) const {
  const autodiff::ParameterId id = add(name, {out, in}, true);
  const double limit = std::sqrt(6.0 / static_cast<double>(in + out));
  base::RandomStream random = stream(id);
  for (T& value : store_->value(id).flat()) value = static_cast<T>(random.uniform(-limit, limit));
  return id;
}

template <class T>
autodiff::ParameterId ParameterBuilder<T>::normal(const std::string& name,
                                                  const tensor::Shape& shape,
                                                  double deviation) const {
  const autodiff::ParameterId id = add(name, shape, false);
  base::RandomStream random = stream(id);
  for (T& value : store_->value(id).flat()) value = static_cast<T>(deviation * random.normal());
  return id;
}

template <class T>
autodiff::ParameterId ParameterBuilder<T>::constant(const std::string& name,
                                                    const tensor::Shape& shape,
                                                    double value) const {
  const autodiff::ParameterId id = add(name, shape, false);
  for (T& element : store_->value(id).flat()) element = static_cast<T>(value);
  return id;
}

template class ParameterBuilder<float>;
template class ParameterBuilder<double>;

}  // namespace asap::nn

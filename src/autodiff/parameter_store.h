#pragma once

#include <string>
#include <vector>

#include "tensor/core/tensor.h"

namespace asap::autodiff {

/// Names one parameter of a ParameterStore.
struct ParameterId {
  int index = -1;
  bool valid() const { return index >= 0; }
};

/// All trainable tensors of a model in one flat buffer, so that the optimiser, clipping and the sum
/// over shards are single sweeps. Each has a full name ("layers.0.attention.qkv.weight"), the name
/// checkpoints use. Parameters are added first; adding one later moves the buffer.
template <class T>
class ParameterStore {
 public:
  struct Entry {
    std::string name;
    tensor::Shape shape;
    std::int64_t offset;  ///< into flat()
    bool decay;           ///< weight decay applies (matrices, not gains, offsets and positions)
    bool trained = true;  ///< false: statistics of the data, which belong to a checkpoint, too
  };

  /// Adds a parameter of zeros. InternalError when the name is taken.
  ParameterId add(const std::string& name, const tensor::Shape& shape, bool decay);
  /// Adds statistics that no optimiser changes (see nn/convolutions.h); zeros at first.
  ParameterId add_statistics(const std::string& name, const tensor::Shape& shape);

  const std::vector<Entry>& entries() const { return entries_; }
  const Entry& entry(ParameterId id) const { return entries_[static_cast<std::size_t>(id.index)]; }
  tensor::TensorView<T> value(ParameterId id) {
    return {values_.data() + entry(id).offset, entry(id).shape};
  }
  tensor::TensorView<const T> value(ParameterId id) const {
    return {values_.data() + entry(id).offset, entry(id).shape};
  }

  /// Every parameter, one after the other; padding between them is zero and stays so.
  tensor::VectorView<T> flat() { return {values_.data(), static_cast<std::size_t>(used_)}; }
  tensor::VectorView<const T> flat() const {
    return {values_.data(), static_cast<std::size_t>(used_)};
  }
  /// Number of trainable values, padding and statistics not counted.
  std::int64_t parameter_count() const;

 private:
  std::vector<Entry> entries_;
  tensor::Tensor<T> values_;
  std::int64_t used_ = 0;
};

}  // namespace asap::autodiff

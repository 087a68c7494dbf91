#pragma once

#include <string>

#include "attention/interface/trainable_attention.h"
#include "autodiff/parameter_store.h"
#include "autodiff/token_ops.h"
#include "base/random.h"

namespace asap::nn {

/// What a forward pass needs besides its input.
template <class T>
struct PassContext {
  autodiff::Tape<T>& tape;
  attention::AttentionEvidence& evidence;
  double dropout_rate = 0;  ///< 0 when not training
  autodiff::DropoutKey dropout = {};
  double embedding_dropout_rate = 0;  ///< 0 when not training
  bool regions_released = false;      ///< see nn/region_activation.h
  /// What part of its batch the input is, for batch norms; 0 when not training.
  double batch_share = 0;

  /// Dropout with its own random numbers at every call within the pass.
  autodiff::Var<T> drop(autodiff::Var<T> x) { return drop(x, dropout_rate); }
  autodiff::Var<T> drop(autodiff::Var<T> x, double rate) {
    if (rate == 0) return x;
    const autodiff::Var<T> out = asap::autodiff::dropout(x, rate, dropout);
    ++dropout.op;
    return out;
  }
};

/// Adds parameters under a name prefix and gives them their first values. Each parameter has its
/// own random stream, so that adding one does not change the others' values.
template <class T>
class ParameterBuilder {
 public:
  ParameterBuilder(autodiff::ParameterStore<T>& store, std::uint64_t seed)
      : store_(&store), seed_(seed) {}

  /// A builder for a part: its names begin with "prefix.".
  ParameterBuilder part(const std::string& prefix) const {
    ParameterBuilder inner = *this;
    inner.prefix_ += prefix + ".";
    return inner;
  }

  /// Matrix [out, in], uniform with variance 2 / (in + out) (Glorot and Bengio 2010).
  autodiff::ParameterId weight(const std::string& name, std::int64_t out, std::int64_t in) const;
  /// Normal with the given standard deviation; no weight decay.
  autodiff::ParameterId normal(const std::string& name, const tensor::Shape& shape,
                               double deviation) const;
  /// Constant; no weight decay.
  autodiff::ParameterId constant(const std::string& name, const tensor::Shape& shape,
                                 double value) const;

  /// Statistics of the data, which no optimiser changes: zeros.
  autodiff::ParameterId statistics(const std::string& name, const tensor::Shape& shape) const {
    return store_->add_statistics(prefix_ + name, shape);
  }

  /// The values of a parameter, to change its first values; valid until the next one is added.
  tensor::TensorView<T> value(autodiff::ParameterId id) const { return store_->value(id); }

 private:
  autodiff::ParameterId add(const std::string& name, const tensor::Shape& shape, bool decay) const;
  base::RandomStream stream(autodiff::ParameterId id) const {
    return {seed_, base::RandomPurpose::initialisation, static_cast<std::uint32_t>(id.index)};
  }

  autodiff::ParameterStore<T>* store_;
  std::uint64_t seed_;
  std::string prefix_;
};

}  // namespace asap::nn

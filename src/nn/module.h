#pragma once

#include <string>

#include "attention/interface/trainable_attention.h"
#include "autodiff/parameter_store.h"
#include "autodiff/token_ops.h"
#include "base/random.h"

namespace asap {

/// What a forward pass needs besides its input.
template <class T>
struct PassContext {
  Tape<T>& tape;
  AttentionEvidence& evidence;
  double dropout_rate = 0;  ///< 0 when not training
  DropoutKey dropout = {};
  double embedding_dropout_rate = 0;  ///< 0 when not training
  bool regions_released = false;      ///< see nn/region_activation.h

  /// Dropout with its own random numbers at every call within the pass.
  Var<T> drop(Var<T> x) { return drop(x, dropout_rate); }
  Var<T> drop(Var<T> x, double rate) {
    if (rate == 0) return x;
    const Var<T> out = asap::dropout(x, rate, dropout);
    ++dropout.op;
    return out;
  }
};

/// Adds parameters under a name prefix and gives them their first values. Each parameter has its
/// own random stream, so that adding one does not change the others' values.
template <class T>
class ParameterBuilder {
 public:
  ParameterBuilder(ParameterStore<T>& store, std::uint64_t seed) : store_(&store), seed_(seed) {}

  /// A builder for a part: its names begin with "prefix.".
  ParameterBuilder part(const std::string& prefix) const {
    ParameterBuilder inner = *this;
    inner.prefix_ += prefix + ".";
    return inner;
  }

  /// Matrix [out, in], uniform with variance 2 / (in + out) (Glorot and Bengio 2010).
  ParameterId weight(const std::string& name, std::int64_t out, std::int64_t in) const;
  /// Normal with the given standard deviation; no weight decay.
  ParameterId normal(const std::string& name, const Shape& shape, double deviation) const;
  /// Constant; no weight decay.
  ParameterId constant(const std::string& name, const Shape& shape, double value) const;

  /// To give a parameter other first values; valid until the next one is added.
  TensorView<T> value(ParameterId id) const { return store_->value(id); }

 private:
  ParameterId add(const std::string& name, const Shape& shape, bool decay) const;
  RandomStream stream(ParameterId id) const {
    return {seed_, RandomPurpose::initialisation, static_cast<std::uint32_t>(id.index)};
  }

  ParameterStore<T>* store_;
  std::uint64_t seed_;
  std::string prefix_;
};

}  // namespace asap

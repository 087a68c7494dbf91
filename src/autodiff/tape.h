#pragma once

#include <functional>
#include <initializer_list>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "autodiff/parameter_store.h"
#include "tensor/core/arena.h"

namespace asap::autodiff {

template <class T>
class Tape;

/// A value on a tape: a handle, copied freely, valid until the tape is cleared.
template <class T>
class Var {
 public:
  Var() = default;
  Var(Tape<T>& tape, int node) : tape_(&tape), node_(node) {}

  Tape<T>& tape() const { return *tape_; }
  int node() const { return node_; }
  /// False for an empty handle: an optional input that is absent.
  bool valid() const { return tape_ != nullptr; }
  tensor::TensorView<const T> value() const { return tape_->value(node_); }
  tensor::Shape shape() const { return tape_->value(node_).shape; }

 private:
  Tape<T>* tape_ = nullptr;
  int node_ = -1;
};

/// Where a pullback puts the gradient of one input. `accumulate` says whether something is there
/// already; if not, the pullback must write every element.
template <class T>
struct GradientSlot {
  tensor::TensorView<T> view;
  bool accumulate;
};

/// What a pullback sees: the values and the gradient of the op's output, and slots for its inputs.
template <class T>
class Pullback {
 public:
  Pullback(Tape<T>& tape, int node) : tape_(tape), node_(node) {}

  tensor::TensorView<const T> output() const { return tape_.value(node_); }
  tensor::TensorView<const T> output_gradient() const { return tape_.gradient(node_); }
  tensor::TensorView<const T> input(int index) const {
    return tape_.value(tape_.input(node_, index));
  }
  /// Whether the gradient of the input is needed; slot() may be called only then.
  bool wants(int index) const { return tape_.requires_gradient(tape_.input(node_, index)); }
  /// May be called once per input and pullback.
  GradientSlot<T> slot(int index) { return tape_.open_slot(tape_.input(node_, index)); }
  /// Adds the output's gradient, as it is, to that of an input of the same size: the first to be
  /// added is shared instead of copied.
  void pass_on(int index) { tape_.pass_on(node_, tape_.input(node_, index)); }
  /// For scratch inside an ArenaScope. Slots live in the same arena: take them before opening
  /// the scope.
  tensor::Arena& arena() { return tape_.arena(); }

 private:
  Tape<T>& tape_;
  int node_;
};

/// Hears from backward(), after every pulled-back op, from which element on the gradients of the
/// parameters are final: they come last to first, as far as the parameters are used in the order of
/// their store.
using FinalGradients = std::function<void(std::size_t first)>;

/// Records a forward pass as nodes in creation order; backward() is one loop over them in reverse.
/// Values, gradients and pullbacks live in one arena: clear() forgets them and keeps the memory, so
/// that a training step allocates nothing after the first. A tape belongs to one thread.
template <class T>
class Tape {
 public:
  Tape() = default;
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Uses `store` for parameter(); backward() writes the gradient of every parameter to
  /// `gradients`, laid out as store.flat() (what lies between parameters is left alone). An empty
  /// `gradients` records values only.
  void bind(const ParameterStore<T>& store, tensor::VectorView<T> gradients,
            FinalGradients on_final = nullptr) {
    store_ = &store;
    parameter_gradients_ = gradients;
    on_final_ = std::move(on_final);
    parameter_nodes_.assign(store.entries().size(), -1);
  }

  /// A value that needs no gradient; it must outlive the pass.
  Var<T> constant(tensor::TensorView<const T> value) { return add_node(value, {}, false); }

  /// A leaf whose gradient is needed (see gradient_of); it must outlive the pass.
  Var<T> leaf(tensor::TensorView<const T> value) { return add_node(value, {}, true); }

  /// The parameter as a leaf, the same one at every call.
  Var<T> parameter(ParameterId id);

  /// Memory for the output of an op.
  tensor::TensorView<T> allocate(const tensor::Shape& shape) { return arena_.tensor<T>(shape); }

  /// Adds an op. `pullback` is a functor void(Pullback<T>&) that captures only what lives as long
  /// as the pass: views and numbers.
  template <class F>
  Var<T> record(tensor::TensorView<const T> value, std::initializer_list<Var<T>> inputs,
                F pullback) {
    static_assert(std::is_trivially_destructible_v<F>, "a pullback owns nothing: the arena does");
    const Var<T> out = add_node(value, inputs, false);
    if (nodes_.back().requires_gradient) {
      nodes_.back().closure = new (arena_.template take<F>(1)) F(pullback);
      nodes_.back().invoke = [](void* closure, Pullback<T>& p) { (*static_cast<F*>(closure))(p); };
    }
    return out;
  }

  /// The same values under another shape; the gradient is shared too.
  Var<T> reshaped(Var<T> x, const tensor::Shape& shape);

  /// Gradient of the scalar `loss` with respect to everything before it, times `seed`.
  void backward(Var<T> loss, T seed = T(1));

  /// Gradient of a leaf after backward(); zeros when nothing reached it. Gradients of
  /// intermediate values are not kept: their memory is reused, still in cache, once they have been
  /// pulled back.
  tensor::TensorView<const T> gradient_of(Var<T> x);

  /// Forgets all nodes and keeps the memory.
  void clear();
  tensor::Arena& arena() { return arena_; }

 private:
  friend class Var<T>;
  friend class Pullback<T>;

  static constexpr int kMaxInputs = 4;
  struct Node {
    tensor::TensorView<const T> value;
    T* gradient = nullptr;
    int gradient_buffer = -1;  // index into buffers_, or -1: not there yet, or a parameter's
    bool gradient_written = false;
    bool requires_gradient = false;
    int gradient_owner = -1;  // another node whose gradient this one shares, or itself
    int inputs[kMaxInputs] = {-1, -1, -1, -1};
    void* closure = nullptr;
    void (*invoke)(void* closure, Pullback<T>&) = nullptr;
  };

  Var<T> add_node(tensor::TensorView<const T> value, std::initializer_list<Var<T>> inputs,
                  bool requires_gradient);
  tensor::TensorView<const T> value(int node) const { return nodes_[node].value; }
  tensor::TensorView<const T> gradient(int node) const {
    return {nodes_[nodes_[node].gradient_owner].gradient, nodes_[node].value.shape};
  }
  int input(int node, int index) const { return nodes_[node].inputs[index]; }
  bool requires_gradient(int node) const { return nodes_[node].requires_gradient; }
  GradientSlot<T> open_slot(int node);
  void pass_on(int from, int to);
  void settle_parameters(int index);

  /// Memory for gradients: held by one node or, until one of them adds to it, by several.
  struct GradientBuffer {
    T* data;
    std::int64_t size;
    int holders;
  };
  void hold_new_buffer(Node& node);
  void let_go(Node& node);

  tensor::Arena arena_;
  std::vector<GradientBuffer> buffers_;
  std::vector<int> free_buffers_;
  std::vector<Node> nodes_;
  const ParameterStore<T>* store_ = nullptr;
  tensor::VectorView<T> parameter_gradients_;
  std::vector<int> parameter_nodes_;  // node of each parameter in this pass, or -1
  std::size_t unsettled_ = 0;         // parameters before this one await their gradients
  FinalGradients on_final_;
};

}  // namespace asap::autodiff

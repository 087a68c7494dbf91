#include "autodiff/tape.h"

#include <algorithm>

namespace asap {

template <class T>
Var<T> Tape<T>::add_node(TensorView<const T> value, std::initializer_list<Var<T>> inputs,
                         bool requires_gradient) {
  check(inputs.size() <= kMaxInputs, "Tape: an op has at most four inputs");
  Node node;
  node.value = value;
  node.requires_gradient = requires_gradient;
  node.gradient_owner = static_cast<int>(nodes_.size());
  int count = 0;
  for (const Var<T>& input : inputs) {
    check(&input.tape() == this, "Tape: an input belongs to another tape");
    node.inputs[count++] = input.node();
    node.requires_gradient = node.requires_gradient || nodes_[input.node()].requires_gradient;
  }
  nodes_.push_back(node);
  return {*this, node.gradient_owner};
}

template <class T>
Var<T> Tape<T>::parameter(ParameterId id) {
  check(store_ != nullptr, "Tape: no parameter store is bound");
  int& node = parameter_nodes_[static_cast<std::size_t>(id.index)];
  if (node >= 0) return {*this, node};
  const Var<T> var = add_node(store_->value(id), {}, !parameter_gradients_.empty());
  node = var.node();
  if (!parameter_gradients_.empty()) {
    nodes_[node].gradient = parameter_gradients_.data() + store_->entry(id).offset;
    nodes_[node].gradient_written = true;  // parameters always accumulate
  }
  return var;
}

template <class T>
Var<T> Tape<T>::reshaped(Var<T> x, const Shape& shape) {
  check(shape.size() == x.shape().size(), "Tape::reshaped: another number of elements");
  const Var<T> out = add_node({x.value().data, shape}, {x}, false);
  nodes_[out.node()].gradient_owner = nodes_[x.node()].gradient_owner;
  return out;
}

template <class T>
GradientSlot<T> Tape<T>::open_slot(int node) {
  Node& owner = nodes_[nodes_[node].gradient_owner];
  if (!owner.gradient) owner.gradient = arena_.take<T>(owner.value.size());
  const bool accumulate = owner.gradient_written;
  owner.gradient_written = true;
  return {{owner.gradient, nodes_[node].value.shape}, accumulate};
}

template <class T>
void Tape<T>::backward(Var<T> loss, T seed) {
  check(loss.shape().size() == 1, "Tape::backward: the loss is not a scalar");
  if (!requires_gradient(loss.node())) return;
  const GradientSlot<T> slot = open_slot(loss.node());
  slot.view.data[0] = seed;
  for (int index = loss.node(); index >= 0; --index) {
    const Node node = nodes_[index];
    if (!node.invoke || !nodes_[node.gradient_owner].gradient_written) continue;
    Pullback<T> pullback(*this, index);
    node.invoke(node.closure, pullback);
  }
}

template <class T>
TensorView<const T> Tape<T>::gradient_of(Var<T> x) {
  const GradientSlot<T> slot = open_slot(x.node());
  if (!slot.accumulate) std::fill_n(slot.view.data, slot.view.size(), T(0));
  return slot.view;
}

template <class T>
void Tape<T>::clear() {
  nodes_.clear();
  arena_.clear();
  std::fill(parameter_nodes_.begin(), parameter_nodes_.end(), -1);
}

template class Tape<float>;
template class Tape<double>;

}  // namespace asap

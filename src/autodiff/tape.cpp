#include "autodiff/tape.h"

#include <algorithm>

#include "tensor/kernels/elementwise.h"

namespace asap::autodiff {

template <class T>
Var<T> Tape<T>::add_node(tensor::TensorView<const T> value, std::initializer_list<Var<T>> inputs,
                         bool requires_gradient) {
  base::check(inputs.size() <= kMaxInputs, "Tape: an op has at most four inputs");
  Node node;
  node.value = value;
  node.requires_gradient = requires_gradient;
  node.gradient_owner = static_cast<int>(nodes_.size());
  int count = 0;
  for (const Var<T>& input : inputs) {
    base::check(&input.tape() == this, "Tape: an input belongs to another tape");
    node.inputs[count++] = input.node();
    node.requires_gradient = node.requires_gradient || nodes_[input.node()].requires_gradient;
  }
  nodes_.push_back(node);
  return {*this, node.gradient_owner};
}

template <class T>
Var<T> Tape<T>::parameter(ParameterId id) {
  base::check(store_ != nullptr, "Tape: no parameter store is bound");
  int& node = parameter_nodes_[static_cast<std::size_t>(id.index)];
  if (node >= 0) return {*this, node};
  const Var<T> var = add_node(store_->value(id), {}, !parameter_gradients_.empty());
  node = var.node();
  if (!parameter_gradients_.empty())
    nodes_[node].gradient = parameter_gradients_.data() + store_->entry(id).offset;
  return var;
}

template <class T>
Var<T> Tape<T>::reshaped(Var<T> x, const tensor::Shape& shape) {
  base::check(shape.size() == x.shape().size(), "Tape::reshaped: another number of elements");
  const Var<T> out = add_node({x.value().data, shape}, {x}, false);
  nodes_[out.node()].gradient_owner = nodes_[x.node()].gradient_owner;
  return out;
}

/// The smallest free buffer that is large enough, of several the one freed last; a new one if there
/// is none.
template <class T>
void Tape<T>::hold_new_buffer(Node& node) {
  const std::int64_t size = node.value.size();
  auto best = free_buffers_.end();
  for (auto it = free_buffers_.begin(); it != free_buffers_.end(); ++it) {
    const bool fits = buffers_[*it].size >= size;
    if (fits && (best == free_buffers_.end() || buffers_[*it].size <= buffers_[*best].size))
      best = it;
  }
  if (best != free_buffers_.end()) {
    node.gradient_buffer = *best;
    free_buffers_.erase(best);
  } else {
    node.gradient_buffer = static_cast<int>(buffers_.size());
    buffers_.push_back({arena_.take<T>(size), size, 0});
  }
  buffers_[node.gradient_buffer].holders = 1;
  node.gradient = buffers_[node.gradient_buffer].data;
}

template <class T>
void Tape<T>::let_go(Node& node) {
  if (node.gradient_buffer < 0) return;
  if (--buffers_[node.gradient_buffer].holders == 0) free_buffers_.push_back(node.gradient_buffer);
  node.gradient_buffer = -1;
  node.gradient = nullptr;
}

template <class T>
GradientSlot<T> Tape<T>::open_slot(int node) {
  Node& owner = nodes_[nodes_[node].gradient_owner];
  const bool accumulate = owner.gradient_written;
  if (!owner.gradient) {
    hold_new_buffer(owner);
  } else if (owner.gradient_buffer >= 0 && buffers_[owner.gradient_buffer].holders > 1) {
    const T* shared = owner.gradient;
    let_go(owner);
    hold_new_buffer(owner);
    std::copy_n(shared, owner.value.size(), owner.gradient);
  }
  owner.gradient_written = true;
  return {{owner.gradient, nodes_[node].value.shape}, accumulate};
}

template <class T>
void Tape<T>::pass_on(int from, int to) {
  const Node& source = nodes_[nodes_[from].gradient_owner];
  Node& target = nodes_[nodes_[to].gradient_owner];
  base::check(source.value.size() == target.value.size(), "Tape::pass_on: sizes differ");
  if (target.gradient) {  // something to add to, or a parameter's own place
    const GradientSlot<T> slot = open_slot(to);
    tensor::scale<T>(T(1), gradient(from).flat(), slot.view.flat(), slot.accumulate);
    return;
  }
  target.gradient = source.gradient;
  target.gradient_buffer = source.gradient_buffer;
  target.gradient_written = true;
  ++buffers_[source.gradient_buffer].holders;
}

/// All nodes from `index` on are pulled back: parameters that no earlier node uses have their
/// gradients. Those that the loss does not depend on get zeros.
template <class T>
void Tape<T>::settle_parameters(int index) {
  if (parameter_gradients_.empty()) return;
  for (; unsettled_ > 0; --unsettled_) {
    const int node = parameter_nodes_[unsettled_ - 1];
    if (node >= 0 && node + 1 < index) break;  // used first by a node after its own
    if (node >= 0 && nodes_[node].gradient_written) continue;
    const auto& entry = store_->entries()[unsettled_ - 1];
    std::fill_n(parameter_gradients_.data() + entry.offset, entry.shape.size(), T(0));
  }
  if (!on_final_) return;
  const bool none = unsettled_ == parameter_nodes_.size();
  on_final_(unsettled_ == 0 ? 0
            : none          ? parameter_gradients_.size()
                            : static_cast<std::size_t>(store_->entries()[unsettled_].offset));
}

template <class T>
void Tape<T>::backward(Var<T> loss, T seed) {
  base::check(loss.shape().size() == 1, "Tape::backward: the loss is not a scalar");
  unsettled_ = parameter_nodes_.size();
  if (requires_gradient(loss.node())) {
    const GradientSlot<T> slot = open_slot(loss.node());
    slot.view.data[0] = seed;
    for (int index = loss.node(); index >= 0; --index) {
      const Node node = nodes_[index];
      if (!node.invoke || !nodes_[node.gradient_owner].gradient_written) continue;
      Pullback<T> pullback(*this, index);
      node.invoke(node.closure, pullback);
      let_go(nodes_[index]);
      settle_parameters(index);
    }
  }
  settle_parameters(0);
}

template <class T>
tensor::TensorView<const T> Tape<T>::gradient_of(Var<T> x) {
  base::check(!nodes_[nodes_[x.node()].gradient_owner].invoke,
              "Tape::gradient_of: only leaves keep theirs");
  const GradientSlot<T> slot = open_slot(x.node());
  if (!slot.accumulate) std::fill_n(slot.view.data, slot.view.size(), T(0));
  return slot.view;
}

template <class T>
void Tape<T>::clear() {
  nodes_.clear();
  buffers_.clear();
  free_buffers_.clear();
  arena_.clear();
  std::fill(parameter_nodes_.begin(), parameter_nodes_.end(), -1);
}

template class Tape<float>;
template class Tape<double>;

}  // namespace asap::autodiff

#pragma once

#include <string>
#include <vector>

#include "io/safetensors.h"

namespace asap::compile {

/// The tensors of one role (queries, keys or values) in one layer.
struct RoleTensors {
  std::vector<std::string> names;  ///< one, or those of heads 0, 1, ...; empty: there are none
  bool per_head = false;           ///< a tensor for each head
};

struct LayerTensors {
  RoleTensors queries, keys, values;
};

/// Sorts the tensors of a file by their names, [layer]:
///   [layer.L.][head.H.]ROLE, ROLE one of q, query, queries; k, key, keys; v, value, values
/// "layers" and "heads" are understood as well. Without "layer.L." the file has one layer; without
/// "head.H." a tensor has all heads. Layers and heads are numbered 0, 1, ...; every layer has
/// queries and keys. Masks, lengths and heads (`is_beside_activations`) are left alone. DataError
/// for any other name with the nearest known one, a missing layer, head or role, and for two
/// tensors that say the same.
std::vector<LayerTensors> sort_activations(const io::TensorFile& file);

/// Whether the name is one of mask, query_mask, key_mask, lengths, query_lengths, key_lengths,
/// live_queries, live_keys and heads.
bool is_beside_activations(const std::string& name);

/// Throws the DataError "FILE: name: what" with a hint.
[[noreturn]] void refuse_tensor(const io::TensorFile& file, const std::string& name,
                                const std::string& what, const std::string& hint = "");

}  // namespace asap::compile

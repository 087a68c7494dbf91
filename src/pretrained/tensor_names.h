#pragma once

#include <string>
#include <vector>

#include "pretrained/model_description.h"
#include "tensor/core/shape.h"

namespace asap::pretrained {

/// One tensor of this toolkit and those of the pretrained model that it is made of.
struct TensorOrigin {
  std::string name;                ///< here: "layers.0.attention.qkv.weight"
  std::vector<std::string> parts;  ///< there, one below the other: queries, keys, values
  std::vector<std::string> fused;  ///< there, as one tensor instead of parts; empty: never
  tensor::Shape shape;             ///< of the whole, here
  bool optional = false;           ///< a model may lack it
  tensor::Shape stored = {};       ///< of a single part there; rank 0: as here
};

/// All tensors of a network with their names there, after the prefix of the family.
std::vector<TensorOrigin> tensor_origins(const ModelDescription& description);

/// The table of token types there, of which the first row is added to every position, and the
/// second less the first to the second text of a pair; empty: the family has none.
std::string token_type_name(Family family);
/// The tensor there by which family and prefix are found: the table of token embeddings, or the
/// class token.
std::string marking_name(Family family);
/// What may stand before all names: "bert." in a model with a head.
std::vector<std::string> prefixes(Family family);
/// Whether a tensor of that name, after the prefix, is known and not used: heads for training.
bool is_left_out(const std::string& name, Family family);
/// "BERT", "DistilBERT", "ViT", "ViT of timm"
const char* family_name(Family family);

}  // namespace asap::pretrained

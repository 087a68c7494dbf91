#pragma once

#include "c_source/network_source.h"

namespace asap::c_source {

/// Sizes that a caller needs, as an enumeration of C.
std::string public_constants(const config::ModelConfig& model);

/// What the files in runtime/ read by name: sizes, choices and the scale of pixels.
std::string private_constants(const NetworkToWrite& network);

/// Adds all weights to `constants`; returns the tables of layers, norms and embeddings.
std::string encoder_tables(const NetworkToWrite& network, Constants& constants);

/// Numbers of one token before it is embedded: those of a patch, or the features of a point.
std::int64_t embedded_numbers(const config::ModelConfig& model);

}  // namespace asap::c_source

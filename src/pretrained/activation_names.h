#pragma once

#include "config/model_config.h"
#include "pretrained/json_fields.h"

namespace asap::pretrained {

/// The activation that a setting names: "gelu" (by erf), "gelu_new" and the like (by tanh) or
/// "relu". DataError for any other.
config::Activation activation_of(const JsonFields& fields, const std::string& key);

}  // namespace asap::pretrained

#include "pretrained/activation_names.h"

#include "base/error.h"

namespace asap::pretrained {

config::Activation activation_of(const JsonFields& fields, const std::string& key) {
  const std::string name = fields.text(key, "gelu");
  if (name == "gelu") return config::Activation::gelu_erf;
  if (name == "relu") return config::Activation::relu;
  for (const char* by_tanh : {"gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_accurate"})
    if (name == by_tanh) return config::Activation::gelu;
  throw base::DataError(
      fields.source() + ": the activation '" + io::excerpt(name) + "' of " + key + " is unknown",
      "known are gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, gelu_accurate and relu");
}

}  // namespace asap::pretrained

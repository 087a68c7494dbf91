#include "config/absent_fields.h"

namespace asap::config {

std::string why_absent(std::string_view path) {
  const std::string_view name = path.substr(path.find_last_of('.') + 1);
  if (name == "causal" || name == "is_causal" || name == "causal_mask")
    return "attention here sees whole sequences: the only causal plan that is doubly stochastic is "
           "the identity, by which no token sees another";
  return "";
}

}  // namespace asap::config

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config_fields.h"

namespace asap::config {

/// Path and value, as JSON, of every field: {"train.batch", "64"}.
template <class C>
std::vector<std::pair<std::string, std::string>> field_values(const C& config) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const FieldDescription& field : list_fields(config))
    values.emplace_back(field.path, field.value.dump());
  return values;
}

}  // namespace asap::config

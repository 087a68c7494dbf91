#pragma once

#include <string>
#include <vector>

#include "support/random_encoder.h"

namespace asap::test {

inline evaluate::Comparison compared(const data::Dataset& dataset, std::vector<std::string> names) {
  const evaluate::ComparisonSettings settings{evaluate::parse_methods(names, 2), 1, 10};
  return evaluate::compare_methods(random_encoder(4), nullptr, dataset, settings);
}

}  // namespace asap::test

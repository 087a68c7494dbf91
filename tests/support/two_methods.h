#pragma once

#include <string>

#include "evaluate/compare/comparison.h"

namespace asap::test {

inline std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

inline evaluate::MethodResult method_result(const std::string& name, double accuracy,
                                            double milliseconds) {
  evaluate::MethodResult result;
  result.name = name;
  result.accuracy = accuracy;
  result.agreement = 0.98765;
  result.attention_milliseconds = milliseconds;
  result.plan_l1 = 0.04321;
  result.heads = {{{0.03, 0.01}, {0.05, 0.02}}};
  return result;
}

inline evaluate::Comparison two_methods() {
  evaluate::Comparison comparison;
  comparison.methods = {method_result("teacher", 0.834, 0.2),
                        method_result("compiled", 0.832, 0.1)};
  comparison.examples = 10000;
  comparison.fidelity_examples = 128;
  return comparison;
}

}  // namespace asap::test

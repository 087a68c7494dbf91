#pragma once

#include "data/dataset.h"

namespace asap::data {

/// ListOps (Nangia and Bowman 2018) with the grammar of Long Range Arena (Tay et al. 2021): nested
/// lists of digits under MIN, MAX, MED (median, rounded down) and SM (sum modulo 10), whose value,
/// a digit, is the label:
///   [MAX 4 3 [MIN 2 3 ] 1 0 ] -> 4
/// A place holds a list with probability 1/4 (the root always does), never below depth max_depth,
/// and a list 2 to max_arguments places. Expressions whose number of tokens is outside [min_tokens,
/// max_tokens] are drawn anew. Tokens are an operator with its bracket, a digit, or the closing
/// bracket; unlike Long Range Arena's files there are none for the round parentheses of binary
/// trees, which carry no information.
///
/// Example i of a split is a pure function of config.listops.seed, the split and i. UsageError when
/// classes are not the ten digits, or when no expression of such a length is found.
Dataset draw_listops_dataset(const config::DataConfig& config, Split split);

/// Value of an expression given by token ids, for tests. InternalError when it is not one.
int evaluate_listops(std::span<const std::int32_t> ids);

/// "[MAX", "7", "]" ...; "?" for an id that stands for none.
std::string listops_token(std::int32_t id);

}  // namespace asap::data

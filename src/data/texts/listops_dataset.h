#pragma once

#include "data/dataset.h"

namespace asap::data {

/// ListOps (Nangia and Bowman 2018) with the grammar of Long Range Arena (Tay et al. 2021): nested
/// lists of digits under MIN, MAX, MED (median, rounded down) and SM (sum modulo 10), whose value,
/// a digit, is the label:
///   [MAX 4 3 [MIN 2 3 ] 1 0 ] -> 4
/// An argument is a list with probability 1/4 (the root always is one), never below depth
/// max_depth, and a list has 2 to max_arguments arguments. Expressions whose number of tokens is
/// outside [min_tokens, max_tokens] are drawn again. A token is an operator with its bracket, a
/// digit, or the closing bracket; the round parentheses of Long Range Arena's files, which carry no
/// information, have no token.
///
/// Example i of a split is a pure function of config.listops.seed, the split and i. UsageError when
/// classes are not the ten digits, or when no expression of such a length is found.
Dataset draw_listops_dataset(const config::DataConfig& config, Split split);

/// The value of an expression given as token ids, for tests. InternalError for anything else.
int evaluate_listops(std::span<const std::int32_t> ids);

/// "[MAX", "7", "]" ...; "?" for an unknown id.
std::string listops_token(std::int32_t id);

}  // namespace asap::data

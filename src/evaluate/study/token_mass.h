#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace asap::evaluate {

/// How much attention a token receives: the sum of its column of the plan relative to the mean
/// column, mean over its occurrences and over the heads of a layer. 1 for every token of a doubly
/// stochastic plan.
struct TokenMass {
  std::string
      token;  ///< a word where the tokenizer is known, else the number or position of the token
  std::int64_t occurrences = 0;
  double mass = 0;
};

/// The tokens of one layer that receive most and least, each group from its extreme on.
struct LayerMasses {
  std::vector<TokenMass> most, least;
};

/// Sums behind TokenMass: of texts by token id, of other examples by position; -1 is the class
/// token.
class TokenMassSums {
 public:
  /// Adds one column of a plan [n, m]: its sum times m / n, mean over heads.
  void add(int layer, std::int64_t token, double mass);
  void add(const TokenMassSums& other);

  /// The `count` tokens that receive most and least in each layer, of those with at least
  /// `occurrences`.
  std::vector<LayerMasses> extremes(const data::Dataset& dataset, std::size_t count,
                                    std::int64_t occurrences) const;

 private:
  struct Sum {
    std::int64_t occurrences = 0;
    double mass = 0;
  };
  std::map<int, std::map<std::int64_t, Sum>> layers_;
};

/// The token at a place of an example, as TokenMassSums counts it. `class_token`: whether one
/// stands before the others.
std::int64_t token_key(const data::Dataset& dataset, std::int64_t example, std::int64_t place,
                       bool class_token);

}  // namespace asap::evaluate

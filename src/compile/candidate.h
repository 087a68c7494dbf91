#pragma once

#include <string>
#include <vector>

#include "compile/compile_config.h"
#include "compile/cost/machine_profile.h"

namespace asap::compile {

/// One way to compute the attention of a layer, with what it costs and how exact it is.
struct Candidate {
  std::vector<std::string> features{};  ///< of a map; empty: Sinkhorn's loop
  int iterations = 0;                   ///< of that loop
  attention::ProductPrecision precision = attention::ProductPrecision::single;
  double nanoseconds = 0;        ///< of a head of a held-out example by the machine profile, mean
  std::vector<double> errors{};  ///< by layer, on held-out examples: see ErrorMeasurement

  /// "lse,lse0,it:1", "sinkhorn:3", "gau,lin in bfloat16"
  std::string name() const;
};

/// All candidates of a teacher, and which of them each layer takes.
struct OperatorChoice {
  std::vector<Candidate> candidates;  ///< the cheapest first
  std::vector<std::size_t> chosen;    ///< by layer
  double softmax_nanoseconds = 0;     ///< of the same heads with softmax attention
  std::string instruction_set;        ///< whose profile the times are of
  std::string profile;                ///< file of that profile; empty: the shipped one
  double error = 0;                   ///< that a layer may have
  double budget = 0;                  ///< in softmax's times; 0: none

  const Candidate& of(std::size_t layer) const { return candidates[chosen[layer]]; }
  /// The time of the attention of all layers, relative to softmax's.
  double over_softmax() const;
};

/// The error that each layer of a network may have: `error` in up to three layers, √(3 / layers) of
/// it in deeper networks, because the errors of layers add up, as those of independent sources do.
double error_of_layers(double error, std::int64_t layers);

/// Fills `chosen`. For each layer, the cheapest candidate whose error is at most choice.error, and
/// the teacher's whole loop where that one saves less than a tenth of the loop's time; or with a
/// budget the most exact one that takes at most choice.budget times as long as softmax. If
/// there is none, the most exact, or with a budget the cheapest.
void choose_operator(OperatorChoice& choice);

/// Those candidates of a layer that no other one beats in both error and time, the cheapest first.
std::vector<std::size_t> frontier(const OperatorChoice& choice, std::size_t layer);

/// In words, what a layer takes and why.
std::string choice_words(const OperatorChoice& choice, std::size_t layer);

/// How a head is computed: the map or the loop that `head` holds.
OperatorForm form_of(const attention::CompiledHead& head);

}  // namespace asap::compile

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "distributed/ranks.h"

namespace asap::asap_eval {

/// Options of asap-eval compare for a run that trained a matcher.
struct MatcherCompareOptions {
  std::filesystem::path run;
  std::filesystem::path compiled;             ///< operator folder; empty: none
  std::string pairs;                          ///< files, separated by commas; empty: data.test
  std::vector<std::filesystem::path> others;  ///< runs of matchers to compare with
  std::vector<std::string> methods;           ///< empty: the default
  std::optional<double> threshold;            ///< of all networks
  std::string calibration;        ///< file of pairs that the threshold of each network is chosen on
  std::optional<int> iterations;  ///< of the teacher; default: the operator's, else the network's
  std::optional<int> examples;    ///< use only the first N pairs of a file; 0: all
};

/// Precision, recall, F1 of every method on every file: a table, comparison.csv, report.html,
/// summary.json. The ranks share the pairs; rank 0 writes.
void compare_matcher(const cli::CommonOptions& common, const MatcherCompareOptions& options,
                     distributed::Ranks& ranks);

/// Options of asap-eval predict for such a run.
struct MatcherPredictOptions {
  std::filesystem::path run;
  std::filesystem::path compiled;  ///< operator folder; empty: none
  std::string input;               ///< file of pairs
  std::string method;              ///< empty: compiled with an operator, else network
  std::optional<double> threshold;
};

/// The matches of every pair with confidences: matches.csv, matches.json, pictures of the first
/// pairs, summary.json.
void predict_matches(const cli::CommonOptions& common, const MatcherPredictOptions& options);

}  // namespace asap::asap_eval

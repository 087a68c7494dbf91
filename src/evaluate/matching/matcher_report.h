#pragma once

#include <string>
#include <utility>
#include <vector>

#include "evaluate/matching/matcher_comparison.h"

namespace asap::evaluate {

/// How all methods do on one file of pairs.
struct MatchedFile {
  std::string file;
  std::int64_t pairs = 0;
  std::vector<MatchingRow> rows;
};

/// A pair as the report shows it.
struct PicturedPair {
  std::string name;
  std::string matches;  ///< SVG: see pair_picture.h
  std::string plan;     ///< SVG: see plan_picture.h
};

/// The first `count` pairs with keypoints in both images, matched by the network. `file` names
/// them.
std::vector<PicturedPair> picture_pairs(const data::KeypointPairs& pairs,
                                        const infer::Matcher& network, double threshold, int count,
                                        const std::string& file);

/// What asap-eval compare writes about a matcher.
struct MatcherReport {
  std::string model;  ///< describe_matcher()
  std::string run;
  int teacher_iterations = 0;
  std::vector<MatchedFile> files = {};
  std::vector<PicturedPair> pictures = {};
  std::vector<std::string> commands = {};                       ///< that make the report again
  std::vector<std::pair<std::string, std::string>> facts = {};  ///< "toolkit" -> "0.1.0", ...
};

/// What the comparison says, in sentences: of every file with true matches the network beside the
/// best classical method and the other networks, and of every compiled method what it loses, what
/// it takes, and whether a cut loop is as near in no more time.
std::vector<std::string> matcher_verdict(const std::vector<MatchedFile>& files);

/// report.html: the verdict, a table of every file, pictures of pairs and of their assignments. The
/// page needs no other file.
std::string matcher_report_page(const MatcherReport& report);

}  // namespace asap::evaluate

#pragma once

#include <string>
#include <vector>

#include "infer/match_pairs.h"
#include "io/json.h"

namespace asap::evaluate {

/// One line per match: pair,i,j,confidence, with a header; numbers from 0 as in the file.
std::string matches_as_csv(const std::vector<infer::Matches>& matches);
/// A list of {"pair", "i", "j", "confidence"}.
io::Json matches_as_json(const std::vector<infer::Matches>& matches);

}  // namespace asap::evaluate

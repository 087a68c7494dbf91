#pragma once

#include <optional>
#include <string>
#include <vector>

#include "asap_eval/matcher_commands.h"
#include "compile/transport_artefact.h"
#include "evaluate/matching/matcher_report.h"
#include "io/json.h"

namespace asap::asap_eval {

/// The comparison of matchers as a table for terminals, as CSV, and one row of it as JSON. Scores
/// are unknown where a file names no true matches.
std::string table_of(const std::vector<evaluate::MatchedFile>& files);
std::string csv_of(const std::vector<evaluate::MatchedFile>& files);
io::Json json_of(const evaluate::MatchingRow& row);

/// The commands that make the comparison again: training, compilation, comparison.
std::vector<std::string> commands_of(const MatcherCompareOptions& options,
                                     const std::optional<compile::TransportArtefact>& artefact);

}  // namespace asap::asap_eval

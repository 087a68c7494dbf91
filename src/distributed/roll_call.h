#pragma once

#include <optional>
#include <string>
#include <vector>

#include "distributed/ranks.h"

namespace asap::distributed {

/// What a rank says when the roll is called: the error with which it ends, or that it waits.
struct RollAnswer {
  std::string host;
  std::string error;  ///< empty: it waits for others
};

/// Answers by rank; none where a rank did not answer in time.
using RollCall = std::vector<std::optional<RollAnswer>>;

/// "rank 2 on node7, rank 3 on node8": the ranks that did not answer. `hosts` by rank.
std::string missing_ranks(const RollCall& roll, const std::vector<std::string>& hosts);

/// Whether some rank answered that it ends with an error.
bool has_error(const RollCall& roll);

/// Which of the ranks prints which message, as rank `rank` sees it, which has answered itself:
/// where all ranks end with the same error, rank 0 alone prints it; every other error is printed by
/// the rank that has it, with its name; that ranks are missing is printed by the first that waits.
FailureReport report_of(const RollCall& roll, int rank);

}  // namespace asap::distributed

#include "distributed/roll_call.h"

#include <algorithm>

namespace asap::distributed {

std::string missing_ranks(const RollCall& roll, const std::vector<std::string>& hosts) {
  std::string text;
  for (std::size_t rank = 0; rank < roll.size(); ++rank)
    if (!roll[rank])
      text += (text.empty() ? "rank " : ", rank ") + std::to_string(rank) + " on " + hosts[rank];
  return text;
}

bool has_error(const RollCall& roll) {
  return std::ranges::any_of(roll, [](const std::optional<RollAnswer>& answer) {
    return answer && !answer->error.empty();
  });
}

FailureReport report_of(const RollCall& roll, int rank) {
  const RollAnswer& own = *roll[static_cast<std::size_t>(rank)];
  const bool shared = std::ranges::all_of(roll, [&](const std::optional<RollAnswer>& answer) {
    return answer && answer->error == own.error;
  });
  if (shared) return {rank == 0, "", false};
  if (!own.error.empty())
    return {true, rank == 0 ? "" : "rank " + std::to_string(rank) + " on " + own.host + ": ", true};
  const auto first = std::ranges::find_if(
      roll, [](const std::optional<RollAnswer>& answer) { return answer.has_value(); });
  return {!has_error(roll) && first - roll.begin() == rank, "", true};
}

}  // namespace asap::distributed

#include "evaluate/matching/match_lists.h"

#include "base/format.h"

namespace asap::evaluate {
namespace {

using infer::Matches;

/// Calls visit(pair, i, j, confidence).
template <class Visit>
void for_each_match(const std::vector<Matches>& matches, const Visit& visit) {
  for (std::size_t p = 0; p < matches.size(); ++p)
    for (std::size_t i = 0; i < matches[p].partners.size(); ++i)
      if (matches[p].partners[i] >= 0)
        visit(p, i, matches[p].partners[i], matches[p].confidences[i]);
}

}  // namespace

std::string matches_as_csv(const std::vector<Matches>& matches) {
  std::string text = "pair,i,j,confidence\n";
  for_each_match(matches, [&](std::size_t p, std::size_t i, std::int32_t j, float confidence) {
    text += std::to_string(p) + "," + std::to_string(i) + "," + std::to_string(j) + "," +
            base::format_fixed(confidence, 6) + "\n";
  });
  return text;
}

io::Json matches_as_json(const std::vector<Matches>& matches) {
  io::Json list = io::Json::array();
  for_each_match(matches, [&](std::size_t p, std::size_t i, std::int32_t j, float confidence) {
    list.push_back({{"pair", p}, {"i", i}, {"j", j}, {"confidence", confidence}});
  });
  return list;
}

}  // namespace asap::evaluate

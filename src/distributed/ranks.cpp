#include "distributed/ranks.h"

#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "distributed/ordered_sum.h"

namespace asap::distributed {
namespace {

std::string host_name() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

class SingleRank final : public Ranks {
 public:
  SingleRank() : Ranks(0, 1, host_name()) {}

  void sum(std::span<const tensor::VectorView<float>> gradients, SumOrder, int threads,
           const Computation& compute) override {
    compute([](std::size_t) {});
    const tensor::VectorView<float> total = gradients.front();
    add_in_order(gradients, {0, total.size()}, true, total, threads);
  }
  std::vector<std::string> gather(const std::string& bytes) override { return {bytes}; }
  FailureReport fail(const std::string&) override { return {true, "", false}; }
  void end(bool, int) override {}
};

}  // namespace

Ranks& single_rank() {
  static SingleRank single;
  return single;
}

std::int64_t first_of_rank(std::int64_t count, int rank, int size) { return count * rank / size; }

void require_same(Ranks& ranks, const NamedValues& values, const std::string& hint) {
  if (ranks.size() == 1) return;
  std::string packed = ranks.host();
  for (const auto& [name, value] : values) packed += '\0' + name + '\0' + value;
  const std::vector<std::string> all = ranks.gather(packed);
  const std::vector<std::string> first = base::split(all.front(), '\0');
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    const std::vector<std::string> other = base::split(all[rank], '\0');
    for (std::size_t i = 1; i + 1 < std::min(first.size(), other.size()); i += 2)
      if (first[i] != other[i] || first[i + 1] != other[i + 1])
        throw base::UsageError(first[i] + " is " + other[i + 1] + " on rank " +
                                   std::to_string(rank) + " (" + other[0] + "), but " +
                                   first[i + 1] + " on rank 0 (" + first[0] + ")",
                               hint);
    if (first.size() != other.size())
      throw base::UsageError("rank " + std::to_string(rank) + " (" + other[0] +
                                 ") runs another program than rank 0 (" + first[0] + ")",
                             hint);
  }
}

}  // namespace asap::distributed

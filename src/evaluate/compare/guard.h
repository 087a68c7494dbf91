#pragma once

#include <memory>
#include <vector>

#include "attention/operators/guarded_operator.h"
#include "data/dataset.h"
#include "distributed/shared_items.h"
#include "evaluate/compare/method.h"
#include "infer/encoder.h"

namespace asap::evaluate {

/// What guards did over a data set, counted by heads: each head of each example is one.
struct GuardCounts {
  std::int64_t heads = 0;
  std::int64_t iterated = 0;    ///< heads whose column error exceeded their limit
  std::int64_t iterations = 0;  ///< that were added, all together
  /// Of the network, not by example; and those of them that always run the teacher's loop.
  std::int64_t network_heads = 0, loops = 0;

  double share() const { return ratio(iterated); }
  double mean_iterations() const { return ratio(iterations); }

 private:
  double ratio(std::int64_t part) const {
    return heads == 0 ? 0 : static_cast<double>(part) / static_cast<double>(heads);
  }
};

/// The operator of the methods `guarded` and `warm`, in all layers. A guarded head is left to the
/// teacher's T iterations where the bound of its column error exceeds the quantile
/// method.guard_quantile of those in the operator. A warm one goes on from the closed plan until
/// its column error is at most the mean of the teacher's, T iterations at most, if the teacher has
/// converged: then both are near the same fixed point. A teacher that has not is not on the way
/// there from any other start, so the cheapest way that loses nothing is its own loop, which the
/// head then runs. UsageError when `heads` is null or lacks the column errors or bounds.
std::unique_ptr<attention::GuardedOperator> make_guarded(const Method& method,
                                                         const CompiledHeads* heads);

/// Runs a guarded or warm method once over the data set and counts; the same for any number of
/// threads. Layers that the method leaves to the teacher do not count.
GuardCounts count_guarded(const Method& method, const infer::Encoder& encoder,
                          const CompiledHeads& heads, const data::Dataset& dataset,
                          const distributed::Workers& workers, std::vector<tensor::Arena>& arenas);

}  // namespace asap::evaluate

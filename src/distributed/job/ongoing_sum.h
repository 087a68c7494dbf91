#pragma once

#include <memory>
#include <span>
#include <vector>

#include <mpi.h>

#include "distributed/ordered_sum.h"
#include "distributed/ranks.h"

namespace asap::distributed {

/// Where messages of a sum are kept. It outlives every sum, so that a message which arrives after a
/// sum was given up finds its place.
struct SumBuffers {
  std::vector<float> partial;   ///< what is added so far
  std::vector<float> returned;  ///< the totals, on their way back
};

/// A sum of gradients over the ranks of `channel` that goes on while gradients are computed. It
/// works from the last element to the first, because the backward pass does.
class OngoingSum {
 public:
  virtual ~OngoingSum() = default;

  /// Elements from `first` on have their values in all gradients of this rank.
  void final_from(std::size_t first) { final_from_ = first; }
  /// Adds, sends and receives what can be without waiting. Returns whether the sum is complete.
  virtual bool advance(int threads) = 0;

 protected:
  using Gradients = std::span<const tensor::VectorView<float>>;
  explicit OngoingSum(Gradients gradients)
      : gradients_(gradients), final_from_(gradients.front().size()) {}

  tensor::VectorView<float> total() const { return gradients_.front(); }
  /// The part of a gradient that is `index`-th from its end, of parts of `length` elements.
  Segment part(std::size_t index, std::size_t length) const;
  std::size_t parts(std::size_t length) const { return (total().size() + length - 1) / length; }
  bool is_final(const Segment& segment) const { return segment.begin >= final_from_; }

  Gradients gradients_;

 private:
  std::size_t final_from_;
};

/// Begins a sum. `gradients` as Ranks::sum takes them.
std::unique_ptr<OngoingSum> begin_sum(MPI_Comm channel,
                                      std::span<const tensor::VectorView<float>> gradients,
                                      SumOrder order, SumBuffers& buffers);

/// Whether a message was sent or has arrived. Lets MPI work.
bool is_done(MPI_Request& request);

}  // namespace asap::distributed

#pragma once

#include <functional>
#include <vector>

#include "compile/activation_source.h"
#include "distributed/shared_items.h"
#include "tensor/core/arena.h"

namespace asap::compile {

/// Called with the number of examples done and of all examples of all passes.
using CompileProgress = std::function<void(std::int64_t done, std::int64_t total)>;

/// What of one head a pass over examples is given: chunk, layer, head, example in the chunk and
/// number of the example among those of the pass.
struct VisitedHead {
  const Activations& chunk;
  int layer;
  std::int64_t head;
  std::int64_t example;
  std::int64_t index;
};

/// Passes over the examples of a source, head by head in parallel on threads and ranks. An example
/// is visited where it has live queries and keys.
class HeadPasses {
 public:
  /// Called with the number of the head among all, what is visited, and scratch of one thread.
  using Body = std::function<void(std::int64_t index, const VisitedHead&, tensor::Arena& scratch)>;

  /// Keeps references to `source` and `progress`. total: examples of all passes.
  HeadPasses(const ActivationSource& source, const distributed::Workers& workers,
             std::int64_t total, const CompileProgress& progress);

  std::int64_t heads() const { return source_.teacher().heads; }
  std::int64_t all_heads() const { return source_.teacher().layers * heads(); }
  const distributed::Workers& workers() const { return workers_; }
  /// Which heads this rank visits.
  distributed::ItemShare share() const { return {*workers_.ranks, all_heads()}; }
  const ActivationSource& source() const { return source_; }

  /// Calls body for every head of this rank and example of `range`; the examples of a head in
  /// order.
  void run(const ExampleRange& range, const Body& body);
  /// Calls action(index) for every head of this rank, in parallel.
  void for_each_head(const std::function<void(std::int64_t index)>& action) const;
  /// `examples` more are done.
  void report(std::int64_t examples);

 private:
  const ActivationSource& source_;
  distributed::Workers workers_;
  std::int64_t total_;
  const CompileProgress& progress_;
  std::vector<tensor::Arena> scratch_;  // one per thread: heads take turns
  std::int64_t done_ = 0;
};

/// Whether an example has a live query and a live key.
bool is_live(const attention::AttentionBatch<float>& batch, std::int64_t example);

/// DataError: none of the examples of `range` is live.
[[noreturn]] void refuse_empty(const std::string& source, const ExampleRange& range);

}  // namespace asap::compile

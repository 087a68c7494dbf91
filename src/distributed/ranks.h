#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tensor/core/view.h"

namespace asap::distributed {

/// In which order floating-point numbers of several ranks are added.
enum class SumOrder {
  fixed,  ///< the order of the ranks and, in each, of its gradients: the same bits for any ranks
  any     ///< whatever is fastest
};

/// Fills gradients, and says now and then, from the main thread, that elements from `first` on are
/// final in all gradients of this rank. It may call gather().
using FinalFrom = std::function<void(std::size_t first)>;
using Computation = std::function<void(const FinalFrom&)>;

/// What becomes of the message of a rank that failed.
struct FailureReport {
  bool speaks = true;    ///< this rank prints it; else another one does
  std::string prefix;    ///< "rank 1 on node7: ", where the message needs it
  bool is_alone = true;  ///< others go on or wait, so that `end` must abort the job
};

/// The processes that do one job together, seen by one of them. Every rank must call sum and gather
/// equally often, in the same order, from its main thread.
class Ranks {
 public:
  virtual ~Ranks() = default;

  int rank() const { return rank_; }
  int size() const { return size_; }
  /// Whether this is the rank that writes files and talks to the user: rank 0.
  bool leads() const { return rank_ == 0; }
  /// Name of this rank's machine.
  const std::string& host() const { return host_; }
  /// Most seconds to wait for other ranks; 0: any time.
  void set_time_limit(double seconds) { time_limit_ = seconds; }

  /// Replaces gradients[0] of every rank by the sum of all gradients of all ranks. Each rank has at
  /// least one; all have one size. Those of gradients[1] and following stay as they are. The sum
  /// begins while `compute` fills the gradients, with what it says is final.
  virtual void sum(std::span<const tensor::VectorView<float>> gradients, SumOrder order,
                   int threads, const Computation& compute) = 0;
  /// The same of gradients that are there.
  void sum(std::span<const tensor::VectorView<float>> gradients, SumOrder order, int threads) {
    sum(gradients, order, threads, [](const FinalFrom&) {});
  }

  /// The bytes of every rank, by rank. They may differ in length.
  virtual std::vector<std::string> gather(const std::string& bytes) = 0;

  /// Tells the others, for a moment, that this rank ends with the error `message`, and hears
  /// whether they do, too.
  virtual FailureReport fail(const std::string& message) = 0;

  /// Leaves the job; nothing can be exchanged after it. With `abort`, ends all ranks with exit code
  /// `code` instead and does not return.
  virtual void end(bool abort, int code) = 0;

 protected:
  Ranks(int rank, int size, std::string host) : rank_(rank), size_(size), host_(std::move(host)) {}
  double time_limit() const { return time_limit_; }

 private:
  int rank_, size_;
  std::string host_;
  double time_limit_ = 0;
};

/// A job of one process.
Ranks& single_rank();

/// The first item of `count` that rank `rank` of `size` computes; it ends where the next begins.
std::int64_t first_of_rank(std::int64_t count, int rank, int size);

/// Name and value of what must be the same on all ranks: {"train.batch", "64"}.
using NamedValues = std::vector<std::pair<std::string, std::string>>;

/// UsageError, on all ranks alike, when a rank has other values than rank 0: names both.
void require_same(Ranks& ranks, const NamedValues& values, const std::string& hint);

}  // namespace asap::distributed

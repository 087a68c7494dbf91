#include "distributed/job/mpi_ranks.h"

#include <algorithm>
#include <list>

#include <mpi.h>
#include <sched.h>
#include <unistd.h>

#include "base/error.h"
#include "base/format.h"
#include "base/timing.h"
#include "distributed/job/launched_job.h"
#include "distributed/job/ongoing_sum.h"
#include "distributed/roll_call.h"

namespace asap::distributed {
namespace {

constexpr std::int64_t kInline = 504;     // bytes that gather exchanges at once
constexpr std::int64_t kPiece = 1 << 26;  // bytes of all ranks in one exchange of longer ones
constexpr int kQuickPolls = 2000;         // before a waiting rank begins to sleep
constexpr useconds_t kNap = 20;           // microseconds
constexpr double kLookAround = 0.02;      // seconds between two looks at other ranks' failures
constexpr double kRollSeconds = 2;        // within which ranks that can answer do
constexpr double kSecondsOfOthers = 5;    // until a rank that is silent ends the job itself

/// What gather exchanges first: the length of a rank's bytes, and their begin.
struct Opening {
  std::int64_t length = 0;
  char bytes[kInline] = {};
};

/// The job of mpirun or srun.
class MpiRanks final : public Ranks {
 public:
  MpiRanks(int rank, int size, std::string host) : Ranks(rank, size, std::move(host)) {
    MPI_Comm_dup(MPI_COMM_WORLD, &work_);
    MPI_Comm_dup(MPI_COMM_WORLD, &sums_);
    MPI_Comm_dup(MPI_COMM_WORLD, &roll_channel_);
    hosts_ = gather(this->host());
  }

  void sum(std::span<const tensor::VectorView<float>> gradients, SumOrder order, int threads,
           const Computation& compute) override {
    if (size() == 1) return single_rank().sum(gradients, order, threads, compute);
    const std::unique_ptr<OngoingSum> sum = begin_sum(sums_, gradients, order, buffers_);
    {
      const Meanwhile meanwhile(running_, *sum);
      compute([&](std::size_t first) {
        sum->final_from(first);
        sum->advance(1);  // other threads compute
      });
    }
    sum->final_from(0);
    wait_until([&] { return sum->advance(threads); });
  }

  std::vector<std::string> gather(const std::string& bytes) override {
    Opening own{static_cast<std::int64_t>(bytes.size()), {}};
    bytes.copy(own.bytes, sizeof own.bytes);
    std::vector<Opening> openings(static_cast<std::size_t>(size()));
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Iallgather(&own, sizeof own, MPI_BYTE, openings.data(), sizeof own, MPI_BYTE, work_,
                   &request);
    wait(request);
    std::vector<std::string> all;
    std::int64_t longest = 0;
    for (const Opening& opening : openings) {
      all.emplace_back(opening.bytes, static_cast<std::size_t>(std::min(opening.length, kInline)));
      longest = std::max(longest, opening.length);
    }
    const std::int64_t piece = std::max<std::int64_t>(kPiece / size(), 1);
    for (std::int64_t first = kInline; first < longest; first += piece)
      gather_piece(bytes, first, piece, openings, all);
    return all;
  }

  FailureReport fail(const std::string& message) override {
    const bool waited = !roll_.empty();
    if (!waited) call_roll(message);
    report_ = report_of(roll_, rank());
    report_.is_alone = report_.is_alone || waited;
    return report_;
  }

  void end(bool abort, int code) override {
    if (abort) {
      if (!report_.speaks) ::usleep(static_cast<useconds_t>(1e6 * kSecondsOfOthers));
      MPI_Abort(MPI_COMM_WORLD, code);
      ::_exit(code);
    }
    MPI_Finalize();
  }

 private:
  /// For its lifetime, waiting for something else lets a sum go on.
  class Meanwhile {
   public:
    Meanwhile(OngoingSum*& running, OngoingSum& sum) : running_(running) { running_ = &sum; }
    ~Meanwhile() { running_ = nullptr; }
    Meanwhile(const Meanwhile&) = delete;
    Meanwhile& operator=(const Meanwhile&) = delete;

   private:
    OngoingSum*& running_;
  };

  /// Bytes `first` to `first` + `most` of every rank that has them.
  void gather_piece(const std::string& bytes, std::int64_t first, std::int64_t most,
                    const std::vector<Opening>& openings, std::vector<std::string>& all) {
    std::vector<int> counts, places;
    int total = 0;
    for (const Opening& opening : openings) {
      counts.push_back(static_cast<int>(std::clamp<std::int64_t>(opening.length - first, 0, most)));
      places.push_back(total);
      total += counts.back();
    }
    std::string received(static_cast<std::size_t>(total), '\0');
    const int own = counts[static_cast<std::size_t>(rank())];
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Iallgatherv(bytes.data() + (own > 0 ? first : 0), own, MPI_BYTE, received.data(),
                    counts.data(), places.data(), MPI_BYTE, work_, &request);
    wait(request);
    for (std::size_t rank = 0; rank < all.size(); ++rank)
      all[rank].append(received, static_cast<std::size_t>(places[rank]),
                       static_cast<std::size_t>(counts[rank]));
  }

  void wait(MPI_Request& request) {
    wait_until([&] { return is_done(request); });
  }

  template <class Done>
  void wait_until(const Done& done) {
    const base::Stopwatch watch;
    double next_look = kLookAround;
    for (int polls = 0; !done(); ++polls) {
      if (running_ != nullptr) running_->advance(1);
      if (polls < kQuickPolls)
        ::sched_yield();
      else
        ::usleep(kNap);
      const double seconds = watch.seconds();
      if (seconds < next_look) continue;
      next_look = seconds + kLookAround;
      int called = 0;
      MPI_Iprobe(MPI_ANY_SOURCE, kRoll, roll_channel_, &called, MPI_STATUS_IGNORE);
      if (called != 0 || (time_limit() > 0 && seconds > time_limit())) give_up(seconds);
    }
  }

  [[noreturn]] void give_up(double seconds) {
    call_roll("");
    if (has_error(roll_)) throw base::DataError("another rank failed");
    const std::string missing = missing_ranks(roll_, hosts_);
    const std::string time = " for " + base::format_seconds(seconds);
    if (missing.empty()) throw base::DataError("the ranks waited for each other" + time, kHint);
    throw base::DataError(missing + " did not answer" + time, kHint);
  }

  /// Tells all others `error`, or that this rank waits, and hears them.
  void call_roll(const std::string& error) {
    roll_.assign(static_cast<std::size_t>(size()), std::nullopt);
    roll_[static_cast<std::size_t>(rank())] = RollAnswer{host(), error};
    said_ = error;
    for (int other = 0; other < size(); ++other)
      if (other != rank())
        MPI_Isend(said_.data(), static_cast<int>(said_.size()), MPI_CHAR, other, kRoll,
                  roll_channel_, &roll_sent_.emplace_back());
    const base::Stopwatch watch;
    for (int heard = 1; heard < size() && watch.seconds() < kRollSeconds;) {
      int there = 0;
      MPI_Status status;
      MPI_Iprobe(MPI_ANY_SOURCE, kRoll, roll_channel_, &there, &status);
      if (there == 0) {
        ::usleep(kNap);
        continue;
      }
      int length = 0;
      MPI_Get_count(&status, MPI_CHAR, &length);
      std::string text(static_cast<std::size_t>(length), '\0');
      MPI_Recv(text.data(), length, MPI_CHAR, status.MPI_SOURCE, kRoll, roll_channel_,
               MPI_STATUS_IGNORE);
      const auto source = static_cast<std::size_t>(status.MPI_SOURCE);
      roll_[source] = RollAnswer{hosts_[source], text};
      ++heard;
    }
  }

  static constexpr int kRoll = 3;  // a tag
  static constexpr const char* kHint =
      "look at that machine; `rank_timeout` sets how long ranks wait for each other";

  MPI_Comm work_ = MPI_COMM_NULL, sums_ = MPI_COMM_NULL, roll_channel_ = MPI_COMM_NULL;
  std::vector<std::string> hosts_;
  SumBuffers buffers_;
  OngoingSum* running_ = nullptr;  // the sum whose gradients are being computed
  RollCall roll_;                  // once it was called
  std::string said_;
  std::list<MPI_Request> roll_sent_;
  FailureReport report_;
};

}  // namespace

Ranks& start_mpi(const std::string& host) {
  int provided = 0, rank = 0, size = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  static MpiRanks ranks(rank, size, host);
  return ranks;
}

std::string mpi_name() {
  char version[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(version, &length);
  const std::string name(version);
  // "Open MPI v4.1.4, package: Debian OpenMPI, ..."
  const std::string first = name.substr(0, name.find(','));
  const std::size_t place = first.find(" v");
  return place == std::string::npos ? first
                                    : first.substr(0, place) + " " + first.substr(place + 2);
}

}  // namespace asap::distributed
